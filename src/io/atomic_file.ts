import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { dirname, join } from "../base/std.ts";
import { deferSignals } from "./host.ts";
import { lockTemporary, removeLeftover, syncDirectory, writeAndSync } from "./run_directory.ts";
import {
  isMissing,
  permissionFlag,
  requirePermission,
  systemCode,
  toKprovError,
} from "./permissions.ts";

/** More temporary files in one directory than this are not of writers at work. */
const MOST_TEMPORARIES = 1000;

/**
 * Makes sure that a file can be written, before the work that it is to tell of. The place is left as
 * it was.
 *
 * @param path The file
 * @param taken The signals that wait meanwhile, where they are not all
 * @throws {KprovError} `cannot_create` where it cannot be written, `permission` where Deno does not
 * let it
 * @throws {Interruption} where a signal came
 */
export async function probeFile(path: string, taken?: readonly Deno.Signal[]): Promise<void> {
  requirePlace(path);
  checkReplaceable(path);
  await deferSignals(async (signals) => {
    const { file, temporary } = createTemporary(path);
    file.close();
    removeQuietly(temporary);
    await signals.settle();
  }, taken);
}

/**
 * Writes a file whole or not at all: beside its place, synced, then renamed. One that stands there is
 * replaced.
 *
 * @param path The file
 * @param text What goes in
 * @throws {KprovError} as {@linkcode probeFile} does, and `io` where writing fails
 */
export async function writeFileAtomically(path: string, text: string): Promise<void> {
  requirePlace(path);
  checkReplaceable(path);
  await writeBeside(path, text, (temporary) => Deno.renameSync(temporary, path));
}

/**
 * Writes a file that is not there yet, whole or not at all: beside its place, synced, then linked to
 * its name, which fails where somebody else has taken it meanwhile.
 *
 * @param path The file; its directory is made where it does not exist
 * @param text What goes in
 * @throws {KprovError} `cannot_create` where it is there already or cannot be written, `permission`
 * where Deno does not let it, `io` where writing fails
 */
export async function createFileAtomically(path: string, text: string): Promise<void> {
  requirePlace(path);
  makeDirectory(path);
  await writeBeside(path, text, (temporary) => {
    Deno.linkSync(temporary, path);
    removeQuietly(temporary);
  });
}

/**
 * Demands the permission to write beside a path, which is not to be in a run.
 *
 * @param path What is to be written
 * @throws {KprovError} `permission`, or `cannot_create` in a run
 */
export function requirePlace(path: string): void {
  requirePermission("write", dirname(path));
  requirePermission("read", dirname(path));
  const isRun = ["provenance.json", "run_summary.json"].every((name) =>
    stands(dirname(path), name)
  );
  if (!isRun) return;
  throw new KprovError("cannot_create", `Cannot write ${quote(path)}: it lies in a run`, {
    hint: "a run holds its four documents and nothing else",
  });
}

function stands(directory: string, name: string): boolean {
  try {
    Deno.lstatSync(join(directory, name));
    return true;
  } catch {
    return false;
  }
}

/** Writes a temporary file whole, and then puts it into place. */
async function writeBeside(
  path: string,
  text: string,
  put: (temporary: string) => void,
): Promise<void> {
  await deferSignals(async (signals) => {
    const { file, temporary } = createTemporary(path);
    try {
      using open = file;
      writeAndSync(open, text);
      await signals.turn();
      put(temporary);
      syncDirectory(dirname(path));
    } catch (error) {
      removeQuietly(temporary);
      throw refuse(error, path, systemCode(error) === "EEXIST" ? "cannot_create" : "io");
    }
  });
}

function makeDirectory(path: string): void {
  try {
    Deno.mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw refuse(error, path, "cannot_create");
  }
}

function checkReplaceable(path: string): void {
  try {
    const { isFile, isSymlink } = Deno.lstatSync(path);
    if (isFile || isSymlink) return;
  } catch (error) {
    if (isMissing(error)) return;
    throw refuse(error, path, "cannot_create");
  }
  throw new KprovError("cannot_create", `Cannot write ${quote(path)}: it is not a regular file`);
}

/** The first name that is free, or that a killed writer left: others may be at work here. */
function createTemporary(
  path: string,
): { readonly file: Deno.FsFile; readonly temporary: string } {
  for (let ordinal = 1;; ordinal++) {
    const temporary = join(dirname(path), `.kprov-${ordinal}.tmp`);
    try {
      const file = openNew(temporary) ?? (removeLeftover(temporary) ? openNew(temporary) : null);
      if (file !== null) return { file, temporary };
    } catch (error) {
      throw refuse(error, path, "cannot_create");
    }
    if (ordinal < MOST_TEMPORARIES) continue;
    const cause = new Deno.errors.AlreadyExists(`${temporary} (os error 17)`);
    throw refuse(cause, path, "cannot_create");
  }
}

/** Makes a temporary file and takes the lock on it; null where somebody else has it. */
function openNew(temporary: string): Deno.FsFile | null {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(temporary, { read: true, write: true, createNew: true });
  } catch (error) {
    if (systemCode(error) === "EEXIST") return null;
    throw error;
  }
  if (lockTemporary(file, temporary)) return file;
  file.close();
  return null;
}

function refuse(error: unknown, path: string, code: "io" | "cannot_create"): KprovError {
  return toKprovError(error, `Cannot write ${quote(path)}`, {
    refused: code,
    flag: permissionFlag("write", dirname(path)),
  });
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // After the rename there is nothing left to remove; before it, the first error is the one to report.
  }
}

/** Where a file is replaced. */
interface Replacement {
  /** The file. */
  readonly path: string;
  /** The directory that the file is in. */
  readonly directory: string;
  /** A path on the same file system, outside that directory, that stands while the file is replaced. */
  readonly temporary: string;
}

/**
 * Replaces a file at once: readers see the old one or the new one. The temporary file is also the lock: of several writers one makes
 * it, and only then reads what it is about to replace, so that no change is lost between them.
 *
 * @param place Where
 * @param buildText Makes the new text, once nobody else can change the file
 * @throws {KprovError} `cannot_create` where somebody else is at it or the place cannot be written
 * to, `io` where writing fails; the file is then as it was
 * @throws {Interruption} where a signal came
 */
export async function replaceFile(place: Replacement, buildText: () => string): Promise<void> {
  const { path, directory, temporary } = place;
  await deferSignals(async (signals) => {
    using file = acquire(place);
    try {
      writeAndSync(file, buildText());
      await signals.turn();
      Deno.renameSync(temporary, path);
      syncDirectory(directory);
    } catch (error) {
      removeQuietly(temporary);
      throw toKprovError(error, `Cannot write ${quote(path)}`, {
        refused: "io",
        flag: permissionFlag("write", directory),
      });
    }
  });
}

function acquire({ path, directory, temporary }: Replacement): Deno.FsFile {
  try {
    const file = openNew(temporary) ?? (removeLeftover(temporary) ? openNew(temporary) : null);
    if (file !== null) return file;
    throw new KprovError(
      "cannot_create",
      `Cannot write ${quote(path)}: somebody else is writing it`,
      { hint: `if nobody is, delete ${quote(temporary)}` },
    );
  } catch (error) {
    if (error instanceof KprovError) throw error;
    throw toKprovError(error, `Cannot write ${quote(path)}`, {
      refused: "cannot_create",
      flag: permissionFlag("write", directory),
    });
  }
}

/**
 * Adds to a file of the machine that kprov runs on, such as the summary of a job, where that may be
 * written; what is not permitted or fails changes no result.
 *
 * @param path Its path
 * @param text What to add
 * @returns Whether it was written
 */
export function appendWherePermitted(path: string, text: string): boolean {
  if (Deno.permissions.querySync({ name: "write", path }).state !== "granted") return false;
  try {
    Deno.writeTextFileSync(path, text, { append: true });
    return true;
  } catch {
    return false;
  }
}
