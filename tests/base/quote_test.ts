import fc from "fast-check";
import { escapeText, quote, showName } from "../../src/base/quote.ts";
import { assertEquals } from "../assert.ts";
import { findUnsafe } from "../unsafe_output.ts";

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
  ["a\u3164b\u115f\u1160\uffa0", '"a\\u3164b\\u115f\\u1160\\uffa0"'],
  ["a\u034f\u17b4\u17b5\u180b\u180f", '"a\\u034f\\u17b4\\u17b5\\u180b\\u180f"'],
  ["a\ufe0f\u{e0100}\u2800", '"a\\ufe0f\\u{e0100}\\u2800"'],
  ["\u0301a\u0301/\u0301", '"\\u0301a\u0301/\\u0301"'],
  ["\u0928\u0947 e\u0301 \u{1f600}", '"\u0928\u0947 e\u0301 \u{1f600}"'],
  ["##[group]a ##vso[x]", '"#\\u0023[group]a #\\u0023vso[x]"'],
  ["###TeamCity[a]", '"##\\u0023TeamCity[a]"'],
  ["#1 ## a #[x]", '"#1 ## a #[x]"'],
  ["::stop-commands::x", '"\\u003a:stop-commands::x"'],
  [" \u00a0::error::x", '" \u00a0\\u003a:error::x"'],
  ["a/::error::x", '"a/\\u003a:error::x"'],
  [":::x", '"\\u003a::x"'],
  ["a::b::c http://[::1]", '"a::b::c http://[::1]"'],
  ["--- a", '"\\u002d-- a"'],
  ["+++ a\n~~~ b", '"\\u002b++ a\\u000a\\u007e~~ b"'],
  ["^^^ +++", '"\\u005e^^ +++"'],
  ["---a b --- c", '"---a b --- c"'],
  ["section_start:1:a", '"section_start\\u003a1:a"'],
  ["travis_fold:start:a", '"travis_fold\\u003astart:a"'],
];

for (const [name, expected] of SHOWN) {
  Deno.test(`quote() shows ${expected}`, PURE, () => assertEquals(quote(name), expected));
}

/** Text with much of what is escaped. */
const HOSTILE = fc.string({
  unit: fc.constantFrom(..."#[]vso:-+~^ /'\"\\a1", "\n", "\u00a0", "\u0301", "\u200b", "\u{e0041}"),
});
const ANY = fc.oneof(HOSTILE, fc.string({ unit: "binary" }));

Deno.test("escapeText() leaves nothing that a terminal or a CI system acts on", PURE, () => {
  fc.assert(fc.property(ANY, (text) => {
    const shown = escapeText(text);
    assertEquals(findUnsafe(shown), null, shown);
    assertEquals(findUnsafe(quote(text)), null);
    assertEquals(findUnsafe(showName(text)), null);
  }));
});

Deno.test("escapeText() escapes the same in ASCII alone as beside another letter", PURE, () => {
  const hostile = fc.string({
    unit: fc.constantFrom(..."#[]vso:-+~^ /'\"a\n\t\u0000\u001b\u007f"),
  });
  const ascii = fc.string({ unit: "binary-ascii" });
  fc.assert(fc.property(fc.oneof(hostile, ascii), (text) => {
    assertEquals(escapeText(`${text}\u00e9`), `${escapeText(text)}\u00e9`);
  }));
});

Deno.test("escapeText() leaves alone what is escaped already, in whatever it is put", PURE, () => {
  fc.assert(
    fc.property(ANY, ANY, (one, other) => {
      const line = `Cannot use ${quote(one)}: it is ${showName(other)}`;
      assertEquals(escapeText(line), line);
      assertEquals(escapeText(escapeText(one)), escapeText(one));
    }),
    { examples: [["\u{1da00}\u{1cf00}", ""], ["a\u0301\u034f\u0301", ""]] },
  );
});

Deno.test("quote() and showName() show no two names alike", PURE, () => {
  const unit = fc.constantFrom(...'#[:-u003\\"a ', "\n", "\u200b", "\u0301");
  const name = fc.string({ unit, maxLength: 8 });
  fc.assert(
    fc.property(name, name, (one, other) => {
      assertEquals(quote(one) === quote(other), one === other);
      assertEquals(showName(one) === showName(other), one === other);
    }),
    { examples: [["\u200b", "\\u200b"], ['"a"', "a"], [" a", '" a"']], numRuns: 1000 },
  );
});
