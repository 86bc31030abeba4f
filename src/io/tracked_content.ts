import { closeSync, openSync, readSync } from "node:fs";
import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { join } from "../base/std.ts";
import type { FileContent } from "../guards/guard.ts";
import { isMissing, toKprovError } from "./os_error.ts";
import { permissionFlag } from "./permissions.ts";
import { OPEN_FLAGS } from "./read_file.ts";

/** What a guard may ask for whole; a file that people write is smaller. */
const LARGEST_WHOLE = 16 * 2 ** 20;

/** Files smaller than this are searched at once, others in pieces of it. */
const PIECE = 4 * 2 ** 20;

// One buffer for every file: on a repository of many small ones, new memory for each is a third of
// the time.
const buffer = new Uint8Array(PIECE);

/** What becomes of a file's bytes, which are overwritten afterwards. */
export interface ContentUse {
  /** Takes a file that is read at once. */
  readonly scan: (bytes: Uint8Array) => void;
  /** Takes a larger file piece by piece. */
  readonly scanPieces: (pieces: Iterable<Uint8Array>) => void;
}

/** What stands at a tracked path: a file by its size, or a link by its text. */
type Look =
  | { readonly kind: "file"; readonly size: number }
  | { readonly kind: "symlink"; readonly text: Uint8Array };

/**
 * Reads what stands in the working tree at a tracked path, whole. A link is read as its target's
 * text, as git stores it, and never followed.
 *
 * @param root The repository, absolute
 * @param path The tracked path
 * @returns The content, or why it is not given whole
 * @throws {KprovError} `data` where it is missing or neither file nor link, `io` where the system
 * refuses, `permission` where Deno does: a guard that cannot see a file does not pass it
 */
export function readTracked(root: string, path: string): FileContent {
  const place = join(root, path);
  try {
    const look = lookAt(place, path);
    if (look.kind === "symlink") return { ok: true, bytes: look.text };
    return look.size > LARGEST_WHOLE
      ? { ok: false, reason: `it is larger than ${LARGEST_WHOLE} bytes` }
      : { ok: true, bytes: Deno.readFileSync(place) };
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
    const look = lookAt(place, path);
    if (look.kind === "symlink") use.scan(look.text);
    else scanOpened(place, use);
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

/** Nothing but a regular file is ever opened. */
function lookAt(place: string, path: string): Look {
  const stats = Deno.lstatSync(place);
  if (stats.isSymlink) {
    return { kind: "symlink", text: new TextEncoder().encode(Deno.readLinkSync(place)) };
  }
  if (!stats.isFile) throw refuse(path, "it is neither a file nor a link");
  return { kind: "file", size: stats.size };
}

function scanOpened(place: string, use: ContentUse): void {
  const descriptor = openSync(place, OPEN_FLAGS);
  try {
    const length = fillBuffer(descriptor);
    if (length < PIECE) use.scan(buffer.subarray(0, length));
    else use.scanPieces(readPieces(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

/** The buffer as it is filled, and then what follows. */
function* readPieces(descriptor: number): Generator<Uint8Array> {
  for (let length = PIECE; length > 0; length = fillBuffer(descriptor)) {
    yield buffer.subarray(0, length);
  }
}

/** Reads on until the buffer is full or the file ends. */
function fillBuffer(descriptor: number): number {
  let length = 0;
  while (length < PIECE) {
    const n = readSync(descriptor, buffer, length, PIECE - length, null);
    if (n === 0) break;
    length += n;
  }
  return length;
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

/** From so many tracked files below a directory on, one listing costs less than a look at each. */
const WORTH_A_LISTING = 8;

interface Listing {
  /** With a `/` at its end; empty for the root. */
  readonly directory: string;
  /** Whether it was listed, and shows nothing but files and directories. */
  readonly isPlain: boolean;
}

/**
 * Finds the directories without links and devices by listing them, which costs a fraction of a look
 * at each file. Of all answers, those about the directories on the way to the last path are kept.
 */
export class DirectoryListings {
  readonly #root: string;
  readonly #paths: readonly string[];
  readonly #kept: Listing[] = [];

  /**
   * @param root What the paths are relative to, with a separator at its end
   * @param paths Sorted, so that those of one directory follow each other
   */
  constructor(root: string, paths: readonly string[]) {
    this.#root = root;
    this.#paths = paths;
  }

  /**
   * Tells whether a path's directory shows nothing but files and directories.
   *
   * @param index The path's; asked in rising order, each directory is listed once
   * @returns False also where it cannot be listed, or a listing is not worth it
   */
  isPlainAround(index: number): boolean {
    const path = this.#paths[index]!;
    const length = path.lastIndexOf("/") + 1;
    let listing = this.#kept.at(-1);
    while (listing !== undefined && !path.startsWith(listing.directory)) {
      this.#kept.pop();
      listing = this.#kept.at(-1);
    }
    if (listing?.directory.length !== length) {
      listing = this.#list(path.slice(0, length), index);
      this.#kept.push(listing);
    }
    return listing.isPlain;
  }

  #list(directory: string, index: number): Listing {
    const isWorthIt = this.#paths[index + WORTH_A_LISTING]?.startsWith(directory) === true;
    return { directory, isPlain: isWorthIt && isPlainDirectory(this.#root + directory) };
  }
}

function isPlainDirectory(path: string): boolean {
  try {
    for (const { isFile, isDirectory } of Deno.readDirSync(path)) {
      if (!isFile && !isDirectory) return false;
    }
    return true;
  } catch {
    return false;
  }
}
