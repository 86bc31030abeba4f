import { KprovError } from "../../base/error.ts";
import { quote } from "../../base/quote.ts";
import { basename, dirname, join, relative, resolve } from "../../base/std.ts";
import {
  describeSystemError,
  isClosedError,
  isClosedPath,
  isMissing,
  isPermitted,
  ON_NO_DISK,
  requirePermission,
  toReadError,
} from "../permissions.ts";
import { readFile } from "../read_file.ts";

/** A repository with its worktree. */
export interface Repository {
  /** What git's paths are relative to. */
  readonly worktree: string;
  /** Holds HEAD and the index. */
  readonly gitDir: string;
  /** Holds the configuration, the objects and the refs; differs from `gitDir` in a linked worktree. */
  readonly commonDir: string;
  /** The text of the repository's configuration; empty where it has none. */
  readonly config: string;
}

/**
 * Finds the repository that a directory, absolute and without links, belongs to: in it or the
 * nearest directory above, as far as Deno lets kprov look; null where there is none. What looks
 * like a repository and is none is refused with `data`, not passed over.
 */
export function locateRepository(directory: string): Repository | null {
  for (let current = directory;; current = dirname(current)) {
    if (current !== directory && !isPermitted("read", join(current, ".git"))) return null;
    const repository = openRepository(current);
    if (repository !== null) return repository;
    if (dirname(current) === current) return null;
  }
}

/**
 * Opens the repository whose worktree a directory, absolute and without links, is; null where there
 * is no `.git` in it.
 */
export function openRepository(worktree: string): Repository | null {
  const gitDir = followGitLink(join(worktree, ".git"));
  if (gitDir === null) return null;
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

/** `.git` is the directory itself, or in worktrees and submodules a file that names it. */
function followGitLink(candidate: string): string | null {
  const info = statGitFile(candidate);
  if (info === null) return null;
  if (info.isDirectory) return candidate;
  const text = trimLineEnds(readGitText(candidate) ?? "");
  const target = /^gitdir: (.+)$/s.exec(text)?.[1];
  if (target === undefined || target.includes("\0")) {
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

/** What git's paths of a directory start with: the way from the worktree, with a `/` at its end. */
export function prefixOf({ worktree }: Repository, directory: string): string {
  const way = relative(worktree, directory).replaceAll("\\", "/");
  return way === "" ? "" : `${way}/`;
}

/** A symbolic ref may point to another; git itself stops at five. */
const MOST_SYMBOLIC_REFS = 5;

/** Reads which commit is checked out; null before the first commit of a branch. */
export function readHead(repository: Repository): string | null {
  const storage = listConfigValues(repository.config, "extensions", "refstorage").at(-1);
  if (storage !== undefined && storage !== "files") {
    throw new KprovError("data", `the ref storage ${quote(storage)} is not known`);
  }
  let name = "HEAD";
  for (let i = 0; i <= MOST_SYMBOLIC_REFS; i++) {
    const value = readRef(repository, name);
    if (value === null || isObjectId(value)) return value;
    const target = /^ref: *(refs\/.+)$/.exec(value)?.[1];
    if (target === undefined || target.split("/").includes("..")) break;
    name = target;
  }
  throw new KprovError("data", "HEAD does not name a commit or a branch");
}

/** The packed refs of the largest repositories are some tens of megabytes. */
const MOST_REF_BYTES = 2 ** 28;

/** Reads a loose or packed ref; null where there is none. */
export function readRef({ gitDir, commonDir }: Repository, name: string): string | null {
  const loose = readLooseRef(join(gitDir, name)) ?? readLooseRef(join(commonDir, name));
  if (loose !== null) return loose.trimEnd();
  const packed = readGitFile(join(commonDir, "packed-refs"), MOST_REF_BYTES);
  // Names of other refs need not be UTF-8.
  for (const line of new TextDecoder().decode(packed ?? undefined).split("\n")) {
    const space = line.indexOf(" ");
    const id = line.slice(0, space);
    if (line.slice(space + 1) === name && isObjectId(id)) return id;
  }
  return null;
}

/** Where a directory has the ref's name, the ref itself can only be among the packed ones. */
function readLooseRef(path: string): string | null {
  return statGitFile(path)?.isDirectory ? null : readGitText(path);
}

function isObjectId(text: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** A section's header, with its subsection and what follows on the same line. */
const SECTION = /^\s*\[\s*([^\s"\]]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\](.*)$/;

/** A variable with its value; one without `=` means `true`. */
const VARIABLE = /^\s*([A-Za-z][A-Za-z0-9-]*)\s*(?:=\s*(.*)|(?:[#;].*)?)$/;

/**
 * Lists the values of a variable in the text of a git configuration file
 * (https://git-scm.com/docs/git-config#_syntax), in the file's order; where git wants one, the last
 * counts. Section and variable are in lower case. Included files are not followed.
 */
export function listConfigValues(
  text: string,
  section: string,
  variable: string,
  subsection?: string,
): string[] {
  const values: string[] = [];
  let inSection = false;
  for (const line of text.replace(/\\\r?\n/g, "").split(/\r?\n/)) {
    const header = SECTION.exec(line);
    if (header !== null) {
      const inner = header[2] === undefined ? undefined : unescapeValue(header[2]);
      inSection = header[1]?.toLowerCase() === section && inner === subsection;
    }
    const found = VARIABLE.exec(header === null ? line : header[3] ?? "");
    if (!inSection || found?.[1]?.toLowerCase() !== variable) continue;
    values.push(found[2] === undefined ? "true" : readValue(found[2]));
  }
  return values;
}

/** The value of a variable: quoted parts as they are, a comment outside of them cut off. */
function readValue(raw: string): string {
  let value = "";
  for (const [part] of raw.matchAll(/"(?:[^"\\]|\\.)*"|\\.|[#;].*$|[^"\\#;]+/g)) {
    if (part.startsWith("#") || part.startsWith(";")) break;
    value += unescapeValue(part.startsWith('"') ? part.slice(1, -1) : part);
  }
  return value.trim();
}

function unescapeValue(text: string): string {
  return text.replace(/\\(.)/g, "$1");
}

/** The largest index that is read; one of a million files has about 100 MB. */
export const MOST_BYTES = 2 ** 30;

/** Reads a file of git's own; null where it does not exist, `data` where it cannot be read. */
export function readGitFile(path: string, maxBytes: number = MOST_BYTES): Uint8Array | null {
  return attempt(path, () => {
    const file = readFile(path, { action: `Cannot read ${quote(path)}`, maxBytes, follows: true });
    if (file.state === "unreadable") throw refuse(path, file.reason, file.cause);
    return file.state === "read" ? file.bytes : null;
  });
}

/** Reads a text file of git's own, of at most 1 MiB; null where it does not exist. */
export function readGitText(path: string): string | null {
  const bytes = readGitFile(path, 2 ** 20);
  try {
    return bytes === null ? null : new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw refuse(path, "it is not valid UTF-8", cause);
  }
}

/** Looks at what lies at a path, through links; null where nothing does. */
export function statGitFile(path: string): Deno.FileInfo | null {
  return attempt(path, () => Deno.statSync(path));
}

function attempt<T>(path: string, read: () => T | null): T | null {
  if (isClosedPath(path)) throw refuse(path, ON_NO_DISK);
  requirePermission("read", path);
  try {
    return read();
  } catch (error) {
    if (isMissing(error)) return null;
    if (error instanceof KprovError) throw error;
    if (isClosedError(error)) throw refuse(path, ON_NO_DISK, error);
    if (!(error instanceof Deno.errors.NotCapable)) {
      throw refuse(path, describeSystemError(error), error);
    }
    throw toReadError(error, `Cannot read ${quote(path)}`, { path });
  }
}

function refuse(path: string, reason: string, cause?: unknown): KprovError {
  return new KprovError("data", `git's file ${quote(basename(path))}: ${reason}`, { cause });
}
