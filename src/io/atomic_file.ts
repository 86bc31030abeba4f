import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { dirname, join, resolve } from "../base/std.ts";
import type { FileKind } from "../evidence/provenance.ts";
import { deferSignals } from "./host.ts";
import { MOST_LINKS } from "./list_directory.ts";
import { isThere } from "./paths.ts";
import {
  hintAtFlag,
  isMissing,
  requirePermission,
  systemCode,
  toReadError,
  toWriteError,
} from "./permissions.ts";
import { lookAtFile, readPieces } from "./read_file.ts";
import { lockTemporary, removeLeftover, syncDirectory, writeAndSync } from "./run_directory.ts";

/** More temporary files in one directory than this are not of writers at work. */
const MOST_TEMPORARIES = 1000;

/**
 * Makes sure that a file can be written, before the work that it is to tell of. The place is left
 * as it was.
 */
export async function probeFile(path: string): Promise<void> {
  requirePlace(path);
  checkReplaceable(path);
  await deferSignals(async (signals) => {
    const { file, temporary } = createTemporary(path);
    using _held = file;
    removeQuietly(temporary);
    await signals.settle();
  });
}

/**
 * Writes a file whole or not at all: beside its place, synced, then renamed over what stands there.
 */
export async function writeFileAtomically(path: string, text: string): Promise<void> {
  requirePlace(path);
  checkReplaceable(path);
  await writeBeside(path, text, (temporary) => Deno.renameSync(temporary, path));
}

/**
 * Writes a file that is not there yet, and its directory, whole or not at all: beside its place,
 * synced, then linked to its name, which fails where somebody else has taken it meanwhile. Throws
 * `cannot_create` where it is there already.
 */
export async function createFileAtomically(path: string, text: string): Promise<void> {
  requirePlace(path);
  makeDirectory(path);
  await writeBeside(path, text, (temporary) => {
    Deno.linkSync(temporary, path);
    removeQuietly(temporary);
  });
}

/** Demands the permission to write beside a path, which is not to be in a run. */
function requirePlace(path: string): void {
  requirePermission("write", dirname(path));
  requirePermission("read", dirname(path));
  const isRun = ["provenance.json", "run_summary.json"].every((name) =>
    isThere(join(dirname(path), name))
  );
  if (!isRun) return;
  throw new KprovError("cannot_create", `Cannot write ${quote(path)}: it lies in a run`, {
    hint: "a run holds its four documents and nothing else",
  });
}

/** Writes a temporary file whole, and then puts it into place. */
async function writeBeside(
  path: string,
  text: string,
  put: (temporary: string) => void,
): Promise<void> {
  await deferSignals(async (signals) => {
    const { file, temporary } = createTemporary(path);
    // As long as its lock is held, nobody takes the file for a leftover and its name for another.
    using _held = file;
    try {
      writeAndSync(file, text);
      await signals.turn();
      put(temporary);
      syncDirectory(dirname(path));
    } catch (error) {
      removeQuietly(temporary);
      throw refuseWriting(error, path, systemCode(error) === "EEXIST" ? "cannot_create" : "io");
    }
  });
}

function makeDirectory(path: string): void {
  try {
    Deno.mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw refuseWriting(error, path, "cannot_create");
  }
}

function checkReplaceable(path: string): void {
  try {
    const { isFile, isSymlink } = Deno.lstatSync(path);
    if (isFile || isSymlink) return;
  } catch (error) {
    if (isMissing(error)) return;
    throw refuseWriting(error, path, "cannot_create");
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
      throw refuseWriting(error, path, "cannot_create");
    }
    if (ordinal < MOST_TEMPORARIES) continue;
    const cause = new Deno.errors.AlreadyExists(`${temporary} (os error 17)`);
    throw refuseWriting(cause, path, "cannot_create");
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

/** Makes a domain error of what a file call threw when something was to be written. */
export function refuseWriting(
  error: unknown,
  path: string,
  code: "io" | "cannot_create",
): KprovError {
  const action = `Cannot write ${quote(path)}`;
  if (isMissing(error)) {
    const reason = `there is no directory ${quote(dirname(path))}`;
    return new KprovError(code, action, { reason, cause: error });
  }
  return toWriteError(error, action, { path: dirname(path), refused: code });
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
 * Replaces a file at once: readers see the old one or the new one. The temporary file is also the
 * lock: of several writers one makes it, and only then reads what it is about to replace, so that
 * no change is lost between them. Throws `cannot_create` where somebody else is at it or the place
 * cannot be written to; the file is then as it was.
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
      throw toWriteError(error, `Cannot write ${quote(path)}`, { path: directory, refused: "io" });
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
    throw toWriteError(error, `Cannot write ${quote(path)}`, {
      path: directory,
      refused: "cannot_create",
    });
  }
}

/**
 * Adds to a file of the machine that kprov runs on, such as the summary of a job, where that may be
 * written, and tells whether it was; what is not permitted or fails changes no result.
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

/** A directory that goes with everything in it when it is disposed of. */
export interface ScratchDirectory extends Disposable {
  /** Its absolute path, links resolved. */
  readonly path: string;
}

const IS_WINDOWS = Deno.build.os === "windows";
const SEPARATOR = IS_WINDOWS ? /[\\/]/ : "/";
const IS_ABSOLUTE = IS_WINDOWS ? /^([\\/]|[A-Za-z]:)/ : /^\//;

/** A file or link to copy into a scratch directory. */
export interface ScratchCopy {
  /** Where it is, absolute. */
  readonly source: string;
  /** Where it goes in the scratch directory, in POSIX form. */
  readonly name: string;
  /** What it is. */
  readonly kind: FileKind;
  /** What it is to the run, for messages; by default an input. */
  readonly role?: "product";
}

/** Where a copy goes. */
export type ScratchPlace = Pick<ScratchDirectory, "path">;

/** Makes an empty directory that nobody else may enter. */
export function makeScratchDirectory(parent: string): ScratchDirectory {
  requirePermission("read", parent);
  try {
    // Deno's permissions are about paths as they are written, and what is named in there is compared.
    const real = Deno.realPathSync(parent);
    requirePermission("read", real);
    requirePermission("write", real);
    // Deno 2.8.2 has makeTempDir() refused where a program that it may run lies somewhere below.
    const path = join(real, `kprov-${crypto.randomUUID()}`);
    Deno.mkdirSync(path, { mode: 0o700 });
    return { path, [Symbol.dispose]: () => removeScratch(path) };
  } catch (error) {
    throw toWriteError(error, `Cannot create a scratch directory in ${quote(parent)}`, {
      path: parent,
      refused: "cannot_create",
    });
  }
}

/** Makes a directory, and those above it, in a scratch directory, which goes by itself. */
export function makeDirectoryIn(scratch: ScratchPlace, name: string): ScratchDirectory {
  makeDirectoryAbove(scratch, `${name}/`);
  const path = join(scratch.path, name);
  return { path, [Symbol.dispose]: () => removeScratch(path) };
}

/**
 * Copies a file, with its mode, or makes the same link. Throws `data` where the way to it leads
 * through a link that is in the scratch directory already.
 */
export async function copyIntoScratch(scratch: ScratchPlace, copy: ScratchCopy): Promise<void> {
  makeDirectoryAbove(scratch, copy.name);
  const target = join(scratch.path, copy.name);
  const action = `Cannot copy ${copy.role ?? "input"} ${quote(copy.name)}`;
  try {
    if (copy.kind === "symlink") {
      requireEverything(copy.name);
      return await Deno.symlink(await Deno.readLink(copy.source), target);
    }
    if (lookAt(target)?.isSymlink) throw refuseLinkOnTheWay(copy.name, copy.name);
    await copyFile(copy.source, target, action);
  } catch (error) {
    throw toReadError(error, action, { path: copy.source, missing: "data" });
  }
}

/** Deno makes links only for those who may read and write everything. */
export function mayMakeLinks(): boolean {
  return (["read", "write"] as const).every((kind) =>
    Deno.permissions.querySync({ name: kind }).state === "granted"
  );
}

function requireEverything(name: string): void {
  if (mayMakeLinks()) return;
  throw new KprovError(
    "permission",
    `Cannot copy link ${quote(name)}: Deno's full read and write permissions are missing`,
    { hint: hintAtFlag("--allow-read --allow-write") },
  );
}

/**
 * Copies a regular file with its mode to a place where nothing may be. Signals are heard meanwhile.
 * Throws `data` where it changes meanwhile, and what the system throws.
 */
export async function copyFile(path: string, target: string, action: string): Promise<void> {
  const before = lookAtFile(path);
  if (typeof before === "string") throw new KprovError("data", `${action}: ${before}`);
  try {
    using copy = await Deno.open(target, { write: true, createNew: true });
    for (const piece of readPieces(path, before, Infinity)) {
      for (let start = 0; start < piece.length;) start += await copy.write(piece.subarray(start));
    }
  } catch (error) {
    if (!(error instanceof KprovError) || error.code !== "data") throw error;
    throw new KprovError("data", `${action}: ${error.message}`, { cause: error });
  }
  if (before.mode !== null) await Deno.chmod(target, before.mode & 0o7777);
}

/**
 * Refuses links by which a command would reach out of a scratch directory that has all its links.
 */
export function refuseLinksOut(scratch: ScratchPlace, names: readonly string[]): void {
  const name = names.find((link) => leadsOut(scratch, link));
  if (name === undefined) return;
  throw new KprovError(
    "data",
    `Cannot reproduce the run: input ${quote(name)} is a link that leads out of the scratch copy`,
    {
      hint: "the command could change what it leads to; record a copy of that as the input, or a " +
        "relative link to another input",
    },
  );
}

/**
 * Follows a link as the system would, through the other links in the directory. What is not there yet
 * counts as a directory, since the command may make it.
 */
function leadsOut({ path: scratch }: ScratchPlace, link: string): boolean {
  const ahead = link.split("/");
  const reached: string[] = [];
  for (let links = 0; ahead.length > 0;) {
    const part = ahead.shift() ?? "";
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (reached.pop() === undefined) return true;
      continue;
    }
    const place = join(scratch, ...reached, part);
    if (!lookAt(place)?.isSymlink) {
      reached.push(part);
      continue;
    }
    const target = Deno.readLinkSync(place);
    links += 1;
    if (links > MOST_LINKS || IS_ABSOLUTE.test(target)) return true;
    ahead.unshift(...target.split(SEPARATOR));
  }
  return false;
}

function lookAt(path: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function refuseLinkOnTheWay(name: string, link: string): KprovError {
  return new KprovError(
    "data",
    `Cannot make ${quote(name)} in the scratch copy: ${quote(link)} is a link`,
  );
}

/** Whether a text, such as a word of a command, is, or holds, an absolute path in a directory. */
export function isPathInside(text: string, directory: string): boolean {
  if (directory === dirname(directory)) return false;
  return text.endsWith(directory) || text.includes(`${directory}/`);
}

/**
 * Makes the directories above something in a scratch directory; throws `data` where one is a link.
 */
export function makeDirectoryAbove(scratch: ScratchPlace, name: string): void {
  try {
    for (let end = name.indexOf("/"); end >= 0; end = name.indexOf("/", end + 1)) {
      const above = name.slice(0, end);
      const path = join(scratch.path, above);
      const there = lookAt(path);
      if (there?.isSymlink) throw refuseLinkOnTheWay(name, above);
      if (!there?.isDirectory) Deno.mkdirSync(path);
    }
  } catch (error) {
    throw toWriteError(error, `Cannot create the directory of ${quote(name)}`, {
      path: scratch.path,
      refused: "io",
    });
  }
}

function removeScratch(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (first) {
    // It has another name by now.
    if (isMissing(first)) return;
    makeRemovable(path);
    try {
      Deno.removeSync(path, { recursive: true });
    } catch (error) {
      throw new KprovError("io", `Cannot remove the scratch directory ${quote(path)}`, {
        hint: "something that the command left running may still write to it",
        cause: error,
      });
    }
  }
}

/** A command may leave directories that their owner cannot write to. */
function makeRemovable(path: string): void {
  try {
    Deno.chmodSync(path, 0o700);
    for (const entry of Deno.readDirSync(path)) {
      if (entry.isDirectory) makeRemovable(join(path, entry.name));
    }
  } catch {
    // What stays in the way is told by the removal.
  }
}

/** Files that are kept in a new directory, which is there with all of them or not at all. */
export class KeptFiles {
  readonly #directory: string;
  readonly #copies = new Map<string, ScratchCopy>();

  /** Makes sure that the directory, which must be empty or absent, can be made, before the work. */
  constructor(directory: string) {
    this.#directory = resolve(directory);
    requirePlace(this.#directory);
    if (!isFree(this.#directory)) {
      throw new KprovError("cannot_create", `Cannot keep products in ${quote(directory)}`, {
        reason: "it is there already, and is no empty directory",
        hint: "nothing is overwritten; use another directory",
      });
    }
    using _probe = this.#makeBeside();
  }

  /** A directory on the same disk, which becomes the other by one rename. */
  #makeBeside(): ScratchDirectory {
    return makeScratchDirectory(dirname(this.#directory));
  }

  /** Adds a file or link at a name in the directory, and tells the path that it will have. */
  add(name: string, source: string, kind: FileKind): string {
    this.#copies.set(name, { name, source, kind, role: "product" });
    return join(this.#directory, name);
  }

  /** Copies everything; where there is nothing, the directory is not made. */
  async write(stopped: Promise<never>): Promise<void> {
    if (this.#copies.size === 0) return;
    using beside = this.#makeBeside();
    const place = makeDirectoryIn(beside, "kept");
    for (const copy of this.#copies.values()) {
      await Promise.race([copyIntoScratch(place, copy), stopped]);
    }
    try {
      // An empty directory gives way, and nothing else does.
      Deno.renameSync(place.path, this.#directory);
    } catch (error) {
      throw toWriteError(error, `Cannot keep products in ${quote(this.#directory)}`, {
        path: this.#directory,
        refused: "cannot_create",
      });
    }
  }
}

function isFree(path: string): boolean {
  const there = lookAt(path);
  if (there === null) return true;
  return there.isDirectory && Deno.readDirSync(path)[Symbol.iterator]().next().done === true;
}
