// @ts-check
/**
 * Reads files and digests them, alone or as one of several threads that share the work. It is
 * JavaScript and imports nothing of kprov but what is so too, because a worker gets it as a text, which
 * is how it needs no permission to be loaded. A compiled binary starts it as a module.
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
import { answerAs, stopBehind, takeNext } from "../shared_work.js";

/** @import { Help, SharedWork } from "../shared_work.js" */

/** What the worker is called. */
export const DIGEST_WORKER_NAME = "kprov digest";

/** What has come of a file, as `states` tells it: nothing yet, a digest of a file or of a link, ... */
export const STATE_FILE = 1, STATE_LINK = 2, STATE_LARGE = 3, STATE_FAULT = 4;

/** Where a thread's files, bytes, and files left for later stand in its part of `done`. */
export const DONE_FILES = 0, DONE_BYTES = 1, DONE_LARGE = 2, DONE_LENGTH = 3;

/**
 * Why a file has no digest, in parts that can be sent from one thread to another: it changed, its
 * target cannot be recorded, it is neither a file nor a link but what `kind` says in words, or a call
 * refused with an error that loses its class on the way.
 *
 * @typedef {{ readonly state: "fault", readonly what: "changed" | "link_not_utf8" }
 *   | { readonly state: "fault", readonly what: "kind", readonly kind: string }
 *   | { readonly state: "fault", readonly what: "refused", readonly name: string,
 *       readonly code: string | null, readonly message: string }} DigestFault
 */

/**
 * What came of one file. One that is larger than what is read now is `large`.
 *
 * @typedef {{ readonly state: "file" | "symlink", readonly size: number, readonly sha256: string }
 *   | { readonly state: "large", readonly size: number }
 *   | DigestFault} DigestOutcome
 */

/**
 * How one file is read.
 *
 * @typedef {object} DigestOptions
 * @property {number} [largest] A larger one is left for later
 * @property {boolean} [isAlone] Whether nobody looks at the directories on the way to it before and after
 * @property {(bytes: number) => void} [onRead] Called with the bytes of every piece of a large file
 */

/**
 * The files that some threads share among them. Every array lies in shared memory.
 *
 * @typedef {object} DigestFields
 * @property {string} prefix The directory that the names are relative to, with a separator at its end
 * @property {number} largest Larger files are left for later
 * @property {boolean} stopsAtFault Whether nothing that comes behind a fault matters
 * @property {Float64Array} done For each thread, the `DONE_` numbers
 * @property {Uint8Array} states For each file, what came of it: a `STATE_` number; 0 where nothing has
 * yet
 * @property {Float64Array} sizes For each file, its size
 * @property {Uint8Array} digests For each file, 64 hex digits
 */

/** @typedef {SharedWork & Readonly<DigestFields>} DigestJob */

/**
 * A file that a thread could not digest, by its place among the names.
 *
 * @typedef {{ readonly index: number, readonly fault: DigestFault }} FaultyFile
 */

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

/**
 * Digests files of a job, one after another, until there are no more.
 *
 * @param {DigestJob} job The job
 * @param {Help} help What this thread works with
 * @returns {readonly FaultyFile[]} The files that could not be digested
 */
export function digestShare(job, { thread, nameAt, onTick }) {
  const done = job.done.subarray(DONE_LENGTH * thread, DONE_LENGTH * (thread + 1));
  /** @type {FaultyFile[]} */
  const faults = [];
  const options = {
    largest: job.largest,
    /** @type {(bytes: number) => void} */
    onRead: (bytes) => {
      add(done, DONE_BYTES, bytes);
      onTick?.();
    },
  };
  for (let index = takeNext(job, thread); index >= 0; index = takeNext(job, thread)) {
    const outcome = digestFile(job.prefix + nameAt(index), options);
    writeOutcome(job, index, outcome);
    add(done, outcome.state === "large" ? DONE_LARGE : DONE_FILES, 1);
    if (outcome.state === "fault") {
      faults.push({ index, fault: outcome });
      if (job.stopsAtFault) stopBehind(job, index);
    } else if (outcome.state === "file" && outcome.size < PIECE) {
      add(done, DONE_BYTES, outcome.size);
    }
    onTick?.();
  }
  return faults;
}

/** @type {(numbers: Float64Array, place: number, more: number) => void} */
function add(numbers, place, more) {
  numbers[place] = (numbers[place] ?? 0) + more;
}

/** @type {(job: DigestJob, index: number, outcome: DigestOutcome) => void} */
function writeOutcome({ states, sizes, digests }, index, outcome) {
  if (outcome.state === "fault") {
    states[index] = STATE_FAULT;
    return;
  }
  sizes[index] = outcome.size;
  if (outcome.state === "large") {
    states[index] = STATE_LARGE;
    return;
  }
  for (let i = 0; i < 64; i++) digests[64 * index + i] = outcome.sha256.charCodeAt(i);
  states[index] = outcome.state === "file" ? STATE_FILE : STATE_LINK;
}

answerAs(DIGEST_WORKER_NAME, digestShare);
