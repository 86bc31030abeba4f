import { type Finding, type FindingDetails, makeFinding } from "../../finding.ts";
import { quote } from "../../quote.ts";
import { decodeText } from "../text/decode_text.ts";
import type { RepositoryFacts, TrackedEntry } from "../facts.ts";
import { findJsonValue } from "./json_value.ts";
import type { Surface } from "../policy.ts";
import { placeInText } from "../text/text_place.ts";
import { findWholeToken } from "./whole_token.ts";

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
