import { compareUtf8 } from "../../compare_utf8.ts";
import { KprovError } from "../../kprov_error.ts";
import type { IndexEntry } from "./index_entry.ts";
import { HASH_LENGTH, type ObjectFormat } from "./object_format.ts";
import { parseBitmap } from "./parse_bitmap.ts";
import { toHex } from "./parse_index.ts";

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
