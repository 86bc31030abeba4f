import {
  listAsciiLookalikes,
  listTextPatterns,
} from "../../../src/guards/identity/content_rules.ts";
import { assertEquals } from "../../assert.ts";

const SPELLINGS: readonly (readonly [letters: string, lengths: readonly number[]])[] = [
  ["", []],
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

const FORMS: readonly (readonly [text: string, patterns: readonly (readonly number[])[]])[] = [
  ["a", [[0x61]]],
  ["ab", [[0x61, 0x62], [0x61, 0, 0x62]]],
  ["\u00e9", [[0xc3, 0xa9], [0xe9]]],
  ["a\u0430", [[0x61, 0xd0, 0xb0], [0x61, 0, 0x30, 0x04], [0, 0x61, 0x04, 0x30]]],
];

for (const [text, patterns] of FORMS) {
  Deno.test(`listTextPatterns() finds ${JSON.stringify(text)} in UTF-8 and in UTF-16`, () => {
    assertEquals(
      listTextPatterns(text).map((pattern) => pattern.map((bytes) => bytes[0])),
      patterns.map((bytes) => [...bytes]),
    );
  });
}
