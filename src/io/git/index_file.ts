import { KprovError } from "../../base/error.ts";
import { escapeText, quote } from "../../base/quote.ts";
import { join } from "../../base/std.ts";
import { compareUtf8 } from "../../base/text.ts";
import type { IndexFault, TrackedEntry } from "../../guards/guard.ts";
import { isBelow } from "../paths.ts";
import {
  checkTrackedPath,
  decodeTrackedPath,
  type IndexEntry,
  parseEntries,
} from "./index_entries.ts";
import {
  HASH_LENGTH,
  hashHex,
  type ObjectFormat,
  readObjectFormat,
  toHex,
} from "./object_store.ts";
import {
  locateRepository,
  prefixOf,
  readGitFile,
  readHead,
  type Repository,
} from "./repository.ts";

const MISSING_REPOSITORY: IndexFault = {
  code: "artifacts.index_missing",
  message: 'cannot read git\'s index: no ".git" is here or in a directory above that may be read',
};

/** Git itself would take every file of the commit for deleted. */
const MISSING_INDEX: IndexFault = {
  code: "artifacts.index_missing",
  message: "cannot read git's index: it does not exist, though a commit is checked out",
};

/** Another index than the repository's own, such as the one that a commit is made of. */
export interface OtherIndex {
  /** Absolute. */
  readonly path: string;
  /** Whether it counts only where it lies in the repository's git directory: it may be of another one. */
  readonly mustBeOwn: boolean;
}

/**
 * Lists what git tracks below a directory, from git's index, without running git: sorted by UTF-8
 * bytes, or why that is not known; never a part of it. `announce` takes the number of entries
 * before they are read. Before the first commit a repository may have no index, and tracks nothing.
 */
export function gatherTrackedFiles(
  rootPath: string,
  announce: (count: number) => void = () => {},
  other: OtherIndex | null = null,
): readonly TrackedEntry[] | IndexFault {
  try {
    const repository = locateRepository(rootPath);
    if (repository === null) return MISSING_REPOSITORY;
    const isOther = other !== null &&
      (!other.mustBeOwn || isBelow(repository.gitDir, other.path));
    const index = readIndex(repository, announce, isOther ? other.path : null);
    if (index === null && isOther) throw new KprovError("data", "the file given does not exist");
    if (index === null && readHead(repository) !== null) return MISSING_INDEX;
    return toTrackedEntries(index?.entries ?? [], prefixOf(repository, rootPath));
  } catch (error) {
    if (!(error instanceof KprovError) || error.code !== "data") throw error;
    return {
      code: "artifacts.index_invalid",
      message: `cannot read git's index: ${error.message}`,
    };
  }
}

/** Lists what git tracks below a directory, each path once and relative to it. */
function toTrackedEntries(entries: readonly IndexEntry[], prefix: string): TrackedEntry[] {
  const tracked: TrackedEntry[] = [];
  let previous: string | null = null;
  for (const { path, kind } of entries) {
    if (path === previous || kind === "directory" || !path.startsWith(prefix)) continue;
    tracked.push({ path: path.slice(prefix.length), kind });
    previous = path;
  }
  return tracked;
}

const SIGNATURE = 0x44495243; // "DIRC"
const HEADER_LENGTH = 12;
const MOST_PATH_BYTES = 2 ** 29;

/** Four letters and a length. */
const EXTENSION_HEADER_LENGTH = 8;

/** The index of a repository. */
interface GitIndex {
  /** Its entries in git's order, checked. */
  readonly entries: readonly IndexEntry[];
  /** Whether it builds upon a shared index. */
  readonly isSplit: boolean;
}

/**
 * Parses a list of paths as `git ls-files -z` prints it, for trees that have no index, and sorts it
 * by UTF-8 bytes. Paths that stand twice, as those in conflict do, count once; what git tracks
 * there counts as a file. The message of `data` is a reason such as `it does not end with a NUL`.
 */
export function parseFileList(bytes: Uint8Array): TrackedEntry[] {
  if (bytes.length > 0 && bytes.at(-1) !== 0) {
    throw new KprovError("data", "it does not end with a NUL, as the list of git ls-files -z does");
  }
  const paths = new Set<string>();
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0, start);
    const path = decodeTrackedPath(bytes.subarray(start, end));
    checkTrackedPath(path);
    paths.add(path);
    start = end + 1;
  }
  return [...paths].sort(compareUtf8).map((path) => ({ path, kind: "file" }));
}

/**
 * Reads the index of a repository, or another file in its place; null where there is none. Throws
 * `data` on anything that git does not write.
 */
export function readIndex(
  repository: Repository,
  announce: (count: number) => void = () => {},
  other: string | null = null,
): GitIndex | null {
  const format = readObjectFormat(repository.config);
  const bytes = readGitFile(other ?? join(repository.gitDir, "index"));
  if (bytes === null) return null;
  announce(readEntryCount(bytes));
  const index = parseIndex(bytes, format);
  const link = index.link === null ? null : parseSplitLink(index.link, format);
  const entries = link === null
    ? index.entries
    : mergeSplitIndex(readSharedIndex(repository, link, format), index.entries, link);
  checkEntries(entries);
  return { entries, isSplit: link !== null };
}

function readSharedIndex(
  repository: Repository,
  link: SplitLink,
  format: ObjectFormat,
): readonly IndexEntry[] {
  const bytes = readGitFile(join(repository.gitDir, `sharedindex.${link.base}`));
  if (bytes === null) throw new KprovError("data", "its shared index does not exist");
  const shared = parseIndex(bytes, format);
  if (shared.checksum !== link.base) {
    throw new KprovError("data", "its shared index has another checksum than its name says");
  }
  if (shared.link !== null) throw new KprovError("data", "its shared index is split itself");
  checkEntries(shared.entries);
  return shared.entries;
}

/** An index file, taken apart. */
interface ParsedIndex {
  /** In the order of the file, not yet checked against each other. */
  readonly entries: readonly IndexEntry[];
  /** The content of the extension `link`, where the index is split; null where it is not. */
  readonly link: Uint8Array | null;
  /** The checksum at its end, in lowercase hex digits. */
  readonly checksum: string;
}

/**
 * Parses an index file (https://git-scm.com/docs/index-format), versions 2 to 4. Throws `data` on
 * anything that git does not write; the message is a reason such as `its checksum is wrong`.
 */
export function parseIndex(bytes: Uint8Array, format: ObjectFormat): ParsedIndex {
  const hashLength = HASH_LENGTH[format];
  const limit = bytes.length - hashLength;
  if (limit < HEADER_LENGTH) throw new KprovError("data", "it is too short");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== SIGNATURE) {
    throw new KprovError("data", 'it does not start with "DIRC"');
  }
  const version = readVersion(view.getUint32(4));
  const checksum = readChecksum(bytes, limit, format);
  const count = view.getUint32(8);
  const { entries, end } = parseEntries(bytes, {
    version,
    count,
    start: HEADER_LENGTH,
    limit,
    hashLength,
    maxPathBytes: MOST_PATH_BYTES,
  });
  return { entries, checksum, link: parseExtensions(bytes.subarray(end, limit), count) };
}

/** How many entries an index file claims to have; 0 where it is too short to tell. */
function readEntryCount(bytes: Uint8Array): number {
  if (bytes.length < HEADER_LENGTH) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset, HEADER_LENGTH).getUint32(8);
}

function readVersion(version: number): 2 | 3 | 4 {
  if (version === 2 || version === 3 || version === 4) return version;
  throw new KprovError("data", `its version ${version} is not known`);
}

/** Git leaves the checksum zero where `index.skipHash` tells it to. */
function readChecksum(bytes: Uint8Array, limit: number, format: ObjectFormat): string {
  const stored = bytes.subarray(limit);
  const checksum = toHex(stored);
  if (stored.every((byte) => byte === 0)) return checksum;
  if (hashHex(bytes.subarray(0, limit), format) !== checksum) {
    throw new KprovError("data", "its checksum is wrong");
  }
  return checksum;
}

/**
 * Holds the entries of a whole index, in the order of the file, against what git writes: good
 * paths, in the order of their bytes and then of their stages, each path either merged or in
 * conflict.
 */
export function checkEntries(entries: readonly IndexEntry[]): void {
  let previous: IndexEntry | null = null;
  for (const entry of entries) {
    if (entry.kind === "directory") throw refuseDirectory(entry);
    checkTrackedPath(entry.path);
    if (previous !== null) checkOrder(previous, entry);
    previous = entry;
  }
}

function refuseDirectory(entry: IndexEntry): KprovError {
  return new KprovError(
    "data",
    `it is a sparse index with collapsed directories, such as ${quote(entry.path)}; ` +
      "git sparse-checkout reapply --no-sparse-index expands it",
  );
}

function checkOrder(previous: IndexEntry, entry: IndexEntry): void {
  const order = compareUtf8(previous.path, entry.path);
  if (order < 0) return;
  if (order > 0) {
    throw new KprovError("data", `the path ${quote(entry.path)} is out of order`);
  }
  if (previous.stage === 0 || previous.stage >= entry.stage) {
    throw new KprovError(
      "data",
      `the path ${quote(entry.path)} has stages that exclude each other`,
    );
  }
}

/**
 * Walks over the extensions of an index file, and gives the content of `link` where the index is
 * split. Those whose names start with a capital are optional, by the format's rule, and skipped;
 * any other is refused.
 */
function parseExtensions(bytes: Uint8Array, entryCount: number): Uint8Array | null {
  const extensions = splitExtensions(bytes);
  for (const [name, content] of extensions) {
    // `sdir` says that there may be collapsed directories; each of them is refused by itself.
    if (name === "link" || (name === "sdir" && content.length === 0)) continue;
    if (!/^[A-Z]/.test(name)) {
      throw new KprovError("data", `its extension "${escapeText(name)}" is not known`);
    }
  }
  const link = extensions.get("link") ?? null;
  const monitor = extensions.get("FSMN");
  if (monitor !== undefined && link === null) checkMonitor(monitor, entryCount);
  return link;
}

function splitExtensions(bytes: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const extensions = new Map<string, Uint8Array>();
  for (let offset = 0; offset < bytes.length;) {
    if (offset + EXTENSION_HEADER_LENGTH > bytes.length) throw refuseCut();
    const name = String.fromCharCode(...bytes.subarray(offset, offset + 4));
    const start = offset + EXTENSION_HEADER_LENGTH;
    offset = start + view.getUint32(offset + 4);
    if (offset > bytes.length) throw refuseCut();
    if (extensions.has(name)) {
      throw new KprovError("data", `its extension "${escapeText(name)}" stands twice`);
    }
    extensions.set(name, bytes.subarray(start, offset));
  }
  return extensions;
}

/** Git gives up on an index whose file system monitor speaks of more entries than there are. */
function checkMonitor(bytes: Uint8Array, entryCount: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes.length < 4 ? 0 : view.getUint32(0);
  if (version !== 1 && version !== 2) return;
  // Version 1 has a time of eight bytes, version 2 a text with a NUL behind it; then a length.
  const sizeOffset = version === 1 ? 12 : bytes.indexOf(0, 4) + 1;
  if (sizeOffset === 0) throw refuseCut();
  parseBitmap(view, sizeOffset + 4, entryCount);
}

function refuseCut(): KprovError {
  return new KprovError("data", "it ends in the middle of an extension");
}

/** What the extension `link` says: which shared index a split index builds upon, and how. */
interface SplitLink {
  /** The checksum of the shared index, in hex digits. */
  readonly base: string;
  /** Where the bitmaps start; they cannot be read before the shared index is. */
  readonly bitmaps: Uint8Array;
}

/** Parses the extension `link`; null where it names no shared index. */
function parseSplitLink(bytes: Uint8Array, format: ObjectFormat): SplitLink | null {
  const hashLength = HASH_LENGTH[format];
  if (bytes.length < hashLength) throw new KprovError("data", "its link is too short");
  const base = toHex(bytes.subarray(0, hashLength));
  return /^0+$/.test(base) ? null : { base, bitmaps: bytes.subarray(hashLength) };
}

/**
 * Merges a split index with the shared index under it: first come entries without paths, which
 * replace those of the base that the second bitmap marks; the first bitmap marks those that are
 * deleted; all further entries are added. Keeps git's order where both were in it.
 */
function mergeSplitIndex(
  base: readonly IndexEntry[],
  own: readonly IndexEntry[],
  link: SplitLink,
): IndexEntry[] {
  const { deleted, replaced } = parseBitmaps(link.bitmaps, base.length);
  const added = own.slice(replaced.length);
  const kept: (IndexEntry | null)[] = [...base];
  for (const [i, position] of replaced.entries()) {
    kept[position] = replaceEntry(base[position], own[i]);
  }
  for (const position of deleted) kept[position] = null;
  return mergeSorted(kept.filter((entry) => entry !== null), added);
}

function parseBitmaps(
  bytes: Uint8Array,
  size: number,
): { readonly deleted: readonly number[]; readonly replaced: readonly number[] } {
  if (bytes.length === 0) return { deleted: [], replaced: [] };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const deleted = parseBitmap(view, 0, size);
  const replaced = parseBitmap(view, deleted.end, size);
  if (replaced.end !== bytes.length) {
    throw new KprovError("data", "its link goes on behind its bitmaps");
  }
  return { deleted: deleted.positions, replaced: replaced.positions };
}

function replaceEntry(base: IndexEntry | undefined, own: IndexEntry | undefined): IndexEntry {
  if (base === undefined || own?.path !== "") {
    throw new KprovError("data", "the entries that replace those of its shared index do not fit");
  }
  return { ...own, path: base.path };
}

function mergeSorted(base: readonly IndexEntry[], added: readonly IndexEntry[]): IndexEntry[] {
  const merged: IndexEntry[] = [];
  let i = 0;
  for (const entry of base) {
    for (; i < added.length; i++) {
      const next = added[i];
      if (next === undefined || compareEntries(next, entry) > 0) break;
      merged.push(next);
    }
    merged.push(entry);
  }
  return merged.concat(added.slice(i));
}

function compareEntries(a: IndexEntry, b: IndexEntry): number {
  return compareUtf8(a.path, b.path) || a.stage - b.stage;
}

/** Two numbers of 32 bits before the words, one after them. */
const FRAME_LENGTH = 12;
const WORD_LENGTH = 8;
const WORD_BITS = 64;

/** A bitmap and where it ended. */
interface ParsedBitmap {
  /** The positions of the bits that are set, ascending. */
  readonly positions: number[];
  /** The offset behind it. */
  readonly end: number;
}

interface Words {
  readonly view: DataView;
  /** Where the first word stands. */
  readonly start: number;
  /** How many words there are. */
  readonly count: number;
  /** How many bits there are. */
  readonly bits: number;
}

/**
 * Parses a bitmap in EWAH form as git stores it: runs of equal words, each followed by words that
 * stand for themselves (https://git-scm.com/docs/bitmap-format, appendix A).
 */
export function parseBitmap(view: DataView, offset: number, size: number): ParsedBitmap {
  if (offset + FRAME_LENGTH > view.byteLength) throw refuseBitmap();
  const bits = view.getUint32(offset);
  const count = view.getUint32(offset + 4);
  const end = offset + FRAME_LENGTH + count * WORD_LENGTH;
  if (bits > size || end > view.byteLength) throw refuseBitmap();
  return { positions: listPositions({ view, start: offset + 8, count, bits }), end };
}

function listPositions(words: Words): number[] {
  const positions: number[] = [];
  let position = 0;
  for (let i = 0; i < words.count; i++) {
    const high = words.view.getUint32(words.start + i * WORD_LENGTH);
    const low = words.view.getUint32(words.start + i * WORD_LENGTH + 4);
    // Bit 0: what the run repeats; 32 bits: its length in words; 31 bits: words that follow.
    const runEnd = position + ((low >>> 1) + (high & 1) * 2 ** 31) * WORD_BITS;
    if ((low & 1) === 1) pushRun(positions, position, runEnd, words.bits);
    position = runEnd;
    const literals = high >>> 1;
    if (literals >= words.count - i) throw refuseBitmap();
    for (let k = 1; k <= literals; k++, position += WORD_BITS) {
      pushWord(positions, position, words, i + k);
    }
    i += literals;
  }
  return positions;
}

function pushRun(positions: number[], start: number, end: number, bits: number): void {
  if (end > bits) throw refuseBitmap();
  for (let position = start; position < end; position++) positions.push(position);
}

function pushWord(positions: number[], position: number, words: Words, index: number): void {
  const high = words.view.getUint32(words.start + index * WORD_LENGTH);
  const low = words.view.getUint32(words.start + index * WORD_LENGTH + 4);
  for (let bit = 0; bit < WORD_BITS; bit++) {
    const half = bit < 32 ? low : high;
    if (((half >>> (bit & 31)) & 1) === 0) continue;
    if (position + bit >= words.bits) throw refuseBitmap();
    positions.push(position + bit);
  }
}

function refuseBitmap(): KprovError {
  return new KprovError("data", "one of its bitmaps is malformed");
}
