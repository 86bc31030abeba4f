import fc from "fast-check";
import { KprovError } from "../../../src/base/error.ts";
import { parseBitmap } from "../../../src/io/git/index_file.ts";
import { assertEquals, assertThrows } from "../../assert.ts";
import { encodeNumber, join } from "./build_index.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

/** A run of equal words, then words as they are (as text of 64 digits, bit 0 first). */
interface Run {
  readonly bit: 0 | 1;
  readonly length: number;
  readonly words: readonly string[];
}

function encodeWord(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

function encodeBitmap(bits: number, runs: readonly Run[]): Uint8Array {
  const words = runs.flatMap(({ bit, length, words }) => [
    encodeWord(BigInt(bit) | BigInt(length) << 1n | BigInt(words.length) << 33n),
    ...words.map((word) => encodeWord(BigInt(`0b${[...word].reverse().join("")}`))),
  ]);
  return join([encodeNumber(bits, 4), encodeNumber(words.length, 4), ...words, new Uint8Array(4)]);
}

function parse(bytes: Uint8Array, size: number): number[] {
  const { positions, end } = parseBitmap(new DataView(bytes.buffer), 0, size);
  assertEquals(end, bytes.length);
  return positions;
}

const bit = fc.constantFrom<0 | 1>(0, 1);
const word = fc.string({ unit: fc.constantFrom("0", "1"), minLength: 64, maxLength: 64 });
const run = fc.record({
  bit,
  length: fc.integer({ min: 0, max: 5 }),
  words: fc.array(word, { maxLength: 3 }),
});

Deno.test("parseBitmap() gives back the bits that were encoded", PURE, () => {
  fc.assert(fc.property(fc.array(run, { maxLength: 6 }), (runs) => {
    const digits = runs.map(({ bit, length, words }) =>
      `${bit}`.repeat(64 * length) + words.join("")
    ).join("");
    const expected = [...digits].flatMap((digit, i) => digit === "1" ? [i] : []);
    assertEquals(parse(encodeBitmap(digits.length, runs), digits.length), expected);
  }));
});

const ONES = "1".repeat(64);
const ONE_AT_63 = "0".repeat(63) + "1";

const BAD: readonly (readonly [what: string, bytes: Uint8Array, size: number])[] = [
  ["a run of ones longer than the index", encodeBitmap(64, [{ bit: 1, length: 2, words: [] }]), 64],
  [
    "a run that would take all memory",
    encodeBitmap(64, [{ bit: 1, length: 2 ** 32 - 1, words: [] }]),
    64,
  ],
  ["a word beyond the index", encodeBitmap(64, [{ bit: 0, length: 1, words: [ONES] }]), 64],
  ["a bit beyond the bitmap", encodeBitmap(63, [{ bit: 0, length: 0, words: [ONE_AT_63] }]), 64],
  ["a bitmap larger than the index", encodeBitmap(65, []), 64],
  [
    "more words promised than there are",
    new Uint8Array([0, 0, 0, 1, 255, 255, 255, 255, 0, 0, 0, 0]),
    64,
  ],
  ["no room for its head", new Uint8Array(11), 64],
];

for (const [what, bytes, size] of BAD) {
  Deno.test(`parseBitmap() refuses ${what}`, PURE, () => {
    assertThrows(() => parse(bytes, size), KprovError, "bitmaps is malformed");
  });
}

Deno.test("parseBitmap() refuses a run with more words behind it than there are", PURE, () => {
  const bytes = encodeBitmap(64, [{ bit: 0, length: 0, words: [ONES] }]);
  bytes[8] = 0xff;
  assertThrows(() => parse(bytes, 64), KprovError, "bitmaps is malformed");
});
