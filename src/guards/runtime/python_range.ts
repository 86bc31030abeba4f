/**
 * Version specifiers of Python (PEP 440, now the "Version specifiers" specification of PyPA),
 * translated exactly or refused by name. What semantic versions cannot express is refused: epochs,
 * post-, development and local versions, `===`, and more than three parts but for zeros.
 *
 * @module
 */

import { showText } from "../../base/quote.ts";
import { MAX_RANGE_LENGTH } from "../../base/semver.ts";
import type { SemVer } from "../../base/std.ts";
import {
  complement,
  EVERYTHING,
  firstPrereleaseOf,
  intersect,
  type Interval,
  makeRange,
  parseNpmRange,
  type RangeResult,
  successorOf,
} from "./version_range.ts";

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

/**
 * Reads a Python version: `3.12`, `3.12.1`, `3.13.0rc1`.
 *
 * @param text The version
 * @returns The version with missing parts as zero, or why it is not read
 */
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
 *
 * @param text The specifiers, with commas between them
 * @returns The versions that all of them allow, or why they are not read
 */
export function parsePep440Range(text: string): RangeResult {
  if (text.length > MAX_RANGE_LENGTH) return refuse("it is too long for a range");
  const parts = text.split(",").map((part) => part.trim()).filter((part) => part !== "");
  return parseSpecifiers(parts);
}

/**
 * Reads the specifiers of a policy, which may stand behind spaces as well: `>=3.11 <3.13`.
 *
 * @param text The specifiers, with commas or white space between them
 * @returns The versions that all of them allow, or why they are not read
 */
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
  const intervals = isPrefix ? toPrefixIntervals(operator, parsed) : toIntervals(operator, parsed);
  // What a specifier leaves out says nothing for pre-releases.
  return { ok: true, intervals, namesPrerelease: isPrerelease && operator !== "!=" };
}

function toPrefixIntervals(operator: string, { version, parts }: PythonVersion): Interval[] {
  const line = lineOf(version, parts);
  return operator === "==" ? [line] : complement(line);
}

/** All versions that start with the first parts of a version, its pre-releases included. */
function lineOf(version: SemVer, parts: number): Interval {
  const { major, minor, patch } = version;
  const next = parts === 1
    ? { major: major + 1, minor: 0, patch: 0 }
    : parts === 2
    ? { major, minor: minor + 1, patch: 0 }
    : { major, minor, patch: patch + 1 };
  const first = {
    major,
    minor: parts > 1 ? minor : 0,
    patch: parts > 2 ? patch : 0,
  };
  return { from: firstPrereleaseOf(first), to: firstPrereleaseOf(next) };
}

function toIntervals(operator: string, { version, parts }: PythonVersion): Interval[] {
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

const NPM_STYLE = /^(?:\^|~(?!=))\s*\d+(?:\.\d+){0,2}$/;
const BARE_VERSION = /^v?\d/;
/** Constraints that hold together stand behind a comma, or behind a space before an operator. */
const SEPARATOR = /,|\s+(?=[<>=!~^])/;

/**
 * Reads a constraint of Poetry: PEP 440 specifiers, and besides them `^3.11`, `~3.11`, `3.11.*`, a
 * bare version, which means exactly that one, `*`, and alternatives between `||` or `|`.
 *
 * @param text The constraint
 * @returns The versions that it allows, or why it is not read
 */
export function parsePoetryRange(text: string): RangeResult {
  if (text.length > MAX_RANGE_LENGTH) return { ok: false, reason: "it is too long for a range" };
  const releases = [];
  const prereleases = [];
  for (const alternative of text.split(/\|\|?/)) {
    const result = parseAlternative(alternative.trim());
    if (!result.ok) return result;
    releases.push(...result.range.releases);
    prereleases.push(...result.range.prereleases);
  }
  return { ok: true, range: makeRange(releases, prereleases) };
}

function parseAlternative(text: string): RangeResult {
  if (text === "*") return parsePep440Range("");
  if (text === "") return { ok: false, reason: "it has an alternative with nothing in it" };
  const specifiers = text.split(SEPARATOR).map((part) => translateConstraint(part.trim()));
  return parsePep440Range(specifiers.join(","));
}

/** Writes what Poetry adds to PEP 440 in PEP 440's own terms; the rest stays as it is. */
function translateConstraint(text: string): string {
  if (NPM_STYLE.test(text)) return translateNpmStyle(text);
  return BARE_VERSION.test(text) ? `==${text}` : text;
}

/** `^` and `~` mean the same to Poetry as to npm; both give one interval between releases. */
function translateNpmStyle(text: string): string {
  const result = parseNpmRange(text);
  const interval = result.ok ? result.range.releases[0] : undefined;
  if (interval === undefined) return text;
  const { from, to } = interval;
  const lower = `>=${from.major}.${from.minor}.${from.patch}`;
  return to === null ? lower : `${lower},<${to.major}.${to.minor}.${to.patch}`;
}
