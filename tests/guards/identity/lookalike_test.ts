import {
  foldConfusable,
  foldConfusables,
  isIgnorable,
  removeMarks,
} from "../../../src/guards/identity/lookalike.ts";
import { assert, assertEquals } from "../../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const SAME: readonly (readonly [string, string])[] = [
  ["paypal", "раураl"],
  ["O0o", "оОο"],
  ["Il1|", "lIi1"],
  ["modern", "modem"],
  ["scope", "ѕсоре"],
  ["kappa", "кaррa"],
  ["ffi", "ﬃ"],
  ["office", "ｏｆｆｉｃｅ"],
  ["abc", "a\u200bb\u2066c\u00ad"],
  ["é", "e\u0301"],
  // Unicode 17 has these, Unicode 13 has them otherwise or not at all.
  ["paper", "þaþer"],
  ["wolf", "шolƒ"],
  ["pub.", "ⲣu\u{16eb6}."],
  ["host3", "h\u{1cce4}stⳄ"],
  ["abcdef", "ᴀʙᴄᴅᴇꜰ"],
  ["abc", "⒜🄑⒞"],
  ["abc", "🅰🅑🇨"],
  ["a.b", "a。b"],
  ["ab", "a\u2800b"],
];

for (const [a, b] of SAME) {
  Deno.test(`foldConfusables() gives the same for ${a} and ${JSON.stringify(b)}`, PURE, () => {
    assertEquals(foldConfusables(a), foldConfusables(b));
  });
}

const DIFFERENT: readonly (readonly [string, string])[] = [
  ["e", "é"],
  ["o", "ö"],
  ["strasse", "straße"],
  ["n", "ñ"],
  ["abc", "abd"],
  ["a", "я"],
  ["k", "口"],
];

for (const [a, b] of DIFFERENT) {
  Deno.test(`foldConfusables() tells ${a} from ${b}`, PURE, () => {
    assert(foldConfusables(a) !== foldConfusables(b));
  });
}

Deno.test("foldConfusable() folds each letter like its other case", PURE, () => {
  for (const letter of "abcdefghijklmnopqrstuvwxyz") {
    assertEquals(foldConfusable(letter), foldConfusable(letter.toUpperCase()));
  }
});

Deno.test("removeMarks() leaves the letters of what looks like them with marks", PURE, () => {
  const marked = "a̲ cç dḍ eé kƙ lł nŋ oø tƭ ṃ";
  assertEquals(removeMarks(foldConfusables(marked)), "a cc dd ee kk ll nn oo tt rn");
});

Deno.test("isIgnorable() knows what shows nothing", PURE, () => {
  const invisible =
    "\u00ad\u034f\u061c\u115f\u180e\u200b\u200c\u200d\u200e\u202e\u2060\u2066\ufe0f\ufeff";
  for (const character of [...invisible, "\u{e0041}"]) assert(isIgnorable(character));
  for (const character of [..." a\né\u00a0\u0301\u{1F600}"]) assert(!isIgnorable(character));
});
