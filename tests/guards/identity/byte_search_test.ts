import fc from "fast-check";
import {
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
    assert(stepsPerByte(words) < 4);
  });
}

const FORMS: readonly (readonly [text: string, encodings: readonly (readonly number[])[]])[] = [
  ["a", [[0x61]]],
  ["ab", [[0x61, 0x62], [0x61, 0, 0x62]]],
  ["\u00e9", [[0xc3, 0xa9], [0xe9]]],
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
    assert(from >= 0 && to <= bytes.length);
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
    (patterns, border, before, behind, isAsciiAlone) => {
      // Near a border, across it, or at the end.
      const text = (patterns[0] ?? []).map((bytes) => bytes[0] ?? 0);
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
    assert(looks < 1_000_000 / 256, `${looks} looks`);
    assertEquals(filter?.holds(Uint8Array.of(0, 1, 2, 3), () => true), true);
    const many = Array.from({ length: 100 }, (_, i) => exactPattern([i, 255 - i, i]));
    assertEquals(VectorFilter.compile(many, false), null);
  },
);
