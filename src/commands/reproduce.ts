import { KprovError } from "../base/error.ts";
import { type Finding, makeFinding } from "../base/finding.ts";
import type { Effort } from "../base/progress.ts";
import { quote } from "../base/quote.ts";
import { join } from "../base/std.ts";
import { checkExpectedFiles, listExpectedInputs } from "../evidence/check_files.ts";
import { listProducts } from "../evidence/provenance.ts";
import { checkReproduction, checkTools } from "../evidence/reproduction.ts";
import type { Run } from "../evidence/run.ts";
import {
  type EndedChild,
  ENDING_SIGNALS,
  relaySignals,
  runChild,
  type SignalRelay,
} from "../io/child.ts";
import type { Host } from "../io/host.ts";
import { compileExclusions } from "../io/list_directory.ts";
import { observeExpectedFiles, type Reading } from "../io/observe.ts";
import { resolveRoot, type Root } from "../io/paths.ts";
import { requireAnyRun, requireEnv } from "../io/permissions.ts";
import { gatherPolicy } from "../io/policy_file.ts";
import { gatherProducts } from "../io/products.ts";
import { findRun } from "../io/run_files.ts";
import {
  copyIntoScratch,
  isPathInside,
  makeDirectoryAbove,
  makeScratchDirectory,
  type ScratchCopy,
  type ScratchDirectory,
} from "../io/scratch.ts";
import { findRecordedTools, type FoundTool } from "../io/tools.ts";
import { renderReproduceJson, renderReproduceText } from "../show/results.ts";
import type { Command, ParsedFlags } from "./command.ts";
import { FORMAT_FLAG, JOBS_FLAG, readEffort, readFormat } from "./flags.ts";
import { openRun } from "./open_run.ts";
import { requireProgram } from "./wrapped_run.ts";
import { checkRuntime } from "./write_run.ts";

/** `kprov reproduce`. */
export const REPRODUCE: Command = {
  name: "reproduce",
  summary: "Run the recorded command again and compare what it makes",
  usage: ["kprov reproduce RUN [--root DIR] [--format text|json] [--jobs N] [--quiet]"],
  description: [
    "First the recorded inputs and tools are held against those at hand: where one differs, that is " +
    "reported and nothing is run. Then the command runs in a scratch copy of the inputs, in which the " +
    "directories above the product paths are made and nothing else, and every product is compared with " +
    "the recorded one, byte for byte.",
    "What the command reads without its being an input, such as its script, is not in the copy. Standard " +
    "input is empty, standard output is dropped, standard error is passed on. The copy is made in TMPDIR, " +
    "where --allow-env=TMPDIR lets kprov read that, else in /tmp; it goes in the end, also after SIGINT, " +
    "SIGTERM or SIGHUP. The original products are not touched: a run whose command names the root by its " +
    "absolute path is refused.",
  ],
  flags: [
    {
      name: "root",
      value: "DIR",
      summary: "Where the inputs are (default: the working directory)",
    },
    FORMAT_FLAG,
    JOBS_FLAG,
    { name: "quiet", summary: "Show no progress" },
  ],
  permissions: "--allow-read=RUN,ROOT,/tmp and the tools' files, --allow-write=/tmp, " +
    "--allow-run=COMMAND; where an input is a link, --allow-read --allow-write; where the program is in " +
    "the root, --allow-run.",
  examples: [
    [
      "kprov reproduce runs/2026-02-15T20-13-00Z",
      "Run the command again (--allow-run=sh, where that is its program)",
    ],
  ],
  exitCodes: [
    [0, "every product is the same to the byte"],
    [
      1,
      "a product, an input, a tool or the exit code differs, or this Deno is outside the range in force",
    ],
    [64, "the command line is wrong"],
    [65, "the run is missing, does not verify, or records no command with products"],
    [73, "the scratch copy cannot be made"],
    [74, "reading or writing failed"],
    [77, "a permission of Deno is missing; the message names its flag"],
    [78, "the root's policy cannot be used"],
    [126, "the command cannot be started"],
  ],
  execute: reproduce,
};

async function reproduce(flags: ParsedFlags, host: Host): Promise<number> {
  const [given, ...more] = flags.positionals;
  if (given === undefined || more.length > 0 || flags.rest !== null) {
    throw new KprovError("usage", "Cannot reproduce: expected one run", {
      hint: "kprov reproduce RUN [--root DIR]",
    });
  }
  const format = readFormat(flags.value("format"));
  const effort = readEffort(flags, host);
  const path = findRun(given);
  const run = openRun(path);
  const root = resolveRoot(flags.value("root") ?? ".");
  checkRuntime(await gatherPolicy(root));
  const call = readCall(run, path, root);
  requireProgram(call.argv[0], root);
  const tools = findRecordedTools(run, call.argv[0], root);
  const causes = await findCauses(run, call, tools, { root, effort });
  const outcome = causes.length > 0
    ? { state: "ended", findings: causes } as const
    : await runAgain({ run, call, tools, root, effort }, host);
  if (outcome.state === "interrupted") return outcome.exitCode;
  const result = {
    run: path,
    isExecuted: causes.length === 0,
    productCount: listProducts(run.documents["provenance.json"]).length,
    findings: outcome.findings,
  };
  host.writeStdout(
    format === "json" ? renderReproduceJson(result) : renderReproduceText(result, host),
  );
  return outcome.findings.length === 0 ? 0 : 1;
}

function readCall(run: Run, path: string, root: Root): RecordedCall {
  const { buildDefinition } = run.documents["provenance.json"].predicate;
  const { command, products = [], exclude } = buildDefinition.externalParameters;
  const refuse = (reason: string, hint?: string): KprovError =>
    new KprovError("data", `Cannot reproduce run ${quote(path)}: ${reason}`, { hint });
  const [program, ...args] = command?.argv ?? [];
  if (command === undefined || program === undefined) throw refuse("it records no command");
  if (products.length === 0) throw refuse("it records no product to compare");
  if (command.argv.some((word) => isPathInside(word, root.path))) {
    throw refuse(
      "its command names the root by its absolute path, and would write over the original products",
      "record the command with paths relative to the root",
    );
  }
  compileExclusions(exclude, "run");
  return { argv: [program, ...args], env: command.env ?? [], products, exclude };
}

/** Everything that is not as it was recorded, for which the command is not run. */
async function findCauses(
  run: Run,
  call: RecordedCall,
  tools: readonly FoundTool[],
  reading: Reading,
): Promise<readonly Finding[]> {
  const inputs = listExpectedInputs(run);
  return [
    ...checkExpectedFiles(inputs, await observeExpectedFiles(inputs, reading)),
    ...checkTools(run, tools),
    ...call.env.flatMap(checkVariable),
  ];
}

function checkVariable(name: string): Finding[] {
  requireEnv(name, `Cannot look at variable ${quote(name)}`);
  if (Deno.env.has(name)) return [];
  return [makeFinding("env.missing", `the variable ${quote(name)} was set, and is not now`)];
}

/** A recorded command. */
interface RecordedCall {
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
interface Attempt {
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
type AttemptOutcome =
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
async function runAgain(attempt: Attempt, host: Host): Promise<AttemptOutcome> {
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
  const made = await gatherProducts(products, {
    root,
    exclude: call.exclude,
    ownNames: [],
    effort,
  });
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
  const known = new Set(inputs.map(({ name }) => name));
  const programs = tools
    .filter(({ name }) => name.startsWith("./") && !known.has(name.slice(2)))
    .map(({ name, path }): ScratchCopy => ({ name: name.slice(2), kind: "file", source: path }));
  for (const copy of [...inputs, ...programs]) {
    if (signals.received() !== null) return;
    await copyIntoScratch(scratch, copy, root.path);
  }
  for (const name of call.products) if (name !== ".") makeDirectoryAbove(scratch, name);
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
