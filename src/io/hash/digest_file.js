// @ts-check
/**
 * Reads a file and digests it. It is JavaScript and imports nothing of kprov, because a worker gets it
 * as a text, which is how it needs no permission to be loaded.
 *
 * @module
 */

import { createHash, hash } from "node:crypto";

/** @import { DigestFault, DigestOptions, DigestOutcome } from "./job.ts" */

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
 * Deno's open, because looking at what Node's opened costs more than all the rest. It may follow a
 * link that took the file's place after the look, so what was opened is held against that, and only
 * once it is read, so that one look shows too that nothing changed meanwhile. Where there was time
 * for another file to take the path, it is looked at once more.
 *
 * @type {(path: string, before: Deno.FileInfo, options: DigestOptions) => DigestOutcome}
 */
function digestRegularFile(path, before, options) {
  const file = openUnchanged(path);
  if (file === null) return CHANGED;
  try {
    const sha256 = digestOpened(file, before, options);
    if (sha256 === null || !isSameFile(before, file.statSync())) return CHANGED;
    if (before.size >= PIECE && !isSameFile(before, Deno.lstatSync(path))) return CHANGED;
    return { state: "file", size: before.size, sha256 };
  } finally {
    file.close();
  }
}

/** @type {(path: string) => Deno.FsFile | null} */
function openUnchanged(path) {
  try {
    return Deno.openSync(path);
  } catch (error) {
    // A link where a file was seen: it was swapped in between.
    if (error instanceof Error && "code" in error && error.code === "ELOOP") return null;
    throw error;
  }
}

/** @type {(file: Deno.FsFile, before: Deno.FileInfo, options: DigestOptions) => string | null} */
function digestOpened(file, before, options) {
  try {
    return before.size < PIECE
      ? digestAtOnce(file, before.size)
      : digestInPieces(file, before.size, options);
  } catch (error) {
    // What took the file's place, such as a directory, may not be readable at all.
    if (!isSameFile(before, file.statSync())) return null;
    throw error;
  }
}

/**
 * Asks for more than the size, so that one read shows that the file ends where it should.
 *
 * @type {(file: Deno.FsFile, size: number) => string | null}
 */
function digestAtOnce(file, size) {
  let length = file.readSync(buffer) ?? 0;
  while (length < size) {
    const n = file.readSync(buffer.subarray(length));
    if (n === null) return null;
    length += n;
  }
  return length === size ? hash("sha256", buffer.subarray(0, size), "hex") : null;
}

/** @type {(file: Deno.FsFile, size: number, options: DigestOptions) => string | null} */
function digestInPieces(file, size, { onRead }) {
  const digest = createHash("sha256");
  let length = 0;
  for (let n = file.readSync(buffer); n !== null; n = file.readSync(buffer)) {
    length += n;
    if (length > size) return null;
    digest.update(n === PIECE ? buffer : buffer.subarray(0, n));
    onRead?.(n);
  }
  return length === size ? digest.digest("hex") : null;
}

/**
 * Whether two looks saw the same file with the same content, as far as the system tells.
 *
 * @type {(a: Deno.FileInfo, b: Deno.FileInfo) => boolean}
 */
function isSameFile(a, b) {
  return b.isFile && a.dev === b.dev && a.ino === b.ino && a.size === b.size &&
    a.mtime?.getTime() === b.mtime?.getTime() && a.ctime?.getTime() === b.ctime?.getTime();
}

/** @type {(path: string) => DigestOutcome} */
function digestLink(path) {
  let target;
  try {
    target = Deno.readLinkSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.InvalidData) return { state: "fault", what: "link_not_utf8" };
    throw error;
  }
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
