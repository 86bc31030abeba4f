import { MAX_RANGE_LENGTH, parseVersion, type SemVer } from "../../base/std.ts";
import type { Position } from "../actions/yaml.ts";
import {
  contains,
  intersect,
  isEmptyRange,
  isUnboundedRange,
  isVersionInside,
  type Line,
  parseNpmRange,
  parsePep440Range,
  parsePolicySpecifiers,
  parsePythonVersion,
  type RangeResult,
  type VersionRange,
} from "./version_range.ts";

/** A runtime that a policy can name. */
export type RuntimeName = "deno" | "node" | "python";

/** Every runtime that a policy can name. */
export const RUNTIMES: readonly RuntimeName[] = ["deno", "node", "python"];

/** What a declaration says: one version, a range of them, or nothing that can be held to a range. */
export type Claim =
  | { readonly kind: "pinned"; readonly version: SemVer }
  | { readonly kind: "range"; readonly range: VersionRange }
  | {
    readonly kind: "floating";
    /** Why it is neither, such as `it sets no bound`. */
    readonly reason: string;
  };

/** One place at which a repository says which version of a runtime it uses. */
export interface Declaration {
  /** The runtime; null where the declaration may be about any of them. */
  readonly runtime: RuntimeName | null;
  /** What declares it, such as `actions/setup-node` or `engines.node`. */
  readonly source: string;
  readonly path: string | null;
  readonly position: Position | null;
  /** What it declares, unescaped; empty where it declares nothing. */
  readonly text: string;
  readonly claim: Claim;
  /** What else explains it, without a final period, already safe to show. */
  readonly note?: string;
}

/** A place of a TOML or JSON file that declares a runtime. */
export interface DeclaringField {
  readonly runtime: RuntimeName;
  /** The keys that lead to it; in TOML, `*` for any. */
  readonly keys: readonly string[];
  /** Reads one version or range. */
  readonly claim: (text: string) => Claim;
}

const FULL_VERSION = /^v?\d+\.\d+\.\d+(?:[-+].*)?$/;
/** Names that stand for another version after each release. */
const NEWEST =
  /^(?:lts|lts\/(?:\*|-\d+)|latest|newest|stable|current|node|nightly|canary|unstable|rc)$/i;
/** A code name of Node's, as nvm, mise, asdf and image tags write it. */
const CODE_NAME = /^(?:lts[/-])?([a-z]+)$/i;
/** Node's lines of long-term support; a name never moves to another line. */
const NODE_CODE_NAMES: ReadonlyMap<string, number> = new Map([
  ["argon", 4],
  ["boron", 6],
  ["carbon", 8],
  ["dubnium", 10],
  ["erbium", 12],
  ["fermium", 14],
  ["gallium", 16],
  ["hydrogen", 18],
  ["iron", 20],
  ["jod", 22],
  ["krypton", 24],
]);
/** `cpython@3.12`, `python3.12`, `pypy-3.11-v7.3.19`, `graalpy-24.1.0`, `cp312`, `pypy`. */
const PYTHON_NAME =
  /^(cpython|python|pypy|graalpy|graalpython|jython|ironpython|micropython|pyston|stackless|cinder|activepython|mini(?:conda|forge)|anaconda|mambaforge|cp|pp|py)(?:[-@]|(?=[\d<>=!~]|$))(.*)$/i;
/** pyenv-virtualenv's name of an environment, below the version that it is made of: `3.12.1/envs/app`. */
const VIRTUALENV = /^([^/]+)\/envs\/[^/]+$/;
/** uv's full names: `3.12.1-linux-x86_64-gnu`. */
const PLATFORM = /-(?:linux|macos|darwin|windows|freebsd)\b.*$/i;
/** CPython's build without the global interpreter lock: `3.13t`, `3.13.0rc1t`, `3.13+freethreaded`. */
const FREE_THREADED = /^(\d+\.\d+(?:\.\d+(?:(?:a|b|rc)\d+)?)?)(?:t|\+freethreaded)(?=-dev$|$)/i;
const DEVELOPED = /^(\d+\.\d+)-?(?:dev|nightly)$/i;
/** Specifiers of PEP 440, which semantic versions would read otherwise or not at all. */
const SPECIFIERS = /^(?:~=|===?|!=)|^[<>]=?[^,]*,/;

/** Makes the claim of something that can be held to no range. */
export function claimFloating(reason: string): Claim {
  return { kind: "floating", reason };
}

/** Makes the claim of a range that was read; without any bound, or any version, it says nothing. */
export function claimRange(result: RangeResult): Claim {
  if (!result.ok) return claimFloating(result.reason);
  if (isUnboundedRange(result.range)) return claimFloating("it sets no bound");
  if (isEmptyRange(result.range)) return claimFloating("no version is in it");
  return { kind: "range", range: result.range };
}

/**
 * Reads a version as setup actions, version files and image tags name it: `2.9.6` and `v2.9.6` pin,
 * `20`, `3.12`, `2.8.x`, `>=20`, `lts/iron` and `pypy3.11` are ranges, and what stands for whatever is
 * newest, such as `lts/*` and `latest`, floats. Python writes pre-releases its own way.
 */
export function claimVersion(runtime: RuntimeName, text: string): Claim {
  const version = text.trim();
  if (version === "") return claimFloating("it names no version");
  if (version.length > MAX_RANGE_LENGTH) return claimFloating("it is too long for a version");
  if (NEWEST.test(version)) {
    return claimFloating("it means the newest version, not a certain one");
  }
  if (runtime === "python") return claimPython(version);
  return runtime === "node" ? claimNode(version) : claimNumber(runtime, version);
}

function claimNumber(runtime: RuntimeName, version: string): Claim {
  const pinned = runtime === "python" ? pinPython(version) : pin(version);
  if (pinned !== null) return { kind: "pinned", version: pinned };
  const range = parseNpmRange(version);
  return range.ok ? claimRange(range) : claimFloating("it is a name and not a version");
}

function pin(text: string): SemVer | null {
  if (!FULL_VERSION.test(text)) return null;
  try {
    return parseVersion(text);
  } catch {
    return null;
  }
}

function pinPython(text: string): SemVer | null {
  const python = parsePythonVersion(text);
  return python.ok && python.parts >= 3 ? python.version : pin(text);
}

function claimNode(version: string): Claim {
  const name = CODE_NAME.exec(version)?.[1]?.toLowerCase();
  const major = name === undefined ? undefined : NODE_CODE_NAMES.get(name);
  if (major !== undefined) return claimNumber("node", `${major}`);
  return /^lts[/-]/i.test(version)
    ? claimFloating("it is the code name of a line of releases that is not known here")
    : claimNumber("node", version);
}

function claimPython(version: string): Claim {
  const { implementation, number } = splitPythonName(version.replace(VIRTUALENV, "$1"));
  switch (implementation) {
    case "":
    case "cpython":
    case "python":
    case "cp":
    case "py":
      return claimCpython(number);
    case "pypy":
    case "pp":
      return claimPypy(number);
    default:
      return claimFloating("it counts the versions of another implementation than CPython");
  }
}

/** `cpython@3.12` is `3.12` of CPython; what is no known name stays whole. */
function splitPythonName(
  text: string,
): { readonly implementation: string; readonly number: string } {
  const [match, name = "", number = ""] = PYTHON_NAME.exec(text) ?? [];
  if (match === undefined) return { implementation: "", number: splitDigits(text) };
  return { implementation: name.toLowerCase(), number: splitDigits(number) };
}

/** uv, Hatch, tox and the tags of wheels leave the point out: `312`, `cp312`, `313t`. */
function splitDigits(text: string): string {
  return text.replace(/^([23])(\d{1,2})(?=t?$)/, "$1.$2");
}

function claimCpython(text: string): Claim {
  if (SPECIFIERS.test(text)) return claimRange(parsePep440Range(text));
  const number = text.replace(PLATFORM, "").replace(FREE_THREADED, "$1");
  const [, line] = DEVELOPED.exec(number) ?? [];
  return line === undefined
    ? claimNumber("python", number)
    : claimFloating(`it is the development version of ${line}`);
}

/** `pypy3.11-7.3.19` is Python 3.11, as PyPy 7.3.19 implements it. */
function claimPypy(text: string): Claim {
  const [, line] = /^([23](?:\.\d+)?)(?:\.\d+)?(?:-.*)?$/.exec(text) ?? [];
  return line === undefined
    ? claimFloating("it does not say which version of Python PyPy is to implement")
    : claimNumber("python", line);
}

/**
 * Reads a range of the policy, such as `>=3.11,<3.13`: PEP 440 for Python, with commas or with spaces
 * between the specifiers, and semantic versions as npm writes them for the others.
 */
export function parsePolicyRange(runtime: RuntimeName, text: string): RangeResult {
  return runtime === "python" ? parsePolicySpecifiers(text) : parseNpmRange(text);
}

/**
 * Tells whether a version that a runtime told, such as `3.13.0rc1`, lies in the policy's range. Where
 * either cannot be read it does not: nothing is in a range that is none.
 */
export function isInPolicyRange(runtime: RuntimeName, version: string, range: string): boolean {
  const claim = claimVersion(runtime, version);
  const parsed = parsePolicyRange(runtime, range);
  return claim.kind === "pinned" && parsed.ok && isVersionInside(claim.version, parsed.range);
}

/** Whether a declared version is surely of a line, and in a range. */
export function coversLine(claim: Claim, { interval }: Line, range: VersionRange): boolean {
  const releases = intersect(range.releases, [interval]);
  switch (claim.kind) {
    case "pinned": {
      const { version } = claim;
      const next = { ...version, patch: version.patch + 1 };
      const isRelease = (version.prerelease?.length ?? 0) === 0;
      return isRelease && intersect(releases, [{ from: version, to: next }]).length > 0;
    }
    case "range": {
      const [inner, ...more] = claim.range.releases;
      return inner !== undefined && more.length === 0 && contains([interval], inner) &&
        intersect([inner], releases).length > 0;
    }
    case "floating":
      return false;
  }
}
