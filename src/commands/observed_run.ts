import { type Finding, KprovError, makeFinding } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { join } from "../base/std.ts";
import { compareUtf8 } from "../base/text.ts";
import {
  checkObservation,
  isObservationComplete,
  type ObservationWishes,
  type ObservedFiles,
} from "../evidence/command.ts";
import type { RecordedFile } from "../evidence/provenance.ts";
import type { RunSummary, RuntimeCheck } from "../evidence/run_summary.ts";
import { gatherInputs, listOwnNames } from "../io/inputs.ts";
import type { Root } from "../io/paths.ts";
import { gatherRuntimes } from "../io/runtimes/runtimes.ts";
import { gatherExecuted, gatherTool, joinTools } from "../io/tools.ts";
import type { FileHistory } from "../io/trace/file_history.ts";
import { findObservedFiles, type Trace, TRACER } from "../io/trace/tracer.ts";
import { type CommandToolchain, holdRuntimes, toRuntimeVersion } from "./toolchain.ts";
import type { RunSetting } from "./write_run.ts";

/** The words that `--observe=` takes, and what each asks for. */
const OBSERVE_WORDS = ["declare", "strict", "names"] as const;

/**
 * Reads the words of `--observe`.
 *
 * @param given Each value as given, in which commas part words; none where it has no value
 * @throws {KprovError} `usage` on any other word
 */
export function readWishes(given: readonly string[]): ObservationWishes {
  const words = given.flatMap((value) => value.split(","));
  const known: readonly string[] = OBSERVE_WORDS;
  const other = words.find((word) => !known.includes(word));
  if (other !== undefined) {
    throw new KprovError(
      "usage",
      `Cannot use --observe=${quote(other)}: expected declare, strict or names`,
      { hint: "several are parted by commas, as in --observe=declare,strict" },
    );
  }
  return {
    declares: words.includes("declare"),
    isStrict: words.includes("strict"),
    namesOutside: words.includes("names"),
  };
}

/** What was read before the command, as far as it tells what is declared. */
interface ObservedInputs {
  /** The inputs as given, normalised. */
  readonly inputs: readonly string[];
  /** The globs of what was left out of them. */
  readonly exclude: readonly string[];
  /** The files that went in. */
  readonly materials: readonly RecordedFile[];
  /** Whether the inputs were read through links. */
  readonly links?: "follow";
}

/** A command that ran under watch. */
interface WatchedCommand {
  /** What the run reads before it. */
  readonly before: ObservedInputs;
  /** The programs and runtimes that were found before it. */
  readonly toolchain: CommandToolchain;
  /** The names of the product paths. */
  readonly products: readonly string[];
  /** The names of the files that stood there. */
  readonly standing: readonly string[];
  /** When it was started, in milliseconds. */
  readonly startedAt: number;
  /** What was asked for. */
  readonly wishes: ObservationWishes;
  /** Whether packages are recorded. */
  readonly wantsPackages: boolean;
}

/** What the observation brings to a run. */
interface Observed {
  /** The inputs, with those that were added. */
  readonly inputs: ObservedInputs;
  /** The programs and runtimes, with those that ran. */
  readonly toolchain: CommandToolchain;
  /** What the policy asks of the runtimes among them. */
  readonly checks: readonly RuntimeCheck[];
  /** What run_summary.json records. */
  readonly observation: RunSummary["observation"];
  /** What was found, errors and notes. */
  readonly findings: readonly Finding[];
}

/**
 * Reads what a command was seen to do, once it has ended, and holds it against what is declared.
 *
 * @param trace What was seen
 * @param command The command
 * @param setting What holds for the run
 * @throws {KprovError} `cannot_start` where it never began; `io` where the trace cannot be read, `data`
 * where an input that is added changes meanwhile
 */
export async function observeCommand(
  trace: Trace,
  command: WatchedCommand,
  setting: RunSetting,
): Promise<Observed> {
  const { root, policy } = setting;
  const history = await trace.read();
  if (history.startFault !== null) {
    const name = command.toolchain.tools[0]?.name ?? TRACER;
    throw new KprovError("cannot_start", `Cannot run ${quote(name)}: ${history.startFault}`);
  }
  const { toolchain, runtimes, notes } = await gatherStarted(history, command, root);
  const held = holdRuntimes(policy, runtimes.map(toRuntimeVersion));
  const { inputs, files } = await declareInputs(history, { ...command, toolchain }, setting);
  const findings = [
    ...checkObservation(files, history, command.wishes),
    ...notes,
    ...held.findings,
  ];
  return {
    inputs,
    toolchain,
    checks: held.checks,
    observation: { by: TRACER, complete: isObservationComplete(findings) },
    findings,
  };
}

/** The programs that were seen to start, beside those that were found before. */
async function gatherStarted(
  { executed }: FileHistory,
  { toolchain, wantsPackages }: WatchedCommand,
  root: Root,
): Promise<Pick<Observed, "toolchain"> & Pick<CommandToolchain, "runtimes" | "notes">> {
  const known = joinTools([...toolchain.tools, ...gatherTool(TRACER, root)]);
  const { tools, unknown } = gatherExecuted(executed, known, root);
  const runtimes = await gatherRuntimes({ tools: tools.slice(known.length), root, wantsPackages });
  const message = "not everything was seen: a program that ran is gone, or cannot be read";
  return {
    toolchain: { ...toolchain, tools, runtimes: [...toolchain.runtimes, ...runtimes] },
    runtimes,
    notes: [
      ...runtimes.flatMap((runtime) => runtime.notes),
      ...(unknown.length === 0
        ? []
        : [makeFinding("observation.incomplete", message, { level: "note" })]),
    ],
  };
}

/** With `--observe=declare`, what was read and did not change since becomes an input. */
async function declareInputs(
  history: FileHistory,
  { before, toolchain, products, standing, startedAt, wishes }: WatchedCommand,
  setting: RunSetting,
): Promise<{ readonly inputs: ObservedInputs; readonly files: ObservedFiles }> {
  const { tools, runtimes } = toolchain;
  const declared = {
    root: setting.root,
    products,
    standing,
    startedAt,
    ownNames: listOwnNames(setting.own),
    tools: [...tools, ...runtimes.map(({ executable }) => executable)],
  };
  const find = ({ materials }: ObservedInputs): ObservedFiles =>
    findObservedFiles(history, { ...declared, materials });
  const files = find(before);
  const names = files.undeclared.filter(({ state }) => state === "unchanged")
    .map(({ name }) => name);
  if (!wishes.declares || names.length === 0) return { inputs: before, files };
  const inputs = await addInputs(before, names, setting);
  return { inputs, files: find(inputs) };
}

async function addInputs(
  before: ObservedInputs,
  names: readonly string[],
  setting: RunSetting,
): Promise<ObservedInputs> {
  const { inputs, materials } = await gatherInputs({
    ...setting,
    inputs: names.map((name) => join(setting.root.path, name)),
    exclude: [],
    links: "none",
  });
  return {
    ...before,
    inputs: [...before.inputs, ...inputs],
    materials: [...before.materials, ...materials].sort((a, b) => compareUtf8(a.name, b.name)),
  };
}
