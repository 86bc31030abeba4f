import { globToRegExp } from "../std.ts";

/**
 * Compiles globs over `/`-separated paths.
 *
 * @param globs Such as `docs/**`
 * @returns Whether a path is matched by one of them
 */
export function compileGlobs(globs: readonly string[]): (path: string) => boolean {
  const expressions = globs.map((glob) => globToRegExp(glob));
  return (path) => expressions.some((expression) => expression.test(path));
}
