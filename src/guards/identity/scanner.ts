import { compileGlobs } from "../../base/glob.ts";
import { detectTextStart, PositionCounter, type TextStart } from "../../base/text.ts";
import type { ContentHit } from "../guard.ts";
import type { IdentityPolicy, Policy } from "../policy.ts";
import {
  ByteFilter,
  ByteSearch,
  exactPattern,
  listEncodings,
  VectorFilter,
} from "./byte_search.ts";
import { listProtectedNames } from "./lookalike.ts";
import {
  type FileCharacter,
  type FilePiece,
  type LookalikeMatch,
  LookalikeScan,
} from "./lookalike_scan.ts";
import { NameTable } from "./name_table.ts";

/** Searches the contents of files for what a policy forbids. */
export interface ContentScanner {
  /** Searches a whole file. */
  readonly scan: (path: string, bytes: Uint8Array) => readonly ContentHit[];
  /** Searches a file in pieces, cut anywhere. */
  readonly scanFile: (path: string) => PiecewiseScan;
}

/** The search of one file in pieces. */
export interface PiecewiseScan {
  /** Takes the next piece, which may be overwritten afterwards. */
  readonly push: (piece: Uint8Array) => void;
  /** Ends the file, and returns what was found, sorted by line and column. */
  readonly end: () => ContentHit[];
}

const NO_BYTES = new Uint8Array();
const NO_HITS: readonly ContentHit[] = [];

/**
 * Compiles the search for forbidden tokens, for the display name where it is not allowed, and for
 * look-alikes of the protected names. Texts are found as UTF-8 and as UTF-16, in files of any kind.
 *
 * @param policy Whose identity section says what is searched for; without one nothing is found
 * @param markers Texts in ASCII of which only their presence in a file is reported: a hit with
 * {@linkcode MARKER_CODE} for each, without its place
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
export function createContentScanner(
  policy: Policy,
  markers: readonly string[] = [],
): ContentScanner {
  const rules = compileRules(policy.identity ?? {}, markers);
  const isDisplayNameAllowed = compileGlobs(policy.identity?.display_name_allowed ?? []);
  const finish = (path: string, scan: FileScan): ContentHit[] =>
    nameHits(path, scan, isDisplayNameAllowed);
  return {
    scan: (path, bytes) => {
      if (isClean(rules, bytes)) return NO_HITS;
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

/** The rules, each a group of the words that are searched for; the last has names instead. */
const CODES = ["identity.forbidden_token", "identity.display_name", "identity.lookalike"] as const;
const FORBIDDEN_TOKEN = 0;
const DISPLAY_NAME = 1;
const LOOKALIKE = 2;
const MARKER = 3;

/** The code of hits that are no finding, but tell other guards which files say something to them. */
export const MARKER_CODE = "marker";

interface CompiledRules {
  readonly search: ByteSearch;
  /** Finds where a word, or ASCII that spells a name, may be: one look for both. */
  readonly filter: ByteFilter;
  /** Finds the same and characters beyond ASCII, where there are few words; null for many. */
  readonly vectors: VectorFilter | null;
  /** By word: the text that it encodes, and in how many bytes. */
  readonly words: readonly { readonly token: string; readonly length: number }[];
  readonly longestWord: number;
  readonly names: NameTable;
}

function compileRules(identity: IdentityPolicy, markers: readonly string[]): CompiledRules {
  const display = identity.display_name;
  // A display name that is the technical name too may stand anywhere.
  const displayNames = display === undefined || display === identity.technical_name
    ? []
    : [display];
  const words = [
    ...listWords(FORBIDDEN_TOKEN, [...new Set(identity.forbidden_tokens ?? [])]),
    ...listWords(DISPLAY_NAME, displayNames),
    ...listWords(MARKER, markers),
  ];
  const names = new NameTable(listProtectedNames(identity));
  const patterns = [...words.map(({ symbols }) => exactPattern(symbols)), ...names.spellings];
  return {
    search: new ByteSearch(words),
    filter: new ByteFilter(patterns),
    vectors: VectorFilter.compile(patterns, names.names.length > 0),
    words,
    longestWord: words.reduce((most, { length }) => Math.max(most, length), 0),
    names,
  };
}

interface CompiledWord {
  readonly symbols: Uint8Array;
  readonly group: number;
  readonly token: string;
  readonly length: number;
}

function listWords(group: number, tokens: readonly string[]): CompiledWord[] {
  return tokens.flatMap((token) =>
    listEncodings(token).map((symbols) => ({ symbols, group, token, length: symbols.length }))
  );
}

/** Tells most files apart at the cost of reading their bytes: nothing in them needs a second look. */
function isClean(rules: CompiledRules, bytes: Uint8Array): boolean {
  const { names, vectors } = rules;
  const hasNames = names.names.length > 0;
  if (hasNames && detectTextStart(bytes).encoding !== "utf-8") return false;
  const isFound = vectors?.holds(bytes, (from, to) => holdsBetween(rules, bytes, from, to)) ?? null;
  if (isFound !== null) return !isFound;
  const isAscii = !hasNames || names.findSuspicious(bytes, 0) === bytes.length;
  return isAscii && !mayHold(rules, bytes);
}

/** Whether something that needs a second look starts from one index on and before another. */
function holdsBetween(rules: CompiledRules, bytes: Uint8Array, from: number, to: number): boolean {
  const { names, filter } = rules;
  const hasNames = names.names.length > 0;
  for (let i = from; i < to; i++) {
    if (hasNames && bytes[i]! >= 0x80 && names.isSuspiciousAt(bytes, i)) return true;
    if (filter.mayStartAt(bytes, i) && mayStandAt(rules, bytes, i)) return true;
  }
  return false;
}

/** Whether words, or spellings of a name in ASCII, may stand in bytes: one look for both. */
function mayHold(rules: CompiledRules, bytes: Uint8Array): boolean {
  return rules.filter.matches(bytes, (start) => mayStandAt(rules, bytes, start));
}

function mayStandAt({ search, names }: CompiledRules, bytes: Uint8Array, start: number): boolean {
  return search.mayBeginAt(bytes, start) || names.mayMisspellAt(bytes, start);
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

/** How many hits of one rule are listed for one file, which may hold millions. */
const MOST_LISTED = 100;

// As git has it: what holds a zero byte so early is no text.
const TEXT_PROOF = 8000;

// More than there are names, each of which may be a part of the next.
const MOST_RECENT = 16;

interface FoundText {
  readonly start: FileCharacter;
  readonly text: string;
  readonly token: string;
}

/** What was found of one rule. */
interface RuleHits {
  readonly listed: FoundText[];
  /** The first that is not listed. */
  rest: FoundText | null;
  /** How many are not listed. */
  unlisted: number;
  /** Where the last one that was counted alone ends. */
  countedTo: number;
}

/** Searches one file, piece by piece. */
class FileScan {
  readonly #rules: CompiledRules;
  readonly #hits: readonly RuleHits[] = CODES.map(() => ({
    listed: [],
    rest: null,
    unlisted: 0,
    countedTo: 0,
  }));
  /** The markers that it holds. */
  readonly #markers = new Set<string>();
  /** By word: where it last ended. */
  readonly #ends = new Map<number, number>();
  /** The end of what came before: what starts there may not have been located yet. */
  #tail: Uint8Array = NO_BYTES;
  #total = 0;
  #state = 0;
  #counter: PositionCounter | null = null;
  #lookalikes: LookalikeScan | null = null;
  /** The look-alikes taken last, by their first and last characters. */
  readonly #recent: { readonly first: number; readonly last: number }[] = [];

  /** @param rules What is searched for */
  constructor(rules: CompiledRules) {
    this.#rules = rules;
  }

  /**
   * Takes the next piece.
   *
   * @param bytes The piece
   * @param isLast Whether the file ends with it
   */
  push(bytes: Uint8Array, isLast: boolean): void {
    const joined = this.#tail.length === 0 ? bytes : concat(this.#tail, bytes);
    const start = this.#total - this.#tail.length;
    this.#total += bytes.length;
    if (this.#counter === null && joined.length < TEXT_PROOF && !isLast) {
      this.#tail = joined.slice();
      return;
    }
    const isFirst = this.#counter === null;
    if (isFirst) this.#begin(joined);
    const piece = { bytes: joined, start, isLast };
    this.#search(piece, isFirst ? 0 : this.#tail.length);
    const keptFrom = isLast ? this.#total : Math.max(start, this.#total - this.#rules.longestWord);
    this.#locate(piece, keptFrom);
    this.#tail = isLast ? NO_BYTES : joined.slice(keptFrom - start);
  }

  /** What was found, sorted by place, once the last piece has been pushed. */
  listHits(): readonly LocatedHit[] {
    const hits = this.#hits.flatMap(({ listed, rest, unlisted }, rule) => {
      const code = CODES[rule]!;
      const hits = listed.map((found) => makeHit(code, found));
      return rest === null ? hits : [...hits, { ...makeHit(code, rest), unlisted }];
    });
    for (const text of this.#markers) {
      hits.push({ code: MARKER_CODE, line: 1, column: 1, text, token: text });
    }
    return hits.sort(compareHits);
  }

  #begin(bytes: Uint8Array): void {
    const textStart = detectTextStart(bytes);
    this.#counter = new PositionCounter(textStart);
    const { names } = this.#rules;
    // Random bytes look like everything.
    if (names.names.length === 0 || !isText(bytes, textStart)) return;
    this.#lookalikes = new LookalikeScan(names, textStart, (match) => this.#takeLookalike(match));
  }

  #search({ bytes, start, isLast }: FilePiece, from: number): void {
    const fresh = { bytes: bytes.subarray(from), start: start + from, isLast };
    const isSpelt = this.#state !== 0 || mayHold(this.#rules, fresh.bytes);
    // A word may begin near the end all the same, and go on in the next piece.
    const searched = isSpelt ? 0 : Math.max(0, fresh.bytes.length - this.#rules.longestWord);
    if (isSpelt || !isLast) {
      this.#searchWords(fresh.bytes.subarray(searched), fresh.start + searched);
    }
    this.#lookalikes?.push(fresh, isSpelt);
  }

  #searchWords(bytes: Uint8Array, start: number): void {
    const { search } = this.#rules;
    this.#state = search.search(bytes, this.#state, (end, state) => {
      const groups = search.automaton.groupsAt(state);
      for (const group of [FORBIDDEN_TOKEN, DISPLAY_NAME]) {
        if ((groups >> group & 1) === 1) this.#takeWords(group, start + end, state);
      }
      if ((groups >> MARKER & 1) === 1) this.#takeMarkers(state);
    });
  }

  /** Takes the words that end at a place, but for those that overlap themselves. */
  #takeWords(group: number, end: number, state: number): void {
    const hits = this.#hits[group]!;
    this.#rules.search.automaton.visitWords(state, group, (word) => {
      const { token, length } = this.#rules.words[word]!;
      const start = end - length;
      // Only the longest is counted, so that no number of words makes a place slow.
      if (hits.listed.length >= MOST_LISTED) {
        if (start >= hits.countedTo) {
          hits.countedTo = end;
          hits.unlisted++;
          hits.rest ??= { start: characterAt(start), text: token, token };
        }
        return false;
      }
      if (start < (this.#ends.get(word) ?? 0)) return true;
      this.#ends.set(word, end);
      hits.countedTo = end;
      hits.listed.push({ start: characterAt(start), text: token, token });
      return true;
    });
  }

  #takeMarkers(state: number): void {
    this.#rules.search.automaton.visitWords(state, MARKER, (word) => {
      this.#markers.add(this.#rules.words[word]!.token);
      return true;
    });
  }

  /** Takes a look-alike, unless it is a part of one that was taken; what is a part of it is given up. */
  #takeLookalike({ start, lastOffset, text, name }: LookalikeMatch): void {
    const hits = this.#hits[LOOKALIKE]!;
    const recent = this.#recent;
    const before = recent.at(-1);
    if (before !== undefined && start.offset >= before.first && lastOffset <= before.last) return;
    while (recent.length > 0 && recent.at(-1)!.first >= start.offset) {
      recent.pop();
      if (hits.unlisted === 0) hits.listed.pop();
      else if (--hits.unlisted === 0) hits.rest = null;
    }
    recent.push({ first: start.offset, last: lastOffset });
    if (recent.length > MOST_RECENT) recent.shift();
    if (hits.listed.length < MOST_LISTED) {
      hits.listed.push({ start: { ...start }, text, token: name.text });
    } else {
      hits.unlisted++;
      hits.rest ??= { start: { ...start }, text, token: name.text };
    }
  }

  /** Gives lines and columns to what starts in a piece, before its bytes are let go. */
  #locate(piece: FilePiece, keptFrom: number): void {
    const counter = this.#counter;
    if (counter === null) return;
    const found = this.#hits.flatMap(({ listed, rest }) =>
      rest === null ? listed : [...listed, rest]
    );
    const open = piece.isLast ? [] : this.#lookalikes?.open ?? [];
    const places = [
      ...found.map(({ start }) => start),
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

/** Whether a file's first bytes are those of a text. */
function isText(bytes: Uint8Array, { encoding }: TextStart): boolean {
  const first = bytes.subarray(0, TEXT_PROOF);
  if (encoding === "utf-8") return !first.includes(0);
  for (let i = 0; i + 1 < first.length; i += 2) {
    if (first[i] === 0 && first[i + 1] === 0) return false;
  }
  return true;
}

function characterAt(offset: number): FileCharacter {
  return { offset, line: 0, column: 0 };
}

function makeHit(code: string, { start, text, token }: FoundText): LocatedHit {
  return { code, line: start.line, column: start.column, text, token };
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareHits(a: LocatedHit, b: LocatedHit): number {
  return a.line - b.line || a.column - b.column || compareText(a.code, b.code) ||
    compareText(a.token, b.token) || compareText(a.text, b.text);
}
