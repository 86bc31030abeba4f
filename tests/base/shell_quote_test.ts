import fc from "fast-check";
import { escapeText, shellQuote, shellQuotePath } from "../../src/base/quote.ts";
import { assertEquals } from "../assert.ts";
import { succeeds } from "../python_tools.ts";
import { unless } from "../unless.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const CASES: readonly (readonly [word: string, quoted: string])[] = [
  ["", "''"],
  ["runs/a-1.json", "runs/a-1.json"],
  ["a b", "'a b'"],
  ["#{a,b}", "'#{a,b}'"],
  ["~a", "'~a'"],
  ["=a", "'=a'"],
  ["a=b", "a=b"],
  ["it's", "'it'\\''s'"],
  ["$(rm -rf ~)`;", "'$(rm -rf ~)`;'"],
  ["a\nb", "$'a\\012b'"],
  ["\u001b[2J'\\", "$'\\033[2J\\'\\\\'"],
  ["\u202Etxt", "$'\\342\\200\\256txt'"],
  ["\u00E9", "'\u00E9'"],
  ["::error::x", "$'\\072:error::x'"],
  ["##vso[x]", "$'#\\043vso[x]'"],
  ["--- a'b", "$'\\055-- a\\'b'"],
];

for (const [word, quoted] of CASES) {
  Deno.test(`shellQuote() gives ${quoted}`, PURE, () => {
    assertEquals(shellQuote(word), quoted);
  });
}

Deno.test("shellQuotePath() gives a path that no command takes for a flag", PURE, () => {
  assertEquals(["-x/a", "a-x", "-a b"].map(shellQuotePath), ["./-x/a", "a-x", "'./-a b'"]);
});

Deno.test("shellQuote() never lets anything through that a terminal acts on", PURE, () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (word) => {
    assertEquals(escapeText(shellQuote(word)), shellQuote(word));
  }));
});

for (const shell of ["bash", "zsh"]) {
  const reason = await succeeds(shell, ["--version"]) ? null : `${shell} is missing here`;
  Deno.test(...unless(reason, `shellQuote() gives back the same word through ${shell}`), () => {
    const words = fc.sample(fc.string({ unit: "binary" }), { numRuns: 300, seed: 7 })
      .map((word) => word.replaceAll("\0", ""))
      .concat(CASES.map(([word]) => word));
    const script = words.map((word) => `printf '%s\\0' ${shellQuote(word)}`).join("\n");
    const { stdout } = new Deno.Command(shell, { args: ["-c", script] }).outputSync();
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    assertEquals(decoder.decode(stdout).split("\0").slice(0, -1), words);
  });
}
