// @ts-check
/**
 * Reads a file and digests it. It is JavaScript and imports nothing of kprov, because a worker gets it
 * as a text, which is how it needs no permission to be loaded.
 *
 * @module
 */

import { createHash, hash } from "node:crypto";
import {
  closeFile,
  describeFileKind,
  isOpened,
  isReplaced,
  isSameFile,
  isSameLook,
  lookAt,
  openFile,
  readSome,
} from "../regular_file.js";

/** @import { DigestFault, DigestOptions, DigestOutcome } from "./job.ts" */

/** Files below this many bytes are read by one call. */
export const PIECE = 128 * 1024;

// One for every file: large enough to run at the speed of the digest, small enough for the cache.
const buffer = new Uint8Array(PIECE);

/** @type {DigestFault} */
const CHANGED = { state: "fault", what: "changed" };

/**
 * Digests one file or link: a file's bytes, a link's target text. Nothing is read but what was seen to
 * be a regular file, and nothing is followed.
 *
 * @param {string} path Where it is
 * @param {DigestOptions} [options] How it is read
 * @returns {DigestOutcome} What came of it; it throws nothing
 */
export function digestFile(path, options = {}) {
  let before = null;
  try {
    before = lookAt(path);
    if (before === null) return CHANGED;
    if (before.isSymlink) return digestLink(path, before);
    if (!before.isFile) return { state: "fault", what: "kind", kind: describeFileKind(before) };
    if (before.size > (options.largest ?? Infinity)) return { state: "large", size: before.size };
    return digestRegularFile(path, before, options);
  } catch (error) {
    // What took the file's place, such as a link or a FIFO, may not be readable at all.
    return before !== null && isReplaced(path, before) ? CHANGED : describeRefusal(error);
  }
}

/**
 * The look after the reading shows that the path still leads to the same file, unchanged. Another one
 * can have stood there between the looks only if a directory on the way changed, which shows in the
 * times of directories; where nobody looks at those, what was opened is looked at too.
 *
 * @type {(path: string, before: Deno.FileInfo, options: DigestOptions) => DigestOutcome}
 */
function digestRegularFile(path, before, options) {
  const sha256 = digestOpened(path, before, options);
  if (sha256 === null || !isSameFile(before, Deno.lstatSync(path))) return CHANGED;
  return { state: "file", size: before.size, sha256 };
}

/** @type {(path: string, before: Deno.FileInfo, options: DigestOptions) => string | null} */
function digestOpened(path, before, options) {
  const { size } = before;
  const descriptor = openFile(path);
  try {
    const sha256 = size < PIECE
      ? digestAtOnce(descriptor, size)
      : digestInPieces(descriptor, size, options);
    const isUncertain = options.isAlone === true || size >= PIECE;
    return isUncertain && !isOpened(descriptor, before) ? null : sha256;
  } finally {
    closeFile(descriptor);
  }
}

/**
 * Asks for more than the size, so that one read shows that the file ends where it should.
 *
 * @type {(descriptor: number, size: number) => string | null}
 */
function digestAtOnce(descriptor, size) {
  let length = readSome(descriptor, buffer);
  while (length < size) {
    const n = readSome(descriptor, buffer, length);
    if (n === 0) return null;
    length += n;
  }
  return length === size ? hash("sha256", buffer.subarray(0, size), "hex") : null;
}

/** @type {(descriptor: number, size: number, options: DigestOptions) => string | null} */
function digestInPieces(descriptor, size, { onRead }) {
  const digest = createHash("sha256");
  let length = 0;
  for (let n = readSome(descriptor, buffer); n > 0; n = readSome(descriptor, buffer)) {
    length += n;
    if (length > size) return null;
    digest.update(n === PIECE ? buffer : buffer.subarray(0, n));
    onRead?.(n);
  }
  return length === size ? digest.digest("hex") : null;
}

/** @type {(path: string, before: Deno.FileInfo) => DigestOutcome} */
function digestLink(path, before) {
  let target;
  try {
    target = Deno.readLinkSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.InvalidData) return { state: "fault", what: "link_not_utf8" };
    throw error;
  }
  if (!isSameLook(before, Deno.lstatSync(path))) return CHANGED;
  const size = new TextEncoder().encode(target).length;
  return { state: "symlink", size, sha256: hash("sha256", target, "hex") };
}

/** @type {(error: unknown) => DigestFault} */
function describeRefusal(error) {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const code = error instanceof Error && "code" in error ? error.code : null;
  const text = typeof code === "string" ? code : null;
  return { state: "fault", what: "refused", name, code: text, message };
}
