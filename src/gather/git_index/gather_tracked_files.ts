import type { IndexFault, TrackedEntry } from "../../guards/facts.ts";
import { KprovError } from "../../kprov_error.ts";
import { join, relative } from "../../std.ts";
import { checkEntries, type IndexEntry, toTrackedEntries } from "./index_entry.ts";
import { locateRepository, type Repository } from "./locate_repository.ts";
import { mergeSplitIndex, parseSplitLink, type SplitLink } from "./merge_split_index.ts";
import { type ObjectFormat, readObjectFormat } from "./object_format.ts";
import { parseIndex, readEntryCount } from "./parse_index.ts";
import { readGitFile } from "./read_git_file.ts";

/**
 * Lists what git tracks below a directory, from git's index, without running git.
 *
 * @param rootPath An absolute path without symbolic links: a worktree, or a directory in one
 * @param announce Takes the number of entries that the index claims to have, before they are read
 * @returns The paths relative to it, sorted by UTF-8 bytes, or why they are not known; never a part
 * of them
 * @throws {KprovError} `permission` where Deno does not let git's files be read
 */
export function gatherTrackedFiles(
  rootPath: string,
  announce: (count: number) => void = () => {},
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
    return toTrackedEntries(readEntries(repository, announce), prefixOf(repository, rootPath));
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
): readonly IndexEntry[] {
  const format = readObjectFormat(repository.config);
  const bytes = readGitFile(join(repository.gitDir, "index"));
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
