import { renderCanonicalJson, streamCanonicalJson, type TakeText } from "../base/canonical_json.ts";
import type { Finding } from "../base/error.ts";
import type { Progress, WorkDone } from "../base/progress.ts";
import { escapeText, replaceUnsafe, showName } from "../base/quote.ts";
import { formatBytes } from "../base/std.ts";
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

/**
 * How many lines are handed over at once; one call for each of a million would take longer than all
 * else.
 */
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

/** Work that is done sooner shows nothing. */
const FIRST_MS = 500;

/** The line is drawn anew no more often. */
const EVERY_MS = 100;

/**
 * Rates are those of about the last seconds, so that they follow when small files end and large ones
 * begin.
 */
const WINDOW_MS = 3000;

/** How fast some work is. */
export interface WorkRate {
  /** Files in a second. */
  readonly files: number;
  /** Bytes in a second. */
  readonly bytes: number;
}

/**
 * Renders how far some work is, such as `1200 of 5000 files, 1.2 GB of 4.8 GB, 850 MB/s, 0:05 left`.
 *
 * @param work How far it is
 * @param rate How fast it is
 * @param width The room for it; what does not fit is left out from the end
 */
export function renderProgress(work: WorkDone, rate: WorkRate, width: number): string {
  const left = estimateSeconds(work, rate);
  const parts = [
    `${work.files} of ${work.totalFiles} ${work.totalFiles === 1 ? "file" : "files"}`,
    formatBytes(work.bytes) +
    (work.totalBytes === null ? "" : ` of ${formatBytes(work.totalBytes)}`),
    `${formatBytes(Math.round(rate.bytes))}/s`,
    ...(left === null ? [] : [`${formatSeconds(left)} left`]),
  ];
  while (parts.length > 1 && parts.join(", ").length > width) parts.pop();
  return parts.join(", ").slice(0, Math.max(0, width));
}

/** The rest at the present rate; null where nobody knows it. */
function estimateSeconds(work: WorkDone, rate: WorkRate): number | null {
  if (work.totalBytes !== null) return divide(work.totalBytes - work.bytes, rate.bytes);
  return work.isMoreAhead ? null : divide(work.totalFiles - work.files, rate.files);
}

function divide(rest: number, rate: number): number | null {
  return rate > 0 ? Math.ceil(rest / rate) : null;
}

function formatSeconds(seconds: number): string {
  const two = (n: number): string => String(n).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes}:${two(seconds % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** Where progress is shown. */
interface ProgressTerminal {
  /** Prints on it. */
  readonly write: (text: string) => void;
  /** Milliseconds since any moment. */
  readonly now: () => number;
  /** Its width in characters. */
  readonly width: number;
}

/** How far the work was at some time. */
interface Sample {
  readonly at: number;
  readonly files: number;
  readonly bytes: number;
}

/**
 * Shows on a terminal how far some work is: one line, drawn again in its place, and erased when the
 * work ends.
 *
 * @param terminal Where
 */
export function showProgress({ write, now, width }: ProgressTerminal): Progress {
  let samples: readonly Sample[] = [];
  let next: number | null = null;
  let isShown = false;
  return {
    tick: (describe) => {
      const at = now();
      if (next === null) {
        next = at + FIRST_MS;
        samples = [{ ...describe(), at }];
      }
      if (at < next) return;
      next = at + EVERY_MS;
      const work = describe();
      const [first, ...others] = samples;
      if (first === undefined) return;
      const rate = measureRate(first, { ...work, at });
      samples = [...dropOld(first, others, at), { ...work, at }];
      // The last column stays free: some terminals go to the next line when it is written to.
      write(`\r${renderProgress(work, rate, width - 1)}\x1b[K`);
      isShown = true;
    },
    end: () => {
      if (isShown) write("\r\x1b[K");
      next = null;
      isShown = false;
    },
  };
}

function measureRate(from: Sample, to: Sample): WorkRate {
  const seconds = Math.max(1, to.at - from.at) / 1000;
  return { files: (to.files - from.files) / seconds, bytes: (to.bytes - from.bytes) / seconds };
}

/** Keeps one sample from before the window, so that it is never empty. */
function dropOld(first: Sample, others: readonly Sample[], at: number): readonly Sample[] {
  const start = others.findLastIndex((sample) => at - sample.at >= WINDOW_MS);
  return start < 0 ? [first, ...others] : others.slice(start);
}
