// @ts-check
/**
 * Opens and reads regular files: every file that kprov reads is read by this code, on the main thread
 * and in workers. It never waits for a FIFO, a device or a socket. It is JavaScript and imports nothing
 * of kprov, because a worker gets it as a text, which is how it needs no permission to be loaded.
 *
 * Deno tells modification times in milliseconds and change times in whole seconds, also where the
 * system knows them better, and the system's clock for them ticks every few milliseconds. So a look
 * shows a later change only if the last one before it was some time ago: where evidence rests on that,
 * {@linkcode lookAt} waits until it was. Who reads a file at once judges the bytes that it read, and
 * need not wait.
 *
 * @module
 */

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/**
 * Node's open, because Deno's takes no flags. O_NONBLOCK keeps a FIFO that took the file's place from
 * hanging the open, O_NOFOLLOW refuses a link that did. Windows has neither. Under narrow permissions
 * Deno resolves links itself before it opens, so whoever must not be led astray looks once more.
 */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const FLAGS_NO_FOLLOW = FLAGS | (constants.O_NOFOLLOW ?? 0);

/** Changes closer together than this may leave the same time: over twice the slowest clock's tick. */
export const CLOCK_TICK_MS = 20;

/**
 * Looks at a path, and waits until a later change of what stands there would show in its times.
 *
 * @param {string} path Where; a link there is not followed
 * @returns {Deno.FileInfo | null} The file there; null where it changed meanwhile
 */
export function lookAt(path) {
  const now = Date.now();
  const info = Deno.lstatSync(path);
  if (!isFresh(info, now)) return info;
  pause(CLOCK_TICK_MS);
  return isSameLook(info, Deno.lstatSync(path)) ? info : null;
}

/** @type {(info: Deno.FileInfo, now: number) => boolean} */
function isFresh({ mtime }, now) {
  return mtime !== null && Math.abs(now - mtime.getTime()) < CLOCK_TICK_MS;
}

/**
 * Whether a later change of something that was looked at leaves another change time, which the system
 * sets by itself, and Deno tells in whole seconds.
 *
 * @param {Date | null} ctime The change time that was seen; null where the system tells none
 * @param {number} now When that was, in milliseconds
 * @returns {boolean} Whether it does
 */
export function isSecondOver(ctime, now) {
  return ctime !== null && now >= ctime.getTime() + 1000 + CLOCK_TICK_MS;
}

/**
 * Stops this thread for a while.
 *
 * @param {number} milliseconds How long
 */
export function pause(milliseconds) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/**
 * Opens a file for reading without ever waiting.
 *
 * @param {string} path Where it is
 * @param {{ follows?: boolean }} [options] Whether a link there is followed
 * @returns {number} Its descriptor, to be closed
 */
export function openFile(path, { follows = false } = {}) {
  return openSync(path, follows ? FLAGS : FLAGS_NO_FOLLOW);
}

/**
 * Closes a file.
 *
 * @param {number} descriptor The file
 */
export function closeFile(descriptor) {
  closeSync(descriptor);
}

/** A copy begins this far behind the start of a page, where large memory itself begins 16 bytes behind. */
const GOOD_START = 64;

/**
 * Makes a large buffer to read files into. The system copies from the starts of pages; where a copy
 * goes to a place less than 64 bytes behind the start of a page, some processors take ten times as long.
 *
 * @param {number} length How many bytes it has
 * @returns {Uint8Array<ArrayBuffer>} The buffer
 */
export function makeReadBuffer(length) {
  return new Uint8Array(new ArrayBuffer(length + GOOD_START), GOOD_START - 16, length);
}

/**
 * Reads the next bytes of a file.
 *
 * @param {number} descriptor The file
 * @param {Uint8Array} buffer Where they go
 * @param {number} [start] Where they begin there
 * @returns {number} How many there were; 0 at the end of the file
 */
export function readSome(descriptor, buffer, start = 0) {
  return readSync(descriptor, buffer, start, buffer.length - start, null);
}

/**
 * Reads on until a buffer is full or the file ends.
 *
 * @param {number} descriptor The file
 * @param {Uint8Array} buffer Where the bytes go
 * @returns {number} How many there were
 */
export function fillBuffer(descriptor, buffer) {
  let length = 0;
  while (length < buffer.length) {
    const n = readSome(descriptor, buffer, length);
    if (n === 0) break;
    length += n;
  }
  return length;
}

/**
 * Whether two looks saw the same regular file with the same content, as far as the system tells.
 *
 * @param {Deno.FileInfo} before The one
 * @param {Deno.FileInfo} after The other
 * @returns {boolean} Whether they did
 */
export function isSameFile(before, after) {
  return before.isFile && after.isFile && before.size === after.size && isSameLook(before, after);
}

/**
 * Whether two looks saw the same thing, unchanged.
 *
 * @param {Deno.FileInfo} before The one
 * @param {Deno.FileInfo} after The other
 * @returns {boolean} Whether they did
 */
export function isSameLook(before, after) {
  return before.dev === after.dev && before.ino === after.ino &&
    before.mtime?.getTime() === after.mtime?.getTime() &&
    before.ctime?.getTime() === after.ctime?.getTime();
}

/**
 * Whether something else stands at a path than was looked at, which may be why it cannot be read.
 *
 * @param {string} path Where
 * @param {Deno.FileInfo} before The look
 * @param {{ follows?: boolean }} [options] Whether a link there is followed
 * @returns {boolean} Whether it does; false where nothing does
 */
export function isReplaced(path, before, { follows = false } = {}) {
  try {
    const after = follows ? Deno.statSync(path) : Deno.lstatSync(path);
    return before.isFile !== after.isFile || !isSameLook(before, after);
  } catch {
    return false;
  }
}

/**
 * Whether what was opened is the file that was looked at. This look costs more than all the rest of a
 * small file, so it is for files whose directory nobody holds against a later look.
 *
 * @param {number} descriptor What was opened
 * @param {Deno.FileInfo} before The look
 * @returns {boolean} Whether it is
 */
export function isOpened(descriptor, before) {
  const stats = fstatSync(descriptor);
  // Windows has another idea of these numbers for each of the two calls.
  const isPlace = Deno.build.os === "windows" ||
    (stats.dev === before.dev && stats.ino === before.ino);
  return isPlace && stats.isFile() && stats.size === before.size &&
    stats.mtimeMs === before.mtime?.getTime();
}

/**
 * Whether what was opened is a regular file.
 *
 * @param {number} descriptor What was opened
 * @returns {boolean} Whether it is
 */
export function isFileOpened(descriptor) {
  return fstatSync(descriptor).isFile();
}

/**
 * Names the kind of something that is neither a regular file nor a link.
 *
 * @param {Pick<Deno.FileInfo, "isDirectory" | "isFifo" | "isSocket" | "isBlockDevice" |
 * "isCharDevice">} info
 * @returns {string} In words
 */
export function describeFileKind(info) {
  if (info.isDirectory) return "a directory";
  if (info.isFifo) return "a FIFO";
  if (info.isSocket) return "a socket";
  return info.isBlockDevice || info.isCharDevice ? "a device" : "not a regular file";
}
