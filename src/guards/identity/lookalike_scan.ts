import { type TextStart, Utf16Decoder, Utf8Decoder } from "../../base/text.ts";
import { isIgnorable, judgeLookalike, type ProtectedName } from "./lookalike.ts";
import type { NameTable } from "./name_table.ts";

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
