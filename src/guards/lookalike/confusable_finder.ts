import type { NameAutomaton } from "./name_automaton.ts";
import { findNonAscii } from "../content/non_ascii.ts";

const UNKNOWN = 0;
const NO = 1;
const YES = 2;

/** Finds the UTF-8 bytes where a character beyond ASCII may be part of a name's look-alike. */
export class ConfusableFinder {
  readonly #automaton: NameAutomaton;
  /** By the first two bytes of a sequence: whether one that starts so may be part of a name. */
  readonly #answers = new Uint8Array(0x10000);

  /** @param automaton The names */
  constructor(automaton: NameAutomaton) {
    this.#automaton = automaton;
  }

  /**
   * Finds the next such sequence. What the piece's end cuts off counts as one.
   *
   * @param bytes A piece of a file
   * @param from The index to begin at
   * @returns Its index, or the length where there is none
   */
  find(bytes: Uint8Array, from: number): number {
    let i = from;
    while (i < bytes.length) {
      const lead = bytes[i]!;
      if (lead < 0x80) {
        i = findNonAscii(bytes, i);
        continue;
      }
      if (lead >= 0xc2 && lead <= 0xf4 && this.#mayBelong(bytes, i, lead)) return i;
      i++;
    }
    return i;
  }

  #mayBelong(bytes: Uint8Array, index: number, lead: number): boolean {
    if (index + 1 >= bytes.length) return true;
    const second = bytes[index + 1]!;
    if ((second & 0xc0) !== 0x80) return false;
    if (lead >= 0xf0) return isContinued(bytes[index + 2]) && isContinued(bytes[index + 3]);
    const place = (lead << 8) | second;
    if (this.#answers[place] === UNKNOWN) {
      this.#answers[place] = this.#isAnyConfusable(lead, second) ? YES : NO;
    }
    return this.#answers[place] === YES;
  }

  #isAnyConfusable(lead: number, second: number): boolean {
    if (lead < 0xe0) return this.#automaton.mayBelong(((lead & 0x1f) << 6) | (second & 0x3f));
    const first = ((lead & 0x0f) << 12) | ((second & 0x3f) << 6);
    for (let codePoint = first; codePoint < first + 64; codePoint++) {
      if (this.#automaton.mayBelong(codePoint)) return true;
    }
    return false;
  }
}

function isContinued(byte: number | undefined): boolean {
  return byte === undefined || (byte & 0xc0) === 0x80;
}
