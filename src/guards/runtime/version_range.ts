/**
 * Sets of versions as unions of intervals, so that "range inside range" is decided for all versions
 * and not for samples; npm's ranges and Python's specifiers as such sets.
 *
 * Whether a pre-release belongs to a range is a rule of its own (npm's ranges take it only where
 * they name one of the same version, PEP 440 only where a specifier names any). A set therefore
 * holds its releases and its pre-releases apart, and each half is exact.
 *
 * The specifiers of Python (PEP 440, now the "Version specifiers" specification of PyPA) are
 * translated exactly or refused by name. What semantic versions cannot express is refused: epochs,
 * post-, development and local versions, `===`, and more than three parts but for zeros.
 *
 * @module
 */

import { showText } from "../../base/quote.ts";
import {
  type Comparator,
  compareVersions,
  MAX_RANGE_LENGTH,
  parseSemverRange,
  type SemVer,
} from "../../base/std.ts";

/** All versions `from <= version < to` in the order of semver.org 2.0.0; no `to`: without an end. */
export interface Interval {
  readonly from: SemVer;
  readonly to: SemVer | null;
}

/** A set of versions. Both halves are sorted, apart from each other, and none is empty. */
export interface VersionRange {
  /** The releases in it, between bounds that are releases. */
  readonly releases: readonly Interval[];
  /** The pre-releases in it, between bounds that are pre-releases. */
  readonly prereleases: readonly Interval[];
}

/** A range that was read, or why it was not. */
export type RangeResult =
  | { readonly ok: true; readonly range: VersionRange }
  | { readonly ok: false; readonly reason: string };

/** The first of all versions. */
const FIRST: SemVer = { major: 0, minor: 0, patch: 0, prerelease: [0] };

/** All versions. */
const EVERYTHING: readonly Interval[] = [{ from: FIRST, to: null }];

/** The first pre-release of a release, which is where the release before it ends. */
function firstPrereleaseOf(version: SemVer): SemVer {
  return { ...toRelease(version), prerelease: [0] };
}

/** The next version in the order: behind a release there is room before the next patch's first. */
function successorOf(version: SemVer): SemVer {
  const prerelease = version.prerelease ?? [];
  if (prerelease.length > 0) return { ...toRelease(version), prerelease: [...prerelease, 0] };
  return firstPrereleaseOf(nextPatch(version));
}

function toRelease({ major, minor, patch }: SemVer): SemVer {
  return { major, minor, patch };
}

function nextPatch({ major, minor, patch }: SemVer): SemVer {
  return { major, minor, patch: patch + 1 };
}

function isPrerelease(version: SemVer): boolean {
  return (version.prerelease?.length ?? 0) > 0;
}

function earlier(a: SemVer | null, b: SemVer | null): SemVer | null {
  if (a === null || b === null) return a ?? b;
  return compareVersions(a, b) <= 0 ? a : b;
}

function isEmpty({ from, to }: Interval): boolean {
  return to !== null && compareVersions(from, to) >= 0;
}

/** The versions that are in both. */
export function intersect(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  return a.flatMap((x) =>
    b.map((y) => ({
      from: compareVersions(x.from, y.from) >= 0 ? x.from : y.from,
      to: earlier(x.to, y.to),
    })).filter((interval) => !isEmpty(interval))
  );
}

/** The versions outside one interval. */
function complement({ from, to }: Interval): Interval[] {
  const sides = [{ from: FIRST, to: from }];
  return (to === null ? sides : [...sides, { from: to, to: null }])
    .filter((interval) => !isEmpty(interval));
}

/** The same versions in intervals that are sorted and do not touch. */
function joinIntervals(intervals: readonly Interval[]): Interval[] {
  const joined: Interval[] = [];
  for (const next of intervals.toSorted((a, b) => compareVersions(a.from, b.from))) {
    const last = joined.at(-1);
    if (last === undefined || (last.to !== null && compareVersions(last.to, next.from) < 0)) {
      joined.push(next);
    } else if (last.to !== null && (next.to === null || compareVersions(last.to, next.to) < 0)) {
      joined[joined.length - 1] = { from: last.from, to: next.to };
    }
  }
  return joined;
}

/** Moves the bounds to where `move` puts them, which leaves the half's own versions as they are. */
function moveBounds(intervals: readonly Interval[], move: (bound: SemVer) => SemVer): Interval[] {
  const moved = intervals.map(({ from, to }) => ({ from: move(from), to: to && move(to) }));
  return joinIntervals(moved.filter((interval) => !isEmpty(interval)));
}

/** Makes a range from intervals for each of its two halves. The bounds may be of either kind. */
export function makeRange(
  releases: readonly Interval[],
  prereleases: readonly Interval[],
): VersionRange {
  return {
    releases: moveBounds(releases, toRelease),
    prereleases: moveBounds(
      prereleases,
      (bound) => isPrerelease(bound) ? bound : successorOf(bound),
    ),
  };
}

/** Whether no version is in the range. */
export function isEmptyRange(range: VersionRange): boolean {
  return range.releases.length === 0 && range.prereleases.length === 0;
}

/** Whether the range has neither a first nor a last release: it says nothing. */
export function isUnboundedRange(range: VersionRange): boolean {
  return range.releases.some(({ from, to }) =>
    to === null && compareVersions(from, toRelease(FIRST)) === 0
  );
}

/** Whether a union of intervals holds all of another one. */
export function contains(outer: readonly Interval[], inner: Interval): boolean {
  return outer.some(({ from, to }) =>
    compareVersions(from, inner.from) <= 0 &&
    (to === null || (inner.to !== null && compareVersions(inner.to, to) <= 0))
  );
}

/** Whether every version of one range is in another. */
export function isRangeInside(inner: VersionRange, outer: VersionRange): boolean {
  return inner.releases.every((interval) => contains(outer.releases, interval)) &&
    inner.prereleases.every((interval) => contains(outer.prereleases, interval));
}

/** Whether a version is in a range; build metadata does not count. */
export function isVersionInside(version: SemVer, range: VersionRange): boolean {
  const half = isPrerelease(version) ? range.prereleases : range.releases;
  return half.some(({ from, to }) =>
    compareVersions(from, version) <= 0 && (to === null || compareVersions(version, to) < 0)
  );
}

/** A line of releases: a minor version of Deno or Python, a major version of Node. */
export interface Line {
  readonly name: string;
  readonly interval: Interval;
}

/** The lines in a range, or why they cannot be listed. */
export type LinesResult =
  | { readonly ok: true; readonly lines: readonly Line[] }
  | { readonly ok: false; readonly reason: string };

/** Most lines that a range may have. */
const MAX_LINES = 100;

/**
 * Lists the lines of which a range has a release. A range without an upper bound, or one of minor
 * versions that ends in a later major version, has no last one: what there will be, nobody knows.
 */
export function listLines(range: VersionRange, part: "major" | "minor"): LinesResult {
  const lines = new Map<string, Line>();
  for (const { from, to } of range.releases) {
    if (to === null) return refuse("it has no upper bound");
    const isMajor = part === "major";
    if (!isMajor && to.major !== from.major) {
      return refuse(`the last minor version is not known of ${from.major}`);
    }
    const isOpen = to.patch > 0 || (isMajor && to.minor > 0);
    const [first, end] = isMajor ? [from.major, to.major] : [from.minor, to.minor];
    const last = isOpen ? end : end - 1;
    if (last - first >= MAX_LINES) return refuse("it has too many of them");
    for (let number = first; number <= last; number++) {
      const line = makeLine(isMajor ? null : from.major, number);
      lines.set(line.name, line);
    }
  }
  return lines.size > 0 ? { ok: true, lines: [...lines.values()] } : refuse("it holds no release");
}

function makeLine(major: number | null, number: number): Line {
  const at = (n: number): SemVer =>
    major === null ? { major: n, minor: 0, patch: 0 } : { major, minor: n, patch: 0 };
  const name = major === null ? `${number}` : `${major}.${number}`;
  return { name, interval: { from: at(number), to: at(number + 1) } };
}

/**
 * Reads a range as npm writes it, which is also how policies write theirs: `>=2.8.2 <2.10.0`,
 * `^20.1`, `20.x || 22`, `1 - 2`, `*`.
 */
export function parseNpmRange(text: string): RangeResult {
  if (text.length > MAX_RANGE_LENGTH) return { ok: false, reason: "it is too long for a range" };
  try {
    const alternatives = parseSemverRange(text.trim());
    if (!alternatives.flat().every(hasSafeNumbers)) {
      return { ok: false, reason: "it holds a number that is too large for a version" };
    }
    const halves = alternatives.map(toHalves);
    return {
      ok: true,
      range: makeRange(
        halves.flatMap((half) => half.releases),
        halves.flatMap((half) => half.prereleases),
      ),
    };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { ok: false, reason: "it is not a range of versions" };
  }
}

/** Wildcards come as NaN; a number that is not exact would make two versions one. */
function hasSafeNumbers({ major, minor, patch }: Comparator): boolean {
  return [major, minor, patch].every((part) =>
    Number.isNaN(part) || part < Number.MAX_SAFE_INTEGER
  );
}

/** npm's rule: a pre-release counts where a comparator names one of the same major.minor.patch. */
function toHalves(comparators: readonly Comparator[]): VersionRange {
  const releases = comparators.map(toIntervals).reduce(intersect, [...EVERYTHING]);
  const named = comparators.filter(isPrerelease)
    .map((version) => ({ from: firstPrereleaseOf(version), to: toRelease(version) }));
  return { releases, prereleases: intersect(releases, named) };
}

function toIntervals(comparator: Comparator): Interval[] {
  if (Number.isNaN(comparator.major)) return [...EVERYTHING];
  const { operator, major, minor, patch, prerelease = [] } = comparator;
  const version: SemVer = { major, minor, patch, prerelease };
  const exactly = { from: version, to: successorOf(version) };
  switch (operator) {
    case ">":
      return [{ from: successorOf(version), to: null }];
    case ">=":
      return [{ from: version, to: null }];
    case "<":
      return complement({ from: version, to: null });
    case "<=":
      return complement({ from: successorOf(version), to: null });
    case "!=":
      return complement(exactly);
    default:
      return [exactly];
  }
}

/** A Python version as a semantic one, and how many parts its release was written with. */
interface PythonVersion {
  readonly version: SemVer;
  readonly parts: number;
}

/** A Python version that was read, or why it was not. */
type PythonVersionResult =
  | ({ readonly ok: true } & PythonVersion)
  | { readonly ok: false; readonly reason: string };

type Refusal = { readonly ok: false; readonly reason: string };

/** One specifier: the versions it allows, and whether it names a pre-release. */
interface Specifier {
  readonly ok: true;
  readonly intervals: readonly Interval[];
  readonly namesPrerelease: boolean;
}

const SPECIFIER = /^(~=|===|==|!=|<=|>=|<|>)\s*(\S.*)$/;
const VERSION = /^v?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|beta|preview|pre|rc|a|b|c)[-_.]?(\d*))?$/i;
const PRERELEASE_NAMES: Readonly<Record<string, string>> = {
  a: "alpha",
  alpha: "alpha",
  b: "beta",
  beta: "beta",
  c: "rc",
  rc: "rc",
  pre: "rc",
  preview: "rc",
};
const UNSUPPORTED: readonly (readonly [RegExp, string])[] = [
  [/!/, "an epoch"],
  [/\+/, "a local version"],
  [/dev/i, "a development version"],
  [/post|rev|r\d|-\d/i, "a post-release"],
];

function refuse(reason: string): Refusal {
  return { ok: false, reason };
}

/** Reads a Python version, `3.12`, `3.12.1` or `3.13.0rc1`; missing parts count as zero. */
export function parsePythonVersion(text: string): PythonVersionResult {
  const [match, release = "", name, number] = VERSION.exec(text) ?? [];
  if (match === undefined) return refuse(describeUnsupported(text));
  const numbers = release.split(".").map(Number);
  // Zeros behind the third part change nothing.
  if (numbers.slice(3).some((part) => part !== 0)) {
    return refuse(`${showText(text)} has more than three parts`);
  }
  if (!numbers.every((part) => part < Number.MAX_SAFE_INTEGER)) {
    return refuse(`${showText(text)} holds a number that is too large`);
  }
  const [major = 0, minor = 0, patch = 0] = numbers;
  const label = name === undefined ? undefined : PRERELEASE_NAMES[name.toLowerCase()];
  const prerelease = label === undefined ? [] : [label, Number(number)];
  return { ok: true, version: { major, minor, patch, prerelease }, parts: numbers.length };
}

function describeUnsupported(text: string): string {
  const [, name] = UNSUPPORTED.find(([pattern]) => pattern.test(text)) ?? [];
  return name === undefined
    ? `${showText(text)} is not a version of Python`
    : `${showText(text)} is ${name}, which a policy's range cannot express`;
}

/**
 * Reads specifiers such as `>=3.11,<3.13`. Pre-releases are in the range only where a specifier
 * names one, as PEP 440 has it.
 */
export function parsePep440Range(text: string): RangeResult {
  if (text.length > MAX_RANGE_LENGTH) return refuse("it is too long for a range");
  const parts = text.split(",").map((part) => part.trim()).filter((part) => part !== "");
  return parseSpecifiers(parts);
}

/** Reads the specifiers of a policy, which may stand behind spaces as well: `>=3.11 <3.13`. */
export function parsePolicySpecifiers(text: string): RangeResult {
  return parsePep440Range(text.trim().replace(/(?<![<>=!~])\s+(?=[<>=!~])/g, ","));
}

function parseSpecifiers(parts: readonly string[]): RangeResult {
  let intervals = EVERYTHING;
  let namesPrerelease = false;
  for (const part of parts) {
    const specifier = parseSpecifier(part);
    if (!specifier.ok) return specifier;
    intervals = intersect(intervals, specifier.intervals);
    namesPrerelease ||= specifier.namesPrerelease;
  }
  return { ok: true, range: makeRange(intervals, namesPrerelease ? intervals : []) };
}

function parseSpecifier(text: string): Specifier | Refusal {
  const [match, operator = "", operand = ""] = SPECIFIER.exec(text) ?? [];
  if (match === undefined) return refuse(`${showText(text)} has no comparison such as >= or ==`);
  if (operator === "===") {
    return refuse(`${showText(text)} compares text, which a policy's range cannot express`);
  }
  const isPrefix = operand.endsWith(".*");
  const parsed = parsePythonVersion(isPrefix ? operand.slice(0, -2) : operand);
  if (!parsed.ok) return parsed;
  const isPrerelease = (parsed.version.prerelease?.length ?? 0) > 0;
  if (isPrefix && (isPrerelease || (operator !== "==" && operator !== "!="))) {
    return refuse(`${showText(text)} puts .* where PEP 440 does not allow it`);
  }
  if (operator === "~=" && parsed.parts < 2) {
    return refuse(`${showText(text)} needs two parts behind ~=`);
  }
  const intervals = isPrefix
    ? toPrefixIntervals(operator, parsed)
    : intervalsOfSpecifier(operator, parsed);
  // What a specifier leaves out says nothing for pre-releases.
  return { ok: true, intervals, namesPrerelease: isPrerelease && operator !== "!=" };
}

function toPrefixIntervals(operator: string, { version, parts }: PythonVersion): Interval[] {
  const line = lineOf(version, parts);
  return operator === "==" ? [line] : complement(line);
}

/** All versions from a version on that start with its first parts, its pre-releases included. */
function lineOf(version: SemVer, parts: number): Interval {
  const { major, minor, patch } = version;
  const next = parts === 1
    ? { major: major + 1, minor: 0, patch: 0 }
    : parts === 2
    ? { major, minor: minor + 1, patch: 0 }
    : { major, minor, patch: patch + 1 };
  return { from: firstPrereleaseOf(version), to: firstPrereleaseOf(next) };
}

function intervalsOfSpecifier(operator: string, { version, parts }: PythonVersion): Interval[] {
  const exactly = { from: version, to: successorOf(version) };
  const upwards = { from: version, to: null };
  switch (operator) {
    case "==":
      return [exactly];
    case "!=":
      return complement(exactly);
    case ">=":
      return [upwards];
    case ">":
      return [{ from: successorOf(version), to: null }];
    case "<=":
      return complement({ from: successorOf(version), to: null });
    case "<":
      return complement({ from: lowerEdgeOf(version), to: null });
    default:
      return intersect([upwards], [lineOf(version, parts - 1)]);
  }
}

/** PEP 440: `<3.13` leaves out the pre-releases of 3.13 itself. */
function lowerEdgeOf(version: SemVer): SemVer {
  return (version.prerelease?.length ?? 0) > 0 ? version : firstPrereleaseOf(version);
}
