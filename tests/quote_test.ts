import fc from "fast-check";
import { escapeText, quote } from "../src/quote.ts";
import { shellQuote } from "../src/shell_quote.ts";
import { assertEquals } from "./assert.ts";
import { decode } from "./run_kprov.ts";

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

Deno.test({
  name: "a shell reads shellQuote() back as the word it was",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const words = [
      "a",
      "a b",
      "it's",
      "",
      "$HOME`x`",
      'a"b',
      "a\nb\u001b\\'c",
      "\u202eé",
      "*?[a]",
      "~",
    ];
    const script = words.map((word) => `printf '%s\\0' ${shellQuote(word)}`).join("\n");
    const { stdout } = await new Deno.Command("bash", { args: ["-c", script] }).output();
    assertEquals(decode(stdout).split("\0").slice(0, -1), words);
    assertEquals(shellQuote(""), "''");
  },
});
