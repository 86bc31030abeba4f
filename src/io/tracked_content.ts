import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { join } from "../base/std.ts";
import type { FileContent } from "../guards/guard.ts";
import { DirectoryListings } from "./path_watch.ts";
import { isMissing, toReadError } from "./permissions.ts";
import { CHANGED, readFile } from "./read_file.ts";
import {
  closeFile,
  fillBuffer,
  isFileOpened,
  isOpened,
  isReplaced,
  isSameFile,
  makeReadBuffer,
  openFile,
} from "./regular_file.js";

/** What a guard may ask for whole; a file that people write is smaller. */
const LARGEST_WHOLE = 16 * 2 ** 20;

/** Files smaller than this are searched at once, others in pieces of it. */
const PIECE = 4 * 2 ** 20;

// One buffer for every file: on a repository of many small ones, new memory for each is a third of
// the time.
const buffer = makeReadBuffer(PIECE);

/** What becomes of a file's bytes, which are overwritten afterwards. */
export interface ContentUse {
  /** Takes a file that is read at once. */
  readonly scan: (bytes: Uint8Array) => void;
  /** Takes a larger file piece by piece. */
  readonly scanPieces: (pieces: Iterable<Uint8Array>) => void;
}

/**
 * Reads what stands in the working tree at a tracked path, whole; a link is read as its target's
 * text, as git stores it. Throws `data` where it is missing, neither file nor link, or changes
 * meanwhile, `io` where the system refuses, `permission` where Deno does: a guard that cannot see a
 * file does not pass it.
 */
export function readTracked(root: string, path: string): FileContent {
  const place = join(root, path);
  try {
    const look = lookAtTracked(place, path);
    if (look.isSymlink) return { ok: true, bytes: readLinkText(place) };
    if (look.size > LARGEST_WHOLE) {
      return { ok: false, reason: `it is larger than ${LARGEST_WHOLE} bytes` };
    }
    const action = `Cannot read tracked file ${quote(path)}`;
    const file = readFile(place, { action, maxBytes: LARGEST_WHOLE });
    if (file.state === "read") return { ok: true, bytes: file.bytes };
    throw file.cause ?? refuse(path, file.reason);
  } catch (error) {
    throw refuseRead(error, place, path);
  }
}

/**
 * Searches what {@linkcode readTracked} reads, of any size, and keeps none of it. Where the
 * directories on the way are not held against a later look, it is made sure here that what is read
 * is what was looked at.
 */
export function scanTracked(
  place: string,
  path: string,
  use: ContentUse,
  isHeld = false,
): void {
  try {
    const before = lookAtTracked(place, path);
    if (before.isSymlink) return use.scan(readLinkText(place));
    const check = (file: number): void => {
      if (!isHeld && !isOpened(file, before)) throw refuse(path, CHANGED);
    };
    try {
      scanOpened(place, use, check);
    } catch (error) {
      throw isReplaced(place, before) ? refuse(path, CHANGED) : error;
    }
    if (!isSameFile(before, Deno.lstatSync(place))) throw refuse(path, CHANGED);
  } catch (error) {
    throw refuseRead(error, place, path);
  }
}

/**
 * Does the same where the path's directory is known to hold no links and no devices, without
 * another look at the file. What cannot be read so is looked at, for what is wrong with it; `use`
 * starts again.
 */
export function scanPlain(place: string, path: string, use: ContentUse): void {
  try {
    scanOpened(place, use);
  } catch {
    scanTracked(place, path, use);
  }
}

/**
 * Tells which tracked files and links, sorted, none behind a link, hold a text in ASCII, as UTF-8
 * or as UTF-16, at a fraction of what {@linkcode readTracked} costs. Those that are not there count
 * too: nobody knows what they hold.
 */
export function findHolders(root: string, paths: readonly string[], text: string): Set<string> {
  const base = join(root, "/");
  const listings = new DirectoryListings(base, paths);
  const holders = new Set<string>();
  const search = (isPlain: (index: number) => boolean): void =>
    paths.forEach((path, index) => {
      const use: ContentUse = {
        scan: (bytes) => holdsText(bytes, text) && holders.add(path),
        scanPieces: (pieces) => holdsTextInPieces(pieces, text) && holders.add(path),
      };
      try {
        if (isPlain(index)) scanPlain(base + path, path, use);
        else scanTracked(base + path, path, use);
      } catch (error) {
        if (!isGone(error)) throw error;
        holders.add(path);
      }
    });
  search((index) => listings.isPlainAround(index));
  // What a listing said does not hold any more: each file is looked at.
  if (!listings.areUnchanged()) search(() => false);
  return holders;
}

/** Whether a file could not be read since it is not there. */
export function isGone(error: unknown): error is KprovError {
  return error instanceof KprovError && isMissing(error.cause);
}

const latin1 = new TextDecoder("latin1");

/** What stands across the border of two pieces counts. */
function holdsTextInPieces(pieces: Iterable<Uint8Array>, text: string): boolean {
  let rest = "";
  for (const piece of pieces) {
    const read = rest + latin1.decode(piece);
    if (holdsLatin1(read, text)) return true;
    rest = read.slice(-2 * text.length);
  }
  return false;
}

function holdsText(bytes: Uint8Array, text: string): boolean {
  return holdsLatin1(latin1.decode(bytes), text);
}

/** In UTF-16 a zero byte stands between two bytes of ASCII, whichever comes first. */
function holdsLatin1(read: string, text: string): boolean {
  return read.includes(text) || read.includes("\0") && read.includes(text.split("").join("\0"));
}

function lookAtTracked(place: string, path: string): Deno.FileInfo {
  const info = Deno.lstatSync(place);
  if (!info.isFile && !info.isSymlink) throw refuse(path, "it is neither a file nor a link");
  return info;
}

function readLinkText(place: string): Uint8Array {
  return new TextEncoder().encode(Deno.readLinkSync(place));
}

function scanOpened(
  place: string,
  use: ContentUse,
  check: (file: number) => void = () => {},
): void {
  const file = openFile(place);
  try {
    check(file);
    const length = fillBuffer(file, buffer);
    // A FIFO that took a file's place reads as empty.
    if (length === 0 && !isFileOpened(file)) throw new Error("it is not a regular file");
    if (length < PIECE) use.scan(buffer.subarray(0, length));
    else use.scanPieces(readPieces(file));
  } finally {
    closeFile(file);
  }
}

/** The buffer as it is filled, and then what follows. */
function* readPieces(file: number): Generator<Uint8Array> {
  for (let length = PIECE; length > 0; length = fillBuffer(file, buffer)) {
    yield buffer.subarray(0, length);
  }
}

function refuseRead(error: unknown, place: string, path: string): KprovError {
  if (isMissing(error)) return refuse(path, "git tracks it, but it does not exist", error);
  return toReadError(error, `Cannot read tracked file ${quote(path)}`, { path: place });
}

function refuse(path: string, reason: string, cause?: unknown): KprovError {
  return new KprovError("data", `Cannot read tracked file ${quote(path)}: ${reason}`, {
    hint: "restore it, or remove it from git's index",
    cause,
  });
}
