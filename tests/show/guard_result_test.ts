import fc from "fast-check";
import { renderCanonicalJson } from "../../src/base/canonical_json.ts";
import { makeFinding } from "../../src/base/error.ts";
import { type GuardResult, makeGuardResult } from "../../src/guards/guard.ts";
import { renderGuardJson, renderGuardText } from "../../src/show/guard_formats.ts";
import { assert, assertEquals } from "../assert.ts";
import { testdata } from "../paths.ts";
import { HOSTILE_RESULTS, SAMPLE_RESULTS } from "./guard_results.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };
const ESCAPE = "\x1b";

function lines(results: readonly GuardResult[]): string[] {
  return renderGuardText(results).trimEnd().split("\n");
}

Deno.test("renderGuardText() gives the golden text to the byte", () => {
  assertEquals(
    renderGuardText(SAMPLE_RESULTS),
    Deno.readTextFileSync(testdata("guard/results.txt")),
  );
});

Deno.test("renderGuardText() tells how many files there are, where that is known", PURE, () => {
  const verdictOf = (files: number | null): string | undefined =>
    renderGuardText([], { isColored: false, files }).trimEnd().split("\n").at(-1);
  assertEquals(verdictOf(2), "0 guards over 2 files, 0 failed, 0 findings");
  assertEquals(verdictOf(1), "0 guards over 1 file, 0 failed, 0 findings");
  assertEquals(verdictOf(null), "0 guards, 0 failed, 0 findings");
});

Deno.test("renderGuardJson() gives the golden document to the byte", () => {
  assertEquals(
    renderGuardJson(SAMPLE_RESULTS),
    Deno.readTextFileSync(testdata("guard/results.json")),
  );
});

Deno.test("renderGuardJson() holds what was found, whatever the names", PURE, () => {
  for (const results of [SAMPLE_RESULTS, HOSTILE_RESULTS, []]) {
    assertEquals(JSON.parse(renderGuardJson(results)), {
      ok: results.every(({ ok }) => ok),
      guards: results,
    });
  }
});

Deno.test("renderGuardJson() is canonical where nothing in it is dangerous to print", PURE, () => {
  const text = renderGuardJson(SAMPLE_RESULTS);
  assertEquals(text, renderCanonicalJson(JSON.parse(text)));
});

Deno.test("a guard fails by an error, and by nothing less", PURE, () => {
  const error = makeFinding("a.a", "m");
  const note = makeFinding("a.b", "m", { level: "note" });
  assertEquals(
    [[], [note], [error], [note, error]].map((findings) => makeGuardResult("a", findings).ok),
    [true, true, false, false],
  );
});

const VERDICTS: readonly (readonly [string, readonly GuardResult[], readonly string[]])[] = [
  ["no guard", [], ["0 guards, 0 failed, 0 findings"]],
  ["a clean guard", [makeGuardResult("lock", [])], [
    "ok      lock",
    "1 guard, 0 failed, 0 findings",
  ]],
  ["a note alone", [makeGuardResult("lock", [makeFinding("lock.n", "m", { level: "note" })])], [
    "ok      lock: 1 note",
    "  note lock.n: m",
    "1 guard, 0 failed, 1 note",
  ]],
  [
    "errors and notes",
    [
      makeGuardResult("lock", [
        makeFinding("lock.a", "m", { path: "p" }),
        makeFinding("lock.b", "m", { path: "p", level: "note" }),
        makeFinding("lock.c", "m", { path: "p", line: 3 }),
      ]),
      makeGuardResult("parity", [makeFinding("parity.a", "m", { path: "p", line: 3, column: 4 })]),
    ],
    [
      "FAILED  lock: 2 findings, 1 note",
      "  p  lock.a: m",
      "  p  note lock.b: m",
      "  p:3  lock.c: m",
      "FAILED  parity: 1 finding",
      "  p:3:4  parity.a: m",
      "2 guards, 2 failed, 3 findings, 1 note",
    ],
  ],
];

for (const [what, results, expected] of VERDICTS) {
  Deno.test(`renderGuardText() gives a verdict on each guard and on all, of ${what}`, PURE, () => {
    assertEquals(lines(results), expected);
  });
}

Deno.test("renderGuardText() keeps its own words within 80 columns", PURE, () => {
  const long = SAMPLE_RESULTS.map((result) => ({ ...result, guard: "artifacts" }));
  for (const line of lines(long)) {
    if (!line.startsWith("  ")) assert(line.length <= 80, line);
  }
});

Deno.test(
  "renderGuardText() colours words only where it is told to, and only by meaning",
  PURE,
  () => {
    assert(!renderGuardText(SAMPLE_RESULTS).includes(ESCAPE));
    const colored = renderGuardText(SAMPLE_RESULTS, { isColored: true });
    // deno-lint-ignore no-control-regex
    const words = [...colored.matchAll(/\x1b\[(\d+)m([^\x1b]*)\x1b\[0m/g)];
    const colorOf = new Map(words.map(([, color, word = ""]) => [word, color]));
    assertEquals(
      ["ok", "FAILED", "note", "identity.lookalike", "2 failed"].map((word) => colorOf.get(word)),
      ["32", "31", "33", "31", "31"],
    );
    const plain = words.reduce((text, [all, , word = ""]) => text.replace(all, word), colored);
    assertEquals(plain, renderGuardText(SAMPLE_RESULTS));
  },
);

Deno.test("the last line is good in green where no guard failed", PURE, () => {
  const text = renderGuardText([makeGuardResult("lock", [])], { isColored: true });
  assert(text.endsWith(`1 guard, ${ESCAPE}[32m0 failed${ESCAPE}[0m, 0 findings\n`));
});

Deno.test("a hostile name takes one line and cannot start a workflow command", PURE, () => {
  const [findings = []] = HOSTILE_RESULTS.map((result) => result.findings);
  const shown = lines(HOSTILE_RESULTS);
  assertEquals(shown.length, 2 + 2 * findings.length);
  for (const line of shown) assert(!/^\s*::/.test(line), line);
  assert(shown.some((line) => line.startsWith('  "\\u003a:stop-commands::x":1:2  identity.')));
});

Deno.test("the order in which a guard finds things changes no byte of what is shown", PURE, () => {
  const findings = SAMPLE_RESULTS.flatMap((result) => result.findings);
  const shuffled = fc.shuffledSubarray([...findings], { minLength: findings.length });
  const expected = [makeGuardResult("identity", findings)];
  fc.assert(fc.property(shuffled, (some) => {
    const results = [makeGuardResult("identity", some)];
    assertEquals(renderGuardText(results), renderGuardText(expected));
    assertEquals(renderGuardJson(results), renderGuardJson(expected));
  }));
});

Deno.test("renderGuardText() says once what to do about findings of a kind", PURE, () => {
  const make = (code: string, hint: string): ReturnType<typeof makeFinding> =>
    makeFinding(code, "m", { hint });
  const findings = [
    make("a.b", "same"),
    make("a.b", "same"),
    make("a.c", "same"),
    make("a.c", "other"),
  ];
  assertEquals(lines([makeGuardResult("a", findings)]), [
    "FAILED  a: 4 findings",
    "  a.b: m",
    "    hint: same",
    "  a.b: m",
    "  a.c: m",
    "    hint: other",
    "  a.c: m",
    "    hint: same",
    "1 guard, 1 failed, 4 findings",
  ]);
});
