import { type TextStart, Utf16Decoder, Utf8Decoder } from "../../base/text.ts";
import { AhoCorasick, ByteFilter, type BytePattern } from "./byte_search.ts";
import { foldConfusable, isIgnorable, removeMarks } from "./confusables.ts";
import {
  foldNames,
  isEverydayLetter,
  judgeLookalike,
  LEAST_LETTERS_ASCII,
  type ProtectedName,
} from "./lookalike.ts";

/** A piece of a file. */
export interface FilePiece {
  /** Its bytes. */
  readonly bytes: Uint8Array;
  /** Where in the file they start. */
  readonly start: number;
  /** Whether the file ends with it. */
  readonly isLast: boolean;
}

/** A character of a file. */
export interface FileCharacter {
  /** Where it starts in the file, in bytes. */
  offset: number;
  /** Its line, once known, else 0. */
  line: number;
  /** Its column, once known. */
  column: number;
}

/** A text that can be taken for a protected name. */
export interface LookalikeMatch {
  /** Its first character, as long as nothing else is taken. */
  readonly start: FileCharacter;
  /** Where its last character starts in the file, in bytes. */
  readonly lastOffset: number;
  /** It, as it stands in the file. */
  readonly text: string;
  /** The name. */
  readonly name: ProtectedName;
}

/** The bytes of the longest UTF-8 sequence. */
const LONGEST_CHARACTER = 4;

/**
 * Finds look-alikes in a text file, wherever it is cut into pieces. UTF-8 is decoded only near bytes
 * that may spell a name, and near characters beyond ASCII that may be part of one.
 */
export class LookalikeScan {
  readonly #names: NameTable;
  readonly #matcher: LookalikeMatcher;
  readonly #utf8: Utf8Decoder;
  readonly #utf16: Utf16Decoder | null;

  /**
   * @param names What nothing may be mistaken for
   * @param textStart How the file starts
   * @param take Is called with each match, in the order of their ends and the longest first
   */
  constructor(
    names: NameTable,
    { encoding }: TextStart,
    take: (match: LookalikeMatch) => void,
  ) {
    const matcher = new LookalikeMatcher(names, take);
    const feed = (codePoint: number, offset: number): void => matcher.feed(codePoint, offset);
    this.#names = names;
    this.#matcher = matcher;
    this.#utf8 = new Utf8Decoder(feed);
    this.#utf16 = encoding === "utf-8" ? null : new Utf16Decoder(encoding === "utf-16le", feed);
  }

  /** Characters that may yet turn out to be part of a match. */
  get open(): readonly FileCharacter[] {
    return this.#matcher.open;
  }

  /** How many texts were judged. */
  get judged(): number {
    return this.#matcher.judged;
  }

  /**
   * Takes the next piece.
   *
   * @param piece The piece
   * @param isSpelt Whether ASCII may spell a name in it
   */
  push(piece: FilePiece, isSpelt: boolean): void {
    const { bytes, start, isLast } = piece;
    if (this.#utf16 === null) this.#pushUtf8(piece, isSpelt);
    else for (let i = 0; i < bytes.length; i++) this.#utf16.push(bytes[i]!, start + i);
    if (!isLast) return;
    this.#utf8.end();
    this.#matcher.end();
  }

  #pushUtf8({ bytes, start, isLast }: FilePiece, isSpelt: boolean): void {
    let spelling = isSpelt ? -1 : bytes.length;
    let suspicious = -1;
    let i = 0;
    while (i < bytes.length) {
      if (this.#utf8.isOpen || !this.#matcher.isIdle) {
        this.#utf8.push(bytes[i]!, start + i++);
        continue;
      }
      if (spelling < i) spelling = this.#names.findSpelling(bytes, i);
      if (suspicious < i) suspicious = this.#names.findSuspicious(bytes, i);
      const next = Math.min(spelling, suspicious);
      if (next === bytes.length && isLast) return;
      // Always as far back: a suspicious character may follow soon, to which the same letters belong.
      for (i = Math.max(i, next - this.#names.reach); i < next; i++) {
        this.#utf8.push(bytes[i]!, start + i);
      }
      if (next < bytes.length) this.#utf8.push(bytes[i]!, start + i++);
    }
  }
}

/** A letter of a character that may be part of a match. */
interface Slot extends FileCharacter {
  codePoint: number;
  /** The marks and invisible characters behind it. */
  attached: string;
  isFirstLetter: boolean;
  followsWord: boolean;
}

// What is shown of what is attached; invisible characters may be repeated without end.
const LONGEST_ATTACHED = 15;
// Texts whose judgement is remembered: a file may repeat one a million times.
const MOST_REMEMBERED = 1000;

/** Finds look-alikes in a stream of characters. */
class LookalikeMatcher {
  /** How many texts were judged. */
  judged = 0;
  readonly #names: NameTable;
  readonly #take: (match: LookalikeMatch) => void;
  readonly #judgements: readonly Map<string, ReturnType<typeof judgeLookalike>>[];
  /** The last letters, as many as the longest name has, each in the place of an earlier one. */
  readonly #slots: readonly Slot[];
  /** How many letters were taken. */
  #letters = 0;
  #state = 0;
  #followsWord = false;

  constructor(names: NameTable, take: (match: LookalikeMatch) => void) {
    this.#names = names;
    this.#take = take;
    this.#judgements = names.names.map(() => new Map());
    this.#slots = Array.from({ length: names.longest }, () => ({
      offset: 0,
      line: 1,
      column: 0,
      codePoint: 0,
      attached: "",
      isFirstLetter: false,
      followsWord: false,
    }));
  }

  /** Whether no match goes on. */
  get isIdle(): boolean {
    return this.#state === 0;
  }

  get open(): readonly FileCharacter[] {
    return this.#state === 0 ? [] : this.#slots;
  }

  /** Takes the next character. */
  feed(codePoint: number, offset: number): void {
    const { letters, isWord, mayBegin } = this.#names.fold(codePoint);
    if (letters.length === 0) return this.#attach(codePoint);
    if (this.#state !== 0) this.#settle(isWord);
    if (this.#state !== 0 || mayBegin) this.#walk(codePoint, offset, letters);
    this.#followsWord = isWord;
  }

  /** Takes the end of the text. */
  end(): void {
    this.#settle(false);
  }

  /** Takes a mark, or a character that shows nothing: a part of the one before. */
  #attach(codePoint: number): void {
    if (this.#state === 0) return;
    const last = this.#slotBack(1);
    if (last.attached.length < LONGEST_ATTACHED) last.attached += String.fromCodePoint(codePoint);
  }

  #walk(codePoint: number, offset: number, letters: readonly number[]): void {
    const { automaton } = this.#names;
    for (let index = 0; index < letters.length; index++) {
      this.#state = automaton.step(this.#state, letters[index]!);
      const slot = this.#slots[this.#letters++ % this.#slots.length]!;
      slot.offset = offset;
      slot.line = 0;
      slot.codePoint = codePoint;
      slot.attached = "";
      slot.isFirstLetter = index === 0;
      slot.followsWord = this.#followsWord;
    }
  }

  /** The slot of the letter so many back, 1 being the last. */
  #slotBack(letters: number): Slot {
    return this.#slots[(this.#letters - letters) % this.#slots.length]!;
  }

  /** Judges what ended with the last character, now that it is known what follows it. */
  #settle(isFollowedByWord: boolean): void {
    const { automaton, names } = this.#names;
    if (automaton.groupsAt(this.#state) === 0) return;
    automaton.visitWords(this.#state, 0, (index) => {
      const name = names[index]!;
      const start = this.#slotBack(name.letters.length);
      if (!start.isFirstLetter) return true;
      const text = this.#textOf(name.letters.length);
      const reach = this.#judge(text, index);
      const isWord = !start.followsWord && !isFollowedByWord;
      if (reach === "anywhere" || reach === "word" && isWord) {
        this.#take({ start, lastOffset: this.#slotBack(1).offset, text, name });
      }
      return true;
    });
  }

  /** The characters of the last letters. Prose may set an invisible character behind a name. */
  #textOf(letters: number): string {
    let text = "";
    for (let back = letters; back > 0; back--) {
      const { codePoint, attached, isFirstLetter } = this.#slotBack(back);
      if (isFirstLetter) text += String.fromCodePoint(codePoint);
      text += back === 1 ? removeInvisibleEnd(attached) : attached;
    }
    return text;
  }

  #judge(text: string, index: number): ReturnType<typeof judgeLookalike> {
    const judgements = this.#judgements[index]!;
    const known = judgements.get(text);
    if (known !== undefined) return known;
    if (judgements.size >= MOST_REMEMBERED) judgements.clear();
    this.judged++;
    const reach = judgeLookalike(text, this.#names.names[index]!, this.#names.written);
    judgements.set(text, reach);
    return reach;
  }
}

function removeInvisibleEnd(attached: string): string {
  if (attached === "") return attached;
  const characters = [...attached];
  while (characters.length > 0 && isIgnorable(characters.at(-1) ?? "")) characters.pop();
  return characters.join("");
}

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
  /** How ASCII may spell names: those that no other holds a part of, for a filter. */
  readonly spellings: readonly BytePattern[];
  readonly #alphabet: ReadonlySet<number>;
  readonly #filter: ByteFilter;
  /** How ASCII may spell all names, by what it may stand around. */
  readonly #placements: readonly Placement[];
  readonly #lowerCase: ReadonlySet<string>;
  readonly #hasMarks: boolean;
  readonly #characters: (FoldedCharacter | undefined)[] = [];
  readonly #rareCharacters = new Map<number, FoldedCharacter>();
  /** By code point: whether it may be part of a look-alike. */
  readonly #answers = new Uint8Array(0x10000);

  /** @param names As the policy writes them */
  constructor(names: readonly string[]) {
    this.names = foldNames(names);
    this.written = names;
    this.#lowerCase = new Set(names.map((name) => name.toLowerCase()));
    const words = this.names.map(({ letters }) => ({ symbols: listUnits(letters), group: 0 }));
    this.automaton = new AhoCorasick(words);
    this.longest = Math.max(0, ...words.map(({ symbols }) => symbols.length));
    // An everyday letter takes two bytes, and is not suspicious by itself.
    this.reach = 2 * this.longest + LONGEST_CHARACTER;
    this.#alphabet = new Set(words.flatMap(({ symbols }) => symbols));
    this.#hasMarks = this.names.some(({ letters, marked }) => letters !== marked);
    const long = this.names.map(({ letters }) => letters)
      .filter((letters) => letters.length >= LEAST_LETTERS_ASCII);
    const least = long.filter((letters) =>
      !long.some((other) => other !== letters && letters.includes(other))
    );
    this.spellings = least.flatMap(listAsciiLookalikes);
    this.#placements = long.flatMap(listAsciiLookalikes)
      .flatMap((pattern) => placeAround(pattern, this.spellings));
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
      const text = String.fromCharCode(...bytes.subarray(start, end));
      if (!this.#lowerCase.has(text.toLowerCase())) return true;
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
      if (lead >= 0xc2 && lead <= 0xf4 && this.#isSuspicious(bytes, i, lead)) return i;
      i++;
    }
    return i;
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
  return [...pattern.keys()].filter((offset) =>
    parts.some((part) =>
      offset + part.length <= pattern.length &&
      part.every((accepted, i) => accepted.some((byte) => flags[offset + i]?.[byte] === 1))
    )
  ).map((offset) => ({ pattern: flags, offset }));
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
