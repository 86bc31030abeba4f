import { makeFinding } from "../../src/base/error.ts";
import { type GuardResult, makeGuardResult } from "../../src/guards/guard.ts";

/** Results of every kind: clean, failed, with notes only, with and without each part of a place. */
export const SAMPLE_RESULTS: readonly GuardResult[] = [
  makeGuardResult("artifacts", []),
  makeGuardResult("identity", [
    makeFinding("identity.surface_missing", '"README.md" is not tracked', { path: "README.md" }),
    makeFinding("identity.forbidden_token", 'Forbidden token "acme" in the content', {
      path: "docs/a guide, part 1: 100%.md",
      line: 12,
      column: 5,
      hint: "Remove it, or allow it for this path under identity.allowances in the policy",
    }),
    makeFinding("identity.lookalike", '"kргov" in the path looks like "kprov" but is not', {
      path: "src/kргov/😀.ts",
      hint: "Its characters are U+006B U+0440 U+0433 U+006F U+0076",
    }),
  ]),
  makeGuardResult("runtime", [
    makeFinding("runtime.unpinned", ".nvmrc lts/* does not pin node: it is a name", {
      path: ".nvmrc",
      line: 1,
    }),
  ]),
  makeGuardResult("lock", [
    makeFinding("lock.not_proven", "the lock was not compared with the base branch's", {
      level: "note",
      hint: "give the lock as the base branch has it with --base-lock",
    }),
  ]),
];

/** Everything in a repository's names that a terminal, a log, a URI or a format could act on. */
export const HOSTILE_TEXTS: readonly string[] = [
  "a\nb\r\nc",
  "\x1b[31mred\x1b[0m",
  "\u009b31m and \x7f",
  "\u202egnp.exe\u2069",
  "zero\u200bwidth\ufeff",
  "\u2028line\u2029",
  "tag\u{e0041}",
  "::stop-commands::x",
  " ::error file=a::b",
  ":colon",
  "a::error::b,c:d%0Ae%25",
  "##[add-mask]a",
  "##vso[task.setvariable variable=a]b",
  "###TeamCity[message]",
  "#?&=+;@!*'(){}[]<>|\"\\^`~$",
  "[click](https://example.com) {0} {{1}}",
  "naïve 名前 😀",
  "..%2f..",
];

/** Results that hold a hostile text wherever a finding takes text. */
export const HOSTILE_RESULTS: readonly GuardResult[] = [
  makeGuardResult(
    "identity",
    HOSTILE_TEXTS.map((text) =>
      makeFinding("identity.display_name", text, { path: text, line: 1, column: 2, hint: text })
    ),
  ),
];
