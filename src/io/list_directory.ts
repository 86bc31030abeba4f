import { KprovError } from "../base/error.ts";
import { compileGlobs } from "../base/glob.ts";
import { parseGlob } from "../base/glob_syntax.ts";
import { quote } from "../base/quote.ts";
import { compareUtf8 } from "../base/utf8_order.ts";
import { describeNameFault } from "../evidence/check_names.ts";
import { toKprovError } from "./os_error.ts";
import { permissionFlag } from "./permissions.ts";

/** A directory to list. */
interface NamedDirectory {
  /** Relative to the root, in POSIX form; `.` is the root itself. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

/**
 * Lists every file and link below a directory, in no particular order. Links are listed, never
 * followed; empty directories leave no trace.
 *
 * @param directory Where to start
 * @param isExcluded What to leave out, with all it holds
 * @returns Their names, relative to the root
 * @throws {KprovError} `data` on a name that cannot be represented exactly, on anything that is
 * neither file, link nor directory, and on a directory that changes while it is listed; `io` where
 * the system refuses, `permission` where Deno does
 */
export function listDirectory(directory: NamedDirectory, isExcluded: IsExcluded): string[] {
  const files: string[] = [];
  const pending = [directory];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const prefix = next.name === "." ? "" : `${next.name}/`;
    for (const entry of readEntries(next)) {
      const name = prefix + entry.name;
      checkEntryName(entry.name, name);
      if (isExcluded(name)) continue;
      if (entry.isFile || entry.isSymlink) files.push(name);
      else if (entry.isDirectory) pending.push({ name, path: `${next.path}/${entry.name}` });
      else throw refuseKind(name);
    }
  }
  return files;
}

function readEntries(directory: NamedDirectory): Deno.DirEntry[] {
  try {
    const before = Deno.lstatSync(directory.path);
    const entries = [...Deno.readDirSync(directory.path)];
    if (!isSameDirectory(before, Deno.lstatSync(directory.path))) {
      throw refuseDirectory(directory.name, "it changed while it was listed");
    }
    return entries;
  } catch (error) {
    throw toKprovError(error, `Cannot read directory ${quote(directory.name)}`, {
      missing: "data",
      refused: "io",
      flag: permissionFlag("read", directory.path),
    });
  }
}

function isSameDirectory(a: Deno.FileInfo, b: Deno.FileInfo): boolean {
  return a.isDirectory && b.isDirectory && a.dev === b.dev && a.ino === b.ino &&
    a.mtime?.getTime() === b.mtime?.getTime();
}

function checkEntryName(part: string, name: string): void {
  const fault = describeNameFault(part);
  if (fault !== null) {
    throw new KprovError("data", `Cannot record ${quote(name)}: its name ${fault}`);
  }
}

function refuseKind(name: string): KprovError {
  return new KprovError(
    "data",
    `Cannot read input ${quote(name)}: it is neither a file, a link nor a directory`,
    {
      hint: "leave it out with --exclude",
    },
  );
}

function refuseDirectory(name: string, reason: string): KprovError {
  return new KprovError("data", `Cannot read directory ${quote(name)}: ${reason}`);
}

/** Tells whether a name found inside a directory input is left out. */
export type IsExcluded = (name: string) => boolean;

/** What is always left out of directory inputs: git's own files, at any depth. */
const ALWAYS_EXCLUDED: readonly string[] = [".git"];

/** Who gave the globs: the command line, or a run that is read. */
type Origin = "flag" | "run";

/**
 * Compiles `--exclude` globs. A glob without `/` matches the last part of a name at any depth; one
 * with `/` matches the whole name, from the root. What is excluded is excluded with all it holds.
 *
 * @param globs As the provenance records them
 * @param origin Who gave them, for the message
 * @throws {KprovError} `usage` on a glob that does not compile, `data` where a run gave it
 */
export function compileExclusions(globs: readonly string[], origin: Origin = "flag"): IsExcluded {
  const isNameExcluded = compileList(globs.filter((glob) => glob.includes("/")), origin);
  const isLastPartExcluded = compileList(globs.filter((glob) => !glob.includes("/")), origin);
  return (name) =>
    isNameExcluded(name) || isLastPartExcluded(name.slice(name.lastIndexOf("/") + 1));
}

function compileList(globs: readonly string[], origin: Origin): (path: string) => boolean {
  const bodies = globs.map((glob) => glob.replace(/^\//, "").replace(/(?:\/\*\*)?\/?$/, ""));
  let glob = "";
  try {
    for (const [i, body] of bodies.entries()) {
      glob = globs[i] ?? "";
      parseGlob(body);
    }
    return compileGlobs(bodies);
  } catch (cause) {
    if (!(cause instanceof KprovError)) throw cause;
    const what = origin === "flag" ? "--exclude" : "the recorded exclusion";
    throw new KprovError(
      origin === "flag" ? "usage" : "data",
      `Cannot use ${what} ${quote(glob)}: ${cause.message}`,
      { cause },
    );
  }
}

/**
 * The globs that a run records: those that could leave something out of its directories. They are
 * `.git`, the names of what kprov itself writes inside a directory, the output directory above all,
 * and those given, but for one that can only match elsewhere. So evidence does not depend on where
 * it is written to.
 *
 * @param given As `--exclude` gave them
 * @param ownNames The names below the root of what kprov itself writes
 * @param directories The names of the directories that are read; `.` is the root itself
 * @returns Without doubles, sorted by UTF-8 bytes; none where no directory is read
 */
export function listExclusions(
  given: readonly string[],
  ownNames: readonly string[],
  directories: readonly string[],
): string[] {
  if (directories.length === 0) return [];
  const own = ownNames.filter((name) => directories.some((directory) => isIn(name, directory)));
  const possible = given.filter((glob) => directories.some((name) => couldMatchBelow(glob, name)));
  const globs = [...ALWAYS_EXCLUDED, ...own.map((name) => `/${escapeGlob(name)}`), ...possible];
  return [...new Set(globs)].sort(compareUtf8);
}

function isIn(name: string, directory: string): boolean {
  return directory === "." || name.startsWith(`${directory}/`);
}

/** Whether a glob could match a name below a directory; one without `/` could match anywhere. */
function couldMatchBelow(glob: string, directory: string): boolean {
  if (directory === "." || !/\/./.test(glob)) return true;
  const parts = directory.split("/");
  for (const [i, segment] of glob.replace(/^\//, "").split("/").entries()) {
    const part = parts[i];
    // A pattern, or what lies below the directory.
    if (part === undefined || /[\\*?[\]{}()!+@|]/.test(segment)) return true;
    if (segment !== part) return false;
  }
  return false;
}

function escapeGlob(name: string): string {
  return name.replace(/[\\*?[\]{}()!+@|]/g, "\\$&");
}
