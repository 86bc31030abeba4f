import { KprovError } from "../../base/error.ts";
import { compareUtf8 } from "../../base/text.ts";
import type { IndexFault, TrackedEntry } from "../../guards/guard.ts";
import { isBelow } from "../paths.ts";
import { checkTrackedPath, decodeTrackedPath, type IndexEntry } from "./index_entries.ts";
import { readIndex } from "./index_file.ts";
import { locateRepository, prefixOf, readHead } from "./repository.ts";

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
 * Lists what git tracks below a directory, from git's index, without running git.
 *
 * @param rootPath An absolute path without symbolic links: a worktree, or a directory in one
 * @param announce Takes the number of entries that the index claims to have, before they are read
 * @param other The index to read in place of the repository's own, or null
 * @returns The paths relative to it, sorted by UTF-8 bytes, or why they are not known; never a part
 * of them. Before the first commit a repository may have no index, and tracks nothing
 * @throws {KprovError} `permission` where Deno does not let git's files be read
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

/**
 * Makes the list of what git tracks below a directory.
 *
 * @param entries The checked entries of a whole index
 * @param prefix The directory, with a `/` at its end, or empty for all
 * @returns Each path once, relative to the directory
 */
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

/**
 * Parses a list of paths as `git ls-files -z` prints it, for trees that have no index. Paths that
 * stand twice, as those in conflict do, count once; what git tracks there counts as a file.
 *
 * @param bytes The list: each path with a NUL behind it
 * @returns Sorted by UTF-8 bytes
 * @throws {KprovError} `data`; the message is a reason such as `it does not end with a NUL`
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
