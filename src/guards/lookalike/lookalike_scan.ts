import type { ContentRules } from "../content/content_rules.ts";
import {
  type LookalikeMatch,
  LookalikeMatcher,
  type MatchedCharacter,
} from "./lookalike_matcher.ts";
import type { ConfusableFinder } from "./confusable_finder.ts";
import { Utf16Decoder, Utf8Decoder } from "../content/text_decoder.ts";
import type { TextStart } from "../content/text_position.ts";

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
