import { parsePep440Range } from "./pep440_range.ts";
import { MAX_RANGE_LENGTH } from "../../semver_range.ts";
import { makeRange, parseNpmRange, type RangeResult } from "./version_range.ts";

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
