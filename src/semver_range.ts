import { type Comparator, parseRange, type SemVerRange } from "./std.ts";

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
