import type { TextStart } from "../../base/text.ts";
import type { ContentRules } from "./content_rules.ts";
import {
  type ConfusableFinder,
  type NameAutomaton,
  OUTSIDE_OTHER,
  OUTSIDE_WORD,
} from "./name_automaton.ts";
import { Utf16Decoder, Utf8Decoder } from "./text_decoder.ts";

const LETTER = /[\p{L}\p{N}]/u;
const LATIN = /\p{Script=Latin}/u;
const OTHER_SCRIPT = /[^\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]/u;
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/u;
const NOT_ASCII = /[^\0-\x7f]/;

// Shorter names are words of too many languages: Cyrillic "сор" is no attempt at "cop".
const LEAST_LETTERS_MIXED = 3;
const LEAST_LETTERS_ONE_SCRIPT = 4;
const LEAST_LETTERS_ASCII = 5;

/** Where a text must stand to be taken for a name: `anywhere`, as a `word` of its own, or `never`. */
type LookalikeReach = "anywhere" | "word" | "never";

/**
 * Judges a text that folds like a protected name. Invisible characters, mixed scripts and
 * compatibility forms are no one's prose and count inside a longer word too. A text in one script
 * may be prose and must be a word of its own.
 *
 * @param text From the first to the last visible character
 * @param letters How many letters the name folds to
 * @param names All protected names: none of them is a look-alike, in whatever case
 */
export function judgeLookalike(
  text: string,
  letters: number,
  names: readonly string[],
): LookalikeReach {
  if (names.some((name) => isInSomeCase(text, name))) return "never";
  if (!NOT_ASCII.test(text)) {
    return letters >= LEAST_LETTERS_ASCII && /[a-z]/i.test(text) ? "word" : "never";
  }
  if (isDisguised(text)) return letters >= LEAST_LETTERS_MIXED ? "anywhere" : "never";
  return letters >= LEAST_LETTERS_ONE_SCRIPT ? "word" : "never";
}

/**
 * Tells whether a text is a name in some case. Each character is held against the name's own two
 * cases, since others fold onto them: the Kelvin sign's lower case is an ASCII `k`.
 */
function isInSomeCase(text: string, name: string): boolean {
  const expected = [...name.normalize("NFC")];
  const found = [...(NOT_ASCII.test(name) ? text.normalize("NFC") : text)];
  return found.length === expected.length &&
    expected.every((character, index) =>
      found[index] === character || found[index] === character.toUpperCase() ||
      found[index] === character.toLowerCase()
    );
}

function isDisguised(text: string): boolean {
  if (IGNORABLE.test(text)) return true;
  const letters = [...text].filter((character) => LETTER.test(character)).join("");
  return LATIN.test(letters) && OTHER_SCRIPT.test(letters) ||
    letters.normalize("NFC") !== letters.normalize("NFKC");
}

/** A character of a running match, with the invisible ones behind it. */
export interface MatchedCharacter {
  /** Where it starts in the file, in bytes. */
  readonly offset: number;
  /** Its line, once known. */
  line: number;
  /** Its column, once known. */
  column: number;
}

/** A text that can be taken for a protected name. */
interface LookalikeMatch {
  /** Its first character. */
  readonly start: MatchedCharacter;
  /** It, as it stands in the file. */
  readonly text: string;
  /** The name's index in the automaton. */
  readonly name: number;
}

/** How many hits of one name or byte pattern are told for one file, which may hold millions. */
export const MOST_HITS = 100;

interface Slot extends MatchedCharacter {
  raw: string;
  readonly isFirstLetter: boolean;
  readonly followsWord: boolean;
}

// What is shown of a match; invisible characters may be repeated without end.
const LONGEST_RAW = 16;

/** Finds look-alikes in a stream of characters, wherever it is cut into pieces. */
class LookalikeMatcher {
  readonly #automaton: NameAutomaton;
  readonly #takesAscii: boolean;
  readonly #take: (match: LookalikeMatch) => void;
  readonly #names: readonly string[];
  readonly #counts: number[] = [];
  #slots: Slot[] = [];
  #pending: LookalikeMatch[] = [];
  #state = 0;
  #followsWord = false;

  /**
   * @param automaton The names
   * @param takesAscii Whether look-alikes of ASCII characters alone are wanted
   * @param take Is called with each match, in the order of their ends
   */
  constructor(
    automaton: NameAutomaton,
    takesAscii: boolean,
    take: (match: LookalikeMatch) => void,
  ) {
    this.#automaton = automaton;
    this.#takesAscii = takesAscii;
    this.#take = take;
    this.#names = automaton.names.map(({ text }) => text);
  }

  /** Characters that are part of a match that goes on. */
  get open(): readonly MatchedCharacter[] {
    return this.#state === 0 && this.#pending.length === 0
      ? []
      : [...this.#slots, ...this.#pending.map(({ start }) => start)];
  }

  /** Whether no match goes on. */
  get isIdle(): boolean {
    return this.#state === 0 && this.#pending.length === 0;
  }

  /** Takes the next character. */
  feed(codePoint: number, offset: number): void {
    if (this.#state === 0 && this.#pending.length === 0) {
      const kind = this.#automaton.outsideKind(codePoint);
      if (kind <= OUTSIDE_OTHER) {
        this.#followsWord = kind === OUTSIDE_WORD;
        return;
      }
    }
    const { isIgnorable, isWord, letters } = this.#automaton.fold(codePoint);
    if (isIgnorable) {
      const last = this.#slots.at(-1);
      if (last !== undefined && last.raw.length < LONGEST_RAW) {
        last.raw += String.fromCodePoint(codePoint);
      }
      return;
    }
    if (this.#pending.length > 0) this.#settle(isWord);
    this.#walk(codePoint, offset, letters);
    this.#followsWord = isWord;
  }

  /** Takes the end of the text. */
  end(): void {
    this.#settle(false);
  }

  #settle(isFollowedByWord: boolean): void {
    for (const match of this.#pending) {
      if (!isFollowedByWord) this.#tell(match);
    }
    this.#pending = [];
  }

  #walk(codePoint: number, offset: number, letters: readonly number[]): void {
    for (const letter of letters) this.#state = this.#automaton.step(this.#state, letter);
    if (this.#state === 0) {
      this.#slots.length = 0;
      return;
    }
    for (let index = 0; index < letters.length; index++) {
      this.#slots.push({
        offset,
        line: 0,
        column: 0,
        raw: index === 0 ? String.fromCodePoint(codePoint) : "",
        isFirstLetter: index === 0,
        followsWord: this.#followsWord,
      });
    }
    const surplus = this.#slots.length - this.#automaton.longest;
    if (surplus > 0) this.#slots.splice(0, surplus);
    for (const name of this.#automaton.found(this.#state)) this.#judge(name);
  }

  #judge(name: number): void {
    const length = this.#automaton.names[name]?.letters.length ?? 0;
    const slots = this.#slots.slice(-length);
    const [start] = slots;
    if (start === undefined || !start.isFirstLetter) return;
    const text = slots.map(({ raw }) => raw).join("");
    const reach = judgeLookalike(text, length, this.#names);
    if (reach === "never") return;
    if (!this.#takesAscii && /^[\0-\x7f]*$/.test(text)) return;
    const match = { start, text, name };
    if (reach === "anywhere") this.#tell(match);
    else if (!start.followsWord) this.#pending.push(match);
  }

  #tell(match: LookalikeMatch): void {
    const count = this.#counts[match.name] ?? 0;
    if (count >= MOST_HITS) return;
    this.#counts[match.name] = count + 1;
    this.#take(match);
  }
}

/** A piece of a file. */
export interface FilePiece {
  /** Its bytes. */
  readonly bytes: Uint8Array;
  /** Where in the file they start. */
  readonly start: number;
  /** Whether the file ends with it. */
  readonly isLast: boolean;
}

/** The bytes of the longest UTF-8 sequence. */
const LONGEST_CHARACTER = 4;

/**
 * Decodes a file for the look-alikes. As UTF-8 it decodes only what is near a character beyond ASCII
 * that may be part of one: the look-alikes of ASCII alone are found as bytes. What starts like UTF-16 is decoded as that too.
 */
export class LookalikeScan {
  readonly #utf8: LookalikeMatcher;
  readonly #utf8Decoder: Utf8Decoder;
  readonly #utf16: LookalikeMatcher | null;
  readonly #utf16Decoder: Utf16Decoder | null;
  readonly #finder: ConfusableFinder;
  /** How many bytes before a character beyond ASCII can belong to its match, or bound it. */
  readonly #reach: number;

  /**
   * @param rules What is searched for
   * @param textStart How the file starts
   * @param take Is called with each match
   */
  constructor(
    { automaton, finder }: ContentRules,
    { encoding }: TextStart,
    take: (match: LookalikeMatch) => void,
  ) {
    const utf8 = new LookalikeMatcher(automaton, false, take);
    const utf16 = encoding === "utf-8" ? null : new LookalikeMatcher(automaton, true, take);
    this.#utf8 = utf8;
    this.#utf8Decoder = new Utf8Decoder((codePoint, offset) => utf8.feed(codePoint, offset));
    this.#utf16 = utf16;
    this.#utf16Decoder = utf16 &&
      new Utf16Decoder(
        encoding === "utf-16le",
        (codePoint, offset) => utf16.feed(codePoint, offset),
      );
    this.#finder = finder;
    this.#reach = automaton.longest + LONGEST_CHARACTER;
  }

  /** Characters that may yet turn out to be part of a match. */
  get open(): readonly MatchedCharacter[] {
    return [...this.#utf8.open, ...(this.#utf16?.open ?? [])];
  }

  /**
   * Takes the next bytes.
   *
   * @param piece A piece of the file
   * @param from The index in it of the first byte that is new
   */
  push(piece: FilePiece, from: number): void {
    this.#pushUtf8(piece, from);
    const { bytes, start, isLast } = piece;
    if (this.#utf16Decoder !== null) {
      for (let i = from; i < bytes.length; i++) this.#utf16Decoder.push(bytes[i]!, start + i);
    }
    if (!isLast) return;
    this.#utf8Decoder.end();
    this.#utf8.end();
    this.#utf16?.end();
  }

  #pushUtf8({ bytes, start, isLast }: FilePiece, from: number): void {
    const decoder = this.#utf8Decoder;
    let i = from;
    while (i < bytes.length) {
      if (decoder.isOpen || !this.#utf8.isIdle) {
        decoder.push(bytes[i]!, start + i);
        i++;
        continue;
      }
      const next = this.#finder.find(bytes, i);
      if (next === bytes.length && isLast) return;
      for (i = Math.max(i, next - this.#reach); i < next; i++) decoder.push(bytes[i]!, start + i);
      if (next < bytes.length) decoder.push(bytes[i++]!, start + next);
    }
  }
}
