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
import { deferSignals, Interruption, type SignalWatch } from "../system/signals.ts";
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

/**
 * Runs a recorded command in a scratch copy of its inputs, and compares what it makes. The copy is
 * gone when the answer is there, whatever it is.
 *
 * @param attempt What is run
 * @param host The process
 * @returns What differs
 * @throws {KprovError} `cannot_create`, `io`, `cannot_start` or `permission`; `data` where something
 * that it made cannot be read exactly
 * @throws {Interruption} where a signal came
 */
export async function runAgain(attempt: Attempt, host: Host): Promise<readonly Finding[]> {
  return await deferSignals((signals) => runInScratch(attempt, signals, host));
}

async function runInScratch(
  attempt: Attempt,
  signals: SignalWatch,
  host: Host,
): Promise<readonly Finding[]> {
  const { run, call } = attempt;
  const effort = { ...attempt.effort, stopped: signals.stopped };
  using scratch = makeScratchDirectory(findTemporaryPlace(host));
  await fillScratch(scratch, attempt, signals);
  const inputs = listExpectedInputs(run);
  const root = { given: scratch.path, path: scratch.path };
  const copied = await observeExpectedFiles(inputs, { root, effort });
  const spoilt = checkExpectedFiles(inputs, copied);
  if (spoilt.length > 0) return spoilt;
  const child = await startAgain(scratch, attempt, signals, host);
  if (signals.received !== null) throw new Interruption(signals.received);
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
  signals: SignalWatch,
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
      await Promise.race([copyIntoScratch(scratch, copy), signals.stopped]);
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
  signals: SignalWatch,
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
    output: {
      stdout: () => Promise.resolve(),
      stderr: (bytes) => host.passOn("stderr", bytes),
    },
    signals,
  });
}
