import { type Finding, type FindingDetails, makeFinding } from "../../base/finding.ts";
import { findJsonValue } from "../../base/json_value.ts";
import { quote } from "../../base/quote.ts";
import { decodeText, placeInText } from "../../base/text.ts";
import type { RepositoryFacts, TrackedEntry } from "../guard.ts";
import type { Surface } from "../policy.ts";

/**
 * Checks that each surface holds what it must.
 *
 * @param surfaces As the policy lists them
 * @param facts Of the repository, with the surfaces' files whole
 * @param tracked What git tracks
 */
export function checkSurfaces(
  surfaces: readonly Surface[],
  facts: RepositoryFacts,
  tracked: readonly TrackedEntry[],
): Finding[] {
  const wanted = new Set(surfaces.map(({ path }) => path));
  const present = new Set(tracked.map(({ path }) => path).filter((path) => wanted.has(path)));
  return surfaces.flatMap((surface) => {
    if (!present.has(surface.path)) {
      return [missing(surface, `${quote(surface.path)} is not tracked by git`)];
    }
    const content = facts.contents.get(surface.path);
    const decoded = content?.ok === true
      ? decodeText(content.bytes)
      : content ?? { ok: false, reason: "its content was not read" };
    if (!decoded.ok) {
      return [missing(surface, `Cannot read ${quote(surface.path)}: ${decoded.reason}`)];
    }
    return "pointer" in surface
      ? checkPointer(surface, decoded.text)
      : checkContains(surface, decoded.text);
  });
}

function checkPointer(surface: Extract<Surface, { pointer: string }>, text: string): Finding[] {
  const { path, pointer, equals } = surface;
  const value = findJsonValue(text, pointer);
  if (!value.ok) {
    const place = value.index === null ? {} : placeInText(text, value.index);
    return [missing(surface, `Cannot find ${quote(pointer)}: ${value.reason}`, place)];
  }
  if (value.text === equals) return [];
  const found = value.text === null ? shorten(value.source) : quote(value.text);
  return [makeFinding(
    "identity.surface_mismatch",
    `${quote(pointer)} must be ${quote(equals)}, but is ${found}`,
    { path, ...placeInText(text, value.index), hint: `set it to ${quote(equals)}` },
  )];
}

function checkContains(surface: Extract<Surface, { contains: string }>, text: string): Finding[] {
  const { path, contains } = surface;
  const search = findWholeToken(text, contains);
  if (search.found === "whole") return [];
  const hint = `Write ${quote(contains)} in it, with nothing of a name before or behind`;
  if (search.found === "nowhere") {
    return [makeFinding(
      "identity.surface_mismatch",
      `${quote(path)} must contain ${quote(contains)}, but does not`,
      { path, hint },
    )];
  }
  return [makeFinding(
    "identity.surface_mismatch",
    `${quote(path)} must contain ${quote(contains)}, but has only ${quote(search.longer)}`,
    { path, ...placeInText(text, search.index), hint },
  )];
}

function missing(surface: Surface, message: string, place: FindingDetails = {}): Finding {
  const held = "pointer" in surface
    ? `${quote(surface.equals)} at ${quote(surface.pointer)}`
    : quote(surface.contains);
  const hint = `the policy expects ${held} there`;
  return makeFinding("identity.surface_missing", message, { path: surface.path, hint, ...place });
}

/** Source text of a value that is no string, on one line and not without end. */
function shorten(source: string): string {
  const shown = source.length > 60 ? `${source.slice(0, 60)}…` : source;
  return /^[-\w.+]*$/.test(shown) ? shown : quote(shown);
}

/** Where a text was looked for as a whole token. */
type TokenSearch =
  | { readonly found: "whole" }
  /** Only as a part of something longer, which starts there. */
  | { readonly found: "part"; readonly index: number; readonly longer: string }
  | { readonly found: "nowhere" };

const NAME_CHARACTER = /[\p{L}\p{M}\p{N}_-]/u;
const NAME_BEFORE = /[\p{L}\p{M}\p{N}_-]$/u;
// More of a name, or of a path: `-x`, `.git`, `/x`, `%2e`.
const NAME_BEHIND = /^(?:[\p{L}\p{M}\p{N}_-]|\.[\p{L}\p{N}]|\/[\p{L}\p{N}_.~-]|%[0-9a-f]{2})/iu;
const LONGEST_SHOWN = 200;

/**
 * Looks for a text that stands as a whole: not inside a longer name, and not followed by more of
 * a name or path.
 *
 * @param content Where
 * @param token What
 */
function findWholeToken(content: string, token: string): TokenSearch {
  let part: TokenSearch = { found: "nowhere" };
  const startsWithName = startsName(token);
  const endsWithName = endsName(token);
  for (
    let index = content.indexOf(token);
    index !== -1;
    index = content.indexOf(token, index + 1)
  ) {
    const before = content.slice(Math.max(0, index - 2), index);
    const behind = content.slice(index + token.length, index + token.length + 4);
    const isCut = startsWithName && NAME_BEFORE.test(before) ||
      endsWithName && NAME_BEHIND.test(behind);
    if (!isCut) return { found: "whole" };
    if (part.found === "nowhere") part = { found: "part", ...widen(content, index, token.length) };
  }
  return part;
}

function startsName(token: string): boolean {
  return NAME_CHARACTER.test(String.fromCodePoint(token.codePointAt(0) ?? 0));
}

// A URL that ends in "/" goes on with the name that follows.
function endsName(token: string): boolean {
  return NAME_BEFORE.test(token) || token.endsWith("/");
}

/** The run of visible characters around a place. */
function widen(
  content: string,
  index: number,
  length: number,
): { readonly index: number; readonly longer: string } {
  const before = /[\p{L}\p{M}\p{N}_-]*$/u.exec(content.slice(Math.max(0, index - 50), index));
  const start = index - (before?.[0].length ?? 0);
  const behind = /^[^\s"'`<>()[\]{},;]*/u.exec(
    content.slice(index + length, index + length + LONGEST_SHOWN),
  );
  return { index: start, longer: content.slice(start, index + length) + (behind?.[0] ?? "") };
}
