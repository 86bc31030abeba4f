import { parseSemverRange } from "./semver_range.ts";
import { parseVersion, satisfies } from "./std.ts";

/**
 * The versions of Deno that kprov supports where no policy says otherwise. Before 2.8.2 directory
 * listings leave out names that are not UTF-8, without an error.
 */
export const SUPPORTED_DENO = ">=2.8.2 <2.10.0";

/** The first Deno whose directory listings leave nothing out; no policy can go below it. */
export const FIRST_DENO_WITH_WHOLE_LISTINGS = "2.8.2";

/**
 * Tells whether a Deno version lies in a range.
 *
 * @param version Such as `2.9.6`
 * @param range Such as `>=2.8.2 <2.10.0`
 * @returns False too where either cannot be parsed: nothing is in a range that is none
 */
export function isDenoInRange(version: string, range: string): boolean {
  try {
    return satisfies(parseVersion(version), parseSemverRange(range));
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}
