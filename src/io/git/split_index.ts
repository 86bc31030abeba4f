import { KprovError } from "../../base/error.ts";
import { compareUtf8 } from "../../base/text.ts";
import type { IndexEntry } from "./index_entries.ts";
import { HASH_LENGTH, toHex } from "./objects.ts";
import type { ObjectFormat } from "./repository.ts";

/** What the extension `link` says: which shared index a split index builds upon, and how. */
export interface SplitLink {
  /** The checksum of the shared index, in hex digits. */
  readonly base: string;
  /** Where the bitmaps start; they cannot be read before the shared index is. */
  readonly bitmaps: Uint8Array;
}

/**
 * Parses the extension `link`.
 *
 * @param bytes Its content
 * @param format The repository's hash function
 * @returns What it says, or null where it names no shared index
 * @throws {KprovError} `data`
 */
export function parseSplitLink(bytes: Uint8Array, format: ObjectFormat): SplitLink | null {
  const hashLength = HASH_LENGTH[format];
  if (bytes.length < hashLength) throw new KprovError("data", "its link is too short");
  const base = toHex(bytes.subarray(0, hashLength));
  return /^0+$/.test(base) ? null : { base, bitmaps: bytes.subarray(hashLength) };
}

/**
 * Merges a split index with the shared index under it: first come entries without paths, which
 * replace those of the base that the second bitmap marks; the first bitmap marks those that are
 * deleted; all further entries are added.
 *
 * @param base The entries of the shared index
 * @param own The entries of the split index
 * @param link How they belong together
 * @returns All entries, in git's order where both were
 * @throws {KprovError} `data`
 */
export function mergeSplitIndex(
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
 *
 * @param view The bytes it stands in
 * @param offset Where it starts
 * @param size How many bits may be there at most
 * @throws {KprovError} `data`
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
