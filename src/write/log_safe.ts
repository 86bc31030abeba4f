import { renderCanonicalJson, streamCanonicalJson, type TakeText } from "../canonical_json.ts";
import { escapeText } from "../quote.ts";

// What CI systems take for a command to themselves wherever it stands in a line of output:
// `##[…]` (GitHub Actions, Azure Pipelines), `##vso[…]` (Azure), `##teamcity[…]` (TeamCity).
const LOG_COMMAND = /##(?=[a-z]*\[)/gi;

/**
 * Makes text safe to print: nothing in it that a terminal acts on, or that a CI system takes for a
 * command to itself.
 *
 * @param text Any text
 * @returns One line; what is dangerous appears as `\u001b`
 */
export function makeLogSafe(text: string): string {
  return escapeText(text).replace(LOG_COMMAND, "#\\u0023");
}

/**
 * Renders canonical JSON with everything dangerous in its strings as JSON escapes, so that it can
 * be printed on a terminal or in a log; it is parsed to the same value.
 *
 * @param value As `renderCanonicalJson()` takes it
 * @throws {KprovError} `fault` on what JSON does not represent
 */
export function renderLogSafeJson(value: unknown): string {
  return makeJsonSafe(renderCanonicalJson(value));
}

/**
 * Renders a value as {@linkcode renderLogSafeJson} does, in pieces, which end between two tokens.
 *
 * @param value As `streamCanonicalJson()` takes it
 * @param take Is called with each piece, in order
 * @throws {KprovError} As there
 */
export function streamLogSafeJson(value: unknown, take: TakeText): void {
  streamCanonicalJson(value, (piece) => take(makeJsonSafe(piece)));
}

function makeJsonSafe(json: string): string {
  return json.split("\n").map(makeJsonLineSafe).join("\n");
}

function makeJsonLineSafe(line: string): string {
  const text = escapeText(line) === line ? line : Array.from(line, escapeForJson).join("");
  return text.replace(LOG_COMMAND, "#\\u0023");
}

/** JSON has no `\u{…}`: a character beyond U+FFFF is written as its two surrogates. */
function escapeForJson(character: string): string {
  if (escapeText(character) === character) return character;
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}
