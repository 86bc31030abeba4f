/**
 * Reads regular files whole, in pieces, or their first bytes, by the code of regular_file.js:
 * nothing else is ever read, nothing is waited for, and a change meanwhile is reported. Reads lists
 * of names, from a file or from standard input, for a flag that takes them.
 *
 * @module
 */

import { KprovError, LimitError } from "../base/error.ts";
import { resolve } from "../base/std.ts";
import { quote } from "../base/quote.ts";
import { readStdin } from "./child.ts";
import { checkMemory } from "./host.ts";
import {
  describeSystemError,
  isClosedPath,
  isMissing,
  requirePermission,
  toReadError,
} from "./permissions.ts";
import {
  closeFile,
  describeFileKind,
  fillBuffer,
  isOpened,
  isReplaced,
  isSameFile,
  openFile,
  readSome,
} from "./regular_file.js";

/** Large enough that the calls do not count, small enough for the cache. */
const PIECE = 256 * 1024;

/** Why a file that is not what was looked at is refused. */
export const CHANGED = "it changed while it was read";

/** What came of reading a file. */
type FileReading =
  | { readonly state: "read"; readonly bytes: Uint8Array }
  | {
    readonly state: "missing" | "unreadable";
    /** In words, such as `it is a FIFO`. */
    readonly reason: string;
    /** What the system threw; null where it is no error of the system's. */
    readonly cause: unknown;
  };

/** How a file is read. */
interface ReadOptions {
  /** What cannot be done without it, for a message, such as `Cannot read policy "a.json"`. */
  readonly action: string;
  /** No larger one is read. */
  readonly maxBytes: number;
  /** Whether a link there is followed; default: it is not read. */
  readonly follows?: boolean;
}

/** Reads a regular file whole. Throws `permission` where Deno does not let it be read. */
export function readFile(path: string, options: ReadOptions): FileReading {
  const { action, maxBytes, follows = false } = options;
  try {
    const before = look(path, { follows });
    const fault = describeFault(before, maxBytes);
    if (fault !== null) return refuse(fault);
    const bytes = readOpened(path, { before, follows }, (file) => readWhole(file, before.size));
    return bytes === null ? refuse(CHANGED) : { state: "read", bytes };
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw toReadError(error, action, { path });
    const state = isMissing(error) ? "missing" : "unreadable";
    return { state, reason: describeSystemError(error), cause: error };
  }
}

function refuse(reason: string): FileReading {
  return { state: "unreadable", reason, cause: null };
}

/**
 * Reads a regular file that must be there, whole. Throws `data` where it is missing, too large, of
 * another kind, or changes meanwhile; `io` where the system refuses, `permission` where Deno does.
 */
export function readRequiredFile(path: string, options: ReadOptions): Uint8Array {
  const file = readFile(path, options);
  if (file.state === "read") return file.bytes;
  if (file.cause === null) throw new KprovError("data", `${options.action}: ${file.reason}`);
  throw toReadError(file.cause, options.action, { path, missing: "data" });
}

/** Reads the first bytes of a regular file, through links. Throws also what the system throws. */
export function readHead(path: string, most: number): Uint8Array {
  const before = look(path, { follows: true });
  const fault = describeFault(before, Infinity);
  if (fault !== null) throw new KprovError("data", fault);
  const head = readOpened(path, { before, follows: true }, (file) => {
    const buffer = new Uint8Array(most);
    return buffer.subarray(0, fillBuffer(file, buffer));
  });
  if (head === null) throw new KprovError("data", CHANGED);
  return head;
}

/** Looks at a file whose bytes are read later; says in words why there is no regular file. */
export function lookAtFile(path: string): Deno.FileInfo | string {
  const info = Deno.lstatSync(path);
  return describeFault(info, Infinity) ?? info;
}

/**
 * Reads a regular file piece by piece, once, if it is still what {@linkcode lookAtFile} saw. Each
 * piece lasts until the next is asked for. Throws `data` with a reason, `permission` where Deno
 * does not let it be read.
 */
export function* readPieces(
  path: string,
  before: Deno.FileInfo,
  maxBytes: number,
): Generator<Uint8Array> {
  if (before.size > maxBytes) throw new LimitError(`it is larger than ${maxBytes} bytes`);
  const looked = { before, follows: false };
  const file = explain(path, looked, () => openFile(path));
  try {
    const check = (): void => {
      const isIntact = explain(path, looked, () => isStill(path, looked, file));
      if (!isIntact) throw new KprovError("data", CHANGED);
    };
    check();
    const buffer = new Uint8Array(PIECE);
    let size = 0;
    // A file that grows as fast as it is read has no end.
    for (let n = 1; n > 0 && size <= before.size; size += n) {
      n = explain(path, looked, () => readSome(file, buffer));
      checkMemory(`Cannot read ${quote(path)}`);
      if (n > 0) yield buffer.subarray(0, n);
    }
    check();
  } finally {
    closeFile(file);
  }
}

/** Makes an error with a reason of what a call throws in the middle of the reading. */
function explain<T>(path: string, looked: Looked, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      throw toReadError(error, `Cannot read ${quote(path)}`, { path });
    }
    const reason = isReplaced(path, looked.before, looked)
      ? CHANGED
      : isMissing(error)
      ? "it vanished while it was read"
      : `it cannot be read: ${describeSystemError(error)}`;
    throw new KprovError("data", reason, { cause: error });
  }
}

/** A look at a file before it is opened. */
interface Looked {
  readonly before: Deno.FileInfo;
  readonly follows: boolean;
}

/** Why what was seen is not read, in words; null where it is. */
function describeFault(info: Deno.FileInfo, maxBytes: number): string | null {
  if (info.isSymlink) return "it is a symbolic link";
  if (!info.isFile) return `it is ${describeFileKind(info)}`;
  return info.size > maxBytes ? `it is larger than ${maxBytes} bytes` : null;
}

/** What `read` makes of a file; null where that is not the file that was looked at, or not any more. */
function readOpened<T>(path: string, looked: Looked, read: (file: number) => T): T | null {
  try {
    const file = openFile(path, looked);
    try {
      const result = read(file);
      return isStill(path, looked, file) ? result : null;
    } finally {
      closeFile(file);
    }
  } catch (error) {
    // What took the file's place, such as a link or a FIFO, may not be readable at all.
    if (isReplaced(path, looked.before, looked)) return null;
    throw error;
  }
}

function isStill(path: string, looked: Looked, file: number): boolean {
  return isOpened(file, looked.before) && isSameFile(looked.before, look(path, looked));
}

function look(path: string, { follows }: Pick<Looked, "follows">): Deno.FileInfo {
  return follows ? Deno.statSync(path) : Deno.lstatSync(path);
}

/** Null where the file does not end where it should. */
function readWhole(file: number, size: number): Uint8Array | null {
  const buffer = new Uint8Array(size + 1);
  return fillBuffer(file, buffer) === size ? buffer.subarray(0, size) : null;
}

/** A list of names may be as large as the evidence that holds them; more names than that are refused. */
const MOST_LIST_BYTES = 500 * 2 ** 20;

/**
 * Reads a list of paths from a file, or `-` for standard input: separated by NUL characters where
 * there is one, as `git ls-files -z` and `find -print0` print them, and else one a line.
 */
export function readNameList(from: string): string[] {
  const what = from === "-" ? "standard input" : quote(from);
  const bytes = from === "-" ? readStdin(MOST_LIST_BYTES) : readInputList(from);
  const text = decodeList(bytes, `--inputs-from ${quote(from)}`);
  const names = text.includes("\0") ? text.split("\0") : text.split(/\r?\n/);
  if (names.at(-1) === "") names.pop();
  const refuse = (reason: string): KprovError =>
    new KprovError("data", `Cannot use --inputs-from ${quote(from)}: ${reason}`);
  if (names.length === 0) throw refuse(`${what} names no input`);
  const empty = names.indexOf("");
  if (empty >= 0) throw refuse(`its name ${empty + 1} is empty`);
  return names;
}

/** A list from a pipe, such as a shell makes of `<(git ls-files)`, comes by standard input. */
function readInputList(path: string): Uint8Array {
  try {
    return readListFile(path, "--inputs-from", MOST_LIST_BYTES);
  } catch (error) {
    if (!(error instanceof KprovError) || error.code !== "data") throw error;
    if (!isClosedPath(resolve(path)) && !error.message.endsWith("it is a FIFO")) throw error;
    const hint = "--inputs-from - reads a list from standard input";
    throw new KprovError("data", error.message, { hint, cause: error });
  }
}

/** Reads a file with a list that a flag names. */
export function readListFile(path: string, flag: string, maxBytes: number): Uint8Array {
  requirePermission("read", path);
  return readRequiredFile(path, { action: `Cannot read ${flag} file ${quote(path)}`, maxBytes });
}

/** Reads the text of a list; a byte order mark does not count. */
export function decodeList(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new KprovError("data", `Cannot use ${what}: it is not valid UTF-8`, { cause });
  }
}
