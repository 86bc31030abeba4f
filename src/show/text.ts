import { renderCanonicalJson, streamCanonicalJson, type TakeText } from "../base/canonical_json.ts";
import type { Finding } from "../base/finding.ts";
import { escapeText, replaceUnsafe, showName } from "../base/quote.ts";
import type { Outcome } from "../evidence/command.ts";
import type { ReviewStatus } from "../evidence/human_review.ts";

/** What a word says, which is all that colours stand for. */
type Meaning = "bad" | "good" | "note";

/** Colours a word, or leaves it. */
export type Paint = (text: string, meaning: Meaning) => string;

/** How a result is shown to people. */
export interface TextOptions {
  /** Whether words are coloured by what they mean: bad red, good green, notes yellow. */
  readonly isColored: boolean;
}

/** SGR parameters (ECMA-48) of the colours. */
const COLORS: Readonly<Record<Meaning, number>> = { bad: 31, good: 32, note: 33 };

/**
 * Chooses between colours and none.
 *
 * @param options Whether there are colours
 */
export function choosePaint({ isColored }: TextOptions): Paint {
  return isColored ? (text, meaning) => `\x1b[${COLORS[meaning]}m${text}\x1b[0m` : (text) => text;
}

/** How a command ended, for people; null where that is not known. */
export function describeOutcome(outcome: Outcome | null, exitCode: number | null): string {
  if (outcome === null) return "outcome unknown";
  if (outcome === "command_failed") return `failed with exit code ${exitCode}`;
  return outcome === "completed" ? "completed" : "not observed";
}

/** Where a review stands, for people; null where that is not known. */
export function describeReview(review: ReviewStatus | null): string {
  if (review === null) return "review unknown";
  return { PENDING: "not reviewed", APPROVED: "approved", REJECTED: "rejected" }[review];
}

/**
 * A finding in one line for people.
 *
 * @param finding The finding
 * @returns Such as `data/a.csv: file.missing: the input is not there any more`
 */
export function renderFindingLine({ path, line, code, message }: Finding): string {
  const place = path === null ? "" : `${showName(path)}${line === null ? "" : `:${line}`}: `;
  return `${place}${escapeText(`${code}: ${message}`)}`;
}

/** How many lines are handed over at once; one call for each of a million would take longer than all else. */
const LINES_OF_A_PIECE = 512;

/**
 * Hands lines over as text, many at a time: all of them may be longer than the longest string.
 *
 * @param lines The lines, without their ends
 * @param take Is called with each piece of the text, in order
 */
export function streamLines(lines: Iterable<string>, take: TakeText): void {
  const pending: string[] = [];
  const flush = (): void => {
    if (pending.length > 0) take(`${pending.join("\n")}\n`);
    pending.length = 0;
  };
  for (const line of lines) {
    if (pending.push(line) >= LINES_OF_A_PIECE) flush();
  }
  flush();
}

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
