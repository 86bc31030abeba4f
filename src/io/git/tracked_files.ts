import { KprovError } from "../../base/error.ts";
import { join, relative } from "../../base/std.ts";
import { compareUtf8 } from "../../base/utf8_order.ts";
import type { IndexFault, TrackedEntry } from "../../guards/guard.ts";
import { checkEntries, type IndexEntry, toTrackedEntries } from "./index_entries.ts";
import {
  HASH_LENGTH,
  type ObjectFormat,
  parseBitmap,
  parseIndex,
  readEntryCount,
  readObjectFormat,
  toHex,
} from "./index_file.ts";
import { locateRepository, readGitFile, type Repository } from "./repository.ts";

/** Another index than the repository's own, such as the one that a commit is made of. */
export interface OtherIndex {
  /** Absolute. */
  readonly path: string;
  /** Whether it counts only where it lies in the repository's git directory: it may be of another one. */
  readonly mustBeOwn: boolean;
}

/**
 * Lists what git tracks below a directory, from git's index, without running git.
 *
 * @param rootPath An absolute path without symbolic links: a worktree, or a directory in one
 * @param announce Takes the number of entries that the index claims to have, before they are read
 * @param other The index to read in place of the repository's own, or null
 * @returns The paths relative to it, sorted by UTF-8 bytes, or why they are not known; never a part
 * of them
 * @throws {KprovError} `permission` where Deno does not let git's files be read
 */
export function gatherTrackedFiles(
  rootPath: string,
  announce: (count: number) => void = () => {},
  other: OtherIndex | null = null,
): readonly TrackedEntry[] | IndexFault {
  try {
    const repository = locateRepository(rootPath);
    if (repository === null) {
      return {
        code: "artifacts.index_missing",
        message:
          'cannot read git\'s index: no ".git" is here or in a directory above that may be read',
      };
    }
    const entries = readEntries(repository, announce, other);
    return toTrackedEntries(entries, prefixOf(repository, rootPath));
  } catch (error) {
    if (!(error instanceof KprovError) || error.code !== "data") throw error;
    return {
      code: "artifacts.index_invalid",
      message: `cannot read git's index: ${error.message}`,
    };
  }
}

function prefixOf(repository: Repository, rootPath: string): string {
  const way = relative(repository.worktree, rootPath).replaceAll("\\", "/");
  return way === "" ? "" : `${way}/`;
}

/** A repository without an index tracks nothing yet, as in git. */
function readEntries(
  repository: Repository,
  announce: (count: number) => void,
  other: OtherIndex | null,
): readonly IndexEntry[] {
  const format = readObjectFormat(repository.config);
  const isOther = other !== null && (!other.mustBeOwn || isBelow(other.path, repository.gitDir));
  const bytes = readGitFile(isOther ? other.path : join(repository.gitDir, "index"));
  if (bytes === null && isOther) throw new KprovError("data", "the file given does not exist");
  if (bytes === null) return [];
  announce(readEntryCount(bytes));
  const index = parseIndex(bytes, format);
  const link = index.link === null ? null : parseSplitLink(index.link, format);
  const entries = link === null
    ? index.entries
    : mergeSplitIndex(readSharedIndex(repository, link, format), index.entries, link);
  checkEntries(entries);
  return entries;
}

function isBelow(path: string, directory: string): boolean {
  return !/^(?:\.\.(?:[\\/]|$)|[\\/]|[A-Za-z]:)/.test(relative(directory, path));
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

/** What the extension `link` says: which shared index a split index builds upon, and how. */
interface SplitLink {
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
function parseSplitLink(bytes: Uint8Array, format: ObjectFormat): SplitLink | null {
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
