import { findNonAscii, listAsciiLookalikes } from "../../../src/guards/identity/name_table.ts";
import { assertEquals } from "../../assert.ts";

const SPELLINGS: readonly (readonly [letters: string, lengths: readonly number[]])[] = [
  ["ab", [2]],
  ["rab", [3]],
  ["nr", [2]],
  ["rna", [3, 2]],
  ["arn", [3, 2]],
  ["rnrn", [4, 3, 3, 2]],
  ["\u00e9", []],
];

for (const [letters, lengths] of SPELLINGS) {
  Deno.test(`listAsciiLookalikes() spells "${letters}" in ${lengths.length} ways`, () => {
    assertEquals(listAsciiLookalikes(letters).map(({ length }) => length), [...lengths]);
  });
}

Deno.test("listAsciiLookalikes() spells the first six pairs in two ways each, and no others", () => {
  assertEquals(listAsciiLookalikes("rn".repeat(6)).length, 64);
  assertEquals(listAsciiLookalikes("rn".repeat(7)).length, 64);
});

Deno.test(
  "findNonAscii() finds the first byte that is no ASCII, at any place and alignment",
  { permissions: "none" },
  () => {
    const buffer = new Uint8Array(160);
    for (let offset = 0; offset < 5; offset++) {
      const bytes = buffer.subarray(offset, offset + 150);
      for (let from = 0; from < 8; from++) {
        assertEquals(findNonAscii(bytes, from), 150);
        for (let at = from; at < 150; at++) {
          bytes[at] = 0x80;
          assertEquals(findNonAscii(bytes, from), at);
          bytes[at] = 0;
        }
      }
    }
  },
);
