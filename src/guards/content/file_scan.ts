import type { ContentRules } from "./content_rules.ts";
import type { ContentHit } from "../facts.ts";
import { judgeLookalike } from "../lookalike/lookalike.ts";
import { type MatchedCharacter, MOST_HITS } from "../lookalike/lookalike_matcher.ts";
import { type FilePiece, LookalikeScan } from "../lookalike/lookalike_scan.ts";
import { detectTextStart, PositionCounter, TEXT_START_LENGTH } from "./text_position.ts";

/** A hit without the file's path. */
export type LocatedHit = Omit<ContentHit, "path">;

interface FoundText {
  readonly start: MatchedCharacter;
  readonly code: LocatedHit["code"];
  readonly text: string;
  readonly token: string;
}

const NO_BYTES = new Uint8Array();

/** Searches one file, piece by piece. */
export class FileScan {
  readonly #rules: ContentRules;
  /** By byte pattern: how often it was found, and where it last ended. */
  readonly #counts: number[] = [];
  readonly #ends: number[] = [];
  readonly #found: FoundText[] = [];
  /** The end of what came before: it may start a match, or bound one. */
  #kept: Uint8Array = NO_BYTES;
  #total = 0;
  #searched = 0;
  #counter: PositionCounter | null = null;
  #lookalikes: LookalikeScan | null = null;

  /** @param rules What is searched for */
  constructor(rules: ContentRules) {
    this.#rules = rules;
  }

  /**
   * Takes the next piece.
   *
   * @param bytes The piece
   * @param isLast Whether the file ends with it
   */
  push(bytes: Uint8Array, isLast: boolean): void {
    const joined = this.#kept.length === 0 ? bytes : concat(this.#kept, bytes);
    const start = this.#total - this.#kept.length;
    this.#total += bytes.length;
    if (this.#counter === null && joined.length < TEXT_START_LENGTH && !isLast) {
      this.#kept = joined.slice();
      return;
    }
    this.#search({ bytes: joined, start, isLast });
  }

  /** What was found, sorted by place, once the last piece has been pushed. */
  listHits(): readonly LocatedHit[] {
    if (this.#found.length === 0) return [];
    const hits = this.#found.map(({ start: { line, column }, code, text, token }) => ({
      code,
      line,
      column,
      text,
      token,
    }));
    return removeRepeated(hits.sort(compareHits));
  }

  #search(piece: FilePiece): void {
    const textStart = this.#counter === null ? detectTextStart(piece.bytes) : null;
    if (textStart !== null) {
      this.#counter = new PositionCounter(textStart);
      this.#lookalikes = this.#rules.automaton.longest === 0
        ? null
        : new LookalikeScan(this.#rules, textStart, ({ start, text, name }) =>
          this.#takeLookalike(start, text, name));
    }
    this.#rules.search(piece.bytes, (pattern, at) => this.#takePattern(piece, pattern, at));
    this.#lookalikes?.push(piece, this.#searched - piece.start);
    this.#searched = this.#total;
    const keptFrom = piece.isLast
      ? this.#total
      : Math.max(piece.start, this.#total - this.#rules.longestPattern - 1);
    this.#locate(piece, keptFrom);
    if (!piece.isLast) this.#kept = piece.bytes.slice(keptFrom - piece.start);
  }

  /** Takes a match once, when the byte behind it is known too. */
  #takePattern({ bytes, start, isLast }: FilePiece, pattern: number, at: number): void {
    const meaning = this.#rules.meanings[pattern];
    if (meaning === undefined) return;
    const end = start + at + meaning.length;
    if (end < this.#searched || (end === this.#total && !isLast)) return;
    const count = this.#counts[pattern] ?? 0;
    if (count >= MOST_HITS || start + at < (this.#ends[pattern] ?? 0)) return;
    let text = meaning.token;
    if (meaning.code === "identity.lookalike") {
      if (isWordByte(bytes[at - 1]) || isWordByte(bytes[at + meaning.length])) return;
      text = String.fromCharCode(...bytes.subarray(at, at + meaning.length));
      if (judgeLookalike(text, meaning.letters, this.#rules.names) === "never") return;
    }
    this.#counts[pattern] = count + 1;
    this.#ends[pattern] = end;
    this.#found.push({ start: { offset: start + at, line: 0, column: 0 }, ...meaning, text });
  }

  #takeLookalike(start: MatchedCharacter, text: string, name: number): void {
    const token = this.#rules.automaton.names[name]?.text ?? "";
    this.#found.push({ start, code: "identity.lookalike", text, token });
  }

  /** Gives lines and columns to what starts in a piece, before its bytes are let go. */
  #locate(piece: FilePiece, keptFrom: number): void {
    const counter = this.#counter;
    if (counter === null) return;
    const open = piece.isLast ? [] : this.#lookalikes?.open ?? [];
    const places = [
      ...this.#found.map(({ start }) => start),
      ...open.filter(({ offset }) => offset < keptFrom),
    ].filter(({ line }) => line === 0).sort((a, b) => a.offset - b.offset);
    for (const place of places) {
      counter.advance(piece.bytes, piece.start, place.offset);
      place.line = counter.line;
      place.column = counter.column;
    }
    if (!piece.isLast) counter.advance(piece.bytes, piece.start, keptFrom);
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

function isWordByte(byte: number | undefined): boolean {
  return byte !== undefined &&
    (byte >= 0x30 && byte <= 0x39 || byte >= 0x41 && byte <= 0x5a || byte >= 0x61 && byte <= 0x7a);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareHits(a: LocatedHit, b: LocatedHit): number {
  return a.line - b.line || a.column - b.column || compareText(a.code, b.code) ||
    compareText(a.token, b.token) || compareText(a.text, b.text);
}

function removeRepeated(hits: readonly LocatedHit[]): readonly LocatedHit[] {
  return hits.filter((hit, index) => index === 0 || compareHits(hit, hits[index - 1]!) !== 0);
}
