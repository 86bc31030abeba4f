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

  /**
   * Tells whether a pattern may start at a place, by its first bytes and those in its middle.
   *
   * @param bytes A piece of a file
   * @param start The place; where no whole pattern fits any more, none starts
   */
  mayStartAt(bytes: Uint8Array, start: number): boolean {
    if (start > bytes.length - this.#window) return false;
    if (this.#window < 2) return this.#window === 1 && this.#starts[bytes[start]!] === 1;
    const at = start + (this.#window >> 1);
    return this.#starts[(bytes[start]! << 8) | bytes[start + 1]!] === 1 &&
      this.#middles[(bytes[at - 1]! << 8) | bytes[at]!] === 1;
  }

  #findBlock(bytes: Uint8Array, from: number): number {
    const { length } = bytes;
    const window = this.#window;
    const shifts = this.#shifts;
    let last = from + window - 1;
    let steps = 1;
    for (; last < length; steps++) {
      const shift = shifts[(bytes[last - 1]! << 8) | bytes[last]!]!;
      if (shift > 0) {
        last += shift;
        continue;
      }
      if (this.mayStartAt(bytes, last - window + 1)) break;
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

/** How many neighbouring bytes of a pattern are compared. */
const BYTES = 3;
const GROUPS = 8;
/** More places of patterns than these would leave little that is passed over. */
const MOST_ANCHORS = 24;
/** Where the compared bytes may begin in a pattern: a place is looked at closely from so far before it. */
const FARTHEST = 16;

/** How many bytes are compared at once. */
const STEP = 16;
const TABLE = 16;
/** Where the bytes stand in the module's memory, behind the tables. */
const DATA = 2 * BYTES * TABLE;
/** What is copied there at once stays in the processor's cache. */
const BLOCK = 32 * 1024;
const PAGES = 1;

/** One look closer is worth so many bytes that are passed over. */
const BYTES_FOR_A_LOOK = 512;
const FIRST_LOOKS = 64;

/** Bytes of a pattern that are compared, and where in it they begin. */
interface Anchor {
  readonly offset: number;
  readonly accepted: BytePattern;
}

type Find = (from: number, to: number) => number;

/**
 * Tells of most files that nothing is in them, sixteen bytes at a time, by WebAssembly's vector
 * instructions. For each of three neighbouring bytes two tables, by its lower and its upper half, tell in
 * which of eight groups of patterns it may stand; only where a group is left for all three, the place is
 * looked at closely. The idea is that of Teddy (Wang and others, "Hyperscan", 2019).
 */
export class VectorFilter {
  readonly #memory: Uint8Array;
  readonly #find: Find;
  readonly #reach: number;

  private constructor(anchors: readonly Anchor[], looksBeyondAscii: boolean) {
    const memory = new WebAssembly.Memory({ initial: PAGES });
    const module = new WebAssembly.Module(assemble(looksBeyondAscii));
    const { exports } = new WebAssembly.Instance(module, { "": { memory } });
    this.#find = exports["find"] as Find;
    this.#memory = new Uint8Array(memory.buffer);
    this.#memory.set(makeTables(anchors));
    this.#reach = BYTES - 1 + Math.max(0, ...anchors.map(({ offset }) => offset));
  }

  /**
   * Compiles one.
   *
   * @param patterns None of them empty
   * @param looksBeyondAscii Whether bytes beyond ASCII are looked at too
   * @returns Null where it does not pay: for too many patterns, or without vector instructions
   */
  static compile(patterns: readonly BytePattern[], looksBeyondAscii: boolean): VectorFilter | null {
    const anchors = new Map(patterns.map((pattern) => {
      const anchor = chooseAnchor(pattern);
      return [JSON.stringify(anchor), anchor];
    }));
    if (anchors.size > MOST_ANCHORS) return null;
    try {
      return new VectorFilter([...anchors.values()], looksBeyondAscii);
    } catch {
      return null;
    }
  }

  /**
   * Tells whether something is in bytes.
   *
   * @param bytes A whole file
   * @param isAt Looks closer: whether something is or starts from one index on and before another
   * @returns Null where so much may be something that another search is cheaper
   */
  holds(bytes: Uint8Array, isAt: (from: number, to: number) => boolean): boolean | null {
    let looks = FIRST_LOOKS + bytes.length / BYTES_FOR_A_LOOK;
    for (let start = 0; start < bytes.length; start += BLOCK) {
      const length = Math.min(BLOCK, bytes.length - start);
      this.#memory.set(bytes.subarray(start, start + length), DATA);
      // What is left of a file before is not this file's.
      this.#memory.fill(0, DATA + length, DATA + length + STEP);
      for (let at = this.#find(0, length); at < length; at = this.#find(at + STEP, length)) {
        if (looks-- <= 0) return null;
        const from = Math.max(0, start + at - this.#reach);
        if (isAt(from, Math.min(bytes.length, start + at + STEP))) return true;
      }
    }
    return false;
  }
}

const COMMON = new Set("etaoinsrlcdpmu \n".split("").map((letter) => letter.charCodeAt(0)));

/** How often one of these bytes is met in a text, more or less. */
function weigh(bytes: readonly number[]): number {
  return bytes.reduce((sum, byte) => {
    if (COMMON.has(byte)) return sum + 8;
    return sum + (byte >= 0x61 && byte <= 0x7a ? 4 : 1);
  }, 0);
}

const ANY_BYTE = [...Array(256).keys()];

/** The neighbouring bytes of a pattern that are met least; in front of a short one, any may stand. */
function chooseAnchor(pattern: BytePattern): Anchor {
  const missing = Math.max(0, BYTES - pattern.length);
  const padded = [...Array<readonly number[]>(missing).fill(ANY_BYTE), ...pattern];
  const places = Math.min(FARTHEST, padded.length - BYTES);
  const anchors = Array.from({ length: places + 1 }, (_, place) => {
    const accepted = padded.slice(place, place + BYTES);
    const weight = accepted.reduce((product, bytes) => product * weigh(bytes), 1);
    return { anchor: { offset: place - missing, accepted }, weight };
  });
  return anchors.reduce((best, other) => other.weight < best.weight ? other : best).anchor;
}

/** For each compared byte, by its lower half and by its upper half: a bit for each group. */
function makeTables(anchors: readonly Anchor[]): Uint8Array {
  const tables = new Uint8Array(DATA);
  for (const [index, { accepted }] of anchors.entries()) {
    const group = 1 << index % GROUPS;
    for (let i = 0; i < BYTES; i++) {
      const lower = 2 * i * TABLE;
      for (const byte of accepted[i] ?? []) {
        tables[lower + (byte & 0xf)]! |= group;
        tables[lower + TABLE + (byte >> 4)]! |= group;
      }
    }
  }
  return tables;
}

/*
 * The module's code: `find(from, to)` gives the first step of bytes from one index on that is not passed over,
 * or what is not before the other index. The codes are those of the WebAssembly specification.
 */

const FROM = 0, TO = 1, FIRST_TABLE = 2;
const READ = 8,
  LOWER = 9,
  UPPER = 10,
  FIRST = 11,
  SECOND = 12,
  FIRST_BEFORE = 13,
  SECOND_BEFORE = 14;
const VECTORS = 13;
const I32 = 0x7f, V128 = 0x7b, VOID = 0x40;
const BLOCK_START = [0x02, VOID], LOOP = [0x03, VOID], END = 0x0b, BRANCH_IF = 0x0d, BRANCH = 0x0c;
const GET = 0x20, SET = 0x21, TEE = 0x22, CONSTANT = 0x41, ADD = 0x6a, NOT_LESS = 0x4e;
const SIMD = 0xfd;
const SWIZZLE = [SIMD, 0x80, 0x02], AND = [SIMD, 0x4e], OR = [SIMD, 0x50], ANY_TRUE = [SIMD, 0x53];
const SHIFT_RIGHT_16 = [SIMD, 0x8d, 0x01];

const load = (offset: number): number[] => [SIMD, 0x00, 0x00, ...unsigned(offset)];
const all = (byte: number): number[] => [SIMD, 0x0c, ...Array(STEP).fill(byte)];

/** Of two steps, the bytes from so many before the second on. */
const joinFrom = (before: number): number[] => {
  return [SIMD, 0x0d, ...Array.from({ length: STEP }, (_, i) => STEP - before + i)];
};

function assemble(looksBeyondAscii: boolean): Uint8Array<ArrayBuffer> {
  const tables = Array.from({ length: 2 * BYTES }, (_, i) => FIRST_TABLE + i);
  const body = [
    ...list([[VECTORS, V128]]),
    ...tables.flatMap((table, i) => [CONSTANT, 0, ...load(i * TABLE), SET, table]),
    // What stood before is not known: anything.
    ...[...all(0xff), SET, FIRST_BEFORE, ...all(0xff), SET, SECOND_BEFORE],
    ...BLOCK_START,
    ...LOOP,
    ...[GET, FROM, GET, TO, NOT_LESS, BRANCH_IF, 1],
    ...[GET, FROM, ...load(DATA), TEE, READ, ...all(0x0f), ...AND, SET, LOWER],
    ...[GET, READ, CONSTANT, 4, ...SHIFT_RIGHT_16, ...all(0x0f), ...AND, SET, UPPER],
    ...[GET, FIRST_BEFORE, ...lookUp(0), TEE, FIRST, ...joinFrom(2)],
    ...[GET, SECOND_BEFORE, ...lookUp(1), TEE, SECOND, ...joinFrom(1), ...AND],
    ...[...lookUp(2), ...AND],
    ...(looksBeyondAscii ? [GET, READ, ...all(0x80), ...AND, ...OR] : []),
    ...[...ANY_TRUE, BRANCH_IF, 1],
    ...[GET, FIRST, SET, FIRST_BEFORE, GET, SECOND, SET, SECOND_BEFORE],
    ...[GET, FROM, CONSTANT, STEP, ADD, SET, FROM],
    ...[BRANCH, 0],
    END,
    END,
    ...[GET, FROM],
    END,
  ];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, list([[0x60, ...list([[I32], [I32]]), ...list([[I32]])]])),
    ...section(2, list([[...text(""), ...text("memory"), 0x02, 0x00, PAGES]])),
    ...section(3, list([[0]])),
    ...section(7, list([[...text("find"), 0x00, 0]])),
    ...section(10, list([[...unsigned(body.length), ...body]])),
  ]);
}

/** Which groups may have the bytes of a step in one of their places. */
function lookUp(place: number): number[] {
  const lower = FIRST_TABLE + 2 * place;
  return [
    ...[GET, lower, GET, LOWER, ...SWIZZLE],
    ...[GET, lower + 1, GET, UPPER, ...SWIZZLE],
    ...AND,
  ];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function list(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function text(characters: string): number[] {
  return [...unsigned(characters.length), ...new TextEncoder().encode(characters)];
}

/** A number in LEB128. */
function unsigned(number: number): number[] {
  const rest = number >>> 7;
  return rest === 0 ? [number] : [number & 0x7f | 0x80, ...unsigned(rest)];
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
