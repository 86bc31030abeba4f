/** A word of an {@linkcode AhoCorasick} automaton. */
export interface Word {
  /** Its symbols: bytes, or UTF-16 code units. */
  readonly symbols: ArrayLike<number>;
  /** Which of up to eight groups it belongs to, from 0. */
  readonly group: number;
}

/**
 * Finds words in a sequence of symbols, all at once and in one pass (Aho and Corasick, "Efficient
 * string matching", 1975). It takes memory in proportion to the words: a state has no row of symbols.
 */
export class AhoCorasick {
  /** How many edges and failure links were followed: at most two for each symbol. */
  steps = 0;
  readonly #words: readonly Word[];
  readonly #edges = new EdgeTable();
  /** By state: the one with the longest proper suffix of its symbols. */
  readonly #failures: Int32Array;
  /** By state: a bit for each group of which a word ends there. */
  readonly #groups: Uint8Array;
  /** By group and state: the next state on the chain of suffixes, itself included, where a word ends. */
  readonly #links: readonly Int32Array[];
  readonly #ends = new Map<number, number[]>();

  /** @param words None of them empty */
  constructor(words: readonly Word[]) {
    this.#words = words;
    const parents = this.#buildTrie();
    const groupCount = 1 + Math.max(-1, ...words.map(({ group }) => group));
    this.#failures = new Int32Array(parents.length);
    this.#groups = new Uint8Array(parents.length);
    this.#links = Array.from({ length: groupCount }, () => new Int32Array(parents.length));
    this.#linkStates(parents);
  }

  /** The state after one more symbol; 0 is where no word has begun. */
  step(state: number, symbol: number): number {
    let from = state;
    let next = this.#edges.find(from, symbol);
    let steps = 1;
    while (next === 0 && from !== 0) {
      from = this.#failures[from]!;
      next = this.#edges.find(from, symbol);
      steps++;
    }
    this.steps += steps;
    return next;
  }

  /** A bit for each group of which a word ends in a state. */
  groupsAt(state: number): number {
    return this.#groups[state]!;
  }

  /**
   * Visits the words of a group that end in a state, the longest first.
   *
   * @param visit Takes a word by its index, and tells whether to go on
   */
  visitWords(state: number, group: number, visit: (word: number) => boolean): void {
    const links = this.#links[group];
    if (links === undefined) return;
    for (let at = links[state]!; at !== 0; at = links[this.#failures[at]!]!) {
      for (const word of this.#ends.get(at)!) {
        if (this.#words[word]!.group === group && !visit(word)) return;
      }
    }
  }

  /** Adds all words, and gives each state's parent and the symbol that leads to it from there. */
  #buildTrie(): readonly (readonly [parent: number, symbol: number])[] {
    const parents: [number, number][] = [[0, 0]];
    for (const [index, { symbols }] of this.#words.entries()) {
      let state = 0;
      for (let i = 0; i < symbols.length; i++) {
        const symbol = symbols[i]!;
        let next = this.#edges.find(state, symbol);
        if (next === 0) {
          next = parents.push([state, symbol]) - 1;
          this.#edges.add(state, symbol, next);
        }
        state = next;
      }
      this.#ends.set(state, [...this.#ends.get(state) ?? [], index]);
    }
    return parents;
  }

  /** Finds each state's failure, parents first: by their depth. */
  #linkStates(parents: readonly (readonly [number, number])[]): void {
    const depths = new Int32Array(parents.length);
    for (let state = 1; state < parents.length; state++) {
      depths[state] = depths[parents[state]![0]]! + 1;
    }
    const byDepth = Int32Array.from(parents.keys()).sort((a, b) => depths[a]! - depths[b]!);
    for (const state of byDepth) {
      if (state === 0) continue;
      const [parent, symbol] = parents[state]!;
      const failure = parent === 0 ? 0 : this.step(this.#failures[parent]!, symbol);
      this.#failures[state] = failure;
      let groups = 0;
      for (const word of this.#ends.get(state) ?? []) groups |= 1 << this.#words[word]!.group;
      this.#groups[state] = groups | this.#groups[failure]!;
      for (const [group, links] of this.#links.entries()) {
        links[state] = (groups >> group & 1) === 1 ? state : links[failure]!;
      }
    }
  }
}

/** The edges of a trie: a hash table of numbers, in a tenth of what a Map takes. */
class EdgeTable {
  #size = 0;
  #from = new Int32Array(64);
  #symbols = new Int32Array(64);
  /** 0 where there is no edge: no edge leads back to the root. */
  #to = new Int32Array(64);

  /** The state that an edge leads to, or 0. */
  find(from: number, symbol: number): number {
    return this.#to[this.#placeOf(from, symbol)]!;
  }

  /** Adds an edge that is not there. */
  add(from: number, symbol: number, to: number): void {
    if (2 * ++this.#size > this.#to.length) this.#grow();
    this.#put(from, symbol, to);
  }

  #put(from: number, symbol: number, to: number): void {
    const place = this.#placeOf(from, symbol);
    this.#from[place] = from;
    this.#symbols[place] = symbol;
    this.#to[place] = to;
  }

  #placeOf(from: number, symbol: number): number {
    const mask = this.#to.length - 1;
    const hash = Math.imul(Math.imul(from, 0x9e3779b1) ^ symbol, 0x85ebca6b);
    let place = (hash ^ (hash >>> 15)) & mask;
    while (
      this.#to[place] !== 0 && (this.#from[place] !== from || this.#symbols[place] !== symbol)
    ) place = (place + 1) & mask;
    return place;
  }

  #grow(): void {
    const [from, symbols, to] = [this.#from, this.#symbols, this.#to];
    this.#from = new Int32Array(2 * to.length);
    this.#symbols = new Int32Array(2 * to.length);
    this.#to = new Int32Array(2 * to.length);
    for (let i = 0; i < to.length; i++) {
      if (to[i] !== 0) this.#put(from[i]!, symbols[i]!, to[i]!);
    }
  }
}

/** What a filter looks for: at each place, the bytes that may stand there. */
export type BytePattern = readonly (readonly number[])[];

const LONGEST_WINDOW = 255;

/**
 * Finds where patterns may start, looking at a fraction of the bytes only (Wu and Manber, "A fast
 * algorithm for multi-pattern searching", 1994, with blocks of two bytes).
 */
export class ByteFilter {
  /** How many places were looked at. */
  steps = 0;
  readonly #window: number;
  /** By the last two bytes of the window: how far it may move, 0 where a pattern may stand. */
  readonly #shifts: Uint8Array;
  /** By the first two bytes, or the first of a window of one: whether a pattern starts so. */
  readonly #starts = new Uint8Array(0x10000);
  /** By the two bytes in the middle of the window: whether a pattern has them there. */
  readonly #middles = new Uint8Array(0x10000);

  /** @param patterns None of them empty */
  constructor(patterns: readonly BytePattern[]) {
    this.#window = patterns.length === 0
      ? 0
      : patterns.reduce((least, { length }) => Math.min(least, length), LONGEST_WINDOW);
    this.#shifts = new Uint8Array(0x10000).fill(Math.max(0, this.#window - 1));
    for (const pattern of patterns) this.#add(pattern);
  }

  /**
   * Finds the next place where a pattern may start.
   *
   * @param bytes A piece of a file
   * @param from The index to begin at
   * @returns Its index; near the end, where no whole pattern fits any more, the first that is not
   * excluded; the length where there is none
   */
  find(bytes: Uint8Array, from: number): number {
    if (this.#window === 0) return bytes.length;
    return this.#window === 1 ? this.#findByte(bytes, from) : this.#findBlock(bytes, from);
  }

  /**
   * Tells whether a pattern stands in a whole file.
   *
   * @param bytes The file
   * @param standsAt Whether one stands where one may start
   */
  matches(bytes: Uint8Array, standsAt: (start: number) => boolean): boolean {
    if (this.#window === 0) return false;
    const last = bytes.length - this.#window;
    for (let start = this.find(bytes, 0); start <= last; start = this.find(bytes, start + 1)) {
      if (standsAt(start)) return true;
    }
    return false;
  }

  #findBlock(bytes: Uint8Array, from: number): number {
    const { length } = bytes;
    const window = this.#window;
    const middle = window >> 1;
    const shifts = this.#shifts;
    let last = from + window - 1;
    let steps = 1;
    for (; last < length; steps++) {
      const shift = shifts[(bytes[last - 1]! << 8) | bytes[last]!]!;
      if (shift > 0) {
        last += shift;
        continue;
      }
      const start = last - window + 1;
      const at = start + middle;
      if (
        this.#starts[(bytes[start]! << 8) | bytes[start + 1]!] === 1 &&
        this.#middles[(bytes[at - 1]! << 8) | bytes[at]!] === 1
      ) break;
      last++;
    }
    this.steps += steps;
    return Math.min(length, last - window + 1);
  }

  #findByte(bytes: Uint8Array, from: number): number {
    let i = from;
    while (i < bytes.length && this.#starts[bytes[i]!] === 0) i++;
    this.steps += 1 + i - from;
    return i;
  }

  #add(pattern: BytePattern): void {
    if (this.#window === 1) {
      for (const byte of pattern[0] ?? []) this.#starts[byte] = 1;
      return;
    }
    for (const block of listBlocks(pattern, 1)) this.#starts[block] = 1;
    for (const block of listBlocks(pattern, this.#window >> 1)) this.#middles[block] = 1;
    for (let last = 1; last < this.#window; last++) {
      const shift = this.#window - 1 - last;
      for (const block of listBlocks(pattern, last)) {
        if (shift < this.#shifts[block]!) this.#shifts[block] = shift;
      }
    }
  }
}

/** All pairs of bytes that a pattern takes at `last - 1` and `last`, each as one number. */
function listBlocks(pattern: BytePattern, last: number): number[] {
  const seconds = pattern[last] ?? [];
  return (pattern[last - 1] ?? []).flatMap((first) =>
    seconds.map((second) => (first << 8) | second)
  );
}

// What may begin in vain everywhere must not be followed to its end everywhere.
const LONG_ENOUGH = 32;

const SINGLE_BYTES = Array.from({ length: 256 }, (_, byte) => [byte]);

/**
 * Makes the pattern that only these bytes match, as much of it as a filter looks at.
 *
 * @param bytes At least one byte
 */
export function exactPattern(bytes: ArrayLike<number>): BytePattern {
  const length = Math.min(bytes.length, LONGEST_WINDOW);
  return Array.from({ length }, (_, index) => SINGLE_BYTES[bytes[index] ?? 0] ?? []);
}

/**
 * Searches bytes for texts, in time that grows with the bytes and the texts alone: the automaton runs
 * only from where a text may start to where none can go on.
 */
export class ByteSearch {
  /** The automaton, for what ends in a state. */
  readonly automaton: AhoCorasick;
  readonly #filter: ByteFilter;

  /** @param words Texts as bytes, none of them empty */
  constructor(words: readonly Word[]) {
    this.automaton = new AhoCorasick(words);
    this.#filter = new ByteFilter(words.map(({ symbols }) => exactPattern(symbols)));
  }

  /** How much work was done: places looked at, edges and links followed. */
  get steps(): number {
    return this.#filter.steps + this.automaton.steps;
  }

  /** Tells whether a text may begin at a place: it goes on for long enough, or ends. */
  mayBeginAt(bytes: Uint8Array, start: number): boolean {
    const { automaton } = this;
    const limit = Math.min(bytes.length, start + LONG_ENOUGH);
    let state = 0;
    for (let i = start; i < limit; i++) {
      state = automaton.step(state, bytes[i]!);
      if (state === 0) return false;
      if (automaton.groupsAt(state) !== 0) return true;
    }
    return true;
  }

  /**
   * Searches the next piece of a file.
   *
   * @param bytes The piece
   * @param state Where the automaton stood at the end of the piece before it, at first 0
   * @param take Is called with the index behind each place where words end, and the state there
   * @returns Where the automaton stands at the end
   */
  search(bytes: Uint8Array, state: number, take: (end: number, state: number) => void): number {
    const { automaton } = this;
    let at = state;
    let i = 0;
    for (;;) {
      if (at === 0) i = this.#filter.find(bytes, i);
      if (i >= bytes.length) return at;
      at = automaton.step(at, bytes[i++]!);
      if (automaton.groupsAt(at) !== 0) take(i, at);
    }
  }
}

const ONLY_LATIN1 = /^[\0-\xff]*$/;

/**
 * Lists the bytes by which a text may stand in a file: as UTF-8 and as UTF-16 of either order. Where
 * all second bytes are zero, one sequence serves both orders, without the outer zero.
 *
 * @param text At least one character
 */
export function listEncodings(text: string): readonly Uint8Array[] {
  const utf8 = new TextEncoder().encode(text);
  const little = encodeUtf16Little(text);
  if (!ONLY_LATIN1.test(text)) return [utf8, little, swapBytes(little)];
  const both = little.subarray(0, -1);
  return both.length === 1 && utf8.length === 1 ? [utf8] : [utf8, both];
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
