import { type FindingDetails, makeFinding } from "../../src/base/error.ts";
import { type GuardResult, makeGuardResult } from "../../src/guards/guard.ts";
import {
  isCutForGithub,
  renderGuardGithub,
  renderGuardSummary,
} from "../../src/show/guard_formats.ts";
import { assert, assertEquals } from "../assert.ts";
import { testdata } from "../paths.ts";
import { HOSTILE_RESULTS, SAMPLE_RESULTS } from "./guard_results.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

function render(message: string, details: FindingDetails): string {
  return renderGuardGithub([makeGuardResult("a", [makeFinding("a.b", message, details)])]);
}

Deno.test("renderGuardGithub() gives the golden annotations to the byte", () => {
  assertEquals(
    renderGuardGithub(SAMPLE_RESULTS),
    Deno.readTextFileSync(testdata("guard/results.github")),
  );
});

Deno.test("renderGuardGithub() prints nothing where there is nothing to annotate", PURE, () => {
  assertEquals(renderGuardGithub([makeGuardResult("lock", [])]), "");
});

const CASES: readonly (readonly [string, string, FindingDetails, string])[] = [
  ["no place", "m", {}, "::error title=a.b::m"],
  ["a note", "m", { level: "note" }, "::notice title=a.b::m"],
  ["a file", "m", { path: "p" }, "::error file=p,title=a.b::m"],
  ["a line", "m", { path: "p", line: 2 }, "::error file=p,line=2,title=a.b::m"],
  [
    "a column",
    "m",
    { path: "p", line: 2, column: 3 },
    "::error file=p,line=2,col=3,title=a.b::m",
  ],
  ["a hint, on a line of its own", "m", { hint: "h" }, "::error title=a.b::m%0Ahint: h"],
  [
    "a path that would end its property",
    "m",
    { path: "a,line=9::b%2C" },
    "::error file=a%2Cline=9%3A%3Ab%252C,title=a.b::m",
  ],
  [
    "a path that looks like a command as the path that it is",
    "m",
    { path: "::error::x" },
    "::error file=%3A%3Aerror%3A%3Ax,title=a.b::m",
  ],
  ["percent signs, so that they come back", "100%0A", {}, "::error title=a.b::100%250A"],
  [
    "line ends and control characters, escaped",
    "a\r\n::warning::b\x1b",
    { path: "a\nb" },
    "::error file=a\\u000ab,title=a.b::a\\u000d\\u000a\\u003a:warning::b\\u001b",
  ],
];

for (const [what, message, details, expected] of CASES) {
  Deno.test(`renderGuardGithub() writes ${what}`, PURE, () => {
    assertEquals(render(message, details), `${expected}\n`);
  });
}

/** Reads a command as GitHub's runner does. */
function readCommand(line: string): Readonly<Record<string, string>> {
  const match = /^::([a-z]+) (.*?)::(.*)$/.exec(line);
  assert(match !== null, line);
  const [, name = "", properties = "", message = ""] = match;
  const unescape = (text: string): string =>
    text.replace(/%(25|0D|0A|3A|2C)/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  const pairs = properties.split(",").map((pair) => {
    const equals = pair.indexOf("=");
    return [pair.slice(0, equals), unescape(pair.slice(equals + 1))] as const;
  });
  return { name, message: unescape(message), ...Object.fromEntries(pairs) };
}

Deno.test(
  "the runner reads one command a finding, with the finding's own place and code",
  PURE,
  () => {
    const alone = HOSTILE_RESULTS.flatMap(({ guard, findings }) =>
      findings.map((finding) => [makeGuardResult(guard, [finding])])
    );
    for (const results of [SAMPLE_RESULTS, ...alone]) {
      const findings = results.flatMap((result) => result.findings);
      const commands = renderGuardGithub(results).trimEnd().split("\n").map(readCommand);
      assertEquals(
        commands.map(({ name, title, line, col }) => [name, title, line, col]),
        findings.map(({ level, code, line, column }) => [
          level === "note" ? "notice" : "error",
          code,
          line === null ? undefined : `${line}`,
          column === null ? undefined : `${column}`,
        ]),
      );
    }
  },
);

Deno.test("the runner reads paths and messages as they are, where they are plain", PURE, () => {
  const findings = SAMPLE_RESULTS.flatMap((result) => result.findings);
  const commands = renderGuardGithub(SAMPLE_RESULTS).trimEnd().split("\n").map(readCommand);
  assertEquals(
    commands.map(({ file, message }) => [file, message]),
    findings.map(({ path, message, hint }) => [
      path ?? undefined,
      hint === null ? message : `${message}\nhint: ${hint}`,
    ]),
  );
});

/** A result with so many findings of each code, an error or a note. */
function many(guard: string, counts: Readonly<Record<string, number>>): GuardResult {
  return makeGuardResult(
    guard,
    Object.entries(counts).flatMap(([code, count]) =>
      Array.from({ length: count }, (_, i) =>
        makeFinding(`${guard}.${code}`, `number ${i}`, {
          path: "a",
          line: i + 1,
          level: code === "told" ? "note" : "error",
        }))
    ),
  );
}

Deno.test(
  "renderGuardGithub() shows the gravest of every guard and code, and counts the rest",
  PURE,
  () => {
    const results = [
      many("artifacts", { tracked: 500 }),
      many("identity", { lookalike: 3, forbidden_token: 40 }),
      many("lock", { told: 9, changed: 1 }),
    ];
    const commands = renderGuardGithub(results).trimEnd().split("\n").map(readCommand);
    assertEquals(commands.length, 10);
    const counts = Map.groupBy(commands, ({ title }) => title);
    assertEquals([...counts].map(([title, { length }]) => `${title} ${length}`), [
      "artifacts.tracked 3",
      "identity.forbidden_token 3",
      "identity.lookalike 2",
      "lock.changed 1",
      "kprov 1",
    ]);
    assertEquals(
      commands.at(-1)?.["message"],
      "544 more findings stand in the job's summary and in the log",
    );
    assertEquals([isCutForGithub(results), isCutForGithub(SAMPLE_RESULTS)], [true, false]);
    // Ten fit.
    const ten = [many("artifacts", { tracked: 10 })];
    assertEquals(renderGuardGithub(ten).trimEnd().split("\n").length, 10);
    assertEquals(isCutForGithub(ten), false);
  },
);

Deno.test("renderGuardSummary() holds everything, and no markup of a repository's", PURE, () => {
  const finding = makeFinding("a.b", "</pre><img src=x> & more", { path: "<b>" });
  const text = renderGuardSummary([makeGuardResult("a", [finding])]);
  assertEquals(
    text,
    "\n<pre>\nFAILED  a: 1 finding\n  &lt;b>  a.b: &lt;/pre>&lt;img src=x> &amp; more\n" +
      "1 guard, 1 failed, 1 finding\n</pre>\n",
  );
  const long = renderGuardSummary([many("artifacts", { tracked: 20_000 })]);
  assert(long.length < 2 ** 18 && long.endsWith("…\n</pre>\n"));
});
