import { renderCanonicalJson, streamCanonicalJson, type TakeText } from "../canonical_json.ts";
import { escapeCharacter, replaceUnsafe } from "../quote.ts";
import type { Host } from "../system/host.ts";

/**
 * Renders canonical JSON with everything in its strings that must not be printed as it is as JSON
 * escapes, so that it can be shown on a terminal or in a log; it is parsed to the same value.
 *
 * @param value As `renderCanonicalJson()` takes it
 * @throws {KprovError} `fault` on what JSON does not represent
 */
export function renderLogSafeJson(value: unknown): string {
  return makeJsonLogSafe(renderCanonicalJson(value));
}

/**
 * Renders a value as {@linkcode renderLogSafeJson} does, in pieces, which end between two tokens.
 *
 * @param value As `streamCanonicalJson()` takes it
 * @param take Is called with each piece, in order
 * @throws {KprovError} As there
 */
export function streamLogSafeJson(value: unknown, take: TakeText): void {
  streamCanonicalJson(value, (piece) => take(makeJsonLogSafe(piece)));
}

/**
 * Writes what must not be printed as it is as JSON escapes.
 *
 * @param json A JSON text, or a part of one that ends between two tokens
 * @returns A text that is parsed to the same value
 */
export function makeJsonLogSafe(json: string): string {
  return replaceUnsafe(json, (character) => character === "\n" ? "\n" : escapeForJson(character));
}

/** JSON has no `\u{…}`: a character beyond U+FFFF is written as its two surrogates. */
function escapeForJson(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

/** What kprov sends to a terminal itself: colours (SGR of ECMA-48), and for progress a line drawn anew. */
// deno-lint-ignore no-control-regex
const OWN_CONTROLS = /(\x1b\[[0-9;]*m|\r|\x1b\[K)/;

/**
 * Makes the one way out of kprov: whatever a command prints, nothing in it acts on a terminal or is a
 * command to a CI system. Names are escaped where they are put in, since only there it is known where
 * they end; this holds for what was forgotten there.
 *
 * @param host The process
 * @returns The same, for commands. What a wrapped command prints passes as it is.
 */
export function makeHostLogSafe(host: Host): Host {
  return {
    ...host,
    writeStdout: (text, form) =>
      host.writeStdout(
        form === "workflow commands" ? text : makeOutputLogSafe(text, () => host.isColored),
      ),
    writeStderr: (text) =>
      host.writeStderr(makeOutputLogSafe(text, () => host.messageWidth() !== null)),
  };
}

function makeOutputLogSafe(text: string, isTerminal: () => boolean): string {
  const safe = makeLinesLogSafe(text);
  if (safe === text || !isTerminal()) return safe;
  return text.split(OWN_CONTROLS)
    .map((part, i) => i % 2 === 1 ? part : makeLinesLogSafe(part))
    .join("");
}

function makeLinesLogSafe(text: string): string {
  return replaceUnsafe(
    text,
    (character) => /[\n\t]/.test(character) ? character : escapeCharacter(character),
  );
}
