import { MAX_RANGE_LENGTH } from "../../base/semver.ts";
import { parseVersion, type SemVer } from "../../base/std.ts";
import type { Position } from "../actions/yaml.ts";
import { parsePythonVersion } from "./python_range.ts";
import {
  isEmptyRange,
  isUnboundedRange,
  parseNpmRange,
  type RangeResult,
  type VersionRange,
} from "./version_range.ts";

/** A runtime that a policy can name. */
export type RuntimeName = "deno" | "node" | "python";

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

const FULL_VERSION = /^v?\d+\.\d+\.\d+(?:[-+].*)?$/;
/** CPython's build without the global interpreter lock: `3.13t`. */
const FREE_THREADED = /^(\d+\.\d+(?:\.\d+)?)t$/;

/** Makes the claim of something that can be held to no range. */
export function claimFloating(reason: string): Claim {
  return { kind: "floating", reason };
}

/**
 * Makes the claim of a range that was read; one without any bound, or without any version, says
 * nothing.
 *
 * @param result What a parser of ranges returned
 */
export function claimRange(result: RangeResult): Claim {
  if (!result.ok) return claimFloating(result.reason);
  if (isUnboundedRange(result.range)) return claimFloating("it sets no bound");
  if (isEmptyRange(result.range)) return claimFloating("no version is in it");
  return { kind: "range", range: result.range };
}

/**
 * Reads a version as setup actions, version files and image tags name it: `2.9.6` and `v2.9.6` pin,
 * `20`, `3.12`, `2.8.x` and `>=20` are ranges, and a name such as `lts/*` or `latest` floats.
 *
 * @param runtime Whose version it is; Python writes pre-releases its own way
 * @param text The version
 */
export function claimVersion(runtime: RuntimeName, text: string): Claim {
  const version = runtime === "python" ? text.trim().replace(FREE_THREADED, "$1") : text.trim();
  if (version === "") return claimFloating("it names no version");
  if (version.length > MAX_RANGE_LENGTH) return claimFloating("it is too long for a version");
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
  return python.ok && python.parts === 3 ? python.version : pin(text);
}
