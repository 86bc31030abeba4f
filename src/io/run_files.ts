import { type Finding, KprovError, makeFinding, sortFindings } from "../base/error.ts";
import { DocumentMeter, type DocumentTotals, type Progress } from "../base/progress.ts";
import { quote, shellQuotePath, showName } from "../base/quote.ts";
import { basename, dirname, join } from "../base/std.ts";
import { compareUtf8 } from "../base/text.ts";
import {
  DOCUMENT_LIMITS,
  DOCUMENT_NAMES,
  type DocumentBytes,
  type DocumentName,
  type Run,
  type RunFiles,
} from "../evidence/documents.ts";
import { Lineage } from "../evidence/lineage.ts";
import { describeRun } from "../evidence/lineage_records.ts";
import type { Shard } from "../evidence/provenance.ts";
import { compareRunIds } from "../evidence/run_summary.ts";
import { readRun, type RunReading } from "../evidence/verify.ts";
import { isAbsent } from "./paths.ts";
import { isNamedAtHome, listLeftovers, RUNS } from "./run_directory.ts";
import { OutOfMemory } from "./host.ts";
import { describeSystemError, isMissing, requirePermission, toReadError } from "./permissions.ts";
import { CHANGED, lookAtFile, readPieces } from "./read_file.ts";

/** A run directory as it stands on the disk. */
interface GatheredRun extends RunFiles {
  /** Its path as given, or as found in a directory of runs. */
  readonly path: string;
  /** What is wrong with its files before anything in them is read. */
  readonly faults: readonly Finding[];
}

/** The runs that a command was given. */
export interface FoundRuns {
  /** Paths of run directories, in the order of their making. */
  readonly paths: readonly string[];
  /** Whether they were named by the directory that they are in, and not each by itself. */
  readonly isDirectory: boolean;
}

/** Notes what was never whole among runs: it is not verified, and is no run that somebody hid. */
export function noteLeftovers(found: readonly FoundRuns[]): Finding[] {
  const directories = new Set(
    found.filter(({ isDirectory }) => isDirectory).flatMap(({ paths }) => paths.map(dirname)),
  );
  const leftovers = [...directories].flatMap((directory) =>
    listLeftovers(directory).map((name) => quote(join(directory, name)))
  );
  const why = "is not a run: its writer was killed before it was complete";
  const options = { level: "note", hint: "the next run in this directory removes it" } as const;
  return leftovers.map((run) => makeFinding("run.leftover", `${run} ${why}`, options));
}

/** How often a document is read again that is replaced while it is read. */
const MOST_READINGS = 100;

/**
 * Finds the runs that a word names: a run directory, every run in a directory of runs, a run id
 * below `runs`, or `latest`, the last run there. Throws `data` where there is no run, `permission`
 * where Deno does not let it be read.
 */
export function locateRuns(given: string, home: string = RUNS): FoundRuns {
  const path = resolveRunName(given, home);
  const entries = readEntries(path);
  if (isRun(entries)) return { paths: [path], isDirectory: false };
  const runs = [...listRunNames(entries), ...listMisnamed(path, entries)];
  if (runs.length === 0) {
    const [left] = listLeftovers(path);
    throw new KprovError(
      "data",
      `Cannot find a run in ${quote(path)}: it holds neither documents nor runs`,
      {
        hint: left === undefined ? undefined : `${quote(left)} in it was left by a killed writer`,
      },
    );
  }
  return { paths: runs.map((name) => join(path, name)), isDirectory: true };
}

/** The paths of the runs that a word names, as {@linkcode locateRuns} finds them. */
export function findRuns(given: string, home: string = RUNS): readonly string[] {
  return locateRuns(given, home).paths;
}

/**
 * Finds the one run that a word names, as {@linkcode locateRuns} does. Throws `data` where it names
 * several, or there is nothing; `permission`.
 */
export function findRun(given: string, home: string = RUNS): string {
  const path = resolveRunName(given, home);
  const entries = readEntries(path);
  const runs = listRunNames(entries);
  if (isRun(entries) || runs.length === 0) return path;
  const count = `${runs.length} ${runs.length === 1 ? "run" : "runs"}`;
  throw new KprovError("data", `Cannot use run ${quote(path)}: it is a directory of ${count}`, {
    hint: `name one run; kprov log ${shellQuotePath(path)} lists them`,
  });
}

/** The paths of the runs in a directory; none where there are none, or where it cannot be read. */
export function listRuns(directory: string): string[] {
  try {
    const paths = listRunNames(readEntries(directory)).map((name) => join(directory, name));
    return paths.filter((path) => isRun(readEntries(path)));
  } catch {
    return [];
  }
}

function resolveRunName(given: string, home: string): string {
  const isAtHome = isNamedAtHome(given);
  if ((isAtHome || given === home) && isAbsent(home)) {
    const what = isAtHome ? `run ${quote(given)}` : "runs";
    throw new KprovError("data", `Cannot find ${what}: there is no ${quote(home)} here`, {
      hint: "name a run elsewhere by its path, such as ../runs/2026-02-15T20-13-00Z",
    });
  }
  if (!isAtHome) return given;
  if (given === "latest") {
    const latest = listRunNames(readEntries(home)).at(-1);
    if (latest !== undefined) return join(home, latest);
    throw new KprovError("data", `Cannot find the latest run: ${quote(home)} holds none`, {
      hint: "./latest names a directory",
    });
  }
  return join(home, given);
}

function readEntries(path: string): Deno.DirEntry[] {
  requirePermission("read", path);
  return listEntries(path);
}

function isRun(entries: readonly Deno.DirEntry[]): boolean {
  const documents: readonly string[] = DOCUMENT_NAMES;
  return entries.some(({ name }) => documents.includes(name));
}

/** The names of the runs in a directory, in the order of their making. */
function listRunNames(entries: readonly Deno.DirEntry[]): string[] {
  return entries
    .filter(({ name, isDirectory }) => isDirectory && isNamedAsRun(name))
    .map(({ name }) => name)
    .sort((a, b) => compareRunIds(a, b) || compareUtf8(a, b));
}

function isNamedAsRun(name: string): boolean {
  return /^[0-9]{4}-.*Z(-[0-9]+)?$/.test(name);
}

/** Directories beside runs that hold documents under another name: no run is hidden by renaming it. */
function listMisnamed(directory: string, entries: readonly Deno.DirEntry[]): string[] {
  return entries
    .filter(({ name, isDirectory }) => isDirectory && !isNamedAsRun(name) && !name.startsWith("."))
    .map(({ name }) => name)
    .filter((name) => holdsDocuments(join(directory, name)))
    .sort(compareUtf8);
}

function holdsDocuments(path: string): boolean {
  try {
    return isRun([...Deno.readDirSync(path)]);
  } catch {
    return false;
  }
}

/**
 * Looks at a run directory. Its documents are opened when they are read, which is possible once;
 * only regular files are, and none that is larger than its kind may be. Throws `data` where it is
 * not there, `io` where it cannot be read.
 */
export function gatherRun(path: string, meter?: DocumentMeter): GatheredRun {
  requirePermission("read", path);
  const files = new Map<string, DocumentBytes>();
  const faults: Finding[] = [];
  const documents: readonly string[] = DOCUMENT_NAMES;
  for (const { name } of listEntries(path)) {
    const bytes = documents.includes(name)
      ? openDocument(join(path, name), DOCUMENT_LIMITS[name as DocumentName].maxBytes)
      : new Uint8Array();
    if (typeof bytes === "string") {
      faults.push(makeFinding("document.malformed", bytes, { path: name }));
    } else files.set(name, meter === undefined ? bytes : countPieces(bytes, meter));
  }
  return { path, name: basename(Deno.realPathSync(path)), files, faults };
}

/** How a shard stands in provenance.json, of which the parameters come before every file. */
const SHARD =
  /\n {8}"shard": \{\n {10}"count": (\d+),\n {10}"index": (\d+)\n {8}\}\n {6}\},\n {6}"internalParameters"/;

/**
 * Looks which shard a run says it is, in the first piece of its provenance.json alone. That is
 * enough to plan the reading, and proves nothing. Throws `permission`.
 */
export function glanceAtShard(path: string): Shard | null {
  requirePermission("read", path);
  const name = "provenance.json";
  const bytes = openDocument(join(path, name), DOCUMENT_LIMITS[name].maxBytes);
  if (typeof bytes === "string" || bytes instanceof Uint8Array) return null;
  for (const piece of bytes) {
    const [, count, index] = SHARD.exec(new TextDecoder().decode(piece)) ?? [];
    return count === undefined ? null : { count: Number(count), index: Number(index) };
  }
  return null;
}

/** Counts what is read of a document while it is read. */
function* countPieces(bytes: DocumentBytes, meter: DocumentMeter): Generator<Uint8Array> {
  for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) {
    yield piece;
    meter.add(piece.length);
  }
  meter.endDocument();
}

/** How many documents runs have, and the bytes of those that are there. */
export function measureRuns(paths: readonly string[]): DocumentTotals {
  const sizes = paths.flatMap((path) =>
    DOCUMENT_NAMES.map((name) => measureFile(join(path, name)))
  );
  return { documents: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

/** What is not there, or cannot be looked at, is reported when it is read. */
function measureFile(path: string): number {
  try {
    return Deno.lstatSync(path).size;
  } catch {
    return 0;
  }
}

function listEntries(path: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(path)];
  } catch (error) {
    if (isMissing(error)) {
      const reason = isAbsent(path) ? "it does not exist" : "it is not a directory";
      const hint = "a run is named by its directory, by its id, or as latest";
      throw new KprovError("data", `Cannot read run ${quote(path)}`, {
        reason,
        hint,
        cause: error,
      });
    }
    throw toReadError(error, `Cannot read run ${quote(path)}`, { path });
  }
}

function readOnce(path: string, maxBytes: number): Iterable<Uint8Array> | string {
  const before = lookAtFile(path);
  return typeof before === "string" ? before : readPieces(path, before, maxBytes);
}

/** A review is recorded by one rename: who reads the document meanwhile reads it again. */
function readReplaceable(path: string, maxBytes: number): DocumentBytes | string {
  for (let i = 0; i < MOST_READINGS; i++) {
    const pieces = readOnce(path, maxBytes);
    if (typeof pieces === "string") return pieces;
    try {
      return Array.from(pieces, (piece) => piece.slice());
    } catch (error) {
      if (!(error instanceof KprovError) || error.message !== CHANGED) break;
    }
  }
  return readOnce(path, maxBytes);
}

/** The file's bytes, or in words why they are not read. */
function openDocument(path: string, maxBytes: number): DocumentBytes | string {
  try {
    return basename(path) === "human_review.json"
      ? readReplaceable(path, maxBytes)
      : readOnce(path, maxBytes);
  } catch (error) {
    if (isMissing(error)) return "it vanished while it was read";
    if (error instanceof Deno.errors.NotCapable) {
      throw toReadError(error, `Cannot read ${quote(path)}`, { path });
    }
    return `it cannot be read: ${describeSystemError(error)}`;
  }
}

/**
 * Reads a run that must verify. Throws `data` where it is not there, is a directory of runs or does
 * not verify.
 */
export function openRun(given: string, meter?: DocumentMeter): Run {
  const path = findRun(given);
  const gathered = gatherRun(path, meter);
  const { run, findings } = readRun(gathered);
  const all = [...gathered.faults, ...findings];
  const first = all.find(({ code }) => code === "document.old_form") ?? all[0];
  if (run !== null && first === undefined) return run;
  if (first?.code === "document.old_form") {
    throw new KprovError("data", `Cannot use run ${quote(path)}: ${first.message}`, {
      hint: first.hint ?? undefined,
    });
  }
  throw new KprovError(
    "data",
    `Cannot use run ${quote(path)}: it does not verify (${
      showName(first?.path ?? "")
    }: ${first?.code})`,
    { hint: "kprov verify lists everything that is wrong" },
  );
}

/** A run as it was found, whether or not it verifies. */
interface FoundRun extends RunReading {
  /** The run directory. */
  readonly path: string;
  /** Its name. */
  readonly name: string;
}

/**
 * Reads a run for people to look at. Unlike {@linkcode openRun} it takes one that does not verify,
 * with what is wrong and with those documents that have their form. Throws `data` where it is not
 * there, `io` where it cannot be read, `permission`.
 */
export function readAnyRun(path: string, meter?: DocumentMeter): FoundRun {
  const gathered = gatherRun(path, meter);
  const reading = readRun(gathered);
  const findings: readonly Finding[] = sortFindings([...gathered.faults, ...reading.findings]);
  return { ...reading, path, name: gathered.name ?? path, findings };
}

/**
 * Reads runs one after the other, so that one alone is held at a time; one that the system does not
 * let be read counts as one that does not verify. Throws `permission`.
 */
export function* readRuns(
  paths: readonly string[],
  progress: Progress | null,
): Generator<FoundRun> {
  using meter = new DocumentMeter(progress, measureRuns(paths));
  for (const path of paths) yield readWhateverStands(path, meter);
}

/**
 * Reads a run as {@linkcode readAnyRun} does; one that the system does not let be read counts as
 * one that does not verify. Throws `permission`.
 */
export function readWhateverStands(path: string, meter?: DocumentMeter): FoundRun {
  try {
    return readAnyRun(path, meter);
  } catch (error) {
    const isOfRun = error instanceof KprovError && !(error instanceof OutOfMemory) &&
      (error.code === "io" || error.code === "data");
    if (!isOfRun) throw error;
    const findings = [makeFinding("run.unreadable", error.message)];
    return { path, name: basename(path), run: null, documents: {}, digests: {}, findings };
  }
}

/** Runs, joined, with those that do not verify. */
export interface OpenedLineage {
  /** The runs. */
  readonly lineage: Lineage;
  /** The paths of those that do not verify, with the first thing that is wrong. */
  readonly broken: readonly { readonly path: string; readonly first: Finding }[];
}

/** Joins runs and directories of runs. Throws `data` where there are none, `permission`. */
export function openLineage(
  given: readonly string[],
  options: {
    readonly progress: Progress | null;
    readonly takesBroken: boolean;
    readonly home?: string;
  },
): OpenedLineage {
  const lineage = new Lineage();
  const broken: { path: string; first: Finding }[] = [];
  const paths = [...new Set(given.flatMap((word) => findRuns(word, options.home)))];
  for (const found of readRuns(paths, options.progress)) {
    const [first] = found.findings;
    if (first !== undefined) broken.push({ path: found.path, first });
    if (first !== undefined && !options.takesBroken) continue;
    const { record, files } = describeRun(found.path, found);
    lineage.add(record, files);
  }
  return { lineage, broken };
}
