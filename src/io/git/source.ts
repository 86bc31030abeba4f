import { dirname, join, resolve } from "../../base/std.ts";
import type { Source } from "../../evidence/run_summary.ts";
import { isPermitted } from "../permissions.ts";
import { readFile } from "../read_file.ts";

/** A symbolic ref may point to another; git itself stops at five. */
const MOST_SYMBOLIC_REFS = 5;

/** The two directories of git's metadata; they differ in a linked worktree. */
export interface GitDirectories {
  /** Holds HEAD and the index. */
  readonly gitDir: string;
  /** Holds the configuration and the refs. */
  readonly commonDir: string;
}

/**
 * Reads which repository and commit a directory belongs to, from git's metadata around it. No
 * program is run. Where the metadata is missing, unreadable, out of the permitted paths or of a
 * form that is not known here, the answer is null: a fact that is not known is not recorded.
 *
 * @param directory An absolute path
 */
export function gatherSource(directory: string): Source | null {
  const git = findGitDirectories(directory);
  if (git === null || readText(join(git.gitDir, "HEAD")) === null) return null;
  const url = findRemoteUrl(readText(join(git.commonDir, "config")) ?? "", "origin");
  const repository = url === null ? null : stripCredentials(url);
  return { repository, commit: readCommit(git), state: "unknown" };
}

/** What the branch that everything is merged into is usually called. */
const USUAL_BRANCHES = ["main", "master", "trunk"];

/**
 * Tells which branch everything is merged into: the one that the remote `origin` checks out, as git
 * keeps it since the clone; else the one that is checked out, where it has one of the usual names;
 * else the only branch of one of these names.
 *
 * @param directory An absolute path
 * @returns Null where git's metadata does not tell
 */
export function gatherDefaultBranch(directory: string): string | null {
  const git = findGitDirectories(directory);
  if (git === null) return null;
  const origin = /^ref: *refs\/remotes\/origin\/(.+)$/.exec(
    readText(join(git.commonDir, "refs/remotes/origin/HEAD"))?.trimEnd() ?? "",
  )?.[1];
  if (origin !== undefined) return origin;
  const head = /^ref: *refs\/heads\/(.+)$/.exec(
    readText(join(git.gitDir, "HEAD"))?.trimEnd() ?? "",
  )?.[1];
  if (head !== undefined && USUAL_BRANCHES.includes(head)) return head;
  const [branch, ...more] = USUAL_BRANCHES.filter((name) =>
    [`refs/heads/${name}`, `refs/remotes/origin/${name}`].some((ref) => readRef(git, ref) !== null)
  );
  return branch === undefined || more.length > 0 ? null : branch;
}

/**
 * Finds git's directories for a path, as git does: in it or the nearest directory above.
 *
 * @param directory An absolute path
 * @returns The directories, or null where there are none that may be read
 */
function findGitDirectories(directory: string): GitDirectories | null {
  for (let current = directory;; current = dirname(current)) {
    const candidate = join(current, ".git");
    if (!isPermitted("read", candidate)) return null;
    const gitDir = readGitLink(candidate, current);
    if (gitDir !== null) {
      const common = readText(join(gitDir, "commondir"))?.trimEnd();
      return { gitDir, commonDir: common === undefined ? gitDir : resolve(gitDir, common) };
    }
    if (dirname(current) === current) return null;
  }
}

/** `.git` is the directory itself, or in worktrees and submodules a file that names it. */
function readGitLink(candidate: string, parent: string): string | null {
  try {
    if (Deno.statSync(candidate).isDirectory) return candidate;
  } catch {
    return null;
  }
  const match = /^gitdir: (.+?)\r?\n*$/.exec(readText(candidate) ?? "");
  return match?.[1] === undefined ? null : resolve(parent, match[1]);
}

function readCommit(git: GitDirectories): string | null {
  let name = "HEAD";
  for (let i = 0; i <= MOST_SYMBOLIC_REFS; i++) {
    const value = readRef(git, name);
    if (value === null || isObjectName(value)) return value;
    const target = /^ref: *(refs\/.+)$/.exec(value)?.[1];
    if (target === undefined || target.split("/").includes("..")) return null;
    name = target;
  }
  return null;
}

function readRef(git: GitDirectories, name: string): string | null {
  const loose = readText(join(git.gitDir, name)) ?? readText(join(git.commonDir, name));
  if (loose !== null) return loose.trimEnd();
  for (const line of (readText(join(git.commonDir, "packed-refs")) ?? "").split("\n")) {
    const space = line.indexOf(" ");
    if (line.slice(space + 1) === name && isObjectName(line.slice(0, space))) {
      return line.slice(0, space);
    }
  }
  return null;
}

function isObjectName(text: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** The packed refs of the largest repositories are some tens of megabytes. */
const MOST_BYTES = 2 ** 28;

function readText(path: string): string | null {
  if (!isPermitted("read", path)) return null;
  try {
    const file = readFile(path, {
      action: "Cannot read git's metadata",
      maxBytes: MOST_BYTES,
      follows: true,
    });
    return file.state === "read" ? new TextDecoder().decode(file.bytes) : null;
  } catch {
    return null;
  }
}

/** A section's header, with its subsection and what follows on the same line. */
const SECTION = /^\s*\[\s*([^\s"\]]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\](.*)$/;

/** A variable with its value; one without `=` means `true`. */
const VARIABLE = /^\s*([A-Za-z][A-Za-z0-9-]*)\s*(?:=\s*(.*)|(?:[#;].*)?)$/;

/**
 * Finds the URL of a remote in the text of a git configuration file. URL rewriting is not followed.
 *
 * @param text The file's text
 * @param remote The remote's name, such as `origin`
 * @returns The first URL, as git uses it to fetch, or null
 */
export function findRemoteUrl(text: string, remote: string): string | null {
  return listConfigValues(text, "remote", "url", remote)[0] ?? null;
}

/**
 * Lists the values of a variable in the text of a git configuration file
 * (https://git-scm.com/docs/git-config#_syntax). Included files are not followed.
 *
 * @param text The file's text
 * @param section The section, in lower case
 * @param variable The variable, in lower case
 * @param subsection The subsection, where there is one
 * @returns The values in the file's order; where git wants one, the last counts
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

/**
 * Removes from a remote's URL what must not be recorded: user names, passwords, tokens in the query.
 *
 * @param url As git's configuration has it: a URL, or `user@host:path`
 * @returns The rest, or null for a path of this machine and for forms that are not known here
 */
export function stripCredentials(url: string): string | null {
  if (/^(https?|ssh|git|git\+ssh|ftps?):\/\//i.test(url)) {
    if (!URL.canParse(url)) return null;
    const parsed = new URL(url);
    parsed.username = "";
    parsed.password = "";
    parsed.search = "";
    parsed.hash = "";
    return parsed.href;
  }
  const scpLike = /^(?:[^@/\\:]+@)?([A-Za-z0-9][A-Za-z0-9.-]+):(?!\/\/|:)([^\\@]+)$/.exec(url);
  return scpLike === null ? null : `${scpLike[1]}:${scpLike[2]}`;
}
