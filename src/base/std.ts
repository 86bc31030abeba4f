/**
 * The one door for `@std/*`. The names are mapped in deno.json, to an npm build of the standard
 * library that carries no types; each function gets its written type here, so that no `any` leaves
 * this module, and the same lines hold when the names are mapped to JSR.
 *
 * @module
 */

import { parseArgs as stdParseArgs } from "@std/cli/parse-args";
import { format as stdFormatBytes } from "@std/fmt/bytes";
import { basename as posixBasename } from "@std/path/posix/basename";
import { dirname as posixDirname } from "@std/path/posix/dirname";
import { join as posixJoin } from "@std/path/posix/join";
import { relative as posixRelative } from "@std/path/posix/relative";
import { resolve as posixResolve } from "@std/path/posix/resolve";
import { basename as windowsBasename } from "@std/path/windows/basename";
import { dirname as windowsDirname } from "@std/path/windows/dirname";
import { join as windowsJoin } from "@std/path/windows/join";
import { relative as windowsRelative } from "@std/path/windows/relative";
import { resolve as windowsResolve } from "@std/path/windows/resolve";
import { compare as stdCompareVersions } from "@std/semver/compare";
import { parse as stdParseVersion } from "@std/semver/parse";
import { parseRange as stdParseRange } from "@std/semver/parse-range";
import { satisfies as stdSatisfies } from "@std/semver/satisfies";
import { levenshteinDistance as stdLevenshteinDistance } from "@std/text/levenshtein-distance";
import config from "../../deno.json" with { type: "json" };

/** Options of {@linkcode parseArgs}, as far as kprov uses them. */
interface ParseArgsOptions {
  readonly string?: string[];
  readonly "--": true;
  readonly unknown: (argument: string, key?: string, value?: unknown) => unknown;
}

/** Arguments as `parseArgs` sorts them: positionals under `_`, what follows `--` under `--`. */
type ParsedArgs = Readonly<Record<string, unknown>> & {
  readonly _: readonly (string | number)[];
  readonly "--"?: readonly string[];
};

/** A semantic version (semver.org 2.0.0). */
export interface SemVer {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly prerelease?: (string | number)[];
  readonly build?: string[];
}

/** One bound of a range, such as `>=2.8.2`; no operator means "exactly". */
export interface Comparator extends SemVer {
  readonly operator?: undefined | "=" | "!=" | ">" | ">=" | "<" | "<=";
}

/** A range: alternatives, each of bounds that hold together. */
type SemVerRange = Comparator[][];

/** Splits arguments into flags and positionals. */
export const parseArgs: (args: string[], options: ParseArgsOptions) => ParsedArgs = stdParseArgs;

/** How many characters to insert, drop or replace to make one text of another. */
export const levenshteinDistance: (one: string, other: string) => number = stdLevenshteinDistance;

/** Renders a number of bytes for people: 1337 is `1.34 kB`. */
export const formatBytes: (bytes: number) => string = stdFormatBytes;

/**
 * Whether this is Windows. The library's own choice between its two forms of a path looks at `process`,
 * for which Deno loads a good part of what it has of Node: that takes as long as Deno's start.
 */
// deno-lint-ignore kprov/pure
const IS_WINDOWS = (globalThis as { readonly Deno?: typeof Deno }).Deno?.build.os === "windows";

/** The last part of a path of this system. */
export const basename: (path: string) => string = IS_WINDOWS ? windowsBasename : posixBasename;

/** A path of this system without its last part. */
export const dirname: (path: string) => string = IS_WINDOWS ? windowsDirname : posixDirname;

/** Joins parts to a path of this system. */
export const join: (first: string, ...rest: string[]) => string = IS_WINDOWS
  ? windowsJoin
  : posixJoin;

/** The way from one path to another, on this system. */
export const relative: (from: string, to: string) => string = IS_WINDOWS
  ? windowsRelative
  : posixRelative;

/** Makes a path of this system absolute and normal. */
export const resolve: (...parts: string[]) => string = IS_WINDOWS ? windowsResolve : posixResolve;

/** A path of this system with `/` between the parts. */
export function toPosixPath(path: string): string {
  return IS_WINDOWS ? path.replaceAll("\\", "/") : path;
}

/** Compares two versions in the order of semver.org 2.0.0; build metadata does not count. */
export const compareVersions: (a: SemVer, b: SemVer) => number = stdCompareVersions;

/** Parses a semantic version; throws a TypeError on anything else. */
export const parseVersion: (text: string) => SemVer = stdParseVersion;

/** Parses a range of semantic versions; throws a TypeError on anything else. */
export const parseRange: (text: string) => SemVerRange = stdParseRange;

/** Tells whether a version lies in a range. */
export const satisfies: (version: SemVer, range: SemVerRange) => boolean = stdSatisfies;

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
