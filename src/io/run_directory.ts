import { closeSync, constants, fsyncSync, openSync } from "node:fs";
import { createSha256, listCanonicalPieces } from "../base/canonical_json.ts";
import { type Finding, KprovError, makeFinding } from "../base/error.ts";
import { DocumentMeter, type DocumentTotals, type Progress } from "../base/progress.ts";
import { quote } from "../base/quote.ts";
import { basename, dirname, join } from "../base/std.ts";
import { compareUtf8 } from "../base/text.ts";
import {
  DOCUMENT_LIMITS,
  DOCUMENT_NAMES,
  type DocumentMaker,
  type DocumentName,
  type MadeDocument,
  SHARD_HINT,
} from "../evidence/documents.ts";
import { formatRunId, isRunId } from "../evidence/run_summary.ts";
import { deferSignals, type SignalWatch } from "./host.ts";
import { isThere } from "./paths.ts";
import {
  describeSystemError,
  isMissing,
  isPermitted,
  systemCode,
  toWriteError,
} from "./permissions.ts";
import { pause } from "./regular_file.js";

/** More runs in one second than this is a loop gone wild. */
const MOST_RUNS_IN_A_SECOND = 100_000;

/** How often a temporary directory is made again that another writer took for a leftover. */
const MOST_ATTEMPTS = 100;

/** How long that writer may take to remove it. */
const LONGEST_REMOVAL_MS = 100;

/** Where runs go, and `latest` and run ids by themselves are looked for, if nobody says otherwise. */
export const RUNS = "runs";

/**
 * Whether a word names a run by what is in the directory of the project's runs: `latest`, or a run
 * id of which nothing stands here.
 */
export function isNamedAtHome(given: string): boolean {
  return given === "latest" || (isRunId(given) && !(isPermitted("read", given) && isThere(given)));
}

/** How large they become shows only when they are written. */
const DOCUMENTS: DocumentTotals = { documents: DOCUMENT_NAMES.length, bytes: null };

/** Where a run goes. */
interface RunTarget {
  /** The output directory; it is made where it does not exist. */
  readonly out: string;
  /** The second that names the run. */
  readonly createdAt: string;
  /** Gets the progress of the writing. */
  readonly progress?: Progress | null;
}

/** A run directory that stands. */
interface WrittenRun {
  /** Its name. */
  readonly runId: string;
  /** Its path: the output directory as given, and the name. */
  readonly path: string;
}

/**
 * Writes a run directory whole or not at all. The documents are written and synced in a temporary
 * directory beside the target, which is then renamed. The temporary directory is named after the
 * run: making it is what reserves the name, since of several writers only one can make it, and a
 * rename alone would silently replace an empty directory. After a signal the run stands, or nothing
 * is left behind.
 */
export async function writeRunDirectory(
  target: RunTarget,
  makeDocuments: (runId: string) => DocumentMaker<unknown>,
): Promise<WrittenRun> {
  return await deferSignals(async (signals) => {
    makeOutputDirectory(target.out);
    const { runId, temporary, lock } = reserveName(target);
    using _held = lock;
    const path = join(target.out, runId);
    try {
      using meter = new DocumentMeter(target.progress ?? null, DOCUMENTS);
      await writeDocuments(makeDocuments(runId), { directory: temporary, meter, signals });
      syncDirectory(temporary);
      await signals.turn();
      Deno.renameSync(temporary, path);
    } catch (error) {
      removeTemporary(temporary);
      throw toWriteError(error, `Cannot write run ${quote(path)}`, {
        path: target.out,
        refused: "io",
      });
    }
    syncOutput(target.out, path);
    return { runId, path };
  });
}

/**
 * Makes sure that a run can be written, before a command is started that it is to tell of. What is
 * made for that is removed again.
 */
export async function probeOutput(target: RunTarget): Promise<void> {
  await deferSignals(async (signals) => {
    const made = listMissing(target.out);
    makeOutputDirectory(target.out);
    try {
      const { temporary, lock } = reserveName(target);
      removeTemporary(temporary);
      lock[Symbol.dispose]();
    } finally {
      made.forEach(removeEmpty);
    }
    await signals.settle();
  });
}

/** The directories that it takes to make one, the innermost first. */
function listMissing(path: string): string[] {
  if (isMissingDirectory(path)) return [path, ...listMissing(dirname(path))];
  return [];
}

function isMissingDirectory(path: string): boolean {
  try {
    if (isPermitted("read", path)) Deno.lstatSync(path);
    return false;
  } catch (error) {
    return systemCode(error) === "ENOENT";
  }
}

function removeEmpty(path: string): void {
  if (!isPermitted("write", path)) return;
  try {
    Deno.removeSync(path);
  } catch {
    // Somebody else uses it by now.
  }
}

/** Makes the directory where runs go, where it is not there. */
export function makeOutputDirectory(out: string): void {
  try {
    Deno.mkdirSync(out, { recursive: true });
  } catch (error) {
    if (systemCode(error) === "EEXIST") {
      throw new KprovError(
        "cannot_create",
        `Cannot create a run in ${quote(out)}: it is not a directory`,
      );
    }
    throw refuseOutput(out, error);
  }
}

/** A name that is this run's alone. */
interface ReservedName {
  readonly runId: string;
  /** The temporary directory that reserves it. */
  readonly temporary: string;
  /** The lock on that, which says that its writer is at work. */
  readonly lock: Disposable;
}

function reserveName(target: RunTarget): ReservedName {
  const place = identify(target.out);
  for (let ordinal = 1; ordinal <= MOST_RUNS_IN_A_SECOND; ordinal++) {
    const runId = formatRunId(target.createdAt, ordinal);
    const temporary = join(target.out, `.${runId}.tmp`);
    if (exists(join(target.out, runId), target.out)) continue;
    const lock = makeTemporary(temporary, target.out, place);
    if (lock === null) continue;
    // Another writer may have finished this name between the look and the reservation; nobody can after
    // it.
    if (!exists(join(target.out, runId), target.out)) return { runId, temporary, lock };
    removeTemporary(temporary);
    lock[Symbol.dispose]();
  }
  throw new KprovError(
    "cannot_create",
    `Cannot create a run in ${quote(target.out)}: every name is taken`,
  );
}

function exists(path: string, out: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw refuseOutput(out, error);
  }
}

/**
 * Makes a temporary directory. Another writer may take it for a leftover before it is locked, and removes
 * it then: so it is made once more.
 */
function makeTemporary(path: string, out: string, place: string | null): Disposable | null {
  for (let i = 0; i < MOST_ATTEMPTS; i++) {
    if (!makeDirectory(path, out)) {
      if (!removeLeftover(path)) return null;
      continue;
    }
    const lock = lockMade(path, out);
    if (lock !== null) return lock;
    if (identify(out) !== place) {
      const run = join(out, basename(path).slice(1, -".tmp".length));
      throw new KprovError(
        "io",
        `Cannot write run ${quote(run)}: ${quote(out)} was moved meanwhile`,
      );
    }
    for (let waited = 0; exists(path, out) && waited < LONGEST_REMOVAL_MS; waited++) {
      pause(1);
    }
  }
  return null;
}

/** Tells a directory from another that takes its place. */
function identify(path: string): string | null {
  try {
    const { dev, ino } = Deno.statSync(path);
    return `${dev}.${ino}`;
  } catch {
    return null;
  }
}

function lockMade(path: string, out: string): Disposable | null {
  try {
    return lockTemporaryDirectory(path);
  } catch (error) {
    removeTemporary(path);
    throw refuseOutput(out, error);
  }
}

function makeDirectory(path: string, out: string): boolean {
  try {
    Deno.mkdirSync(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw refuseOutput(out, error);
  }
}

/** Where documents are written, and who counts and who may stop it. */
interface Writing {
  readonly directory: string;
  readonly meter: DocumentMeter;
  readonly signals: SignalWatch;
}

async function writeDocuments(maker: DocumentMaker<unknown>, writing: Writing): Promise<void> {
  for (let step = maker.next(); !step.done;) {
    step = maker.next(await writeDocument(step.value, writing));
  }
}

/** Renders, writes and digests a document in one pass, so that it never is in memory as a whole. */
async function writeDocument(
  { name, value }: MadeDocument,
  { directory, meter, signals }: Writing,
): Promise<string> {
  const hash = createSha256();
  let room = DOCUMENT_LIMITS[name].maxBytes;
  using file = Deno.openSync(join(directory, name), { write: true, createNew: true });
  for (const piece of listCanonicalPieces(value)) {
    writeText(file, piece, (bytes) => {
      room -= bytes.length;
      if (room < 0) throw refuseSize(name);
      hash.update(bytes);
      meter.add(bytes.length);
    });
    if (signals.isTurnDue) await signals.turn();
  }
  file.syncSync();
  meter.endDocument();
  return hash.digest("hex");
}

function refuseSize(name: DocumentName): KprovError {
  const { maxBytes } = DOCUMENT_LIMITS[name];
  return new KprovError("data", `Cannot write ${name}: it is larger than ${maxBytes} bytes`, {
    hint: SHARD_HINT,
  });
}

function syncOutput(out: string, run: string): void {
  try {
    syncDirectory(out);
  } catch (error) {
    throw new KprovError("io", `Cannot sync ${quote(out)}: ${describeSystemError(error)}`, {
      hint: `the run ${quote(run)} is complete, but may not survive a power failure`,
      cause: error,
    });
  }
}

function removeTemporary(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    // The error that led here is the one to report; the name tells a reader that this is no run.
  }
}

function refuseOutput(out: string, error: unknown): KprovError {
  return toWriteError(error, `Cannot create a run in ${quote(out)}`, {
    path: out,
    refused: "cannot_create",
  });
}

/** O_DIRECTORY keeps a FIFO that took a directory's place from hanging the open. */
const DIRECTORY_FLAGS = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0);

/** Text is encoded into this, again and again. */
const buffer = new Uint8Array(256 * 1024);

/** Writes text to an open file, whole, and syncs it. */
export function writeAndSync(file: Deno.FsFile, text: string): void {
  writeText(file, text);
  file.syncSync();
}

/**
 * Writes text to an open file, whole. A piece of a text parts no surrogates; `see` sees each part
 * before it is written, as bytes that do not last.
 */
function writeText(
  file: Deno.FsFile,
  text: string,
  see: (bytes: Uint8Array) => void = () => {},
): void {
  const encoder = new TextEncoder();
  for (let start = 0; start < text.length;) {
    const { read, written } = encoder.encodeInto(start === 0 ? text : text.slice(start), buffer);
    const bytes = buffer.subarray(0, written);
    see(bytes);
    writeAll(file, bytes);
    start += read;
  }
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSome(file, bytes.subarray(written));
  }
}

/** A write that a signal interrupted wrote nothing, and is to be called again. */
function writeSome(file: Deno.FsFile, bytes: Uint8Array): number {
  try {
    return file.writeSync(bytes);
  } catch (error) {
    if (error instanceof Deno.errors.Interrupted) return 0;
    throw error;
  }
}

/** Makes the names in a directory durable. Windows has no such call. */
export function syncDirectory(path: string): void {
  if (Deno.build.os === "windows") return;
  const directory = openSync(path, DIRECTORY_FLAGS);
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/**
 * What is written has a temporary name until it is whole, and its writer a lock on it (flock) that the
 * system releases when the process ends, however it does. So whoever gets the lock knows that the writer
 * is gone. Windows has no such lock on directories, and nothing is taken for a leftover there.
 */
const HAS_LOCKS = Deno.build.os !== "windows";

/**
 * Takes the lock on a temporary file or directory that this process has just made, and tells
 * whether it is still its own: somebody else may have taken it for a leftover.
 */
export function lockTemporary(file: Deno.FsFile, path: string): boolean {
  return tryLock(file, path) !== "lost";
}

/** Does the same for a directory, which stays locked until what is returned is disposed of. */
function lockTemporaryDirectory(path: string): Disposable | null {
  if (!HAS_LOCKS) return { [Symbol.dispose]: () => {} };
  try {
    const directory = Deno.openSync(path);
    if (lockTemporary(directory, path)) return directory;
    directory.close();
    return null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Locks may be missing on a file system; then nobody takes anything for a leftover there. */
function tryLock(file: Deno.FsFile, path: string): "locked" | "lost" | "unsupported" {
  try {
    if (!HAS_LOCKS) return "unsupported";
    if (!file.tryLockSync(true)) return "lost";
  } catch {
    return "unsupported";
  }
  try {
    return file.statSync().ino === Deno.lstatSync(path).ino ? "locked" : "lost";
  } catch {
    return "lost";
  }
}

/** Removes a temporary file or directory whose writer is gone, and tells whether it is gone now. */
export function removeLeftover(path: string): boolean {
  return takeAway(path) !== "kept";
}

function takeAway(path: string): "removed" | "gone" | "kept" {
  try {
    using leftover = openLeftover(path);
    if (leftover === null) return "kept";
    return removeOwn(path, leftover.statSync().isDirectory) ? "removed" : "kept";
  } catch (error) {
    return isMissing(error) ? "gone" : "kept";
  }
}

/** So long a writer has between making something and locking it. */
const LOCKING_MS = 100;

/**
 * Opens and locks a temporary file or directory; null where its writer is at work, or that cannot be
 * told.
 */
function openLeftover(path: string): Deno.FsFile | null {
  const file = openLocked(path);
  if (file === null || !isEmpty(file, path)) return file;
  file.close();
  pause(LOCKING_MS);
  return openLocked(path);
}

function openLocked(path: string): Deno.FsFile | null {
  const { isDirectory, isFile } = Deno.lstatSync(path);
  if (!HAS_LOCKS || !(isDirectory || isFile)) return null;
  // Opened for both, a FIFO that takes its place would not be waited for.
  const write = isFile && isPermitted("write", path);
  const file = Deno.openSync(path, { read: true, write });
  if (tryLock(file, path) === "locked") return file;
  file.close();
  return null;
}

function isEmpty(file: Deno.FsFile, path: string): boolean {
  const { isDirectory, size } = file.statSync();
  return isDirectory ? Iterator.from(Deno.readDirSync(path)).next().done === true : size === 0;
}

/** Only what kprov writes into it goes with a directory. */
function removeOwn(path: string, isDirectory: boolean): boolean {
  if (isDirectory) {
    const names = [...Deno.readDirSync(path)].map(({ name }) => name);
    const documents: readonly string[] = DOCUMENT_NAMES;
    if (!names.every((name) => documents.includes(name))) return false;
    for (const name of names) Deno.removeSync(join(path, name));
  }
  Deno.removeSync(path);
  return true;
}

/** Lists runs and reviews whose writers were killed, sorted; none where that cannot be read. */
export function listLeftovers(directory: string): string[] {
  return listUnfinished(directory).filter((name) => {
    try {
      using leftover = openLeftover(join(directory, name));
      return leftover !== null;
    } catch {
      return false;
    }
  });
}

function listUnfinished(directory: string): string[] {
  if (!isPermitted("read", directory)) return [];
  try {
    return Iterator.from(Deno.readDirSync(directory))
      .map(({ name }) => name)
      .filter(isUnfinished)
      .toArray()
      .sort(compareUtf8);
  } catch {
    return [];
  }
}

function isUnfinished(name: string): boolean {
  const runId = /^\.(.*?)(?:\.review)?\.tmp$/.exec(name)?.[1];
  return runId !== undefined && isRunId(runId);
}

/**
 * Removes what killed writers left in a directory of runs, with a note where there was something.
 */
export function removeLeftovers(directory: string): Finding[] {
  if (!isPermitted("write", directory)) return [];
  const removed = listUnfinished(directory).filter((name) =>
    takeAway(join(directory, name)) === "removed"
  );
  const [first] = removed;
  if (first === undefined) return [];
  const more = removed.length - 1;
  const what = `${quote(join(directory, first))}${more === 0 ? "" : ` and ${more} more`}`;
  const message = `${what}, left by a killed writer, ${more === 0 ? "was" : "were"} removed`;
  return [makeFinding("run.leftover", message, { level: "note" })];
}
