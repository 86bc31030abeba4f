import { KprovError } from "../../base/error.ts";
import { quote } from "../../base/quote.ts";
import { basename, dirname, join, resolve } from "../../base/std.ts";
import { describeSystemError, isMissing, toKprovError } from "../os_error.ts";
import { isPermitted, permissionFlag, requirePermission } from "../permissions.ts";
import { readFile } from "../read_file.ts";
import { type GitDirectories, listConfigValues } from "./source.ts";

/** A repository with its worktree. */
export interface Repository extends GitDirectories {
  /** What git's paths are relative to. */
  readonly worktree: string;
  /** The text of the repository's configuration; empty where it has none. */
  readonly config: string;
}

/**
 * Finds the repository that a directory belongs to: in it or the nearest directory above, as far
 * as Deno lets kprov look. What looks like a repository and is none is refused, not passed over.
 *
 * @param directory An absolute path without symbolic links
 * @returns The repository, or null where there is none
 * @throws {KprovError} `permission` where Deno does not let the repository be read, `data` where it
 * is not as git makes it
 */
export function locateRepository(directory: string): Repository | null {
  for (let current = directory;; current = dirname(current)) {
    const candidate = join(current, ".git");
    if (current !== directory && !isPermitted("read", candidate)) return null;
    const gitDir = followGitLink(candidate);
    if (gitDir !== null) return openRepository(current, gitDir);
    if (dirname(current) === current) return null;
  }
}

/** What a `.git` file starts with. */
const GIT_LINK = "gitdir: ";

/** `.git` is the directory itself, or in worktrees and submodules a file that names it. */
function followGitLink(candidate: string): string | null {
  const info = statGitFile(candidate);
  if (info === null) return null;
  if (info.isDirectory) return candidate;
  const text = trimLineEnds(readGitText(candidate) ?? "");
  const target = text.startsWith(GIT_LINK) ? text.slice(GIT_LINK.length) : "";
  if (target === "" || target.includes("\0")) {
    throw new KprovError("data", 'the file ".git" does not name a git directory');
  }
  return resolve(dirname(candidate), target);
}

/** A regular expression would try every line end of a million as the first of the last ones. */
function trimLineEnds(text: string): string {
  let end = text.length;
  while (text[end - 1] === "\n" || text[end - 1] === "\r") end--;
  return text.slice(0, end);
}

function openRepository(worktree: string, gitDir: string): Repository {
  const common = readGitText(join(gitDir, "commondir"));
  const commonDir = common === null ? gitDir : resolve(gitDir, trimLineEnds(common));
  const parts = [join(gitDir, "HEAD"), join(commonDir, "objects"), join(commonDir, "refs")];
  if (parts.some((part) => statGitFile(part) === null)) {
    throw new KprovError("data", 'what ".git" leads to is not a git repository');
  }
  const config = readGitText(join(commonDir, "config")) ?? "";
  const repository = { worktree, gitDir, commonDir, config };
  checkWorktree(repository);
  return repository;
}

/** Git's paths are relative to `core.worktree` where that is set; submodules set it to themselves. */
function checkWorktree({ worktree, gitDir, commonDir, config }: Repository): void {
  const isLinked = gitDir !== commonDir;
  const usesOwn = listConfigValues(config, "extensions", "worktreeconfig").at(-1);
  const own = usesOwn === undefined ? null : readGitText(join(gitDir, "config.worktree"));
  const texts = [isLinked ? "" : config, own ?? ""];
  const target = texts.flatMap((text) => listConfigValues(text, "core", "worktree")).at(-1);
  if (target === undefined || resolve(gitDir, target) === worktree) return;
  throw new KprovError("data", "core.worktree puts the worktree of the repository elsewhere");
}

/** The largest index that is read; one of a million files has about 100 MB. */
export const MOST_BYTES = 2 ** 30;

/**
 * Reads a file of git's own.
 *
 * @param path Where it is
 * @param maxBytes How large it may be
 * @returns Its bytes, or null where it does not exist
 * @throws {KprovError} `permission` where Deno does not let it be read, `data` where it cannot be
 * read otherwise
 */
export function readGitFile(path: string, maxBytes: number = MOST_BYTES): Uint8Array | null {
  requirePermission("read", path);
  const file = readFile(path, { action: `Cannot read ${quote(path)}`, maxBytes, follows: true });
  if (file.state === "unreadable") throw refuse(path, file.reason, file.cause);
  return file.state === "read" ? file.bytes : null;
}

/**
 * Reads a text file of git's own.
 *
 * @param path Where it is
 * @returns Its text, or null where it does not exist
 * @throws {KprovError} as {@linkcode readGitFile} does, and `data` where it is not UTF-8
 */
function readGitText(path: string): string | null {
  const bytes = readGitFile(path, 2 ** 20);
  try {
    return bytes === null ? null : new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw refuse(path, "it is not valid UTF-8", cause);
  }
}

/**
 * Looks at what lies at a path, through symbolic links.
 *
 * @param path Where
 * @returns What is there, or null where nothing is
 * @throws {KprovError} as {@linkcode readGitFile} does
 */
function statGitFile(path: string): Deno.FileInfo | null {
  requirePermission("read", path);
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (isMissing(error)) return null;
    if (!(error instanceof Deno.errors.NotCapable)) {
      throw refuse(path, describeSystemError(error), error);
    }
    throw toKprovError(error, `Cannot read ${quote(path)}`, {
      refused: "data",
      flag: permissionFlag("read", path),
    });
  }
}

function refuse(path: string, reason: string, cause?: unknown): KprovError {
  return new KprovError("data", `git's file ${quote(basename(path))}: ${reason}`, { cause });
}
