/**
 * Runs a recorded command again in scratch copies of its inputs: once, or several times with something
 * varied, and isolated where that is asked for. Finds what differs, and how.
 *
 * @module
 */

import { type Finding, KprovError } from "../base/error.ts";
import { escapeText, quote } from "../base/quote.ts";
import type { Effort } from "../base/progress.ts";
import { basename, dirname, join } from "../base/std.ts";
import { checkExpectedFiles, listClaims, listExpectedInputs } from "../evidence/check_files.ts";
import { ContentComparison } from "../evidence/content_difference.ts";
import type { Run } from "../evidence/documents.ts";
import { findCovering, listProducts, type RecordedFile } from "../evidence/provenance.ts";
import {
  checkRepetitions,
  type ContentDifference,
  findProductDifferences,
  type ProductDifference,
  type Repetition,
  type Variation,
} from "../evidence/reproduction.ts";
import { type EndedChild, runChild } from "../io/child.ts";
import type { FoundTool, Started } from "../io/tools.ts";
import { deferSignals, type Host, Interruption, type SignalWatch } from "../io/host.ts";
import { FollowedPaths } from "../io/list_directory.ts";
import {
  gatherProducts,
  listStandingProducts,
  listUnrecordedDirectories,
  observeExpectedFiles,
} from "../io/observe.ts";
import type { Root } from "../io/paths.ts";
import { requireAnyRun } from "../io/permissions.ts";
import { lookAtFile, readPieces } from "../io/read_file.ts";
import {
  isolate,
  ISOLATED_HOME,
  mountReversed,
  type Sandbox,
  SANDBOX_FAULT,
  type Setting,
  startClock,
} from "../io/sandbox.ts";
import {
  findMissedFiles,
  type MissedFiles,
  readMisses,
  watchMisses,
} from "../io/trace/strace_log.ts";
import type { Tracer } from "../io/trace/tracer.ts";
import {
  copyIntoScratch,
  makeDirectoryAbove,
  makeDirectoryIn,
  makeScratchDirectory,
  mayMakeLinks,
  refuseLinksOut,
  type ScratchCopy,
  type ScratchDirectory,
  type ScratchPlace,
} from "../io/atomic_file.ts";
import { compareWithStamps, splitUntouched, stampBeforeCommand } from "../io/stamps.ts";

/** A recorded command. */
export interface RecordedCall {
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

/** What is run again, with what, and how. */
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
  /** Where scratch directories go. */
  readonly place: string;
  /** What the command runs in; null where it may do what kprov's user may. */
  readonly sandbox: Sandbox | null;
  /** How often it is run with nothing varied. */
  readonly times: number;
  /** What is varied, in one more run each. */
  readonly settings: readonly Setting[];
  /** What tells which files the isolated command looks for in vain, the first time; null for nobody. */
  readonly tracer: Tracer | null;
}

/** A product that differs, with its versions where they are at hand. */
export interface ComparedProduct extends ProductDifference {
  /** How the contents of two files differ; null where one version is not at hand. */
  readonly content: ContentDifference | null;
  /** Where the version before is; null where it is not at hand. */
  readonly beforePath: string | null;
  /** Where the later version is; null where there is none. */
  readonly afterPath: string | null;
}

/** Directories that no run records, as a command needed them. */
interface NeededDirectories {
  /** Product paths. */
  readonly products: readonly string[];
  /** Those without a file inside of the inputs. */
  readonly inputs: readonly string[];
}

const NONE_NEEDED: NeededDirectories = { products: [], inputs: [] };

/** What came of running a command again. */
export interface Again {
  /** Each time that it was run. */
  readonly repetitions: readonly Repetition[];
  /** The products that differ, by repetition and path. */
  readonly compared: readonly ComparedProduct[];
  /** What differs, sorted; none where the run is reproducible. */
  readonly findings: readonly Finding[];
  /** The directories without which it comes out otherwise. */
  readonly needed: NeededDirectories;
  /** What the isolated command looked for in vain the first time, and is here; null where nobody looked. */
  readonly missed: MissedFiles | null;
}

/** Work on one attempt. */
interface Work extends Attempt {
  /** Holds all that is made. */
  readonly area: ScratchDirectory;
  readonly signals: SignalWatch;
  readonly host: Host;
}

/** What one repetition made, and where its products still are. */
interface Made {
  readonly repetition: Repetition;
  readonly directory: string;
  readonly missed: MissedFiles | null;
}

/**
 * Runs a recorded command in scratch copies of its inputs, and compares what it makes. Which product
 * directories and which directories without a file were there before is not recorded, so where something
 * differs without, it is run once more with those that stand now, in another copy. The copies are gone
 * in the end, whatever it is.
 *
 * @param attempt What is run, and how
 * @param host The process
 * @param tell Is called with what came of it, while the versions of products that differ are there
 * @throws {KprovError} `cannot_create`, `io`, `cannot_start` or `permission`; `data` where something
 * that it made cannot be read exactly
 * @throws {Interruption} where a signal came
 */
export async function runAgain(
  attempt: Attempt,
  host: Host,
  tell: (again: Again, signals: SignalWatch) => Promise<void>,
): Promise<Again> {
  return await deferSignals(async (signals) => {
    using area = makeScratchDirectory(attempt.place);
    const again = await repeat({ ...attempt, area, signals, host });
    await tell(again, signals);
    return again;
  });
}

async function repeat(work: Work): Promise<Again> {
  const { run } = work;
  const first = await runFirst(work);
  if ("spoilt" in first) return giveUp(first.spoilt);
  const plain = Array.from({ length: work.times - 1 }, () => null);
  const made: Made[] = [first];
  for (const setting of [...plain, ...work.settings]) {
    const name = nameRepetition(made.length, setting);
    const directories = [...first.needed.products, ...first.needed.inputs];
    const next = await runOnce(work, { name, directories, setting });
    if ("spoilt" in next) return giveUp(next.spoilt);
    made.push(await keepDifferent(work, next, first));
  }
  const repetitions = made.map(({ repetition }) => repetition);
  const differences = findProductDifferences(run, repetitions);
  const compared = await compareVersions(work, made, differences);
  const contents = new Map(
    compared.flatMap((product, i) => {
      const difference = differences[i];
      return difference === undefined ? [] : [[difference, product.content] as const];
    }),
  );
  const isIsolated = work.sandbox !== null;
  const findings = checkRepetitions(run, repetitions, differences, { contents, isIsolated });
  return { repetitions, compared, findings, needed: first.needed, missed: first.missed };
}

function giveUp(findings: readonly Finding[]): Again {
  return { repetitions: [], compared: [], findings, needed: NONE_NEEDED, missed: null };
}

/** The first repetition, with the directories that it turned out to need. */
async function runFirst(
  work: Work,
): Promise<Made & { readonly needed: NeededDirectories } | Spoilt> {
  const once = { name: nameRepetition(0, null), directories: [], setting: null };
  const first = await runOnce(work, once);
  if ("spoilt" in first) return first;
  const products = isShort(work, first) ? listProductDirectories(work) : [];
  if (products.length > 0) {
    const again = await runOnce(work, { ...once, name: "run-again", directories: products });
    const isBetter = !("spoilt" in again) && !isShort(work, again);
    if (isBetter) return { ...again, needed: { products, inputs: [] } };
  }
  const inputs = isOther(work, first) ? listEmptyInputs(work) : [];
  if (inputs.length > 0) {
    const directories = [...products, ...inputs];
    const again = await runOnce(work, { ...once, name: "run-with-empty", directories });
    const isBetter = !("spoilt" in again) && !isOther(work, again);
    if (isBetter) return { ...again, needed: { products, inputs } };
  }
  return { ...first, needed: NONE_NEEDED };
}

function listEmptyInputs({ run, root }: Work): string[] {
  const { buildDefinition } = run.documents["provenance.json"].predicate;
  const recorded = listExpectedInputs(run).map(({ name }) => name);
  return listUnrecordedDirectories(buildDefinition.externalParameters, recorded, root);
}

/** Whether anything came out otherwise. */
function isOther({ run }: Work, { repetition }: Made): boolean {
  const { exit_code } = run.documents["run_summary.json"];
  return repetition.exitCode !== exit_code || findProductDifferences(run, [repetition]).length > 0;
}

/** Whether the command failed, or left something out. */
function isShort({ run }: Work, { repetition }: Made): boolean {
  const { exit_code } = run.documents["run_summary.json"];
  return repetition.exitCode !== exit_code ||
    findProductDifferences(run, [repetition]).some(({ after }) => after === null);
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

/** An input that changed while it was copied. */
interface Spoilt {
  readonly spoilt: readonly Finding[];
}

/**
 * What a repetition is called where its products are kept.
 *
 * @param number Which, from 0
 * @param variation What was varied; null where nothing was
 */
export function nameRepetition(number: number, variation: Pick<Variation, "kind"> | null): string {
  return `run-${number + 1}${variation === null ? "" : `-${variation.kind}`}`;
}

/** How the command is run once. */
interface Once {
  /** Where its products go, in the end. */
  readonly name: string;
  /** The product directories that are there before. */
  readonly directories: readonly string[];
  /** What is varied; null where nothing is. */
  readonly setting: Setting | null;
}

/** Every copy stands at the same path in its turn, so that only --vary cwd varies that. */
const COPY = "copy";

async function runOnce(work: Work, once: Once): Promise<Made | Spoilt> {
  const { run, call, area, signals } = work;
  const { setting } = once;
  const effort = { ...work.effort, stopped: signals.stopped };
  const place = makeDirectoryIn(area, setting?.directory ?? COPY);
  const copy = setting?.reverser === undefined ? place : makeDirectoryIn(area, "forwards");
  await fillScratch(copy, work);
  for (const name of once.directories) makeDirectoryAbove(copy, `${name}/`);
  const inputs = listExpectedInputs(run);
  const root = { given: copy.path, path: copy.path };
  const copied = await observeExpectedFiles(inputs, { root, effort });
  const spoilt = checkExpectedFiles(inputs, copied);
  if (spoilt.length > 0) return { spoilt };
  const products = call.products.map((name) => ({
    given: name,
    name,
    path: name === "." ? copy.path : join(copy.path, name),
  }));
  const reading = { root, exclude: call.exclude, own: [], effort };
  const standing = listStandingProducts(products, reading);
  const stamps = await stampBeforeCommand({ materials: [], tools: [], standing }, root);
  const trace = work.tracer === null || work.sandbox === null || setting !== null
    ? null
    : join(makeDirectoryIn(area, "watch").path, once.name);
  const { exitCode } = await startVaried({ place, copy, trace }, work, setting);
  if (signals.received !== null) throw new Interruption(signals.received);
  const { files } = await gatherProducts(products, reading);
  const { made } = splitUntouched(files, compareWithStamps(stamps.products, root));
  // Out of the way of the next copy, which takes the same place.
  Deno.chmodSync(copy.path, 0o700);
  const directory = join(area.path, once.name);
  Deno.renameSync(copy.path, directory);
  const variation = setting === null ? null : { kind: setting.kind, how: setting.how };
  const missed = trace === null ? null : findMissed(trace, copy.path, directory, work);
  return { repetition: { variation, exitCode, products: made }, directory, missed };
}

function findMissed(
  trace: string,
  copy: string,
  held: string,
  { root, call, host }: Work,
): MissedFiles {
  const misses = readMisses(trace, copy);
  if (misses === null) {
    throw new KprovError(
      "cannot_start",
      "Cannot observe the command: strace sees nothing in isolation",
    );
  }
  return findMissedFiles(misses, {
    copy,
    held,
    home: ISOLATED_HOME,
    ownHome: host.readEnv("HOME"),
    root: root.path,
    products: call.products,
  });
}

/** Copies what went in, and makes the directories above what is to come out. */
async function fillScratch(
  scratch: ScratchPlace,
  { run, call, tools, standing, root, signals }: Work,
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
function listMissingPrograms(scratch: ScratchPlace, tools: readonly FoundTool[]): ScratchCopy[] {
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

function keepAsIs(started: Started): Started {
  return started;
}

/** Where a command runs. */
interface Running {
  /** Where it sees its copy. */
  readonly place: ScratchPlace;
  /** Where the copy is. */
  readonly copy: ScratchPlace;
  /** Where strace writes; null where nobody watches. */
  readonly trace: string | null;
}

async function startVaried(
  { place, copy, trace }: Running,
  work: Work,
  setting: Setting | null,
): Promise<EndedChild> {
  const { clock, reverser, env = {}, onOneCore = keepAsIs } = setting ?? {};
  await using started = clock === undefined ? null : await startClock(clock);
  await using _mounted = reverser === undefined
    ? null
    : await mountReversed(reverser, copy.path, place.path);
  const command = { ...findProgram(place, work), env };
  const timed = started === null ? command : started.apply(command);
  const isWatched = trace !== null && work.tracer !== null;
  const watched = isWatched ? watchMisses(work.tracer.path, trace, timed) : timed;
  const places = [place.path, ...(isWatched ? [dirname(trace)] : [])] as const;
  const isolated = work.sandbox === null ? watched : isolate(work.sandbox, places, watched);
  return await start(place, work, onOneCore(isolated));
}

function findProgram(
  place: ScratchPlace,
  { call, tools: [program], standing, sandbox }: Work,
): Started {
  if (program === undefined) throw new KprovError("fault", "Cannot run again: no program");
  const isInRoot = program.name.startsWith("./") && !standing.has(program);
  const path = isInRoot ? join(place.path, program.name) : program.path;
  if (isInRoot && sandbox === null) requireAnyRun(path, call.argv[0]);
  return { program: path, args: call.argv.slice(1) };
}

async function start(
  place: ScratchPlace,
  { call, signals, host, sandbox }: Work,
  started: Started,
): Promise<EndedChild> {
  let said = "";
  const child = await runChild({
    ...started,
    name: call.argv[0],
    directory: place.path,
    isEnvCleared: sandbox !== null,
    stdin: call.stdin === null ? "null" : Deno.openSync(join(place.path, call.stdin)).readable,
    output: {
      stdout: () => Promise.resolve(),
      stderr: async (bytes) => {
        if (said.length < MOST_SAID) said += new TextDecoder().decode(bytes);
        await host.passOn("stderr", bytes);
      },
    },
    signals,
  });
  const fault = sandbox === null || child.exitCode === 0
    ? undefined
    : SANDBOX_FAULT.exec(said)?.[1];
  if (fault === undefined) return child;
  throw new KprovError("cannot_start", `Cannot run ${quote(call.argv[0])} in isolation`, {
    reason: escapeText(fault),
  });
}

/** As much of what a command says as tells whether it was started. */
const MOST_SAID = 4096;

/** Keeps of a later repetition only the products that differ from those of the first. */
async function keepDifferent(work: Work, made: Made, first: Made): Promise<Made> {
  const name = basename(made.directory);
  const differences = findProductDifferences(work.run, [first, made].map((one) => one.repetition));
  const files = differences.flatMap(({ repetition, after }) =>
    repetition === 1 && after !== null ? [after] : []
  );
  using all = makeDirectoryIn(work.area, `all-${name}`);
  Deno.renameSync(made.directory, all.path);
  const held = makeDirectoryIn(work.area, name);
  await copyProducts(held, files, { from: all.path, signals: work.signals });
  return { ...made, directory: held.path };
}

async function copyProducts(
  place: ScratchPlace,
  files: readonly Pick<RecordedFile, "name" | "kind">[],
  { from, signals }: { readonly from: string; readonly signals: SignalWatch },
): Promise<void> {
  for (const { name, kind } of files) {
    if (kind === "symlink" && !mayMakeLinks()) continue;
    const copy = { name, kind, source: join(from, name), role: "product" } as const;
    await Promise.race([copyIntoScratch(place, copy), signals.stopped]);
  }
}

/**
 * Copies recorded products that the first repetition did not make again, where they still stand below the
 * root as they were recorded.
 */
async function holdRecorded(
  { run, root, area, signals, ...work }: Work,
  differences: readonly ProductDifference[],
): Promise<ScratchPlace> {
  const effort = { ...work.effort, stopped: signals.stopped };
  const wanted = new Set(differences.flatMap(({ path, since }) => since === null ? [path] : []));
  const expected = listClaims(run).files
    .filter(({ role, name }) => role === "product" && wanted.has(name));
  const place = makeDirectoryIn(area, "recorded");
  const isAsRecorded = async (at: Root): Promise<typeof expected> => {
    const observed = await observeExpectedFiles(expected, { root: at, effort });
    return expected.filter((file) => checkExpectedFiles([file], observed).length === 0);
  };
  await copyProducts(place, await isAsRecorded(root), { from: root.path, signals });
  // What changed while it was copied is not what was recorded.
  const copied = new Set(await isAsRecorded({ given: place.path, path: place.path }));
  for (const file of expected) if (!copied.has(file)) removeWhereThere(join(place.path, file.name));
  return place;
}

function removeWhereThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It was not copied.
  }
}

/** Compares the two versions of each product that differs, as far as they are at hand. */
async function compareVersions(
  work: Work,
  made: readonly Made[],
  differences: readonly ProductDifference[],
): Promise<ComparedProduct[]> {
  const recorded = await holdRecorded(work, differences);
  const compared: ComparedProduct[] = [];
  for (const difference of differences) {
    const { path, repetition, since, before, after } = difference;
    const beforeHome = since === null ? recorded.path : made[since]?.directory;
    const beforePath = before === null ? null : findVersion(beforeHome, path);
    const afterPath = after === null ? null : findVersion(made[repetition]?.directory, path);
    const content = beforePath === null || afterPath === null ||
        before?.kind !== "file" || after?.kind !== "file"
      ? null
      : await compareFiles(beforePath, afterPath, work.signals);
    compared.push({ ...difference, content, beforePath, afterPath });
  }
  return compared;
}

function findVersion(home: string | undefined, name: string): string | null {
  if (home === undefined) return null;
  try {
    const path = join(home, name);
    Deno.lstatSync(path);
    return path;
  } catch {
    return null;
  }
}

async function compareFiles(
  before: string,
  after: string,
  signals: SignalWatch,
): Promise<ContentDifference | null> {
  using comparison = new ContentComparison(readVersion(before), readVersion(after));
  while (comparison.advance()) {
    if (signals.isTurnDue) await signals.turn();
  }
  return comparison.difference;
}

function readVersion(path: string): Iterable<Uint8Array> {
  const file = lookAtFile(path);
  if (typeof file === "string") throw new KprovError("data", `Cannot compare a product: ${file}`);
  return readPieces(path, file, Infinity);
}
