import fc from "fast-check";
import { renderCanonicalJson } from "../../src/base/canonical_json.ts";
import { escapeText } from "../../src/base/quote.ts";
import {
  renderGuardGithub,
  renderGuardJson,
  renderGuardText,
} from "../../src/show/guard_formats.ts";
import { renderGuardSarif } from "../../src/show/sarif.ts";
import { makeLogSafe, renderLogSafeJson, streamLogSafeJson } from "../../src/show/text.ts";
import { assert, assertEquals } from "../assert.ts";
import { hasMisreadKey } from "../misread_key.ts";
import { HOSTILE_RESULTS, HOSTILE_TEXTS } from "./guard_results.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

/** What no output may hold: what a terminal acts on, and what a CI system takes for a command. */
function isDangerous(text: string): boolean {
  return text.split("\n").some((line) => escapeText(line) !== line || /##[a-z]*\[/i.test(line));
}

const CASES: readonly (readonly [string, string])[] = [
  ["plain text, naïve 名前 😀 #1 ## a", "plain text, naïve 名前 😀 #1 ## a"],
  ["\x1b[2J\u202e\n", "\\u001b[2J\\u202e\\u000a"],
  ["##[group]a ##vso[x]", "#\\u0023[group]a #\\u0023vso[x]"],
  ["###TeamCity[a]", "##\\u0023TeamCity[a]"],
];

for (const [text, shown] of CASES) {
  Deno.test(`makeLogSafe() shows ${JSON.stringify(text)} without danger`, PURE, () => {
    assertEquals(makeLogSafe(text), shown);
  });
}

Deno.test("makeLogSafe() leaves nothing dangerous in any text", PURE, () => {
  const unit = fc.constantFrom(..."#[]vso ", "\n", "\x1b", "\u009b", "\u202e", "\u{e0041}", "😀");
  const text = fc.oneof(fc.string({ unit }), fc.string({ unit: "binary" }));
  fc.assert(fc.property(text, (some) => assert(!isDangerous(makeLogSafe(some)))));
});

Deno.test(
  "renderLogSafeJson() is parsed to the same value, and holds nothing dangerous",
  PURE,
  () => {
    const unit = fc.constantFrom(
      ...'#[vso]\\"',
      "\n",
      "\x7f",
      "\u009b",
      "\u202e",
      "\u{e0041}",
      "😀",
    );
    const text = fc.oneof(fc.string({ unit }), fc.string({ unit: "grapheme" }));
    const value = fc.oneof(text, fc.array(text), fc.dictionary(text, text));
    fc.assert(fc.property(value, (some) => {
      const json = renderLogSafeJson(some);
      assert(!isDangerous(json), json);
      fc.pre(!hasMisreadKey(json));
      assertEquals(renderCanonicalJson(JSON.parse(json)), renderCanonicalJson(some));
    }));
  },
);

Deno.test("renderLogSafeJson() is the canonical form of everything else", PURE, () => {
  const value = { b: [1, "naïve 名前 😀"], a: { c: "# ## [x]" } };
  assertEquals(renderLogSafeJson(value), renderCanonicalJson(value));
});

for (
  const [format, render] of [
    ["text", renderGuardText],
    ["json", renderGuardJson],
    ["sarif", renderGuardSarif],
    ["github", renderGuardGithub],
  ] as const
) {
  Deno.test(`nothing that a repository holds is dangerous to print as ${format}`, PURE, () => {
    assert(HOSTILE_TEXTS.some(isDangerous));
    assert(!isDangerous(render(HOSTILE_RESULTS)));
  });
}

Deno.test(
  "streamLogSafeJson() gives what renderLogSafeJson() gives, in several pieces",
  PURE,
  () => {
    const value = Array.from({ length: 5000 }, (_, i) => ({ name: `\u202e##[group]${i}` }));
    const pieces: string[] = [];
    streamLogSafeJson(value, (piece) => pieces.push(piece));
    assert(pieces.length > 1);
    assertEquals(pieces.join(""), renderLogSafeJson(value));
  },
);
