/** What a search looks for: at each place, the bytes that may stand there. */
export type BytePattern = readonly (readonly number[])[];

/** Takes a match: which pattern, and where it starts. */
export type TakeMatch = (pattern: number, start: number) => void;

/** Searches bytes for all patterns at once, overlapping matches included. */
export type ByteSearch = (bytes: Uint8Array, take: TakeMatch) => void;

interface CompiledPattern {
  readonly index: number;
  /** For each place, 256 flags: whether the byte may stand there. */
  readonly accepts: readonly Uint8Array[];
}

interface ShiftTable {
  readonly window: number;
  /** By the last two bytes of the window: how far it may move, 0 where a pattern may match. */
  readonly shifts: Uint8Array;
  /** By the same two bytes: the patterns that may match. */
  readonly candidates: ReadonlyMap<number, readonly CompiledPattern[]>;
}

const SHORT = 4;
const LONGEST_WINDOW = 255;

/**
 * Compiles patterns into one search (Wu and Manber, "A fast algorithm for multi-pattern searching",
 * 1994, with blocks of two bytes), which looks at a fraction of the bytes only. Patterns of under
 * four bytes would shorten its steps and are searched apart.
 *
 * @param patterns None of them empty
 * @returns The search; matches of one pattern come in the order of their starts
 */
export function compileBytePatterns(patterns: readonly BytePattern[]): ByteSearch {
  const compiled = patterns.map((pattern, index) => ({
    index,
    accepts: pattern.map(flagBytes),
  }));
  const short = compiled.filter(({ accepts }) => accepts.length < SHORT);
  const long = compiled.filter(({ accepts }) => accepts.length >= SHORT);
  const table = long.length === 0 ? null : buildShiftTable(long);
  return (bytes, take) => {
    if (table !== null) searchLong(bytes, table, take);
    for (const pattern of short) searchShort(bytes, pattern, take);
  };
}

/**
 * Makes the pattern that only these bytes match.
 *
 * @param bytes At least one byte
 */
export function exactPattern(bytes: Uint8Array): BytePattern {
  return Array.from(bytes, (byte) => [byte]);
}

function flagBytes(bytes: readonly number[]): Uint8Array {
  const flags = new Uint8Array(256);
  for (const byte of bytes) flags[byte] = 1;
  return flags;
}

function buildShiftTable(patterns: readonly CompiledPattern[]): ShiftTable {
  const window = Math.min(LONGEST_WINDOW, ...patterns.map(({ accepts }) => accepts.length));
  const shifts = new Uint8Array(0x10000).fill(window - 1);
  const candidates = new Map<number, CompiledPattern[]>();
  for (const pattern of patterns) {
    for (let last = 1; last < window; last++) {
      const shift = window - 1 - last;
      for (const block of listBlocks(pattern, last)) {
        shifts[block] = Math.min(shifts[block] ?? 0, shift);
        if (shift > 0) continue;
        const known = candidates.get(block);
        if (known === undefined) candidates.set(block, [pattern]);
        else known.push(pattern);
      }
    }
  }
  return { window, shifts, candidates };
}

/** All pairs of bytes that a pattern takes at `last - 1` and `last`, each as one number. */
function listBlocks({ accepts }: CompiledPattern, last: number): number[] {
  const blocks: number[] = [];
  for (let first = 0; first < 256; first++) {
    if (accepts[last - 1]?.[first] !== 1) continue;
    for (let second = 0; second < 256; second++) {
      if (accepts[last]?.[second] === 1) blocks.push((first << 8) | second);
    }
  }
  return blocks;
}

function searchLong(bytes: Uint8Array, table: ShiftTable, take: TakeMatch): void {
  const { window, shifts } = table;
  const length = bytes.length;
  let last = window - 1;
  while (last < length) {
    const block = (bytes[last - 1]! << 8) | bytes[last]!;
    const shift = shifts[block]!;
    if (shift > 0) {
      last += shift;
      continue;
    }
    const start = last - window + 1;
    for (const pattern of table.candidates.get(block) ?? []) {
      if (matchesAt(bytes, start, pattern)) take(pattern.index, start);
    }
    last++;
  }
}

function searchShort(bytes: Uint8Array, pattern: CompiledPattern, take: TakeMatch): void {
  const first = pattern.accepts[0]!;
  for (let start = 0; start < bytes.length; start++) {
    if (first[bytes[start]!] === 1 && matchesAt(bytes, start, pattern)) take(pattern.index, start);
  }
}

function matchesAt(bytes: Uint8Array, start: number, { accepts }: CompiledPattern): boolean {
  if (start + accepts.length > bytes.length) return false;
  for (let i = 0; i < accepts.length; i++) {
    if (accepts[i]![bytes[start + i]!] !== 1) return false;
  }
  return true;
}
