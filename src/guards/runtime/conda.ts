/**
 * Conda's specs of packages and their versions, as environment.yml, pixi.toml and `conda install` have
 * them.
 *
 * @module
 */

import { MAX_RANGE_LENGTH } from "../../base/semver.ts";
import { getYamlValue, type YamlNode } from "../actions/yaml.ts";
import {
  type Claim,
  claimFloating,
  claimRange,
  type Declaration,
  type RuntimeName,
} from "./declaration.ts";
import { parsePep440Range } from "./python_range.ts";
import { type Interval, makeRange, type RangeResult } from "./version_range.ts";

/** What a spec says of a runtime. */
interface SpecClaim {
  readonly runtime: RuntimeName;
  /** The version as it is written; empty where there is none. */
  readonly text: string;
  readonly claim: Claim;
}

/** The runtimes by the names of their packages. */
export const CONDA_PACKAGES: ReadonlyMap<string, RuntimeName> = new Map([
  ["python", "python"],
  ["nodejs", "node"],
  ["deno", "deno"],
]);

/** `conda-forge::python >=3.11,<3.13`, `python=3.11=h1234_0`, `python[version='3.11']`. */
const SPEC = /^(?:[^\s:]+::)?([a-z][\w.-]*?)(?:\s*([=<>!~\[].*)|\s+(\S.*))?$/i;

/**
 * Reads the spec of a package.
 *
 * @param spec Such as `python=3.11`
 * @returns Null where it is none of a runtime
 */
export function claimCondaSpec(spec: string): SpecClaim | null {
  if (spec.length > MAX_RANGE_LENGTH) return null;
  const [, name = "", compared, plain] = SPEC.exec(spec.trim()) ?? [];
  const runtime = CONDA_PACKAGES.get(name.toLowerCase());
  if (runtime === undefined) return null;
  const [, bracketed] = /^\[.*\bversion=["']?([^"'\]]*)/.exec(compared ?? "") ?? [];
  // Behind the version may stand a build, behind `=` or a space.
  const version = bracketed ??
    (compared ?? plain ?? "").replace(/^(=?[^=<>!~\s]+)[=\s].*$/, "$1").trim();
  return { runtime, text: version, claim: claimCondaVersion(version) };
}

/**
 * Reads the version of a spec: `3.11.*` and `=3.11` are lines, a bare `3.11` is exactly 3.11.0, and
 * `|` stands between alternatives.
 *
 * @param text The version
 */
export function claimCondaVersion(text: string): Claim {
  if (text.trim() === "") return claimFloating("it names no version");
  if (text.length > MAX_RANGE_LENGTH) return claimFloating("it is too long for a version");
  return claimRange(parseAlternatives(text.split("|")));
}

function parseAlternatives(alternatives: readonly string[]): RangeResult {
  const releases: Interval[] = [];
  for (const alternative of alternatives) {
    const result = parsePep440Range(alternative.split(",").map(translate).join(","));
    if (!result.ok) return result;
    releases.push(...result.range.releases);
  }
  // `<3.13.0a0` is how conda writes "before 3.13", and does not ask for pre-releases.
  return { ok: true, range: makeRange(releases, []) };
}

/** Writes one comparison in PEP 440's terms. */
function translate(text: string): string {
  const part = text.trim();
  if (part === "" || part === "*") return "";
  const [, fuzzy] = /^=([^=].*)$/.exec(part) ?? [];
  if (fuzzy !== undefined) return `==${fuzzy.replace(/(?:\.?\*)?$/, ".*")}`;
  if (/^[v\d]/.test(part)) return `==${part.replace(/\.?\*$/, ".*")}`;
  return part.replace(/^(>=|<=|>|<)(.*?)\.?\*$/, "$1$2");
}

/**
 * Reads the dependencies of an environment.yml.
 *
 * @param path The file's path
 * @param root Its content
 */
export function readCondaEnvironment(path: string, root: YamlNode): Declaration[] {
  const dependencies = getYamlValue(root, "dependencies");
  return (dependencies?.kind === "seq" ? dependencies.items : []).flatMap((item) => {
    const spec = item.kind === "scalar" ? claimCondaSpec(item.source) : null;
    return spec === null
      ? []
      : [{ ...spec, source: "dependencies", path, position: item.position }];
  });
}
