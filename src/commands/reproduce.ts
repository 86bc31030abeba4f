import { KprovError } from "../base/error.ts";
import { type Finding, makeFinding } from "../base/finding.ts";
import type { Effort } from "../base/progress.ts";
import { quote } from "../base/quote.ts";
import { join } from "../base/std.ts";
import { checkExpectedFiles, hintAtRoot, listExpectedInputs } from "../evidence/check_files.ts";
import { findCovering } from "../evidence/check_names.ts";
import type { Run } from "../evidence/documents.ts";
import { listProducts, type RecordedStdin } from "../evidence/provenance.ts";
import {
  checkReproduction,
  checkRuntimes as checkRecordedRuntimes,
  checkTools,
} from "../evidence/reproduction.ts";
import { type EndedChild, runChild } from "../io/child.ts";
import { compileExclusions } from "../io/exclusions.ts";
import { deferSignals, type Host, Interruption, type SignalWatch } from "../io/host.ts";
import { FollowedPaths } from "../io/list_directory.ts";
import {
  gatherProducts,
  listStandingProducts,
  observeExpectedFiles,
  type Reading,
} from "../io/observe.ts";
import { resolveRoot, type Root } from "../io/paths.ts";
import { requireAnyRun, requireEnv } from "../io/permissions.ts";
import { gatherPolicy } from "../io/policy_file.ts";
import { findRun, openRun } from "../io/run_files.ts";
import { gatherRuntimes } from "../io/runtimes/runtimes.ts";
import {
  copyIntoScratch,
  isPathInside,
  makeDirectoryAbove,
  makeScratchDirectory,
  refuseLinksOut,
  type ScratchCopy,
  type ScratchDirectory,
} from "../io/scratch.ts";
import { compareWithStamps, splitUntouched, stampBeforeCommand } from "../io/stamps.ts";
import { findRecordedTools, findUnstartableTools, type FoundTool } from "../io/tools.ts";
import { renderReproduceJson, renderReproduceText } from "../show/results.ts";
import { type Command, EXITS, type ParsedFlags } from "./command.ts";
import {
  FORMAT_FLAG,
  JOBS_FLAG,
  NO_PROGRESS_FLAG,
  readEffort,
  readFormat,
  readRunsHome,
  ROOT_FLAG,
} from "./flags.ts";
import { checkRuntimes, requireProgram, toRuntimeVersion } from "./toolchain.ts";
import { checkRuntime } from "./write_run.ts";

/** `kprov reproduce`. */
export const REPRODUCE: Command = {
  usage: ["kprov reproduce RUN [--root DIR] [--anyway] [--format text|json] [--jobs N] [--quiet]"],
  description: [
    "Reproducing runs the command that the evidence holds, with everything that you may do yourself. " +
    "Reproduce only the runs of people whose programs you would run, and read the command first: " +
    "kprov report shows it.",
    "First the recorded inputs, tools, runtimes and packages are compared with those at hand. Where " +
    "one differs, that is reported and nothing is run, unless --anyway is given and the inputs are " +
    "the same. Then the command runs in a scratch copy of the inputs that has the directories above " +
    "the product paths and nothing else, and every product is compared with the recorded one, byte " +
    "for byte. A run does not record whether a product directory was there before: where the " +
    "comparison fails and a product is a directory, the command runs once more in another copy that " +
    "has the directory.",
    "The copy has the inputs alone. A script that is no input is not in it, and neither are empty " +
    "directories. Standard input is the input with the recorded digest, through a pipe; a run whose " +
    "standard input is none of its inputs is refused. Standard output is dropped, and standard error is " +
    "passed on. The copy is in TMPDIR where --allow-env=TMPDIR lets kprov read that, else in /tmp, and is " +
    "removed at the end, also after SIGINT, SIGTERM or SIGHUP. The original products are not touched: " +
    "a run is refused whose command names the root by its absolute path, which has an input link that " +
    "leads out of the copy, or a product at or behind an input link. kprov does not keep the command " +
    "from other absolute paths or from anything else that it can reach.",
  ],
  flags: [
    { ...ROOT_FLAG, summary: "Where the inputs are (default: the working directory)" },
    {
      name: "anyway",
      summary:
        "Run on other tools, runtimes and packages than the recorded ones; they become notes",
    },
    FORMAT_FLAG,
    JOBS_FLAG,
    NO_PROGRESS_FLAG,
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
      "a product, an input, a tool, a runtime, a package or the exit code differs, or the policy does not " +
      "allow the version of a runtime",
    ],
    EXITS.usage,
    [
      65,
      "the run is missing, does not verify, records no command with products, or could reach the originals",
    ],
    [73, "the scratch copy cannot be made"],
    EXITS.writing,
    EXITS.permission,
    EXITS.rootPolicy,
    EXITS.notStarted,
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
  const path = findRun(given, await readRunsHome([given]));
  const run = openRun(path);
  const root = resolveRoot(flags.value("root") ?? ".");
  const policy = await gatherPolicy(root);
  checkRuntime(policy);
  const call = readCall(run, path, root);
  requireProgram(call.argv[0], root);
  const tools = findRecordedTools(run, call.argv, root);
  const runtimes = await gatherRuntimes({ tools, root, wantsPackages: recordsPackages(run) });
  checkRuntimes(policy, runtimes.map(toRuntimeVersion));
  const held = [
    ...checkTools(run, tools, findUnstartableTools(run, root)),
    ...checkRecordedRuntimes(run, runtimes.map(({ recorded }) => recorded)),
  ];
  const isAnyway = flags.has("anyway");
  const differences = held.filter(({ level }) => level === "error");
  const notes = isAnyway
    ? held.map((finding): Finding => ({ ...finding, level: "note" }))
    : held.filter(({ level }) => level === "note");
  const causes = [
    ...await findCauses(run, call, { root, effort }),
    ...(isAnyway ? [] : differences),
  ];
  const standing = new Set(runtimes.map(({ tool }) => tool));
  const { findings, needed } = causes.length > 0
    ? { findings: causes, needed: [] }
    : await runAgain({ run, call, tools, standing, root, effort }, host);
  const result = {
    run: path,
    notes: [...notes, ...needed.map(noteNeeded)],
    isExecuted: causes.length === 0,
    productCount: listProducts(run.documents["provenance.json"]).length,
    findings,
  };
  host.writeStdout(
    format === "json" ? renderReproduceJson(result) : renderReproduceText(result, host),
  );
  return findings.length === 0 ? 0 : 1;
}

function readCall(run: Run, path: string, root: Root): RecordedCall {
  const { buildDefinition } = run.documents["provenance.json"].predicate;
  const { command, products = [], exclude, links } = buildDefinition.externalParameters;
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
  const { redacted = [] } = command;
  if (redacted.length > 0) {
    const which = redacted.length === 1 ? "argument" : "arguments";
    throw refuse(`of ${which} ${redacted.join(", ")} of its command it records the digest alone`);
  }
  const stray = describeProductAtLink(run, products);
  if (stray !== null) {
    throw refuse(stray, "record the command with what the link leads to as the product");
  }
  const stdin = findStdin(run, command.stdin);
  if (stdin === undefined) {
    throw refuse(
      "its standard input is recorded by its digest alone, and no input has that",
      "record it again with a file on standard input that is an input too",
    );
  }
  compileExclusions(exclude);
  return {
    stdin,
    argv: [program, ...args],
    env: command.env ?? [],
    products,
    exclude,
    ...(links === undefined ? {} : { links }),
  };
}

/** The input that is what came on standard input; null where nothing did, undefined where none is. */
function findStdin(run: Run, stdin: RecordedStdin | undefined): string | null | undefined {
  if (stdin === undefined) return null;
  return listExpectedInputs(run).find(({ kind, sha256, size }) =>
    kind === "file" && sha256 === stdin.sha256 && size === stdin.size
  )?.name;
}

/** What the command writes there would land where the link leads, and only the link be compared. */
function describeProductAtLink(run: Run, products: readonly string[]): string | null {
  const inputs = listExpectedInputs(run).filter(({ kind }) => kind === "symlink");
  const links = new Set(inputs.map(({ name }) => name));
  for (const product of products) {
    const link = findCovering(product, links);
    if (link === null) continue;
    const how = product === link ? "is" : "lies behind";
    return `its product ${quote(product)} ${how} input link ${quote(link)}`;
  }
  return null;
}

function recordsPackages(run: Run): boolean {
  const { runtimes = [] } = run.documents["toolchain.json"];
  return !runtimes.some(({ packages_omitted }) => packages_omitted === true);
}

/** What goes in and is not as it was recorded, for which the command is not run. */
async function findCauses(
  run: Run,
  call: RecordedCall,
  reading: Reading,
): Promise<readonly Finding[]> {
  const inputs = listExpectedInputs(run);
  return [
    ...hintAtRoot(
      checkExpectedFiles(inputs, await observeExpectedFiles(inputs, reading, call.links)),
      inputs,
    ),
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
  /** The input that it also reads as standard input; null where that is empty. */
  readonly stdin: string | null;
  /** The names of the variables that are to be set. */
  readonly env: readonly string[];
  /** The names of the product paths. */
  readonly products: readonly string[];
  /** The globs of what is left out of directories. */
  readonly exclude: readonly string[];
  /** Whether the inputs are read through links. */
  readonly links?: "follow";
}

/** What is run again, and with what. */
interface Attempt {
  /** The run. */
  readonly run: Run;
  /** Its command. */
  readonly call: RecordedCall;
  /** The tools at hand, the command's program first. */
  readonly tools: readonly FoundTool[];
  /** Those of them that are started where they stand: a Python finds its environment by that. */
  readonly standing: ReadonlySet<FoundTool>;
  /** Where the inputs are. */
  readonly root: Root;
  /** How much of the machine reading may take. */
  readonly effort: Effort;
}

/**
 * Runs a recorded command in a scratch copy of its inputs, and compares what it makes. Whether a product
 * directory was there before is not recorded, so where the command fails or leaves something out without,
 * it is run once more with them, in another copy. A copy is gone when the answer is there, whatever it is.
 *
 * @param attempt What is run
 * @param host The process
 * @returns What differs, and the product directories without which it would
 * @throws {KprovError} `cannot_create`, `io`, `cannot_start` or `permission`; `data` where something
 * that it made cannot be read exactly
 * @throws {Interruption} where a signal came
 */
async function runAgain(
  attempt: Attempt,
  host: Host,
): Promise<{ readonly findings: readonly Finding[]; readonly needed: readonly string[] }> {
  return await deferSignals(async (signals) => {
    const findings = await runInScratch(attempt, [], signals, host);
    const directories = listProductDirectories(attempt);
    const isShort = findings.some(({ code }) =>
      code === "command.exit_code" || code === "product.missing"
    );
    if (!isShort || directories.length === 0) return { findings, needed: [] };
    const again = await runInScratch(attempt, directories, signals, host);
    return again.length === 0 ? { findings: again, needed: directories } : { findings, needed: [] };
  });
}

/** The product paths at which the run made files inside of a directory. */
function listProductDirectories({ run, call }: Attempt): string[] {
  const given = new Set(call.products);
  const made = listProducts(run.documents["provenance.json"])
    .map(({ name }) => ({ name, path: findCovering(name, given) }));
  const directories = made.flatMap(({ name, path }) =>
    path === null || path === name ? [] : [path]
  );
  return [...new Set(directories)].filter((path) => path !== ".");
}

function noteNeeded(path: string): Finding {
  const message = "it was made before the command was run, which fails without it";
  return makeFinding("product.directory", message, { level: "note", path });
}

async function runInScratch(
  attempt: Attempt,
  directories: readonly string[],
  signals: SignalWatch,
  host: Host,
): Promise<readonly Finding[]> {
  const { run, call } = attempt;
  const effort = { ...attempt.effort, stopped: signals.stopped };
  using scratch = makeScratchDirectory(findTemporaryPlace(host));
  await fillScratch(scratch, attempt, signals);
  for (const name of directories) makeDirectoryAbove(scratch, `${name}/`);
  const inputs = listExpectedInputs(run);
  const root = { given: scratch.path, path: scratch.path };
  const copied = await observeExpectedFiles(inputs, { root, effort });
  const spoilt = checkExpectedFiles(inputs, copied);
  if (spoilt.length > 0) return spoilt;
  const products = call.products.map((name) => ({
    given: name,
    name,
    path: name === "." ? scratch.path : join(scratch.path, name),
  }));
  const reading = { root, exclude: call.exclude, own: [], effort };
  const standing = listStandingProducts(products, reading);
  const stamps = await stampBeforeCommand({ materials: [], tools: [], standing }, root);
  const child = await startAgain(scratch, attempt, signals, host);
  if (signals.received !== null) throw new Interruption(signals.received);
  const { files } = await gatherProducts(products, reading);
  const { made } = splitUntouched(files, compareWithStamps(stamps.products, root));
  return checkReproduction(run, { exitCode: child.exitCode, products: made });
}

function findTemporaryPlace(host: Host): string {
  if (Deno.build.os === "windows") return host.readEnv("TEMP") ?? "C:\\Windows\\Temp";
  return host.readEnv("TMPDIR") ?? "/tmp";
}

async function fillScratch(
  scratch: ScratchDirectory,
  { run, call, tools, standing, root }: Attempt,
  signals: SignalWatch,
): Promise<void> {
  const { resolvedDependencies } = run.documents["provenance.json"].predicate.buildDefinition;
  const followed = call.links === "follow" ? new FollowedPaths(root, "input") : null;
  const inputs = resolvedDependencies.map(({ name, annotations }): ScratchCopy => ({
    name,
    kind: annotations.kind,
    source: followed?.follow(name).path ?? join(root.path, name),
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
  await copyAll(listMissingPrograms(scratch, tools.filter((tool) => !standing.has(tool))));
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
  { call, tools: [program], standing }: Attempt,
  signals: SignalWatch,
  host: Host,
): Promise<EndedChild> {
  if (program === undefined) throw new KprovError("fault", "Cannot run again: no program");
  const isInRoot = program.name.startsWith("./") && !standing.has(program);
  const path = isInRoot ? join(scratch.path, program.name) : program.path;
  if (isInRoot) requireAnyRun(path, call.argv[0]);
  return runChild({
    program: path,
    name: call.argv[0],
    args: call.argv.slice(1),
    directory: scratch.path,
    stdin: call.stdin === null ? "null" : Deno.openSync(join(scratch.path, call.stdin)).readable,
    output: {
      stdout: () => Promise.resolve(),
      stderr: (bytes) => host.passOn("stderr", bytes),
    },
    signals,
  });
}
