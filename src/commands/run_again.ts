import { checkExpectedFiles, listExpectedInputs } from "../evidence/check_files.ts";
import { checkReproduction } from "../evidence/check_reproduction.ts";
import type { Run } from "../evidence/run.ts";
import type { Finding } from "../finding.ts";
import type { Root } from "../gather/input_path.ts";
import { observeExpectedFiles } from "../gather/observe_files.ts";
import { gatherProducts } from "../gather/products.ts";
import type { FoundTool } from "../gather/tools.ts";
import { KprovError } from "../kprov_error.ts";
import { join } from "../std.ts";
import { type EndedChild, runChild } from "../system/child_process.ts";
import type { Host } from "../system/host.ts";
import type { Effort } from "../system/progress.ts";
import { requireAnyRun } from "../system/permissions.ts";
import { ENDING_SIGNALS, relaySignals, type SignalRelay } from "../system/signal_relay.ts";
import {
  copyIntoScratch,
  makeDirectoryAbove,
  makeScratchDirectory,
  refuseLinksOut,
  type ScratchCopy,
  type ScratchDirectory,
} from "../write/scratch_directory.ts";

/** A recorded command. */
export interface RecordedCall {
  /** The command. */
  readonly argv: readonly [program: string, ...args: string[]];
  /** The names of the variables that are to be set. */
  readonly env: readonly string[];
  /** The names of the product paths. */
  readonly products: readonly string[];
  /** The globs of what is left out of directories. */
  readonly exclude: readonly string[];
}

/** What is run again, and with what. */
export interface Attempt {
  /** The run. */
  readonly run: Run;
  /** Its command. */
  readonly call: RecordedCall;
  /** The tools at hand, the command's program first. */
  readonly tools: readonly FoundTool[];
  /** Where the inputs are. */
  readonly root: Root;
  /** How much of the machine reading may take. */
  readonly effort: Effort;
}

/** What came of it. */
export type AttemptOutcome =
  | { readonly state: "ended"; readonly findings: readonly Finding[] }
  /** A signal came; the exit code is the one of a program that it ends. */
  | { readonly state: "interrupted"; readonly exitCode: number };

/** What ends kprov, and must not before the scratch directory is gone. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ENDING_SIGNALS
  : [...ENDING_SIGNALS, "SIGHUP"];

const SIGNAL_NUMBERS: Readonly<Partial<Record<Deno.Signal, number>>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGTERM: 15,
};

/**
 * Runs a recorded command in a scratch copy of its inputs, and compares what it makes. The copy is
 * gone when the answer is there, whatever it is.
 *
 * @param attempt What is run
 * @param host The process
 * @throws {KprovError} `cannot_create`, `io`, `cannot_start` or `permission`; `data` where something
 * that it made cannot be read exactly
 */
export async function runAgain(attempt: Attempt, host: Host): Promise<AttemptOutcome> {
  using signals = relaySignals(SIGNALS);
  const ended = await runInScratch(attempt, signals, host);
  const signal = signals.received();
  if (signal === null) return { state: "ended", findings: ended };
  host.writeStderr(`error: Cannot reproduce the run: ${signal} came\n`);
  return { state: "interrupted", exitCode: 128 + (SIGNAL_NUMBERS[signal] ?? 0) };
}

async function runInScratch(
  attempt: Attempt,
  signals: SignalRelay,
  host: Host,
): Promise<readonly Finding[]> {
  const { run, call, effort } = attempt;
  using scratch = makeScratchDirectory(findTemporaryPlace(host));
  await fillScratch(scratch, attempt, signals);
  if (signals.received() !== null) return [];
  const inputs = listExpectedInputs(run);
  const root = { given: scratch.path, path: scratch.path };
  const copied = await observeExpectedFiles(inputs, { root, effort });
  const spoilt = checkExpectedFiles(inputs, copied);
  if (spoilt.length > 0) return spoilt;
  const child = await startAgain(scratch, attempt, signals, host);
  if (signals.received() !== null) return [];
  const products = call.products.map((name) => ({
    given: name,
    name,
    path: name === "." ? scratch.path : join(scratch.path, name),
  }));
  const made = await gatherProducts(products, { root, exclude: call.exclude, effort });
  return checkReproduction(run, { exitCode: child.exitCode, products: made.files });
}

function findTemporaryPlace(host: Host): string {
  if (Deno.build.os === "windows") return host.readEnv("TEMP") ?? "C:\\Windows\\Temp";
  return host.readEnv("TMPDIR") ?? "/tmp";
}

async function fillScratch(
  scratch: ScratchDirectory,
  { run, call, tools, root }: Attempt,
  signals: SignalRelay,
): Promise<void> {
  const { resolvedDependencies } = run.documents["provenance.json"].predicate.buildDefinition;
  const inputs = resolvedDependencies.map(({ name, annotations }): ScratchCopy => ({
    name,
    kind: annotations.kind,
    source: join(root.path, name),
  }));
  // Links first: where one leads out, nothing large was copied for it.
  const [links, files] = [
    inputs.filter(({ kind }) => kind === "symlink"),
    inputs.filter(({ kind }) => kind === "file"),
  ];
  const copyAll = async (copies: readonly ScratchCopy[]): Promise<void> => {
    for (const copy of copies) {
      if (signals.received() !== null) return;
      await copyIntoScratch(scratch, copy);
    }
  };
  await copyAll(links);
  refuseLinksOut(scratch, links.map(({ name }) => name));
  await copyAll(files);
  await copyAll(listMissingPrograms(scratch, tools));
  for (const name of call.products) if (name !== ".") makeDirectoryAbove(scratch, name);
}

/** The programs in the root that are no input, also not by way of an input that is a link. */
function listMissingPrograms(
  scratch: ScratchDirectory,
  tools: readonly FoundTool[],
): ScratchCopy[] {
  return tools
    .filter(({ name }) => name.startsWith("./") && !isThere(join(scratch.path, name)))
    .map(({ name, path }): ScratchCopy => ({ name: name.slice(2), kind: "file", source: path }));
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

function startAgain(
  scratch: ScratchDirectory,
  { call, tools: [program] }: Attempt,
  signals: SignalRelay,
  host: Host,
): Promise<EndedChild> {
  if (program === undefined) throw new KprovError("fault", "Cannot run again: no program");
  const isInRoot = program.name.startsWith("./");
  const path = isInRoot ? join(scratch.path, program.name) : program.path;
  if (isInRoot) requireAnyRun(path, call.argv[0]);
  return runChild({
    program: path,
    name: call.argv[0],
    args: call.argv.slice(1),
    directory: scratch.path,
    stdin: "null",
    stdout: () => Promise.resolve(),
    stderr: (bytes) => host.passOn("stderr", bytes),
    signals,
  });
}
