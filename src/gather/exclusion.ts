import { compareUtf8 } from "../compare_utf8.ts";
import { compileGlobs } from "../guards/glob/glob.ts";
import { parseGlob } from "../guards/glob/glob_steps.ts";
import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";

/** Tells whether a name found inside a directory input is left out. */
export type IsExcluded = (name: string) => boolean;

/** What is always left out of directory inputs: git's own files, at any depth. */
export const ALWAYS_EXCLUDED: readonly string[] = [".git"];

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
 * The globs that a run over directories records: those given, `.git`, and what kprov itself writes
 * below the root, the output directory above all.
 *
 * @param given As `--exclude` gave them
 * @param ownNames The names below the root of what kprov itself writes
 * @returns Without doubles, sorted by UTF-8 bytes
 */
export function listExclusions(given: readonly string[], ownNames: readonly string[]): string[] {
  const own = ownNames.map((name) => `/${escapeGlob(name)}`);
  return [...new Set([...ALWAYS_EXCLUDED, ...own, ...given])].sort(compareUtf8);
}

function escapeGlob(name: string): string {
  return name.replace(/[\\*?[\]{}()!+@|]/g, "\\$&");
}
