import fc from "fast-check";
import { renderCanonicalJson } from "../../src/base/canonical_json.ts";
import { makeHostLogSafe } from "../../src/commands/main.ts";
import {
  renderGuardGithub,
  renderGuardJson,
  renderGuardSarif,
  renderGuardText,
} from "../../src/show/guard_formats.ts";
import { renderLogSafeJson, streamLogSafeJson } from "../../src/show/text.ts";
import { assert, assertEquals } from "../assert.ts";
import { hasMisreadKey } from "../misread_key.ts";
import { findUnsafe } from "../unsafe_output.ts";
import { HOSTILE_RESULTS, HOSTILE_TEXTS } from "./guard_results.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

function isDangerous(text: string): boolean {
  return findUnsafe(text) !== null;
}

Deno.test(
  "renderLogSafeJson() is parsed to the same value, and holds nothing dangerous",
  PURE,
  () => {
    const unit = fc.constantFrom(
      ...'#[vso]\\":- /',
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
    const text = render(HOSTILE_RESULTS);
    // These lines are commands themselves; what they hold must not make another one.
    assert(!isDangerous(format === "github" ? text.replace(/^::/gm, "") : text));
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

const ESC = "\x1b";

/** What is printed, on a terminal and elsewhere. */
const PRINTED: readonly (readonly [text: string, elsewhere: string, onTerminal: string])[] = [
  ["plain\ttext\n", "plain\ttext\n", "plain\ttext\n"],
  ["::stop-commands::x\n", "\\u003a:stop-commands::x\n", "\\u003a:stop-commands::x\n"],
  ["a\u202e ##vso[b]\n", "a\\u202e #\\u0023vso[b]\n", "a\\u202e #\\u0023vso[b]\n"],
  [`${ESC}[31mbad${ESC}[0m\n`, "\\u001b[31mbad\\u001b[0m\n", `${ESC}[31mbad${ESC}[0m\n`],
  [`\r1 file${ESC}[K`, "\\u000d1 file\\u001b[K", `\r1 file${ESC}[K`],
  [`${ESC}]0;title\x07`, "\\u001b]0;title\\u0007", "\\u001b]0;title\\u0007"],
  [`${ESC}[31ma\u202eb`, "\\u001b[31ma\\u202eb", `${ESC}[31ma\\u202eb`],
];

for (const isTerminal of [false, true]) {
  Deno.test(`makeHostLogSafe() lets nothing dangerous out, terminal: ${isTerminal}`, PURE, () => {
    for (const [text, elsewhere, onTerminal] of PRINTED) {
      const out: string[] = [];
      const host = makeHostLogSafe({
        writeStdout: (part) => out.push(part),
        writeStderr: (part) => out.push(part),
        isColored: isTerminal,
        isMessageColored: isTerminal,
        messageWidth: () => isTerminal ? 80 : null,
        passOn: () => Promise.resolve(),
        now: () => new Date(0),
        readEnv: () => null,
      });
      host.writeStdout(text);
      host.writeStderr(text);
      const shown = isTerminal ? onTerminal : elsewhere;
      assertEquals(out, [shown, shown]);
    }
  });
}
