/**
 * Version specifiers of Python (PEP 440, now the "Version specifiers" specification of PyPA),
 * translated exactly or refused by name. What semantic versions cannot express is refused: epochs,
 * post-, development and local versions, `===`, and more than three parts.
 *
 * @module
 */
import { MAX_RANGE_LENGTH } from "../../semver_range.ts";
import type { SemVer } from "../../std.ts";
import { showText } from "../text/show_text.ts";
import {
  complement,
  EVERYTHING,
  firstPrereleaseOf,
  intersect,
  type Interval,
  makeRange,
  type RangeResult,
  successorOf,
} from "./version_range.ts";

/** A Python version as a semantic one, and how many parts its release was written with. */
export interface PythonVersion {
  readonly version: SemVer;
  readonly parts: number;
}

/** A Python version that was read, or why it was not. */
export type PythonVersionResult =
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
  if (numbers.length > 3) return refuse(`${showText(text)} has more than three parts`);
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
  const namesPrerelease = (parsed.version.prerelease?.length ?? 0) > 0;
  if (isPrefix && (namesPrerelease || (operator !== "==" && operator !== "!="))) {
    return refuse(`${showText(text)} puts .* where PEP 440 does not allow it`);
  }
  if (operator === "~=" && parsed.parts < 2) {
    return refuse(`${showText(text)} needs two parts behind ~=`);
  }
  const intervals = isPrefix ? toPrefixIntervals(operator, parsed) : toIntervals(operator, parsed);
  return { ok: true, intervals, namesPrerelease };
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
