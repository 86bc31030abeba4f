// @ts-check
/**
 * Reads a file and digests it. It is JavaScript and imports nothing of kprov, because a worker gets it
 * as a text, which is how it needs no permission to be loaded.
 *
 * @module
 */
import { createHash, hash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from "node:fs";

/** @import { DigestFault, DigestOptions, DigestOutcome } from "./digest_job.ts" */

// Node's open, because Deno's own takes no flags: O_NOFOLLOW refuses a link that took the file's place
// after lstat, O_NONBLOCK keeps a FIFO that did from hanging the open. Windows has neither. Deno's
// lstat, because Node's makes far more of what the system returns.
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Files below this many bytes are read by one call. */
export const PIECE = 128 * 1024;

// One for every file: large enough to run at the speed of the digest, small enough for the cache.
const buffer = new Uint8Array(PIECE);

/** @type {DigestFault} */
const CHANGED = { state: "fault", what: "changed" };

/**
 * Digests one file or link: a file's bytes, a link's target text. Nothing is opened but what was seen
 * to be a regular file, and nothing is followed.
 *
 * @param {string} path Where it is
 * @param {DigestOptions} [options] How it is read
 * @returns {DigestOutcome} What came of it; it throws nothing
 */
export function digestFile(path, options = {}) {
  try {
    if (options.isListedFile) {
      const outcome = digestListedFile(path, options);
      if (outcome !== null) return outcome;
    }
    const before = Deno.lstatSync(path);
    if (before.isSymlink) return digestLink(path);
    if (!before.isFile) return { state: "fault", what: "kind", kind: describeFileKind(before) };
    if (before.size > (options.largest ?? Infinity)) return { state: "large", size: before.size };
    return digestRegularFile(path, before, options);
  } catch (error) {
    return describeRefusal(error);
  }
}

/**
 * Digests what a listing says is a file, without a look of its own before it opens it.
 *
 * @type {(path: string, options: DigestOptions) => DigestOutcome | null} null where it is something
 * else by now, or does not open: a look at it tells what to make of that
 */
function digestListedFile(path, options) {
  let descriptor;
  try {
    descriptor = openUnchanged(path);
  } catch {
    return null;
  }
  if (descriptor === null) return CHANGED;
  try {
    const opened = fstatSync(descriptor);
    if (!opened.isFile()) return null;
    if (opened.size > (options.largest ?? Infinity)) return { state: "large", size: opened.size };
    return digestOpened(path, { descriptor, opened }, options);
  } finally {
    closeSync(descriptor);
  }
}

/** @type {(path: string, before: Deno.FileInfo, options: DigestOptions) => DigestOutcome} */
function digestRegularFile(path, before, options) {
  const descriptor = openUnchanged(path);
  if (descriptor === null) return CHANGED;
  try {
    const opened = fstatSync(descriptor);
    if (!isSameFile(before, opened)) return CHANGED;
    return digestOpened(path, { descriptor, opened }, options);
  } finally {
    closeSync(descriptor);
  }
}

/** @type {(path: string, file: { descriptor: number, opened: import("node:fs").Stats }, options: DigestOptions) => DigestOutcome} */
function digestOpened(path, { descriptor, opened }, options) {
  const { size } = opened;
  const sha256 = size < PIECE
    ? digestAtOnce(descriptor, size)
    : digestInPieces(descriptor, size, options);
  // Deno itself follows links on the way to a file, whatever the flags: this is what tells.
  if (sha256 === null || !isSameFile(Deno.lstatSync(path), opened)) return CHANGED;
  return { state: "file", size, sha256 };
}

/** @type {(path: string) => number | null} */
function openUnchanged(path) {
  try {
    return openSync(path, OPEN_FLAGS);
  } catch (error) {
    // A link where a file was seen: it was swapped in between.
    if (error instanceof Error && "code" in error && error.code === "ELOOP") return null;
    throw error;
  }
}

/**
 * Asks for more than the size, so that one read shows that the file ends where it should.
 *
 * @type {(descriptor: number, size: number) => string | null}
 */
function digestAtOnce(descriptor, size) {
  let length = readSync(descriptor, buffer, 0, PIECE, null);
  while (length < size) {
    const n = readSync(descriptor, buffer, length, PIECE - length, null);
    if (n === 0) return null;
    length += n;
  }
  return length === size ? hash("sha256", buffer.subarray(0, size), "hex") : null;
}

/** @type {(descriptor: number, size: number, options: DigestOptions) => string | null} */
function digestInPieces(descriptor, size, { onRead }) {
  const digest = createHash("sha256");
  let length = 0;
  for (let n = readSync(descriptor, buffer); n > 0; n = readSync(descriptor, buffer)) {
    length += n;
    if (length > size) return null;
    digest.update(n === PIECE ? buffer : buffer.subarray(0, n));
    onRead?.(n);
  }
  return length === size ? digest.digest("hex") : null;
}

/**
 * Whether a look at a path and one at an open file saw the same file with the same content, as far
 * as the system tells.
 *
 * @type {(a: Deno.FileInfo, b: import("node:fs").Stats) => boolean}
 */
function isSameFile(a, b) {
  return a.isFile && b.isFile() && a.dev === b.dev && (a.ino ?? 0) === b.ino && a.size === b.size &&
    (a.mtime?.getTime() ?? 0) === b.mtimeMs && (a.ctime?.getTime() ?? 0) === b.ctimeMs;
}

/** @type {(path: string) => DigestOutcome} */
function digestLink(path) {
  const target = readlinkSync(path);
  if (target.includes("\uFFFD")) return { state: "fault", what: "link_not_utf8" };
  const size = new TextEncoder().encode(target).length;
  return { state: "symlink", size, sha256: hash("sha256", target, "hex") };
}

/**
 * Names the kind of something that is neither a regular file nor a link.
 *
 * @param {Pick<Deno.FileInfo, "isDirectory" | "isFifo" | "isSocket" | "isBlockDevice" | "isCharDevice">} info
 * @returns {string} In words
 */
export function describeFileKind(info) {
  if (info.isDirectory) return "a directory";
  if (info.isFifo) return "a FIFO";
  if (info.isSocket) return "a socket";
  return info.isBlockDevice || info.isCharDevice ? "a device" : "not a regular file";
}

/** @type {(error: unknown) => DigestFault} */
function describeRefusal(error) {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const code = error instanceof Error && "code" in error ? error.code : null;
  const text = typeof code === "string" ? code : null;
  return { state: "fault", what: "refused", name, code: text, message };
}
