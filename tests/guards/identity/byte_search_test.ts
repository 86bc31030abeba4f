import fc from "fast-check";
import {
  AhoCorasick,
  ByteFilter,
  type BytePattern,
  ByteSearch,
  exactPattern,
  listEncodings,
  VectorFilter,
  type Word,
} from "../../../src/guards/identity/byte_search.ts";
import { assert, assertEquals } from "../../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

/** Every match, found by trying every word everywhere. */
function searchNaively(bytes: Uint8Array, words: readonly Word[]): string[] {
  return words.flatMap(({ symbols }, index) =>
    [...bytes.keys()].filter((start) =>
      start + symbols.length <= bytes.length &&
      Array.from(symbols).every((symbol, i) => symbol === bytes[start + i])
    ).map((start) => `${index}@${start}`)
  );
}

/** Every match, found in pieces. */
function searchPieces(bytes: Uint8Array, words: readonly Word[], size: number): string[] {
  const search = new ByteSearch(words);
  const found: string[] = [];
  let state = 0;
  for (let from = 0; from < bytes.length; from += size) {
    state = search.search(bytes.subarray(from, from + size), state, (end, at) => {
      assert(search.automaton.groupsAt(at) !== 0);
      for (const group of [0, 1]) {
        search.automaton.visitWords(at, group, (word) => {
          assertEquals(words[word]?.group, group);
          found.push(`${word}@${from + end - words[word]!.symbols.length}`);
          return true;
        });
      }
    });
  }
  return found;
}

// Few byte values, so that words meet, overlap and almost match.
const byte = fc.constantFrom(0, 1, 2, 0xff);
const BYTES = fc.array(byte, { maxLength: 200 }).map((bytes) => Uint8Array.from(bytes));

Deno.test("ByteSearch finds what trying everywhere finds, wherever the bytes are cut", PURE, () => {
  const word = fc.record({
    symbols: fc.array(byte, { minLength: 1, maxLength: 7 }),
    group: fc.constantFrom(0, 1),
  });
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), BYTES, fc.integer({ min: 1, max: 9 }), (
      words,
      bytes,
      size,
    ) => {
      const expected = searchNaively(bytes, words).sort();
      assertEquals(searchPieces(bytes, words, 200).sort(), expected);
      assertEquals(searchPieces(bytes, words, size).sort(), expected);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("ByteFilter passes over no place where a pattern stands", PURE, () => {
  const place = fc.uniqueArray(byte, { minLength: 1, maxLength: 2 });
  const pattern = fc.array(place, { minLength: 1, maxLength: 7 });
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 5 }), BYTES, (patterns, bytes) => {
      const filter = new ByteFilter(patterns);
      const standsAt = (accepts: BytePattern, start: number): boolean =>
        accepts.every((accepted, i) => accepted.includes(bytes[start + i] ?? -1));
      const first = [...bytes.keys()].find((start) => patterns.some((p) => standsAt(p, start)));
      for (let from = 0; from <= (first ?? bytes.length); from++) {
        const found = filter.find(bytes, from);
        assert(found >= from && found <= (first ?? bytes.length));
      }
      const standsIn = (start: number): boolean => patterns.some((p) => standsAt(p, start));
      assertEquals(filter.matches(bytes, standsIn), first !== undefined);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("AhoCorasick tells the groups of the words that end in a state", PURE, () => {
  const automaton = new AhoCorasick([
    { symbols: [1, 2], group: 0 },
    { symbols: [2], group: 2 },
    { symbols: [3], group: 1 },
  ]);
  const first = automaton.step(0, 1);
  assertEquals([0, first].map((state) => automaton.groupsAt(state)), [0, 0]);
  assertEquals(automaton.groupsAt(automaton.step(first, 2)), 0b101);
  assertEquals(automaton.groupsAt(automaton.step(first, 3)), 0b010);
  assertEquals(automaton.step(first, 9), 0);
  // An edge, no edge and a link to the root, an edge of the root: as often as one was followed.
  assert(automaton.steps >= 5 && automaton.steps <= 12, `${automaton.steps}`);
});

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

const FINDS: readonly (readonly [
  patterns: readonly string[],
  text: string,
  from: number,
  found: number,
])[] = [
  [[], "text", 0, 4],
  [["x"], "a text", 0, 4],
  [["x"], "a text", 5, 6],
  [["abcdef"], "zzzzef abcdef", 0, 7],
  [["abcdef"], "abzzef abcdef", 0, 7],
  [["abcdef"], "zbcdzz abcdef", 0, 7],
];

for (const [patterns, text, from, found] of FINDS) {
  Deno.test(
    `ByteFilter finds where ${JSON.stringify(patterns)} may start in "${text}"`,
    PURE,
    () => {
      const filter = new ByteFilter(patterns.map((pattern) => exactPattern(ascii(pattern))));
      assertEquals(filter.find(ascii(text), from), found);
    },
  );
}

Deno.test(
  "ByteFilter tells where a pattern may start, and that none starts too near the end",
  PURE,
  () => {
    const starts = (pattern: string, text: string): readonly number[] => {
      const filter = new ByteFilter([exactPattern(ascii(pattern))]);
      return [...ascii(text).keys()].filter((start) => filter.mayStartAt(ascii(text), start));
    };
    assertEquals(starts("abcdef", "abcdef abzzef zbcdef abcde"), [0]);
    assertEquals(starts("x", "x text"), [0, 4]);
    assertEquals(new ByteFilter([]).mayStartAt(ascii("x"), 0), false);
  },
);

Deno.test("ByteFilter looks at a fraction of the bytes, and counts its looks", PURE, () => {
  const long = new ByteFilter([exactPattern(ascii("abcdefgh"))]);
  assertEquals(long.find(new Uint8Array(800), 0) > 790, true);
  assert(long.steps > 0 && long.steps < 200, `${long.steps}`);
  const short = new ByteFilter([exactPattern([1])]);
  assertEquals(short.find(new Uint8Array(10), 4), 10);
  assertEquals(short.steps, 7);
});

Deno.test("exactPattern() takes as much of the bytes as a filter looks at", PURE, () => {
  assertEquals(exactPattern([1, 2]), [[1], [2]]);
  assertEquals(exactPattern(new Uint8Array(300)).length, 255);
});

Deno.test("ByteSearch tells whether a text may begin at a place", PURE, () => {
  const words = ["tok", "a".repeat(40)].map((text) => ({ symbols: ascii(text), group: 0 }));
  const search = new ByteSearch(words);
  const mayBegin = (text: string): boolean => search.mayBeginAt(ascii(` ${text}`), 1);
  for (const text of ["tok", "tokx", "to", "a".repeat(31), `${"a".repeat(32)}b`]) {
    assert(mayBegin(text), text);
  }
  for (const text of ["xtok", "tox", `${"a".repeat(31)}b`]) assert(!mayBegin(text), text);
});

Deno.test("ByteSearch takes words longer than its window", PURE, () => {
  const long = Uint8Array.from({ length: 300 }, (_, i) => i % 251);
  const bytes = Uint8Array.from({ length: 900 }, (_, i) => (i + 251 - 7) % 251);
  assertEquals(searchPieces(bytes, [{ symbols: long, group: 0 }], 900), ["0@7", "0@258", "0@509"]);
});

const LETTERS = new Uint8Array(200_000).fill(0x61);

/** The work on so many bytes of one letter, for each of them. */
function stepsPerByte(words: readonly Word[]): number {
  const search = new ByteSearch(words);
  const before = search.steps;
  search.search(LETTERS, 0, () => {});
  return (search.steps - before) / LETTERS.length;
}

const OVERLAPPING: readonly (readonly [string, readonly string[]])[] = [
  [
    "3,000 words that overlap",
    Array.from({ length: 3000 }, (_, i) => `${"a".repeat(i + 1)}b`),
  ],
  ["3,000 words that all match", Array.from({ length: 3000 }, (_, i) => "a".repeat(i + 1))],
  ["a word of 10,000 letters that fails at its end", [`${"a".repeat(10_000)}b`]],
  ["a word of 10,000 letters that fails at its start", [`b${"a".repeat(10_000)}`]],
  ["a word of one letter that is not there", ["b"]],
];

for (const [what, texts] of OVERLAPPING) {
  Deno.test(`ByteSearch takes at most a few steps for each byte, with ${what}`, PURE, () => {
    const encoder = new TextEncoder();
    const words = texts.map((text) => ({ symbols: encoder.encode(text), group: 0 }));
    const steps = stepsPerByte(words);
    assert(steps > 0 && steps < 4, `${steps}`);
  });
}

const FORMS: readonly (readonly [text: string, encodings: readonly (readonly number[])[]])[] = [
  ["a", [[0x61]]],
  ["ab", [[0x61, 0x62], [0x61, 0, 0x62]]],
  ["\u00e9", [[0xc3, 0xa9], [0xe9]]],
  ["\u0430\u0431\u0432", [
    [0xd0, 0xb0, 0xd0, 0xb1, 0xd0, 0xb2],
    [0x30, 4, 0x31, 4, 0x32, 4],
    [4, 0x30, 4, 0x31, 4, 0x32],
  ]],
  ["a\u0430", [[0x61, 0xd0, 0xb0], [0x61, 0, 0x30, 0x04], [0, 0x61, 0x04, 0x30]]],
];

for (const [text, encodings] of FORMS) {
  Deno.test(`listEncodings() gives ${JSON.stringify(text)} in UTF-8 and in UTF-16`, () => {
    assertEquals(listEncodings(text).map((bytes) => [...bytes]), encodings.map((e) => [...e]));
  });
}

// What is compared at once, and what is copied at once.
const STEP = 16;
const BLOCK = 32 * 1024;

/** Which places a filter of patterns has a closer look at. */
function lookedAt(
  patterns: readonly BytePattern[],
  isAsciiAlone: boolean,
  bytes: Uint8Array,
): ReadonlySet<number> {
  const looked = new Set<number>();
  const filter = VectorFilter.compile(patterns, isAsciiAlone);
  assert(filter !== null);
  const found = filter.holds(bytes, (from, to) => {
    assert(from >= 0 && from < to && to <= bytes.length);
    for (let i = from; i < to; i++) looked.add(i);
    return false;
  });
  assertEquals(found, false);
  return looked;
}

Deno.test("VectorFilter passes over no pattern and no byte beyond ASCII", PURE, () => {
  const accepted = fc.uniqueArray(fc.constantFrom(0, 1, 2, 3), { minLength: 1, maxLength: 2 });
  const pattern: fc.Arbitrary<BytePattern> = fc.array(accepted, { minLength: 1, maxLength: 24 });
  const property = fc.property(
    fc.array(pattern, { minLength: 1, maxLength: 10 }),
    fc.constantFrom(0, STEP, 3 * STEP, BLOCK, BLOCK + STEP, 2 * BLOCK),
    fc.integer({ min: -24, max: 3 }),
    fc.constantFrom(0, 1, 5, 16, 100),
    fc.boolean(),
    fc.nat(),
    (patterns, border, before, behind, isAsciiAlone, choice) => {
      // Near a border, across it, or at the end.
      const text = (patterns[choice % patterns.length] ?? []).map((bytes) => bytes[0] ?? 0);
      const start = Math.max(0, border + before);
      const bytes = new Uint8Array(start + text.length + behind).fill(0x20);
      bytes.set(text, start);
      assert(lookedAt(patterns, isAsciiAlone, bytes).has(start), "the pattern");
      bytes.fill(0x20).fill(0xc3, start, start + 1);
      if (isAsciiAlone) assert(lookedAt(patterns, true, bytes).has(start), "the byte");
    },
  );
  fc.assert(property, { numRuns: 1000 });
});

Deno.test(
  "VectorFilter gives up where every place needs a look, and is not made for many words",
  PURE,
  () => {
    const patterns = [exactPattern([1, 2, 3])];
    const filter = VectorFilter.compile(patterns, true);
    let looks = 0;
    const found = filter?.holds(new Uint8Array(1_000_000).fill(0xff), () => {
      looks++;
      return false;
    });
    assertEquals(found, null);
    assert(looks > 1_000_000 / 512 && looks < 1_000_000 / 256, `${looks} looks`);
    assertEquals(filter?.holds(Uint8Array.of(0, 1, 2, 3), () => true), true);
    const many = Array.from({ length: 100 }, (_, i) => exactPattern([i, 255 - i, i]));
    assertEquals(VectorFilter.compile(many, false), null);
    assertEquals(VectorFilter.compile(many.slice(0, 25), false), null);
    assert(VectorFilter.compile(many.slice(0, 24), false) !== null);
  },
);

const COMPARED: readonly (readonly [what: string, pattern: string, text: string])[] = [
  ["digits before letters", "xkj012", "xkj"],
  ["rare letters before common ones", "eeexkj", "eee"],
  ["the first of letters that are as rare", "kkkzzz", "zzz"],
  ["other bytes before letters", "xkj{{{", "xkj"],
  ["three rare bytes before two", "x01xx012", "01"],
];

for (const [what, pattern, text] of COMPARED) {
  Deno.test(`VectorFilter compares ${what}`, PURE, () => {
    const patterns = [exactPattern(ascii(pattern))];
    assertEquals(lookedAt(patterns, false, ascii(text.repeat(100))).size, 0);
    assert(lookedAt(patterns, false, ascii(`${text.repeat(100)}${pattern}`)).size > 0);
  });
}

Deno.test(
  "VectorFilter has no look where nothing is, nor at what is left of the file before",
  PURE,
  () => {
    const filter = VectorFilter.compile([exactPattern([1, 2, 3])], true);
    assert(filter !== null);
    const looks = (bytes: Uint8Array): readonly number[] => {
      const found: number[] = [];
      filter.holds(bytes, (from, to) => {
        found.push(from, to);
        return false;
      });
      return found;
    };
    const bytes = new Uint8Array(200);
    bytes.set([1, 2, 3], 100);
    assertEquals(looks(bytes), [94, 112]);
    for (const near of [[9, 2, 3], [1, 9, 3], [1, 2, 9]]) {
      assertEquals(looks(Uint8Array.from({ length: 64 }, (_, i) => near[i - 20] ?? 0)), []);
    }
    assertEquals(looks(bytes.subarray(0, 96)), []);
    assertEquals(looks(bytes.subarray(0, 97)), []);
    assertEquals(looks(new Uint8Array(BLOCK + 50)), []);
    // What ends a pattern at the start of a step is held against what stood before it.
    assertEquals(looks(new Uint8Array(64).fill(3, 16, 17)), []);
  },
);
