import { KprovError } from "../../src/base/error.ts";
import { sha256Hex } from "../../src/base/canonical_json.ts";
import { countLines } from "../../src/evidence/read_document.ts";
import { readText } from "../../src/evidence/documents.ts";
import { assertEquals } from "../assert.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

const BYTES: readonly (readonly [what: string, bytes: Uint8Array, says: string])[] = [
  ["text", encode("{}\n\u{1F600}"), "{}\n\u{1F600}"],
  ["nothing", new Uint8Array(), ""],
  ["as many bytes as it may", encode("0123456789"), "0123456789"],
  ["one byte more", encode("0123456789a"), "error: it is larger than 10 bytes"],
  ["a byte order mark", encode("\uFEFF{}"), "error: it starts with a byte order mark"],
  ["a byte order mark alone", encode("\uFEFF"), "error: it starts with a byte order mark"],
  ["that character further on", encode("{\uFEFF}"), "{\uFEFF}"],
  ["that character behind one of four bytes", encode("\u{1F600}\uFEFF"), "\u{1F600}\uFEFF"],
  ["a byte of no character", Uint8Array.of(0x7b, 0xff), "error: it is not valid UTF-8"],
  ["half a character at its end", Uint8Array.of(0x7b, 0xc3), "error: it is not valid UTF-8"],
  [
    "a byte order mark, and a fault behind it",
    Uint8Array.of(0xef, 0xbb, 0xbf, 0xff),
    "error: it starts with a byte order mark",
  ],
  [
    "a fault, and too much of it",
    new Uint8Array(11).fill(0xff),
    "error: it is larger than 10 bytes",
  ],
];

function read(bytes: Uint8Array | Iterable<Uint8Array>): string {
  let text = "";
  try {
    const digest = readText(bytes, 10, (part) => text += part);
    assertEquals(digest, sha256Hex(text));
    return text;
  } catch (error) {
    if (!(error instanceof KprovError)) throw error;
    return `error: ${error.message}`;
  }
}

for (const [what, bytes, says] of BYTES) {
  Deno.test(`readText() of ${what} says ${JSON.stringify(says)}, however it comes`, () => {
    assertEquals(read(bytes), says);
    for (const size of [1, 2, 3]) {
      const starts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => i * size);
      assertEquals(read(starts.map((start) => bytes.subarray(start, start + size))), says);
    }
  });
}

Deno.test("countLines() counts every line end before an offset, also of empty lines", () => {
  const text = "a\n\n\nb\n";
  assertEquals(Array.from(text, (_, i) => countLines(text, i)), [0, 0, 1, 2, 3, 3]);
  assertEquals([countLines(text, text.length), countLines("", 0), countLines("a", 1)], [4, 0, 0]);
});
