import { KprovError } from "../../base/error.ts";
import { quote } from "../../base/quote.ts";
import type { TrackedKind } from "../../guards/guard.ts";
import { toHex } from "./object_store.ts";

/** Ten numbers of 32 bits before an object's id: times, device, inode, mode, owner, size. */
const STAT_LENGTH = 40;
const MODE_OFFSET = 24;

const STAGE = 0x3000;
const EXTENDED = 0x4000;
const NAME_LENGTH = 0x0fff;
const SKIP_WORKTREE = 0x4000;
const INTENT_TO_ADD = 0x2000;

const KIND_OF_MODE: Readonly<Record<number, TrackedKind | "directory">> = {
  0o100644: "file",
  0o100755: "file",
  0o120000: "symlink",
  0o160000: "submodule",
  0o040000: "directory",
};

/** One entry of an index file. */
export interface IndexEntry {
  /** The path; empty where a split index replaces an entry of its base. */
  readonly path: string;
  /** What git tracks there. A directory stands for everything in it. */
  readonly kind: TrackedKind | "directory";
  /** 0, or the stage of a conflict: 1 base, 2 ours, 3 theirs. */
  readonly stage: number;
  /** Whether the worktree need not have it, as in a sparse checkout. */
  readonly isSkipped: boolean;
  /** The file that the entry stands in, and where; {@linkcode readObjectId} and the like read on. */
  readonly file: DataView;
  /** The offset in the file. */
  readonly start: number;
}

/** What git last saw of a file whose content it knows to be that of the entry. */
interface IndexStat {
  /** When anything of it last changed, in whole seconds since 1970. */
  readonly changed: number;
  /** When its content last changed, in whole milliseconds since 1970, as Deno has them. */
  readonly modified: number;
  /** The lower 32 bits of the inode. */
  readonly inode: number;
  /** The lower 32 bits of the size in bytes. */
  readonly size: number;
}

/** Reads the id of the object that an entry stands for, in lowercase hex digits. */
export function readObjectId({ file, start }: IndexEntry, hashLength: number): string {
  return toHex(new Uint8Array(file.buffer, file.byteOffset + start + STAT_LENGTH, hashLength));
}

/** Reads whether the owner may execute the file of an entry. */
export function readIsExecutable({ file, start }: IndexEntry): boolean {
  return (file.getUint32(start + MODE_OFFSET) & 0o100) !== 0;
}

/** Reads what an entry says of the file in the worktree. */
export function readStat({ file, start }: IndexEntry): IndexStat {
  const number = (place: number): number => file.getUint32(start + 4 * place);
  return {
    changed: number(0),
    modified: number(2) * 1000 + Math.floor(number(3) / 1e6),
    inode: number(5),
    size: number(9),
  };
}

/** What stands in an index file around its entries. */
interface EntryLayout {
  /** The index's version. */
  readonly version: 2 | 3 | 4;
  /** How many entries there are. */
  readonly count: number;
  /** Where they start. */
  readonly start: number;
  /** Where they end at the latest. */
  readonly limit: number;
  /** The length of an object's id. */
  readonly hashLength: number;
  /** How long all paths together may be: version 4 lets a small file stand for very long ones. */
  readonly maxPathBytes: number;
}

interface Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly layout: EntryLayout;
  offset: number;
  /** The path before this one, which version 4 builds upon, in a buffer that grows. */
  path: Uint8Array;
  pathLength: number;
  pathBytes: number;
}

/**
 * Parses the entries of an index file (https://git-scm.com/docs/index-format), in its order;
 * neither order nor paths are checked yet. Tells also where they end.
 */
export function parseEntries(
  bytes: Uint8Array,
  layout: EntryLayout,
): { readonly entries: IndexEntry[]; readonly end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const path = new Uint8Array(4096);
  const cursor = { bytes, view, layout, offset: layout.start, path, pathLength: 0, pathBytes: 0 };
  // An entry has at least its numbers, its id, its flags and one byte of path.
  const room = (layout.limit - layout.start) / (STAT_LENGTH + layout.hashLength + 3);
  if (layout.count > room) throw refuse(`it is too short for ${layout.count} entries`);
  const entries: IndexEntry[] = [];
  for (let i = 0; i < layout.count; i++) entries.push(parseEntry(cursor));
  return { entries, end: cursor.offset };
}

function parseEntry(cursor: Cursor): IndexEntry {
  const start = cursor.offset;
  const flagsOffset = start + STAT_LENGTH + cursor.layout.hashLength;
  const flags = readUint16(cursor, flagsOffset);
  const extended = (flags & EXTENDED) === 0 ? 0 : readExtendedFlags(cursor, flagsOffset + 2);
  cursor.offset = flagsOffset + ((flags & EXTENDED) === 0 ? 2 : 4);
  const name = cursor.layout.version === 4
    ? readCompressedPath(cursor)
    : readPaddedPath(cursor, start, flags & NAME_LENGTH);
  if (Math.min(name.length, NAME_LENGTH) !== (flags & NAME_LENGTH)) {
    throw refuse("the length of a path is wrong");
  }
  const kind = KIND_OF_MODE[cursor.view.getUint32(start + MODE_OFFSET)];
  const path = decodeTrackedPath(name);
  const isSkipped = (extended & SKIP_WORKTREE) !== 0;
  if (kind === undefined || (kind === "directory" && !isSkipped)) {
    throw refuse(`the path ${quote(path)} has a mode that is not known`);
  }
  const stage = (flags & STAGE) >> 12;
  return { path, kind, stage, isSkipped, file: cursor.view, start };
}

function readExtendedFlags(cursor: Cursor, offset: number): number {
  if (cursor.layout.version === 2) {
    throw refuse("an entry has extended flags, which version 2 does not know");
  }
  const flags = readUint16(cursor, offset);
  if ((flags & ~(SKIP_WORKTREE | INTENT_TO_ADD)) !== 0) {
    throw refuse("an entry has flags that are not known");
  }
  return flags;
}

function readUint16(cursor: Cursor, offset: number): number {
  if (offset + 2 > cursor.layout.limit) throw refuseCut();
  return cursor.view.getUint16(offset);
}

/** Versions 2 and 3: the path, then 1 to 8 zeros up to a multiple of eight bytes. */
function readPaddedPath(cursor: Cursor, start: number, length: number): Uint8Array {
  const from = cursor.offset;
  const end = length < NAME_LENGTH ? from + length : findNul(cursor, from);
  const padded = start + ((end - start + 8) & ~7);
  if (padded > cursor.layout.limit) throw refuseCut();
  for (let i = end; i < padded; i++) {
    if (cursor.bytes[i] !== 0) throw refuse("the padding of an entry is not zero");
  }
  cursor.offset = padded;
  return cursor.bytes.subarray(from, end);
}

/** Version 4: how much of the last path's end to drop, then what to add, up to a zero. */
function readCompressedPath(cursor: Cursor): Uint8Array {
  const kept = cursor.pathLength - readDroppedLength(cursor);
  const from = cursor.offset;
  const end = findNul(cursor, from);
  const length = kept + end - from;
  cursor.pathBytes += length;
  if (cursor.pathBytes > cursor.layout.maxPathBytes) {
    throw refuse(`its paths are longer than ${cursor.layout.maxPathBytes} bytes together`);
  }
  if (length > cursor.path.length) cursor.path = growTo(cursor.path, length);
  cursor.path.set(cursor.bytes.subarray(from, end), kept);
  cursor.pathLength = length;
  cursor.offset = end + 1;
  return cursor.path.subarray(0, length);
}

/** Git's offset encoding: like base 128, big end first, but each further byte adds one. */
function readDroppedLength(cursor: Cursor): number {
  let value = -1;
  for (let byte = 0x80; (byte & 0x80) !== 0;) {
    if (cursor.offset >= cursor.layout.limit) throw refuseCut();
    byte = cursor.bytes[cursor.offset++] ?? 0;
    value = (value + 1) * 128 + (byte & 0x7f);
    if (value > cursor.pathLength) throw refuse("a path drops more than the path before it has");
  }
  return value;
}

function growTo(bytes: Uint8Array, length: number): Uint8Array {
  const grown = new Uint8Array(Math.max(length, bytes.length * 2));
  grown.set(bytes);
  return grown;
}

function findNul(cursor: Cursor, from: number): number {
  const end = cursor.bytes.indexOf(0, from);
  if (end < 0 || end >= cursor.layout.limit) throw refuseCut();
  return end;
}

function refuseCut(): KprovError {
  return refuse("it ends in the middle of an entry");
}

function refuse(reason: string, cause?: unknown): KprovError {
  return new KprovError("data", reason, { cause });
}

// A byte order mark at the start of a name is part of the name.
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const FORBIDDEN_PART = /(?:^|\/)(\.{0,2}|\.git)(?:\/|$)/i;

/** Decodes a path as git stores it; where it is not UTF-8, `data` names it escaped. */
export function decodeTrackedPath(bytes: Uint8Array): string {
  try {
    return DECODER.decode(bytes);
  } catch (cause) {
    throw refuse(`the path ${escapeBytes(bytes)} is not valid UTF-8`, cause);
  }
}

function escapeBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    text += isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `"${text}"`;
}

/** Refuses what git itself never tracks: a path that leaves the worktree or enters git's files. */
export function checkTrackedPath(path: string): void {
  if (path === "") throw refuse("it holds an empty path");
  if (path.includes("\0")) throw refuse(`the path ${quote(path)} holds a NUL character`);
  const part = FORBIDDEN_PART.exec(path)?.[1];
  if (part === undefined) return;
  const reason = part === "" ? "has an empty part" : `has a part ${quote(part)}`;
  throw refuse(`the path ${quote(path)} ${reason}`);
}
