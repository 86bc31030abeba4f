/**
 * How two versions of a file differ: where first, and whether it is only the order of their lines or only
 * time stamps. In one pass over both, in memory that does not grow with them.
 *
 * @module
 */

import { sha256Hex } from "../base/canonical_json.ts";
import { type ContentDifference, maskTimeStamps } from "./reproduction.ts";

/** A longer line is taken in parts, and neither its place nor its time stamps are looked at. */
const LONGEST_LINE = 64 * 1024;

/** No text has a NUL character so far from its beginning, and most of what is no text has one. */
const HEAD_BYTES = 8000;

/** How much is compared in one step. */
const STEP_BYTES = 2 ** 20;
const NEWLINE = 0x0a;
const NOTHING = new Uint8Array();

/** Where two versions begin to differ. */
type FirstDifference = Pick<ContentDifference, "offset" | "line">;

/**
 * Compares two versions of a file, step by step, so that other work can be done between two steps:
 * `difference` is known once `advance()` gives false.
 */
export class ContentComparison implements Disposable {
  readonly #before: LineReader;
  readonly #after: LineReader;
  readonly #order = new LineBalance();
  #offset = 0;
  #lines = 0;
  #isInside = false;
  #first: FirstDifference | null = null;
  #isText: boolean;
  #mayBeOrder = true;
  #mayBeTime = true;

  /** Takes the bytes of both, in pieces; each lasts until the next is asked for. */
  constructor(before: Iterable<Uint8Array>, after: Iterable<Uint8Array>) {
    this.#before = new LineReader(before);
    this.#after = new LineReader(after);
    const heads = [this.#before, this.#after].map((reader) => reader.peek(HEAD_BYTES));
    this.#isText = !heads.some((head) => head.includes(0));
    this.#compareGzip();
  }

  /** Compares some more; false once there is nothing left to learn. */
  advance(): boolean {
    for (let bytes = 0; bytes < STEP_BYTES;) {
      const [before, after] = [this.#before.next(), this.#after.next()];
      if (before === null && after === null) return false;
      bytes += Math.max(before?.bytes.length ?? 0, after?.bytes.length ?? 0) + 1;
      this.#take(before, after);
      if (this.#first !== null && !this.#mayBeOrder && !this.#mayBeTime) return false;
    }
    return true;
  }

  /** What was found; null where both are the same. */
  get difference(): ContentDifference | null {
    if (this.#first === null) return null;
    const isOrder = this.#mayBeOrder && this.#order.isEven;
    const only = isOrder ? "order of lines" : this.#mayBeTime ? "time stamps" : null;
    return { ...this.#first, only };
  }

  /** Stops reading. */
  [Symbol.dispose](): void {
    for (const reader of [this.#before, this.#after]) reader.close();
  }

  #take(before: Line | null, after: Line | null): void {
    const [a, b] = [before?.bytes ?? NOTHING, after?.bytes ?? NOTHING];
    // The parts of a very long line are one.
    if (!this.#isInside) this.#lines += 1;
    this.#isInside = before?.end === "cut";
    const isSame = before?.end === after?.end && isEqual(a, b);
    if (isSame) {
      if (this.#first === null) this.#offset += a.length + (before?.end === "newline" ? 1 : 0);
      return;
    }
    if (a.includes(0) || b.includes(0)) this.#isText = false;
    this.#first ??= this.#describeFirst(before, after);
    const isWhole = before?.end !== "cut" && after?.end !== "cut";
    // The last line may lack its newline, but then in both.
    const endsAlike = (before?.end === "file") === (after?.end === "file");
    this.#mayBeOrder &&= this.#isText && isWhole && endsAlike;
    this.#mayBeTime &&= isWhole && before?.end === after?.end &&
      maskTimeStamps(a) === maskTimeStamps(b);
    if (before !== null) this.#order.add(before.bytes);
    if (after !== null) this.#order.remove(after.bytes);
  }

  #describeFirst(before: Line | null, after: Line | null): FirstDifference {
    const [a, b] = [before?.bytes ?? NOTHING, after?.bytes ?? NOTHING];
    const offset = this.#offset + countCommon(a, b);
    if (!this.#isText) return { offset, line: null };
    const [one, other] = [a, b].map((bytes) => new TextDecoder().decode(bytes));
    const start = countCommon(one ?? "", other ?? "");
    const line = {
      number: this.#lines,
      before: before === null ? null : cutAround(one ?? "", start),
      after: after === null ? null : cutAround(other ?? "", start),
    };
    return { offset, line };
  }

  /** The bytes of a time in gzip's header (RFC 1952, 2.3.1) may look like the end of a line. */
  #compareGzip(): void {
    const [a, b] = [this.#before, this.#after].map((reader) => reader.peek(GZIP_HEADER_BYTES));
    if (a === undefined || b === undefined || !isGzip(a) || !isGzip(b)) return;
    for (const reader of [this.#before, this.#after]) reader.skip(GZIP_HEADER_BYTES);
    this.#isText = false;
    this.#offset = GZIP_HEADER_BYTES;
    if (isEqual(a, b)) return;
    this.#first = { offset: countCommon(a, b), line: null };
    this.#mayBeOrder = false;
    this.#mayBeTime = isEqual(maskGzipTime(a), maskGzipTime(b));
  }
}

const GZIP_HEADER_BYTES = 10;

function isGzip(head: Uint8Array): boolean {
  return head.length === GZIP_HEADER_BYTES && head[0] === 0x1f && head[1] === 0x8b && head[2] === 8;
}

function maskGzipTime(head: Uint8Array): Uint8Array {
  return head.slice().fill(0, 4, 8);
}

/** A line, or a part of one that is very long. */
interface Line {
  /** Its bytes, without the newline; they last until the next line is asked for. */
  readonly bytes: Uint8Array;
  /** How it ends: as lines do, because the file does, or because it is too long. */
  readonly end: "newline" | "file" | "cut";
}

/** Parts bytes into lines. */
class LineReader {
  readonly #pieces: Iterator<Uint8Array>;
  #rest = NOTHING;
  #isOver = false;

  constructor(pieces: Iterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.iterator]();
  }

  next(): Line | null {
    let searched = 0;
    for (;;) {
      const end = this.#rest.indexOf(NEWLINE, searched);
      if (end >= 0 && end <= LONGEST_LINE) return this.#cut(end, "newline");
      if (this.#rest.length > LONGEST_LINE) return this.#cut(LONGEST_LINE, "cut");
      searched = this.#rest.length;
      if (this.#read()) continue;
      return this.#rest.length === 0 ? null : this.#cut(this.#rest.length, "file");
    }
  }

  /** The first bytes of what is left, fewer where there are no more. */
  peek(length: number): Uint8Array {
    while (this.#rest.length < length && this.#read());
    return this.#rest.slice(0, length);
  }

  skip(length: number): void {
    this.#rest = this.#rest.subarray(length);
  }

  close(): void {
    this.#pieces.return?.();
  }

  #cut(length: number, end: Line["end"]): Line {
    const bytes = this.#rest.subarray(0, length);
    this.skip(end === "newline" ? length + 1 : length);
    return { bytes, end };
  }

  #read(): boolean {
    if (this.#isOver) return false;
    const next = this.#pieces.next();
    if (next.done === true) {
      this.#isOver = true;
      return false;
    }
    const joined = new Uint8Array(this.#rest.length + next.value.length);
    joined.set(this.#rest);
    joined.set(next.value, this.#rest.length);
    this.#rest = joined;
    return true;
  }
}

/**
 * Whether two files have the same lines, each as often: the sum of the digests of the one's less that of
 * the other's, in words of 32 bits. Lines that stand at the same place need not be added.
 */
class LineBalance {
  readonly #sum = new Uint32Array(8);

  add(line: Uint8Array): void {
    this.#change(line, 1);
  }

  remove(line: Uint8Array): void {
    this.#change(line, -1);
  }

  get isEven(): boolean {
    return this.#sum.every((word) => word === 0);
  }

  #change(line: Uint8Array, sign: 1 | -1): void {
    const digest = sha256Hex(line);
    for (let i = 0; i < this.#sum.length; i++) {
      const word = Number.parseInt(digest.slice(8 * i, 8 * i + 8), 16);
      this.#sum[i] = (this.#sum[i] ?? 0) + sign * word;
    }
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && countCommon(a, b) === a.length;
}

/** How much two texts, or two sequences of bytes, begin with in common. */
function countCommon<T extends string | Uint8Array>(a: T, b: T): number {
  const most = Math.min(a.length, b.length);
  let common = 0;
  while (common < most && a[common] === b[common]) common += 1;
  return common;
}

/** How much of a line is shown, and how much of it before the difference. */
const MOST_SHOWN = 60;
const SHOWN_BEFORE = 20;

function cutAround(text: string, start: number): string {
  const from = start <= MOST_SHOWN - SHOWN_BEFORE ? 0 : start - SHOWN_BEFORE;
  const shown = text.slice(from, from + MOST_SHOWN);
  // Half a character is none.
  const whole = shown.replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, "");
  return `${from > 0 ? "…" : ""}${whole}${from + MOST_SHOWN < text.length ? "…" : ""}`;
}
