import { compileGlobs } from "../../base/glob.ts";
import { detectTextStart, PositionCounter, TEXT_START_LENGTH } from "../../base/text.ts";
import type { ContentHit } from "../guard.ts";
import type { Policy } from "../policy.ts";
import { compileContentRules, type ContentRules } from "./content_rules.ts";
import {
  type FilePiece,
  judgeLookalike,
  LookalikeScan,
  type MatchedCharacter,
  MOST_HITS,
} from "./lookalike.ts";

/** Searches the contents of files for what a policy forbids. */
export interface ContentScanner {
  /** Searches a whole file. */
  readonly scan: (path: string, bytes: Uint8Array) => readonly ContentHit[];
  /** Searches a file in pieces; where it is cut makes no difference. */
  readonly scanFile: (path: string) => PiecewiseScan;
}

/** The search of one file in pieces. */
export interface PiecewiseScan {
  /** Takes the next piece, which may be overwritten afterwards. */
  readonly push: (piece: Uint8Array) => void;
  /** Takes the file's end and gives what was found, sorted by line and column. */
  readonly end: () => ContentHit[];
}

const NO_BYTES = new Uint8Array();
const NO_HITS: readonly ContentHit[] = [];

/**
 * Compiles the search for forbidden tokens, for the display name where it may not stand, and for
 * look-alikes of the protected names. Texts are found as UTF-8 and as UTF-16, in files of any kind.
 *
 * @param policy Whose identity section says what is searched for; without one nothing is found
 *
 * @example
 * ```ts
 * import { createContentScanner } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const scanner = createContentScanner({
 *   schema: "kprovengine.policy.v1",
 *   identity: { forbidden_tokens: ["acme/ETL"] },
 * });
 * const bytes = new TextEncoder().encode("see\nhttps://example.org/acme/ETL\n");
 * const hits = scanner.scan("a.md", bytes);
 * assertEquals(hits.map(({ code, line, column }) => [code, line, column]), [
 *   ["identity.forbidden_token", 2, 21],
 * ]);
 *
 * const file = scanner.scanFile("a.md");
 * for (let i = 0; i < bytes.length; i += 8) file.push(bytes.subarray(i, i + 8));
 * assertEquals(file.end(), hits);
 * ```
 */
export function createContentScanner(policy: Policy): ContentScanner {
  const rules = compileContentRules(policy.identity ?? {});
  const isDisplayNameAllowed = compileGlobs(policy.identity?.display_name_allowed ?? []);
  const finish = (path: string, scan: FileScan): ContentHit[] =>
    nameHits(path, scan, isDisplayNameAllowed);
  const isClean = compileQuickLook(rules);
  return {
    scan: (path, bytes) => {
      if (isClean(bytes)) return NO_HITS;
      const scan = new FileScan(rules);
      scan.push(bytes, true);
      return finish(path, scan);
    },
    scanFile: (path) => {
      const scan = new FileScan(rules);
      return {
        push: (piece) => scan.push(piece, false),
        end: () => {
          scan.push(NO_BYTES, true);
          return finish(path, scan);
        },
      };
    },
  };
}

/**
 * Compiles a first look that tells most files apart at the cost of reading their bytes: no pattern
 * in them, and nothing beyond ASCII that could be part of a look-alike.
 */
function compileQuickLook(rules: ContentRules): (bytes: Uint8Array) => boolean {
  let matches = 0;
  const count = (): void => void matches++;
  const hasNames = rules.automaton.longest > 0;
  return (bytes) => {
    if (hasNames && detectTextStart(bytes).encoding !== "utf-8") return false;
    if (hasNames && rules.finder.find(bytes, 0) < bytes.length) return false;
    matches = 0;
    rules.search(bytes, count);
    return matches === 0;
  };
}

function nameHits(
  path: string,
  scan: FileScan,
  isDisplayNameAllowed: (path: string) => boolean,
): ContentHit[] {
  const hits = scan.listHits();
  if (hits.length === 0) return [];
  const isAllowed = isDisplayNameAllowed(path);
  return hits
    .filter(({ code }) => code !== "identity.display_name" || !isAllowed)
    .map((hit) => ({ path, ...hit }));
}

/** A hit without the file's path. */
type LocatedHit = Omit<ContentHit, "path">;

interface FoundText {
  readonly start: MatchedCharacter;
  readonly code: LocatedHit["code"];
  readonly text: string;
  readonly token: string;
}

const EMPTY_PIECE = new Uint8Array();

/** Searches one file, piece by piece. */
class FileScan {
  readonly #rules: ContentRules;
  /** By byte pattern: how often it was found, and where it last ended. */
  readonly #counts: number[] = [];
  readonly #ends: number[] = [];
  readonly #found: FoundText[] = [];
  /** The end of what came before: it may start a match, or bound one. */
  #kept: Uint8Array = EMPTY_PIECE;
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
