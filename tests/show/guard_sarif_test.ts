import fc from "fast-check";
import { makeFinding } from "../../src/base/error.ts";
import { type GuardResult, makeGuardResult } from "../../src/guards/guard.ts";
import { RULES } from "../../src/guards/policy.ts";
import { renderGuardSarif } from "../../src/show/guard_formats.ts";
import { assert, assertEquals } from "../assert.ts";
import { testdata } from "../paths.ts";
import { HOSTILE_RESULTS, HOSTILE_TEXTS, SAMPLE_RESULTS } from "./guard_results.ts";
import { listSarifFaults, type SarifLog, type SarifResult } from "./sarif_rules.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };
const FINGERPRINT = "kprovFinding/v1";

function parse(results: readonly GuardResult[]): SarifLog {
  return JSON.parse(renderGuardSarif(results));
}

function listResults(results: readonly GuardResult[]): readonly SarifResult[] {
  return parse(results).runs.flatMap((run) => run.results);
}

function listFingerprints(...findings: Parameters<typeof makeFinding>[]): (string | undefined)[] {
  const result = makeGuardResult("artifacts", findings.map((args) => makeFinding(...args)));
  return listResults([result]).map(({ partialFingerprints }) => partialFingerprints[FINGERPRINT]);
}

/** kprov's version is the one part that every release changes. */
function hideVersion(text: string): string {
  return text.replace(/("semanticVersion": ")[^"]*(",\s+"version": ")[^"]*/, "$1VERSION$2VERSION");
}

Deno.test("renderGuardSarif() gives the golden log to the byte", () => {
  const text = hideVersion(renderGuardSarif(SAMPLE_RESULTS));
  assertEquals(text, Deno.readTextFileSync(testdata("guard/results.sarif")));
});

Deno.test("renderGuardSarif() keeps the rules of SARIF 2.1.0, of whatever repository", PURE, () => {
  for (const results of [SAMPLE_RESULTS, HOSTILE_RESULTS, []]) {
    assertEquals(listSarifFaults(parse(results)), []);
  }
});

/** Every copy of a value with one of its properties or elements changed. */
function* mutate(value: unknown): Generator<unknown> {
  yield null;
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      for (const changed of mutate(item)) yield value.with(i, changed);
    }
  } else if (typeof value === "object" && value !== null) {
    yield { ...value, unknown: 1 };
    for (const [key, item] of Object.entries(value)) {
      if (key === "properties") continue;
      for (const changed of mutate(item)) yield { ...value, [key]: changed };
    }
  }
}

Deno.test(
  "the rules of SARIF refuse every null and every property that they do not know",
  PURE,
  () => {
    const all = parse(SAMPLE_RESULTS);
    const [run] = all.runs;
    assert(run !== undefined);
    const driver = { ...run.tool.driver, rules: run.tool.driver.rules.slice(0, 1) };
    const log = { ...all, runs: [{ ...run, tool: { driver }, results: [] }] };
    const result = { ...all, runs: [{ ...run, results: run.results.slice(1, 2) }] };
    assertEquals([log, result].flatMap(listSarifFaults), []);
    for (const changed of [...mutate(log), ...mutate(result)]) {
      assert(listSarifFaults(changed).length > 0, JSON.stringify(changed));
    }
  },
);

const BROKEN: readonly (readonly [string, (result: SarifResult) => unknown])[] = [
  ["a rule index of another rule", (result) => ({ ...result, ruleIndex: result.ruleIndex + 1 })],
  ["an unknown level", (result) => ({ ...result, level: "fatal" })],
  ["no message", ({ message: _, ...rest }) => rest],
  ["a fingerprint that is no text", (result) => ({ ...result, partialFingerprints: { a: 1 } })],
  ["a space in a URI", (result) => ({ ...result, locations: [place("a b", { startLine: 1 })] })],
  ["an absolute URI", (result) => ({ ...result, locations: [place("/a", { startLine: 1 })] })],
  ["a scheme in a URI", (result) => ({ ...result, locations: [place("c:a", { startLine: 1 })] })],
  ["a line 0", (result) => ({ ...result, locations: [place("a", { startLine: 0 })] })],
  ["a column without a line", (result) => ({
    ...result,
    locations: [place("a", { startColumn: 1 })],
  })],
];

function place(uri: string, region: object): unknown {
  return { physicalLocation: { artifactLocation: { uri }, region } };
}

for (const [what, change] of BROKEN) {
  Deno.test(`the rules of SARIF refuse ${what}`, PURE, () => {
    const log = parse(SAMPLE_RESULTS);
    const [run] = log.runs;
    const [result] = run?.results ?? [];
    assert(result !== undefined);
    const changed = { ...log, runs: [{ ...run, results: [change(result)] }] };
    assert(listSarifFaults(changed).length > 0);
  });
}

Deno.test(
  "renderGuardSarif() declares every rule with its level, in the order of the table",
  PURE,
  () => {
    const declared = parse([]).runs.flatMap(({ tool }) => tool.driver.rules);
    assertEquals(
      declared.map(({ id, defaultConfiguration: { level } }) => [id, level]),
      RULES.map(({ code, level }) => [code, level]),
    );
  },
);

Deno.test("renderGuardSarif() gives every place a region with its end", PURE, () => {
  const places = listResults(SAMPLE_RESULTS).map(({ locations }) =>
    locations?.map(({ physicalLocation: { artifactLocation, region } }) => [
      artifactLocation.uri,
      region,
    ])
  );
  const at = (line: number, column: number): {
    readonly startLine: number;
    readonly startColumn: number;
  } => ({
    startLine: line,
    startColumn: column,
    ...{ endLine: line, endColumn: column + 1 },
  });
  assertEquals(places, [
    [["README.md", at(1, 1)]],
    [["docs/a%20guide%2C%20part%201%3A%20100%25.md", at(12, 5)]],
    [["src/k%D1%80%D0%B3ov/%F0%9F%98%80.ts", at(1, 1)]],
    [[".nvmrc", at(1, 1)]],
    undefined,
  ]);
});

Deno.test(
  "renderGuardSarif() has no more results than GitHub takes, of every guard and code",
  PURE,
  () => {
    const finding = (code: string, i: number): ReturnType<typeof makeFinding> =>
      makeFinding(code, `number ${i}`, { path: "a", line: i + 1 });
    const results = [
      makeGuardResult(
        "artifacts",
        Array.from({ length: 30_000 }, (_, i) => finding("artifacts.tracked", i)),
      ),
      makeGuardResult("runtime", [finding("runtime.unpinned", 0)]),
    ];
    const [run] = parse(results).runs;
    assertEquals(run?.results.length, 25_000);
    assertEquals(run?.results.at(-1)?.ruleId, "runtime.unpinned");
    assertEquals(run?.properties["omitted"], 5001);
    const hashes = run?.results.map((it) =>
      it.partialFingerprints["primaryLocationLineHash"] ?? ""
    );
    assert(hashes?.every((hash) => /^[0-9a-f]{16}:1$/.test(hash)));
  },
);

Deno.test(
  "every path comes back from its URI, and no URI leads out of the repository",
  PURE,
  () => {
    const paths = listResults(HOSTILE_RESULTS).flatMap(({ locations = [] }) =>
      locations.map(({ physicalLocation }) => physicalLocation.artifactLocation.uri)
    );
    assertEquals(paths.map(decodeURIComponent).toSorted(), HOSTILE_TEXTS.toSorted());
    for (const uri of paths) {
      assert(new URL(uri, "file:///repository/").href.startsWith("file:///repository/"), uri);
    }
  },
);

const MESSAGES: readonly (readonly [message: string, text: string])[] = [
  ["Label must be ${NAME}", "Label must be ${{NAME}}"],
  ['denies "**/*.{a,b}"', 'denies "**/*.{{a,b}}"'],
  ["a [b] \\c", "a [b] \\c"],
  ["is [a](https://example.com)", "is \\[a\\](https://example.com)"],
  ["is \\[a](1)", "is \\\\\\[a\\](1)"],
];

for (const [message, text] of MESSAGES) {
  Deno.test(
    `renderGuardSarif() writes the message ${message} without a placeholder or a link`,
    PURE,
    () => {
      const result = makeGuardResult("artifacts", [makeFinding("artifacts.tracked", message)]);
      assertEquals(listResults([result]).map((r) => r.message.text), [text]);
    },
  );
}

Deno.test(
  "a fingerprint stays when its finding moves, and changes with code, path or message",
  PURE,
  () => {
    const [base] = listFingerprints(["a.a", "m", { path: "p", line: 1, column: 1 }]);
    assertEquals(listFingerprints(["a.a", "m", { path: "p", line: 9, column: 3, hint: "h" }]), [
      base,
    ]);
    const others = [
      ...listFingerprints(["a.b", "m", { path: "p" }]),
      ...listFingerprints(["a.a", "n", { path: "p" }]),
      ...listFingerprints(["a.a", "m", { path: "q" }]),
      ...listFingerprints(["a.a", "m"]),
    ];
    assertEquals(new Set([base, ...others]).size, 5);
  },
);

Deno.test("equal findings are numbered, so that every fingerprint is given once", PURE, () => {
  const [first = "", second = ""] = listFingerprints(
    ["a.a", "m", { path: "p", line: 1 }],
    ["a.a", "m", { path: "p", line: 2 }],
  );
  assert(first.endsWith(":1") && second.endsWith(":2"));
  assertEquals(first.slice(0, -1), second.slice(0, -1));
});

Deno.test("the order in which a guard finds things changes no byte of the log", PURE, () => {
  const findings = SAMPLE_RESULTS.flatMap((result) => result.findings);
  const expected = renderGuardSarif([makeGuardResult("identity", findings)]);
  const shuffled = fc.shuffledSubarray([...findings], { minLength: findings.length });
  fc.assert(fc.property(shuffled, (some) => {
    assertEquals(renderGuardSarif([makeGuardResult("identity", some)]), expected);
  }));
});
