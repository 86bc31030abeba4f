import fc from "fast-check";
import { Utf16Decoder, Utf8Decoder } from "../../src/base/text.ts";
import { assertEquals } from "../assert.ts";

/** Code points with the offsets at which they start. */
type Characters = readonly (readonly [codePoint: number, offset: number])[];

function decodeUtf8(bytes: Iterable<number>): Characters {
  const characters: [number, number][] = [];
  const decoder = new Utf8Decoder((codePoint, offset) => characters.push([codePoint, offset]));
  let offset = 0;
  for (const byte of bytes) decoder.push(byte, offset++);
  decoder.end();
  return characters;
}

function decodeUtf16(bytes: Iterable<number>, isLittle: boolean): Characters {
  const characters: [number, number][] = [];
  const decoder = new Utf16Decoder(
    isLittle,
    (codePoint, offset) => characters.push([codePoint, offset]),
  );
  let offset = 0;
  for (const byte of bytes) decoder.push(byte, offset++);
  return characters;
}

/** What a text decodes to whose characters take so many bytes each. */
function expect(text: string, lengthOf: (character: string) => number): Characters {
  let offset = 0;
  return Array.from(text, (character) => {
    const start = offset;
    offset += lengthOf(character);
    return [character.codePointAt(0) ?? 0, start];
  });
}

const texts = fc.string({ unit: "binary" }).map((text) => text.toWellFormed());

Deno.test("Utf8Decoder gives the characters of any text, and where they start", () => {
  const encoder = new TextEncoder();
  fc.assert(fc.property(texts, (text) => {
    const lengthOf = (character: string): number => encoder.encode(character).length;
    assertEquals(decodeUtf8(encoder.encode(text)), expect(text, lengthOf));
  }));
});

Deno.test("Utf16Decoder gives the characters of any text, in either order of bytes", () => {
  fc.assert(fc.property(texts, fc.boolean(), (text, isLittle) => {
    const bytes = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))
      .flatMap((unit) => isLittle ? [unit & 0xff, unit >> 8] : [unit >> 8, unit & 0xff]);
    assertEquals(decodeUtf16(bytes, isLittle), expect(text, ({ length }) => 2 * length));
  }));
});

const BAD = 0xfffd;

const BROKEN: readonly (readonly [what: string, bytes: readonly number[], Characters])[] = [
  ["a byte that leads nothing", [0x80, 0x61], [[BAD, 0], [0x61, 1]]],
  ["a character that is cut by another", [0xc3, 0x61], [[BAD, 0], [0x61, 1]]],
  ["a character that is cut by one of two bytes", [0xe2, 0x82, 0xc3, 0xa9], [[BAD, 0], [0xe9, 2]]],
  ["a character that is cut by the end", [0x61, 0xf0, 0x9f], [[0x61, 0], [BAD, 1]]],
  ["an overlong form", [0xc1, 0xa1], [[BAD, 0]]],
  ["a long overlong form", [0xf0, 0x82, 0x82, 0xac], [[BAD, 0]]],
  ["the shortest of three bytes", [0xe0, 0xa0, 0x80], [[0x800, 0]]],
  ["a surrogate", [0xed, 0xa0, 0x80], [[BAD, 0]]],
  ["the last before the surrogates", [0xed, 0x9f, 0xbf], [[0xd7ff, 0]]],
  ["the first behind the surrogates", [0xee, 0x80, 0x80], [[0xe000, 0]]],
  ["the last character", [0xf4, 0x8f, 0xbf, 0xbf], [[0x10ffff, 0]]],
  ["what is beyond the last", [0xf4, 0x90, 0x80, 0x80], [[BAD, 0]]],
  ["a byte that UTF-8 has not", [0xf8, 0x61], [[BAD, 0], [0x61, 1]]],
];

for (const [what, bytes, characters] of BROKEN) {
  Deno.test(`Utf8Decoder reads ${what}`, () => {
    assertEquals(decodeUtf8(bytes), characters);
  });
}

Deno.test("Utf8Decoder tells whether a character has begun and not ended", () => {
  const decoder = new Utf8Decoder(() => {});
  const states = [0x61, 0xe2, 0x82, 0xac, 0xc3].map((byte, i) => {
    decoder.push(byte, i);
    return decoder.isOpen;
  });
  decoder.end();
  assertEquals([...states, decoder.isOpen], [false, true, true, false, true, false]);
});
