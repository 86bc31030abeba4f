import fc from "fast-check";
import {
  detectTextStart,
  PositionCounter,
  TEXT_START_LENGTH,
  type TextEncodingName,
} from "../../../src/base/text.ts";
import { assertEquals } from "../../assert.ts";

const STARTS: readonly (readonly [bytes: readonly number[], TextEncodingName, hasMark: boolean])[] =
  [
    [[], "utf-8", false],
    [[0x61], "utf-8", false],
    [[0xef, 0xbb, 0xbf], "utf-8", true],
    [[0xef, 0xbb], "utf-8", false],
    [[0xef, 0xbb, 0x61], "utf-8", false],
    [[0xef, 0x61, 0xbf], "utf-8", false],
    [[0x61, 0xbb, 0xbf], "utf-8", false],
    [[0xff, 0xfe, 0x61], "utf-16le", true],
    [[0xfe, 0xff, 0x00], "utf-16be", true],
    [[0xff, 0xff, 0x61], "utf-8", false],
    [[0xfe, 0xfe, 0x61], "utf-8", false],
    [[0x61, 0x00, 0x62], "utf-16le", false],
    [[0x00, 0x61, 0x00], "utf-16be", false],
    [[0x00, 0x00, 0x61], "utf-8", false],
    [[0x00], "utf-8", false],
  ];

for (const [bytes, encoding, hasMark] of STARTS) {
  const shown = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  Deno.test(`detectTextStart() takes ${shown || "nothing"} for ${encoding}, mark: ${hasMark}`, () => {
    assertEquals(detectTextStart(Uint8Array.from(bytes)), { encoding, hasMark });
    assertEquals(bytes.length <= TEXT_START_LENGTH, true);
  });
}

/** The place of an index of a text, counted in the plainest way. */
function locate(text: string, index: number): readonly [line: number, column: number] {
  const lines = text.slice(0, index).split("\n");
  return [lines.length, (lines.at(-1) ?? "").length + 1];
}

function encode(text: string, encoding: TextEncodingName): Uint8Array {
  if (encoding === "utf-8") return new TextEncoder().encode(text);
  const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  return Uint8Array.from(
    units.flatMap((unit) =>
      encoding === "utf-16le" ? [unit & 0xff, unit >> 8] : [unit >> 8, unit & 0xff]
    ),
  );
}

Deno.test("PositionCounter counts lines and columns of any text in each encoding, in any pieces", () => {
  const texts = fc.array(fc.constantFrom("a", "\n", "\u00e9", "\u6f22", "\u{1F600}"))
    .map((parts) => parts.join(""));
  const encodings = fc.constantFrom<TextEncodingName>("utf-8", "utf-16le", "utf-16be");
  fc.assert(
    fc.property(texts, encodings, fc.integer({ min: 1, max: 7 }), (text, encoding, size) => {
      const bytes = encode(text, encoding);
      const counter = new PositionCounter({ encoding, hasMark: false });
      let start = 0;
      let index = 0;
      for (const character of text) {
        index += character.length;
        const end = encode(text.slice(0, index), encoding).length;
        for (; start < end; start = Math.min(end, start + size)) {
          const piece = bytes.subarray(start, Math.min(end, start + size));
          counter.advance(piece, start, start + piece.length);
        }
        assertEquals([counter.line, counter.column], [...locate(text, index)]);
      }
    }),
  );
});

Deno.test("PositionCounter counts a byte order mark as no column", () => {
  const bytes = encode("\uFEFFab", "utf-8");
  const counter = new PositionCounter(detectTextStart(bytes));
  counter.advance(bytes, 0, 4);
  assertEquals([counter.line, counter.column], [1, 2]);
});
