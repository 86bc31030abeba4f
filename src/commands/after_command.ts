import { type Finding, KprovError, makeFinding, sortFindings } from "../base/error.ts";
import { quote, shellQuote, shellQuotePath } from "../base/quote.ts";
import { join } from "../base/std.ts";
import { compareUtf8 } from "../base/text.ts";
import {
  checkObservation,
  type CommandEnd,
  hasFailed,
  isObservationComplete,
  type ObservationWishes,
  type ObservedFiles,
} from "../evidence/command.ts";
import { findCovering, type RecordedFile } from "../evidence/provenance.ts";
import type { RunSummary, RuntimeCheck } from "../evidence/run_summary.ts";
import { escapeGlob, joinExclusions, listExclusions } from "../io/exclusions.ts";
import type { Host } from "../io/host.ts";
import { gatherInputs } from "../io/inputs.ts";
import { gatherProducts, listDirectories } from "../io/observe.ts";
import { isAbsent, listOwnNames, type NamedPath, type Root } from "../io/paths.ts";
import { gatherRuntimes } from "../io/runtimes/runtimes.ts";
import {
  type BeforeCommand,
  findChangedInputs,
  findChangedTools,
  splitUntouched,
  type Stamps,
} from "../io/stamps.ts";
import { gatherExecuted, gatherTool, joinTools } from "../io/tools.ts";
import type { FileHistory } from "../io/trace/file_history.ts";
import { findChangedPrograms, findObservedFiles, type Trace, TRACER } from "../io/trace/tracer.ts";
import { type CommandToolchain, holdRuntimes, toRuntimeVersion } from "./toolchain.ts";
import { reportFindings, type RunSetting } from "./write_run.ts";

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
      { hint: "several are separated by commas, as in --observe=declare,strict" },
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
  history: FileHistory,
  { toolchain, startedAt, wantsPackages }: WatchedCommand,
  root: Root,
): Promise<Pick<Observed, "toolchain"> & Pick<CommandToolchain, "runtimes" | "notes">> {
  const known = joinTools([...toolchain.tools, ...gatherTool(TRACER, root)]);
  const { tools, unknown } = gatherExecuted(history.executed, known, root);
  const seen = tools.slice(known.length);
  const asked = await gatherRuntimes({ tools: seen, root, wantsPackages });
  const runtimes = leaveOutInner(asked, toolchain.runtimes);
  const changed = findChangedPrograms(history, seen, startedAt);
  const gaps = [
    ...(unknown.length === 0 ? [] : ["a program that ran is gone, or cannot be read"]),
    ...(changed.length === 0
      ? []
      : ["a program that ran was written meanwhile, and is recorded as it is now"]),
  ];
  return {
    toolchain: { ...toolchain, tools, runtimes: [...toolchain.runtimes, ...runtimes] },
    runtimes,
    notes: [
      ...runtimes.flatMap((runtime) => runtime.notes),
      ...gaps.map((gap) =>
        makeFinding("observation.incomplete", `not everything was seen: ${gap}`, { level: "note" })
      ),
    ],
  };
}

/** What a program such as Rscript starts as its real executable may not answer when it is asked itself. */
function leaveOutInner<R extends CommandToolchain["runtimes"][number]>(
  asked: readonly R[],
  known: CommandToolchain["runtimes"],
): R[] {
  const answers = [...known, ...asked].filter(({ fault }) => fault === null);
  const real = new Set(answers.map(({ executable }) => executable.real));
  return asked.filter(({ fault, tool }) => fault === null || !real.has(tool.real));
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
    products: new Set(products),
    standing: new Set(standing),
    startedAt,
    ownNames: new Set(listOwnNames(setting.own)),
    tools: [...tools, ...runtimes.map(({ executable }) => executable)],
  };
  const find = ({ materials, links }: ObservedInputs): ObservedFiles =>
    findObservedFiles(history, { ...declared, materials, ...(links && { links }) });
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

/** What a run that ends begins with. */
interface BegunRun extends BeforeCommand {
  /** The inputs as given, normalised. */
  readonly inputs: readonly string[];
  /** What tells whether the inputs and tools were changed since. */
  readonly stamps: Omit<Stamps, "products">;
  /** Tells whether nothing touched a file at a product path since the command began. */
  readonly isUntouched: (file: RecordedFile) => boolean;
  /** The globs of what was left out of directory inputs. */
  readonly exclude: readonly string[];
  /** The globs of what is left out of directories, as given. */
  readonly globs: readonly string[];
  /** Whether the inputs were read through links. */
  readonly links?: "follow";
  /** What the command is to make. */
  readonly products: readonly NamedPath[];
}

/** What is there after a command. */
interface AfterCommand {
  /** The product paths, normalised. */
  readonly productPaths: readonly string[];
  /** The files that came out. */
  readonly products: readonly RecordedFile[];
  /** The globs of what was left out of directories, inputs and products. */
  readonly exclude: readonly string[];
  /** The globs that left something out of products, or of what is in the inputs by now. */
  readonly usedGlobs: ReadonlySet<string>;
  /** Findings `product.missing`, `product.empty` and `product.untouched`, already told. */
  readonly findings: readonly Finding[];
  /** What is left out of product directories, and what is new in those of the inputs. */
  readonly notes: readonly Finding[];
}

/**
 * Reads what a command made, after making sure that it made nothing else of what went in.
 *
 * @param before What was read before it
 * @param setting What holds for the run
 * @param host The process, which is told the findings
 * @throws {KprovError} `data` where an input or a tool is not what it was, or a product cannot be
 * recorded exactly
 */
export async function readAfterCommand(
  before: BegunRun,
  setting: RunSetting,
  host: Host,
): Promise<AfterCommand> {
  const productPaths = before.products.map(({ name }) => name);
  const { links } = before;
  const reading = { ...setting, ...(links === undefined ? {} : { links }) };
  refuseChanges([
    ...await findChangedInputs(before, productPaths, reading),
    ...findChangedTools({ tools: before.tools, stamps: before.stamps.tools }, productPaths),
  ], host);
  const { files, missing, empty, directories, usedGlobs } = await gatherProducts(
    before.products,
    { ...setting, exclude: before.globs },
  );
  const { made, untouched } = splitUntouched(files, before.isUntouched);
  const findings = [
    ...missing.map((name) =>
      makeFinding("product.missing", "the command made no such product", { path: name })
    ),
    ...empty.map((name) =>
      makeFinding("product.empty", "it is a directory without a file to record", { path: name })
    ),
    ...findUntouched({ made, untouched }, productPaths),
  ];
  const errors = findings.filter(({ level }) => level === "error");
  reportFindings(errors, host);
  const own = listExclusions(before.globs, listOwnNames(setting.own), directories);
  const exclude = joinExclusions(before.globs, before.exclude, own);
  const appeared = await noteAppeared({ ...before, exclude }, productPaths, setting);
  return {
    productPaths,
    products: made,
    exclude,
    usedGlobs: new Set([...usedGlobs, ...appeared.usedGlobs]),
    findings: errors,
    notes: [
      ...findings.filter(({ level }) => level === "note"),
      ...noteRemoved(before, productPaths, setting),
      ...appeared.notes,
    ],
  };
}

/** Evidence that says what went in would be wrong if that is not what stands there. */
function refuseChanges(findings: readonly Finding[], host: Host): void {
  const [first] = findings;
  if (first === undefined) return;
  reportFindings(findings, host);
  const what = first.path === null ? "a tool" : `input ${quote(first.path)}`;
  throw new KprovError("data", `Cannot record the run: ${what} changed while the command ran`, {
    // The hint of a finding is told with it.
    hint: first.path === null || first.hint !== null
      ? undefined
      : "a file that the command changes in place is a product too: name it with --products",
  });
}

/** Old files are no products of this command; a product directory may hold some beside new ones. */
function findUntouched(
  { made, untouched }: ReturnType<typeof splitUntouched>,
  productPaths: readonly string[],
): Finding[] {
  const paths = new Set(productPaths);
  const countByPath = (names: Iterable<string>): Map<string | null, number> => {
    const counts = new Map<string | null, number>();
    for (const name of names) {
      const path = findCovering(name, paths);
      counts.set(path, (counts.get(path) ?? 0) + 1);
    }
    return counts;
  };
  const madeBelow = countByPath(made.map(({ name }) => name));
  return [...countByPath(untouched)].map(([path, count]) => {
    const [files, them] = count === 1 ? ["1 file in it", "it"] : [`${count} files in it`, "them"];
    if (madeBelow.has(path)) {
      const message = `${files} existed before: the command did not touch ${them}, so ${
        count === 1 ? "it is not a product" : "they are not products"
      }`;
      return makeFinding("product.untouched", message, { level: "note", path });
    }
    const what = untouched.has(path ?? "") ? "it" : files;
    const message = `${what} existed before, and the command did not touch ${them}`;
    const hint = "only what the command writes is recorded as a product";
    return makeFinding("product.untouched", message, { path, hint });
  });
}

/** What caches, logs and the like are called: left behind, and nothing that anybody asked for. */
const LEFT_BEHIND = /^(\..*|__pycache__|node_modules|.*cache.*|.*\.(pyc|log|tmp|lock|swp))$/i;

/**
 * Notes what is new in directories that are inputs and no product: `kprov verify --root` would find it
 * as `file.unexpected`. A directory of which nothing was an input is one note.
 */
async function noteAppeared(
  before: Pick<BegunRun, "inputs" | "exclude" | "links" | "materials">,
  productPaths: readonly string[],
  { root, own }: RunSetting,
): Promise<{ readonly notes: readonly Finding[]; readonly usedGlobs: readonly string[] }> {
  const known = new Set(before.materials.map(({ name }) => name));
  const directories = new Set(before.materials.flatMap(({ name }) => listAncestors(name)));
  const products = new Set(productPaths);
  let listed: Awaited<ReturnType<typeof listDirectories>>;
  try {
    listed = await listDirectories(before, { root, ownNames: listOwnNames(own) });
  } catch (error) {
    // What could be no input, such as a FIFO, is in the way of verify, and not of this run.
    if (!(error instanceof KprovError) || error.code !== "data") throw error;
    const details = { level: "note", hint: error.hint } as const;
    return { notes: [makeFinding("input.appeared", error.message, details)], usedGlobs: [] };
  }
  const { names, usedGlobs } = listed;
  const isNew = (name: string): boolean =>
    !known.has(name) && findCovering(name, products) === null;
  const counts = new Map<string, number>();
  for (const name of names.filter(isNew)) {
    const top = listAncestors(name).find((above) => !directories.has(above)) ?? name;
    counts.set(top, (counts.get(top) ?? 0) + 1);
  }
  const notes = sortFindings([...counts].map(([path, count]) => makeAppeared(path, names, count)));
  return { notes, usedGlobs };
}

/** Notes inputs at product paths that are gone: `kprov verify --root` would find them as `file.missing`. */
function noteRemoved(
  { materials }: Pick<BegunRun, "materials">,
  productPaths: readonly string[],
  { root }: RunSetting,
): Finding[] {
  const products = new Set(productPaths);
  return materials
    .filter(({ name }) => findCovering(name, products) !== null && isAbsent(join(root.path, name)))
    .map(({ name }) =>
      makeFinding("input.removed", "the command removed it, so verify --root will miss it", {
        level: "note",
        path: name,
      })
    );
}

/** The directories above a name, the root left out, outermost first. */
function listAncestors(name: string): string[] {
  const parts = name.split("/");
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join("/"));
}

function makeAppeared(path: string, names: readonly string[], count: number): Finding {
  const isFile = names.includes(path);
  const what = isFile ? "it is" : count === 1 ? "1 file in it is" : `${count} files in it are`;
  const name = path.slice(path.lastIndexOf("/") + 1);
  const glob = LEFT_BEHIND.test(name) ? escapeGlob(name) : `/${escapeGlob(path)}`;
  const exclude = `--exclude ${shellQuote(isFile ? glob : `${glob}/`)}`;
  return makeFinding("input.appeared", `${what} new in an input, and not a product`, {
    level: "note",
    path,
    hint: LEFT_BEHIND.test(name)
      ? `${exclude} leaves it out`
      : `--products ${shellQuotePath(path)} records it, ${exclude} leaves it out`,
  });
}

/**
 * Whether a command that says all is well, or of which nothing is known, left a product out.
 *
 * @param end How it ended
 * @param after What is there after it
 */
export function isIncomplete(end: CommandEnd, after: AfterCommand): boolean {
  return !hasFailed(end) && after.findings.length > 0;
}
