import type { ContentRules } from "./content_rules.ts";
import {
  type LookalikeMatch,
  LookalikeMatcher,
  type MatchedCharacter,
} from "./lookalike_matcher.ts";
import { findNonAscii } from "./non_ascii.ts";
import { Utf16Decoder, Utf8Decoder } from "./text_decoder.ts";
import type { TextStart } from "./text_position.ts";

/** A piece of a file. */
export interface FilePiece {
  /** Its bytes. */
  readonly bytes: Uint8Array;
  /** Where in the file they start. */
  readonly start: number;
  /** Whether the file ends with it. */
  readonly isLast: boolean;
}

/**
 * Decodes a file for the look-alikes. As UTF-8 it decodes only what is near a byte that is no ASCII:
 * the look-alikes of ASCII alone are found as bytes. What starts like UTF-16 is decoded as that too.
 */
export class LookalikeScan {
  readonly #utf8: LookalikeMatcher;
  readonly #utf8Decoder: Utf8Decoder;
  readonly #utf16: LookalikeMatcher | null;
  readonly #utf16Decoder: Utf16Decoder | null;
  /** How many ASCII bytes around another byte can take part in a match, or bound it. */
  readonly #reach: number;
  /** How many ASCII bytes have been decoded in a row. */
  #asciiRun: number;

  /**
   * @param rules What is searched for
   * @param textStart How the file starts
   * @param take Is called with each match
   */
  constructor(
    { automaton }: ContentRules,
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
    this.#reach = automaton.longest + 1;
    this.#asciiRun = this.#reach;
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
    let i = from;
    while (i < bytes.length) {
      if (this.#asciiRun < this.#reach) {
        const byte = bytes[i]!;
        this.#utf8Decoder.push(byte, start + i);
        this.#asciiRun = byte < 0x80 ? this.#asciiRun + 1 : 0;
        i++;
        continue;
      }
      const next = findNonAscii(bytes, i);
      if (next === bytes.length && isLast) return;
      // What is skipped needs no mark: the bytes on either side of it outnumber any name's letters.
      for (i = Math.max(i, next - this.#reach); i < next; i++) {
        this.#utf8.feed(bytes[i]!, start + i);
      }
      if (next < bytes.length) this.#asciiRun = 0;
    }
  }
}
