import { compareUtf8 } from "../compare_utf8.ts";
import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import { globToRegExp } from "../std.ts";

/** Tells whether a name found inside a directory input is left out. */
export type IsExcluded = (name: string) => boolean;

/** What is always left out of directory inputs: git's own files, at any depth. */
export const ALWAYS_EXCLUDED: readonly string[] = [".git"];

/**
 * Compiles `--exclude` globs. A glob without `/` matches the last part of a name at any depth; one
 * with `/` matches the whole name, from the root. What is excluded is excluded with all it holds.
 *
 * @param globs As the provenance records them
 * @throws {KprovError} `usage` on a glob that does not compile
 */
export function compileExclusions(globs: readonly string[]): IsExcluded {
  const compiled = globs.map((glob) => ({
    isAnchored: glob.includes("/"),
    pattern: compileGlob(glob),
  }));
  return (name) => {
    const last = name.slice(name.lastIndexOf("/") + 1);
    return compiled.some(({ isAnchored, pattern }) => pattern.test(isAnchored ? name : last));
  };
}

function compileGlob(glob: string): RegExp {
  const body = glob.replace(/^\//, "").replace(/(?:\/\*\*)?\/?$/, "");
  if (body === "") throw refuseGlob(glob, "it is empty");
  try {
    return globToRegExp(body);
  } catch (cause) {
    throw refuseGlob(glob, "it is not a glob", cause);
  }
}

function refuseGlob(glob: string, reason: string, cause?: unknown): KprovError {
  return new KprovError("usage", `Cannot use --exclude ${quote(glob)}: ${reason}`, { cause });
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
