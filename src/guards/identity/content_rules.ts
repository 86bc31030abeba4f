import type { IdentityPolicy } from "../policy.ts";
import { foldConfusable } from "./confusables.ts";
import { ConfusableFinder, NameAutomaton } from "./name_automaton.ts";

/** What a match of one byte pattern means. */
interface PatternMeaning {
  /** The finding that it is. */
  readonly code: "identity.forbidden_token" | "identity.display_name" | "identity.lookalike";
  /** The forbidden token, the display name, or the name that it looks like. */
  readonly token: string;
  /** How many bytes it takes. */
  readonly length: number;
  /** How many letters the name folds to, of a look-alike. */
  readonly letters: number;
}

/** What content is searched for. */
export interface ContentRules {
  /** Finds the byte patterns. */
  readonly search: ByteSearch;
  /** What each pattern means. */
  readonly meanings: readonly PatternMeaning[];
  /** The bytes of the longest pattern. */
  readonly longestPattern: number;
  /** The protected names as they may be spelt outside of ASCII. */
  readonly automaton: NameAutomaton;
  /** Finds where such spellings may be. */
  readonly finder: ConfusableFinder;
  /** The protected names. */
  readonly names: readonly string[];
}

/**
 * Compiles what the identity guard searches content for.
 *
 * @param identity The policy's section
 */
export function compileContentRules(identity: IdentityPolicy): ContentRules {
  const names = listProtectedNames(identity);
  const automaton = new NameAutomaton(names);
  const listed = [
    ...new Set(identity.forbidden_tokens ?? []),
  ].flatMap((token) => describe("identity.forbidden_token", token, listTextPatterns(token)));
  const display = identity.display_name;
  // A display name that is the technical name too may stand anywhere.
  if (display !== undefined && display !== identity.technical_name) {
    listed.push(...describe("identity.display_name", display, listTextPatterns(display)));
  }
  for (const { text, letters } of automaton.names) {
    const patterns = listAsciiLookalikes(letters);
    listed.push(...describe("identity.lookalike", text, patterns, letters.length));
  }
  return {
    search: compileBytePatterns(listed.map(({ pattern }) => pattern)),
    meanings: listed.map(({ meaning }) => meaning),
    longestPattern: Math.max(0, ...listed.map(({ pattern }) => pattern.length)),
    automaton,
    finder: new ConfusableFinder(automaton),
    names,
  };
}

interface DescribedPattern {
  readonly pattern: BytePattern;
  readonly meaning: PatternMeaning;
}

function describe(
  code: PatternMeaning["code"],
  token: string,
  patterns: readonly BytePattern[],
  letters = 0,
): DescribedPattern[] {
  return patterns.map((pattern) => ({
    pattern,
    meaning: { code, token, length: pattern.length, letters },
  }));
}

/** What a search looks for: at each place, the bytes that may stand there. */
export type BytePattern = readonly (readonly number[])[];

/** Takes a match: which pattern, and where it starts. */
type TakeMatch = (pattern: number, start: number) => void;

/** Searches bytes for all patterns at once, overlapping matches included. */
type ByteSearch = (bytes: Uint8Array, take: TakeMatch) => void;

interface CompiledPattern {
  readonly index: number;
  /** For each place, 256 flags: whether the byte may stand there. */
  readonly accepts: readonly Uint8Array[];
}

interface ShiftTable {
  readonly window: number;
  /** By the last two bytes of the window: how far it may move, 0 where a pattern may match. */
  readonly shifts: Uint8Array;
  /** By the same two bytes: the patterns that may match. */
  readonly candidates: ReadonlyMap<number, readonly CompiledPattern[]>;
}

const SHORT = 4;
const LONGEST_WINDOW = 255;

/**
 * Compiles patterns into one search (Wu and Manber, "A fast algorithm for multi-pattern searching",
 * 1994, with blocks of two bytes), which looks at a fraction of the bytes only. Patterns of under
 * four bytes would shorten its steps and are searched apart.
 *
 * @param patterns None of them empty
 * @returns The search; matches of one pattern come in the order of their starts
 */
export function compileBytePatterns(patterns: readonly BytePattern[]): ByteSearch {
  const compiled = patterns.map((pattern, index) => ({
    index,
    accepts: pattern.map(flagBytes),
  }));
  const short = compiled.filter(({ accepts }) => accepts.length < SHORT);
  const long = compiled.filter(({ accepts }) => accepts.length >= SHORT);
  const table = long.length === 0 ? null : buildShiftTable(long);
  return (bytes, take) => {
    if (table !== null) searchLong(bytes, table, take);
    for (const pattern of short) searchShort(bytes, pattern, take);
  };
}

/**
 * Makes the pattern that only these bytes match.
 *
 * @param bytes At least one byte
 */
function exactPattern(bytes: Uint8Array): BytePattern {
  return Array.from(bytes, (byte) => [byte]);
}

function flagBytes(bytes: readonly number[]): Uint8Array {
  const flags = new Uint8Array(256);
  for (const byte of bytes) flags[byte] = 1;
  return flags;
}

function buildShiftTable(patterns: readonly CompiledPattern[]): ShiftTable {
  const window = Math.min(LONGEST_WINDOW, ...patterns.map(({ accepts }) => accepts.length));
  const shifts = new Uint8Array(0x10000).fill(window - 1);
  const candidates = new Map<number, CompiledPattern[]>();
  for (const pattern of patterns) {
    for (let last = 1; last < window; last++) {
      const shift = window - 1 - last;
      for (const block of listBlocks(pattern, last)) {
        shifts[block] = Math.min(shifts[block] ?? 0, shift);
        if (shift > 0) continue;
        const known = candidates.get(block);
        if (known === undefined) candidates.set(block, [pattern]);
        else known.push(pattern);
      }
    }
  }
  return { window, shifts, candidates };
}

/** All pairs of bytes that a pattern takes at `last - 1` and `last`, each as one number. */
function listBlocks({ accepts }: CompiledPattern, last: number): number[] {
  const blocks: number[] = [];
  for (let first = 0; first < 256; first++) {
    if (accepts[last - 1]?.[first] !== 1) continue;
    for (let second = 0; second < 256; second++) {
      if (accepts[last]?.[second] === 1) blocks.push((first << 8) | second);
    }
  }
  return blocks;
}

function searchLong(bytes: Uint8Array, table: ShiftTable, take: TakeMatch): void {
  const { window, shifts } = table;
  const length = bytes.length;
  let last = window - 1;
  while (last < length) {
    const block = (bytes[last - 1]! << 8) | bytes[last]!;
    const shift = shifts[block]!;
    if (shift > 0) {
      last += shift;
      continue;
    }
    const start = last - window + 1;
    for (const pattern of table.candidates.get(block) ?? []) {
      if (matchesAt(bytes, start, pattern)) take(pattern.index, start);
    }
    last++;
  }
}

function searchShort(bytes: Uint8Array, pattern: CompiledPattern, take: TakeMatch): void {
  const first = pattern.accepts[0]!;
  for (let start = 0; start < bytes.length; start++) {
    if (first[bytes[start]!] === 1 && matchesAt(bytes, start, pattern)) take(pattern.index, start);
  }
}

function matchesAt(bytes: Uint8Array, start: number, { accepts }: CompiledPattern): boolean {
  if (start + accepts.length > bytes.length) return false;
  for (let i = 0; i < accepts.length; i++) {
    if (accepts[i]![bytes[start + i]!] !== 1) return false;
  }
  return true;
}

const ONLY_LATIN1 = /^[\0-\xff]*$/;
const ONLY_ASCII = /^[\0-\x7f]*$/;
// Each `rn` doubles the spellings; behind so many it is taken as it is.
const MOST_PAIRS = 6;

/**
 * Lists the byte sequences by which a text may stand in a file: as UTF-8 and as UTF-16 of either
 * order. Where all second bytes are zero, one pattern serves both orders, without the outer zero.
 *
 * @param text At least one character
 */
export function listTextPatterns(text: string): readonly BytePattern[] {
  const utf8 = new TextEncoder().encode(text);
  const little = encodeUtf16Little(text);
  if (ONLY_LATIN1.test(text)) {
    const both = little.subarray(0, -1);
    return both.length === 1 && utf8.length === 1
      ? [exactPattern(utf8)]
      : [exactPattern(utf8), exactPattern(both)];
  }
  return [utf8, little, swapBytes(little)].map(exactPattern);
}

/**
 * Lists the sequences of ASCII bytes that fold to the same letters as a name: each letter in both
 * cases and as the digits that look like it, `rn` also as `m`. Signs such as `|`, that are part of
 * no word, are left out.
 *
 * @param letters The folded name
 * @returns Nothing where the name folds to anything but ASCII
 */
export function listAsciiLookalikes(letters: string): readonly BytePattern[] {
  return letters !== "" && ONLY_ASCII.test(letters) ? listSpellings(letters, MOST_PAIRS) : [];
}

function listSpellings(letters: string, pairs: number): readonly BytePattern[] {
  if (letters === "") return [[]];
  const isPair = pairs > 0 && letters.startsWith("rn");
  const first = listBytesOf(letters.charAt(0));
  const spellings = listSpellings(letters.slice(1), isPair ? pairs - 1 : pairs)
    .map((rest) => [first, ...rest]);
  if (!isPair) return spellings;
  const pair = listBytesOf("rn");
  const others = listSpellings(letters.slice(2), pairs - 1).map((rest) => [pair, ...rest]);
  return [...spellings, ...others];
}

/** The ASCII characters that fold to these letters; any letter itself is among them. */
function listBytesOf(letters: string): readonly number[] {
  const bytes: number[] = [];
  for (let byte = 0; byte < 0x80; byte++) {
    const character = String.fromCharCode(byte);
    const isWord = /\w/.test(character) || character === letters;
    if (isWord && foldConfusable(character) === letters) bytes.push(byte);
  }
  return bytes;
}

function encodeUtf16Little(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  for (let i = 0; i < text.length; i++) {
    bytes[2 * i] = text.charCodeAt(i) & 0xff;
    bytes[2 * i + 1] = text.charCodeAt(i) >> 8;
  }
  return bytes;
}

function swapBytes(bytes: Uint8Array): Uint8Array {
  return bytes.map((_, index) => bytes[index ^ 1] ?? 0);
}

/**
 * Lists the names of a project that nothing may be mistaken for: the technical name, the display
 * name, and the owner and the name of the repository.
 *
 * @param identity The policy's section
 * @returns Each name once
 */
export function listProtectedNames(identity: IdentityPolicy): readonly string[] {
  const names = [
    identity.technical_name,
    identity.display_name,
    ...splitRepository(identity.repository ?? ""),
  ];
  return [...new Set(names.filter((name) => name !== undefined && name !== ""))] as string[];
}

/** Owner and name, the last two parts of `https://host/owner/name` or `git@host:owner/name.git`. */
function splitRepository(repository: string): readonly string[] {
  const path = repository.replace(/^(?:[a-z+]+:\/\/[^/]*|[^/]*:)/i, "").replace(/\.git\/?$/, "");
  return path.split("/").filter((part) => part !== "").slice(-2);
}
