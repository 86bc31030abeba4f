import { foldConfusable, foldConfusables, isIgnorable } from "./confusables.ts";

/** A character as the automaton takes it. */
interface FoldedCharacter {
  /** Whether it shows nothing of its own. */
  readonly isIgnorable: boolean;
  /** Whether it can be part of a word: a letter, a mark or a digit. */
  readonly isWord: boolean;
  /** The letters that it can be taken for, as the automaton numbers them; 0 stands in no name. */
  readonly letters: readonly number[];
}

/** A protected name. */
interface FoldedName {
  /** As the policy writes it. */
  readonly text: string;
  /** The letters that it can be taken for. */
  readonly letters: string;
}

/** What {@linkcode NameAutomaton.outsideKind} tells of a character. */
export const OUTSIDE_WORD = 1;
/** The same of a character that is part of no word. */
export const OUTSIDE_OTHER = 2;
const NOT_OUTSIDE = 3;

const WORD = /[\p{L}\p{M}\p{N}]/u;

/**
 * Finds names in a run of folded characters, all at once and in one pass (Aho and Corasick,
 * "Efficient string matching", 1975).
 */
export class NameAutomaton {
  /** The names, none of which folds like another. */
  readonly names: readonly FoldedName[];
  /** The letters of the longest name. */
  readonly longest: number;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #width: number;
  readonly #next: Int32Array;
  readonly #found: readonly (readonly number[])[];
  readonly #outsideKinds = new Uint8Array(0x10000);
  readonly #characters: (FoldedCharacter | undefined)[] = [];
  readonly #rareCharacters = new Map<number, FoldedCharacter>();

  /** @param names Of several that fold alike, the first is kept */
  constructor(names: readonly string[]) {
    this.names = foldNames(names);
    this.longest = Math.max(0, ...this.names.map(({ letters }) => letters.length));
    const alphabet = new Set(this.names.flatMap(({ letters }) => letters.split("")));
    this.#numbers = new Map([...alphabet].map((letter, index) => [letter, index + 1]));
    this.#width = alphabet.size + 1;
    const trie = this.#buildTrie();
    this.#next = trie.next;
    this.#found = trie.found;
  }

  /** The state after one more letter. */
  step(state: number, letter: number): number {
    return this.#next[state * this.#width + letter] ?? 0;
  }

  /** The names that end in a state, by their index. */
  found(state: number): readonly number[] {
    return this.#found[state] ?? [];
  }

  /**
   * Tells whether a character, where no name has begun, begins none: the common case, told without
   * folding it.
   *
   * @returns `OUTSIDE_WORD`, `OUTSIDE_OTHER`, or another number where it may begin or belong to one
   */
  outsideKind(codePoint: number): number {
    const known = this.#outsideKinds[codePoint];
    if (known !== 0) return known ?? NOT_OUTSIDE;
    const { isIgnorable, isWord, letters } = this.fold(codePoint);
    const beginsNone = !isIgnorable && letters.every((letter) => this.step(0, letter) === 0);
    const kind = !beginsNone ? NOT_OUTSIDE : isWord ? OUTSIDE_WORD : OUTSIDE_OTHER;
    this.#outsideKinds[codePoint] = kind;
    return kind;
  }

  /** Tells whether a character can be part of a name's look-alike. */
  mayBelong(codePoint: number): boolean {
    const { isIgnorable, letters } = this.fold(codePoint);
    return isIgnorable || !letters.includes(0);
  }

  /** Folds a code point, remembering those of the basic plane. */
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
    return {
      isIgnorable: isIgnorable(character),
      isWord: WORD.test(character),
      letters: foldConfusable(character).split("").map((letter) => this.#numbers.get(letter) ?? 0),
    };
  }

  #buildTrie(): { readonly next: Int32Array; readonly found: readonly (readonly number[])[] } {
    const size = 1 + this.names.reduce((sum, { letters }) => sum + letters.length, 0);
    const next = new Int32Array(size * this.#width);
    const found: number[][] = [[]];
    for (const [index, { letters }] of this.names.entries()) {
      let state = 0;
      for (const letter of letters.split("")) {
        const place = state * this.#width + (this.#numbers.get(letter) ?? 0);
        if (next[place] === 0) next[place] = found.push([]) - 1;
        state = next[place] ?? 0;
      }
      found[state]?.push(index);
    }
    this.#linkFailures(next, found);
    return { next, found };
  }

  /** Fills in, breadth first, where each state goes on a letter that continues no name there. */
  #linkFailures(next: Int32Array, found: number[][]): void {
    const failures = new Int32Array(found.length);
    const queue: number[] = [0];
    for (const state of queue) {
      const failure = failures[state] ?? 0;
      for (let letter = 1; letter < this.#width; letter++) {
        const place = state * this.#width + letter;
        const onFailure = state === 0 ? 0 : next[failure * this.#width + letter] ?? 0;
        const child = next[place] ?? 0;
        if (child === 0) {
          next[place] = onFailure;
          continue;
        }
        failures[child] = onFailure;
        found[child]?.push(...(found[onFailure] ?? []));
        queue.push(child);
      }
    }
  }
}

function foldNames(names: readonly string[]): readonly FoldedName[] {
  const byLetters = new Map<string, FoldedName>();
  for (const text of names) {
    const letters = foldConfusables(text);
    if (letters !== "" && !byLetters.has(letters)) byLetters.set(letters, { text, letters });
  }
  return [...byLetters.values()];
}

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
