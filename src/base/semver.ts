import config from "../../deno.json" with { type: "json" };
import { type Comparator, parseRange, parseVersion, satisfies, type SemVerRange } from "./std.ts";

/** Longest text that is read as a range: the parser's patterns take time by the square of it. */
export const MAX_RANGE_LENGTH = 256;

/** The bound that holds for every version. */
const EVERY_VERSION: Comparator = { major: NaN, minor: NaN, patch: NaN };

/**
 * Parses a range of semantic versions such as `>=2.8.2 <2.10.0`, so that every range that is parsed
 * can be compared with: the parser lets `<=*` through and then no version can be held against it.
 *
 * @param text The range
 * @returns Alternatives, each of bounds that hold together
 * @throws {TypeError} Where it is no range, or longer than {@linkcode MAX_RANGE_LENGTH}
 */
export function parseSemverRange(text: string): SemVerRange {
  if (text.length > MAX_RANGE_LENGTH) {
    throw new TypeError(`a range has at most ${MAX_RANGE_LENGTH} characters`);
  }
  return parseRange(text).map((bounds) =>
    bounds.map((bound) => Number.isNaN(bound.major) ? EVERY_VERSION : bound)
  );
}

/** This kprov's version. It stands once, in deno.json. */
export const KPROV_VERSION: string = config.version;

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
