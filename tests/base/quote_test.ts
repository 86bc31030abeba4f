import fc from "fast-check";
import { escapeText, quote } from "../../src/base/quote.ts";
import { assertEquals } from "../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const SHOWN: readonly (readonly [string, string])[] = [
  ["plain é 漢 😀.txt", '"plain é 漢 😀.txt"'],
  ["a\nb\tc\u001b[31m", '"a\\u000ab\\u0009c\\u001b[31m"'],
  ["\u202etxt.exe", '"\\u202etxt.exe"'],
  ["zero\u200bwidth\ufeff", '"zero\\u200bwidth\\ufeff"'],
  ["tag\u{e0041}", '"tag\\u{e0041}"'],
  ["\u2028\u2029", '"\\u2028\\u2029"'],
  ["\u0085\u009b", '"\\u0085\\u009b"'],
  ["\ud800", '"\\ud800"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
];

for (const [name, expected] of SHOWN) {
  Deno.test(`quote() shows ${expected}`, PURE, () => assertEquals(quote(name), expected));
}

Deno.test("escapeText() leaves nothing that a terminal acts on", PURE, () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assertEquals(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(escapeText(text)), false);
  }));
});
