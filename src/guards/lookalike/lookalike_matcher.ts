import { judgeLookalike } from "./lookalike.ts";
import { type NameAutomaton, OUTSIDE_OTHER, OUTSIDE_WORD } from "./name_automaton.ts";

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
export interface LookalikeMatch {
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
export class LookalikeMatcher {
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
