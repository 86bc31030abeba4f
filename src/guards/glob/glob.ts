import { KprovError } from "../../kprov_error.ts";
import { quote } from "../../quote.ts";
import { buildAutomaton, type GlobAlternative } from "./glob_automaton.ts";
import { parseGlob } from "./glob_steps.ts";

// A step costs memory, and time for each character of a path in the worst case.
const MOST_STEPS = 50_000;

/**
 * Compiles the globs of a policy into one test. A glob stands for whole paths from the root, case
 * counts: `*` and `?` match no `/`, nor does `[...]`; `**` between slashes matches any directories
 * or none, at the end everything below; `{a,b}` is either; `\` takes a character as it is.
 *
 * @param globs The globs
 * @param pointer Where they stand in the policy, as a JSON Pointer
 * @returns Tells whether one of them matches a path
 * @throws {KprovError} `policy` on a glob that is malformed or could never match
 */
export function compileGlobs(
  globs: readonly string[],
  pointer?: string,
): (path: string) => boolean {
  const findGlob = compileGlobFinder(globs, pointer);
  return (path) => findGlob(path) !== null;
}

/**
 * Compiles globs as {@linkcode compileGlobs} does, into a search for the glob that matches.
 *
 * @param globs The globs
 * @param pointer Where they stand in the policy, as a JSON Pointer
 * @returns The index of the first glob that matches a path, or null
 * @throws {KprovError} `policy` on a glob that is malformed or could never match
 */
export function compileGlobFinder(
  globs: readonly string[],
  pointer?: string,
): (path: string) => number | null {
  const alternatives: GlobAlternative[] = [];
  let stepCount = 0;
  for (const [i, glob] of globs.entries()) {
    const where = pointer === undefined ? "" : ` at ${pointer}/${i}`;
    for (const steps of parseNamedGlob(glob, where)) {
      stepCount += steps.length + 1;
      if (stepCount > MOST_STEPS) throw refuseGlob(glob, where, "with it, the globs are too many");
      alternatives.push({ glob: i, steps });
    }
  }
  const find = buildAutomaton(alternatives);
  return (path) => {
    const index = find(path);
    return index < 0 ? null : index;
  };
}

function parseNamedGlob(glob: string, where: string): ReturnType<typeof parseGlob> {
  try {
    return parseGlob(glob);
  } catch (error) {
    if (!(error instanceof KprovError)) throw error;
    throw refuseGlob(glob, where, error.message, error);
  }
}

function refuseGlob(glob: string, where: string, reason: string, cause?: unknown): KprovError {
  return new KprovError("policy", `Cannot use glob ${quote(glob)}${where}: ${reason}`, { cause });
}
