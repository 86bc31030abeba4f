import { AhoCorasick, ByteFilter, type BytePattern } from "./byte_search.ts";
import {
  foldConfusable,
  foldNames,
  isEverydayLetter,
  isIgnorable,
  LEAST_LETTERS_ASCII,
  type ProtectedName,
  removeMarks,
} from "./lookalike.ts";

/** A character as the automaton takes it. */
interface FoldedCharacter {
  /** The letters that it can be taken for; none where it shows nothing of its own, or is a mark. */
  readonly letters: readonly number[];
  /** Whether it can be part of a word: a letter, a mark or a digit. */
  readonly isWord: boolean;
  /** Whether a name may begin with it. */
  readonly mayBegin: boolean;
}

const WORD = /[\p{L}\p{M}\p{N}]/u;
/** The bytes of the longest UTF-8 sequence. */
const LONGEST_CHARACTER = 4;
const UNKNOWN = 0;
const NO = 1;
const YES = 2;

/** The protected names, compiled: finds where a look-alike may be, and folds characters. */
export class NameTable {
  /** The names, none of which folds like another. */
  readonly names: readonly ProtectedName[];
  /** All of them, as the policy writes them. */
  readonly written: readonly string[];
  /** Their letters. */
  readonly automaton: AhoCorasick;
  /** The letters of the longest name. */
  readonly longest: number;
  /** How many bytes before a suspicious character can belong to its match, or bound it. */
  readonly reach: number;
  /** How ASCII may spell names, for a filter: none that holds another. */
  readonly spellings: readonly BytePattern[];
  readonly #alphabet: ReadonlySet<number>;
  readonly #filter: ByteFilter;
  /** How ASCII may spell all names, by what it may stand around. */
  readonly #placements: readonly Placement[];
  readonly #lowerCase: readonly (readonly number[])[];
  readonly #hasMarks: boolean;
  readonly #characters: (FoldedCharacter | undefined)[] = [];
  readonly #rareCharacters = new Map<number, FoldedCharacter>();
  /** By code point: whether it may be part of a look-alike. */
  readonly #answers = new Uint8Array(0x10000);

  /** @param names As the policy writes them */
  constructor(names: readonly string[]) {
    this.names = foldNames(names);
    this.written = names;
    this.#lowerCase = names.map((name) => listUnits(name.toLowerCase()));
    const words = this.names.map(({ letters }) => ({ symbols: listUnits(letters), group: 0 }));
    this.automaton = new AhoCorasick(words);
    this.longest = Math.max(0, ...words.map(({ symbols }) => symbols.length));
    // An everyday letter takes two bytes, and is not suspicious by itself.
    this.reach = 2 * this.longest + LONGEST_CHARACTER;
    this.#alphabet = new Set(words.flatMap(({ symbols }) => symbols));
    this.#hasMarks = this.names.some(({ letters, marked }) => letters !== marked);
    const spellings = this.names.filter(({ letters }) => letters.length >= LEAST_LETTERS_ASCII)
      .flatMap(({ letters }) => listAsciiLookalikes(letters));
    this.spellings = spellings.filter((whole) =>
      !spellings.some((part) => part.length < whole.length && holds(whole, part))
    );
    this.#placements = spellings.flatMap((pattern) => placeAround(pattern, this.spellings));
    this.#filter = new ByteFilter(this.spellings);
  }

  /**
   * Finds the next place where ASCII spells a name, and not as it is written.
   *
   * @param bytes A piece of a file
   * @param from The index to begin at
   * @returns Its index; near the end, where that cannot be told, the first that is not excluded; the
   * length where there is none
   */
  findSpelling(bytes: Uint8Array, from: number): number {
    let start = this.#filter.find(bytes, from);
    while (start < bytes.length && !this.mayMisspellAt(bytes, start)) {
      start = this.#filter.find(bytes, start + 1);
    }
    return start;
  }

  /** Tells whether what is near a place may spell a name, and not as it is written. */
  mayMisspellAt(bytes: Uint8Array, place: number): boolean {
    for (const { pattern, offset } of this.#placements) {
      const start = place - offset;
      const end = start + pattern.length;
      let i = Math.max(0, -start);
      while (
        i < pattern.length && (start + i >= bytes.length || pattern[i]![bytes[start + i]!] === 1)
      ) {
        i++;
      }
      if (i < pattern.length) continue;
      if (start < 0 || end > bytes.length) return true;
      if (!this.#lowerCase.some((name) => isSpelt(name, bytes, start, end))) return true;
    }
    return false;
  }

  /**
   * Finds the next sequence of UTF-8 that may be part of a look-alike. What the piece's end cuts off
   * counts as one.
   *
   * @param bytes A piece of a file
   * @param from The index to begin at
   * @returns Its index, or the length where there is none
   */
  findSuspicious(bytes: Uint8Array, from: number): number {
    let i = from;
    while (i < bytes.length) {
      const lead = bytes[i]!;
      if (lead < 0x80) {
        i = findNonAscii(bytes, i);
        continue;
      }
      if (this.isSuspiciousAt(bytes, i)) return i;
      i++;
    }
    return i;
  }

  /**
   * Tells whether a sequence of UTF-8 that may be part of a look-alike starts at a place.
   *
   * @param bytes A piece of a file
   * @param index The place
   */
  isSuspiciousAt(bytes: Uint8Array, index: number): boolean {
    const lead = bytes[index]!;
    return lead >= 0xc2 && lead <= 0xf4 && this.#isSuspicious(bytes, index, lead);
  }

  /** Folds a code point, remembering it. */
  fold(codePoint: number): FoldedCharacter {
    const known = codePoint < 0x10000
      ? this.#characters[codePoint]
      : this.#rareCharacters.get(codePoint);
    if (known !== undefined) return known;
    const folded = this.#foldAnew(String.fromCodePoint(codePoint));
    if (codePoint < 0x10000) this.#characters[codePoint] = folded;
    else this.#rareCharacters.set(codePoint, folded);
    return folded;
  }

  #foldAnew(character: string): FoldedCharacter {
    const letters = isIgnorable(character) ? [] : listUnits(removeMarks(foldConfusable(character)));
    return {
      letters,
      isWord: WORD.test(character),
      mayBegin: letters.some((letter) => this.automaton.step(0, letter) !== 0),
    };
  }

  #isSuspicious(bytes: Uint8Array, index: number, lead: number): boolean {
    const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    let codePoint = lead & (0x7f >> length);
    for (let i = index + 1; i < index + length; i++) {
      const byte = bytes[i];
      if (byte === undefined) return true;
      if ((byte & 0xc0) !== 0x80) return false;
      codePoint = (codePoint << 6) | (byte & 0x3f);
    }
    if (codePoint >= 0x10000) return codePoint <= 0x10ffff && this.#mayBelong(codePoint);
    if (this.#answers[codePoint] === UNKNOWN) {
      this.#answers[codePoint] = this.#mayBelong(codePoint) ? YES : NO;
    }
    return this.#answers[codePoint] === YES;
  }

  #mayBelong(codePoint: number): boolean {
    if (!this.#hasMarks && isEverydayLetter(codePoint)) return false;
    return this.fold(codePoint).letters.every((letter) => this.#alphabet.has(letter));
  }
}

/** Whether ASCII spells a name in lower case, whatever the case of its letters. */
function isSpelt(
  name: readonly number[],
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  if (name.length !== end - start) return false;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    const isCapital = byte >= 0x41 && byte <= 0x5a;
    if (name[i - start] !== (isCapital ? byte | 0x20 : byte)) return false;
  }
  return true;
}

function listUnits(text: string): readonly number[] {
  return text.split("").map((unit) => unit.charCodeAt(0));
}

/** A spelling, and where in it one that the filter finds may begin. */
interface Placement {
  /** For each place, by byte: 1 where it may stand there. */
  readonly pattern: readonly Uint8Array[];
  readonly offset: number;
}

function placeAround(pattern: BytePattern, parts: readonly BytePattern[]): readonly Placement[] {
  const flags = pattern.map(flagBytes);
  return [...pattern.keys()]
    .filter((offset) => parts.some((part) => fitsAt(pattern, part, offset, "some")))
    .map((offset) => ({ pattern: flags, offset }));
}

/** Whether every text of a pattern holds one of another. */
function holds(whole: BytePattern, part: BytePattern): boolean {
  return [...whole.keys()].some((offset) => fitsAt(whole, part, offset, "every"));
}

/** Whether some or all of the bytes that a pattern takes are taken by a part of it too. */
function fitsAt(
  whole: BytePattern,
  part: BytePattern,
  offset: number,
  quantity: "some" | "every",
): boolean {
  return offset + part.length <= whole.length &&
    part.every((accepted, i) =>
      whole[offset + i]?.[quantity]((byte) => accepted.includes(byte)) === true
    );
}

const flagsOfBytes = new Map<string, Uint8Array>();

function flagBytes(accepted: readonly number[]): Uint8Array {
  const key = String.fromCharCode(...accepted);
  const known = flagsOfBytes.get(key);
  if (known !== undefined) return known;
  const flags = new Uint8Array(256);
  for (const byte of accepted) flags[byte] = 1;
  flagsOfBytes.set(key, flags);
  return flags;
}

const ONLY_ASCII = /^[\0-\x7f]+$/;
// Each `rn` doubles the spellings; behind so many it is taken as it is.
const MOST_PAIRS = 6;

/**
 * Lists the sequences of ASCII bytes that fold to the same letters as a name: each letter in both
 * cases and as the digits that look like it, `rn` also as `m`. Signs such as `|`, that are part of
 * no word, are left out.
 *
 * @param letters The folded name
 * @returns Nothing where the name folds to anything but ASCII
 */
export function listAsciiLookalikes(letters: string): readonly BytePattern[] {
  return ONLY_ASCII.test(letters) ? listSpellings(letters, MOST_PAIRS) : [];
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

/** By what they fold to, the ASCII characters that can be part of a word. */
const WORD_BYTES: ReadonlyMap<string, readonly number[]> = Map.groupBy(
  Array.from({ length: 0x80 }, (_, byte) => byte).filter((byte) =>
    /\w/.test(String.fromCharCode(byte))
  ),
  (byte) => foldConfusable(String.fromCharCode(byte)),
);

/** The ASCII characters that fold to these letters; any letter itself is among them. */
function listBytesOf(letters: string): readonly number[] {
  return WORD_BYTES.get(letters) ?? [letters.charCodeAt(0)];
}

const HIGH_BITS = 0x80808080;
const SHORT_RUN = 32;

/**
 * Finds the next byte that is no ASCII.
 *
 * @param bytes Where to look
 * @param from From which index
 * @returns Its index, or the length where there is none
 */
export function findNonAscii(bytes: Uint8Array, from: number): number {
  const length = bytes.length;
  // Between other characters the runs are short, and a view of words costs more than they.
  const near = Math.min(length, from + SHORT_RUN);
  let i = from;
  while (i < near && bytes[i]! < 0x80) i++;
  if (i < near || i === length) return i;
  while (i < length && (bytes.byteOffset + i) % 4 !== 0 && bytes[i]! < 0x80) i++;
  if ((bytes.byteOffset + i) % 4 === 0) i += skipAsciiWords(bytes, i);
  while (i < length && bytes[i]! < 0x80) i++;
  return i;
}

/** How many bytes from an aligned index on are ASCII for sure, four words at a time. */
function skipAsciiWords(bytes: Uint8Array, from: number): number {
  const count = (bytes.length - from) >> 2;
  if (count < 4) return 0;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + from, count);
  let i = 0;
  while (i + 4 <= count) {
    if (((words[i]! | words[i + 1]! | words[i + 2]! | words[i + 3]!) & HIGH_BITS) !== 0) break;
    i += 4;
  }
  return i * 4;
}
