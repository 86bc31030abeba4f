import type { FileContent } from "../guards/facts.ts";
import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import { join } from "../std.ts";
import { isMissing, toKprovError } from "../system/os_error.ts";
import { permissionFlag } from "../system/permissions.ts";
import {
  closeFile,
  fillBuffer,
  isFileOpened,
  isReplaced,
  isSameFile,
  lookAt,
  openFile,
} from "../system/read_file.js";
import { readFile } from "../system/read_file.ts";

/** What a guard may ask for whole; a file that people write is smaller. */
const LARGEST_WHOLE = 16 * 2 ** 20;

/** Files smaller than this are searched at once, others in pieces of it. */
const PIECE = 4 * 2 ** 20;

// One buffer for every file: on a repository of many small ones, new memory for each is a third of
// the time.
const buffer = new Uint8Array(PIECE);

const CHANGED = "it changed while it was read";

/** What becomes of a file's bytes, which are overwritten afterwards. */
export interface ContentUse {
  /** Takes a file that is read at once. */
  readonly scan: (bytes: Uint8Array) => void;
  /** Takes a larger file piece by piece. */
  readonly scanPieces: (pieces: Iterable<Uint8Array>) => void;
}

/**
 * Reads what stands in the working tree at a tracked path, whole. A link is read as its target's
 * text, as git stores it, and never followed.
 *
 * @param root The repository, absolute
 * @param path The tracked path
 * @returns The content, or why it is not given whole
 * @throws {KprovError} `data` where it is missing, neither file nor link, or changes meanwhile, `io`
 * where the system refuses, `permission` where Deno does: a guard that cannot see a file does not pass it
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
 * Searches what {@linkcode readTracked} reads, of any size, and keeps none of it.
 *
 * @param place The repository, absolute, and the tracked path behind it
 * @param path The tracked path
 * @param use What becomes of the bytes
 * @throws {KprovError} As {@linkcode readTracked} does
 */
export function scanTracked(place: string, path: string, use: ContentUse): void {
  try {
    const before = lookAtTracked(place, path);
    if (before.isSymlink) return use.scan(readLinkText(place));
    try {
      scanOpened(place, use);
    } catch (error) {
      throw isReplaced(place, before) ? refuse(path, CHANGED) : error;
    }
    if (!isSameFile(before, Deno.lstatSync(place))) throw refuse(path, CHANGED);
  } catch (error) {
    throw refuseRead(error, place, path);
  }
}

/**
 * Does the same where the path's directory is known to hold no links and no devices, without another
 * look at the file. What cannot be read so is looked at, for what is wrong with it.
 *
 * @param place The repository, absolute, and the tracked path behind it
 * @param path The tracked path
 * @param use What becomes of the bytes; starts again after a fault
 * @throws {KprovError} As {@linkcode readTracked} does
 */
export function scanPlain(place: string, path: string, use: ContentUse): void {
  try {
    scanOpened(place, use);
  } catch {
    scanTracked(place, path, use);
  }
}

function lookAtTracked(place: string, path: string): Deno.FileInfo {
  const info = lookAt(place);
  if (info === null) throw refuse(path, CHANGED);
  if (!info.isFile && !info.isSymlink) throw refuse(path, "it is neither a file nor a link");
  return info;
}

function readLinkText(place: string): Uint8Array {
  return new TextEncoder().encode(Deno.readLinkSync(place));
}

function scanOpened(place: string, use: ContentUse): void {
  const file = openFile(place);
  try {
    const length = fillBuffer(file, buffer);
    // A FIFO that took a file's place reads as empty.
    if (length === 0 && !isFileOpened(file)) throw new Error("it is no regular file");
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
  if (isMissing(error)) return refuse(path, "git tracks it, and it is not there", error);
  return toKprovError(error, `Cannot read tracked file ${quote(path)}`, {
    refused: "io",
    flag: permissionFlag("read", place),
  });
}

function refuse(path: string, reason: string, cause?: unknown): KprovError {
  return new KprovError("data", `Cannot read tracked file ${quote(path)}: ${reason}`, {
    hint: "restore it, or take it out of git's index",
    cause,
  });
}
