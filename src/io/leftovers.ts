import { type Finding, makeFinding } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { join } from "../base/std.ts";
import { compareUtf8 } from "../base/text.ts";
import { DOCUMENT_NAMES } from "../evidence/documents.ts";
import { isRunId } from "../evidence/run_summary.ts";
import { isMissing, isPermitted } from "./permissions.ts";

/**
 * What is written has a temporary name until it is whole, and its writer a lock on it (flock) that the
 * system releases when the process ends, however it does. So whoever gets the lock knows that the writer
 * is gone. Windows has no such lock on directories, and nothing is taken for a leftover there.
 */
const HAS_LOCKS = Deno.build.os !== "windows";

/**
 * Takes the lock on a temporary file or directory that this process has just made.
 *
 * @param file It, open
 * @param path Its path
 * @returns Whether it is still this process's own: somebody else may have taken it for a leftover
 */
export function lockTemporary(file: Deno.FsFile, path: string): boolean {
  return tryLock(file, path) !== "lost";
}

/**
 * Does the same for a directory, which stays locked until what is returned is disposed of.
 *
 * @param path Its path
 * @returns The lock; null where it is not this process's own any more
 * @throws What the system says where it cannot be opened
 */
export function lockTemporaryDirectory(path: string): Disposable | null {
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

/**
 * Removes a temporary file or directory whose writer is gone.
 *
 * @param path Its path
 * @returns Whether it is gone now, by whomever
 */
export function removeLeftover(path: string): boolean {
  try {
    using leftover = openLeftover(path);
    return leftover !== null && removeOwn(path, leftover.statSync().isDirectory);
  } catch (error) {
    return isMissing(error);
  }
}

/** Opens and locks a temporary file or directory; null where its writer is at work, or that cannot be told. */
function openLeftover(path: string): Deno.FsFile | null {
  const { isDirectory, isFile } = Deno.lstatSync(path);
  if (!HAS_LOCKS || !(isDirectory || isFile)) return null;
  // Opened for both, a FIFO that takes its place would not be waited for.
  const write = isFile && isPermitted("write", path);
  const file = Deno.openSync(path, { read: true, write });
  if (tryLock(file, path) === "locked") return file;
  file.close();
  return null;
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

/**
 * Lists runs and reviews whose writers were killed.
 *
 * @param directory A directory of runs
 * @returns Their names, sorted; none where it cannot be read
 */
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
 * Removes what killed writers left in a directory of runs.
 *
 * @param directory The directory
 * @returns A note where something was removed
 */
export function removeLeftovers(directory: string): Finding[] {
  if (!isPermitted("write", directory)) return [];
  const removed = listUnfinished(directory).filter((name) => removeLeftover(join(directory, name)));
  const [first] = removed;
  if (first === undefined) return [];
  const more = removed.length - 1;
  const what = `${quote(join(directory, first))}${more === 0 ? "" : ` and ${more} more`}`;
  const message = `${what} that a killed writer left ${more === 0 ? "is" : "are"} removed`;
  return [makeFinding("run.leftover", message, { level: "note" })];
}
