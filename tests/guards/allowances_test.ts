import { type Finding, KprovError, makeFinding } from "../../src/base/error.ts";
import fc from "fast-check";
import { compileGlobs } from "../../src/base/glob.ts";
import { applyAllowances, type GuardResult, makeGuardResult } from "../../src/guards/guard.ts";
import { type Allowance, parsePolicy } from "../../src/guards/policy.ts";
import { assertEquals, assertThrows } from "../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const TODAY = "2026-03-01";
const CODES = ["identity.forbidden_token", "identity.display_name"];
const PATHS = ["a", "a/b", "a/b.ts", "docs/x", "docs/y/z", "[a]"];
const GLOBS = [
  ...PATHS.slice(0, -1),
  "\\[a]",
  "\\a",
  "{a,docs/x}",
  "**",
  "a/*",
  "docs/**",
  "{a,docs}/*",
  "?",
];

/** A result with one finding. */
function found(code: string, path: string | null, line: number | null = null): GuardResult {
  const guard = code.split(".", 1)[0] ?? "";
  return makeGuardResult(guard, [makeFinding(code, "it is there", { path, line })]);
}

/** What is left, one line each. */
function apply(
  results: readonly GuardResult[],
  allowances: readonly Allowance[],
  today: string = TODAY,
  policyPath: string | null = null,
): string[] {
  return applyAllowances(results, { allowances, today, policyPath }).flatMap(({ findings }) =>
    findings.map(({ code, path, message }) => `${code} ${path} ${message}`)
  );
}

Deno.test("applyAllowances() allows what each allowance by itself allows", PURE, () => {
  const allowance = fc.record({
    code: fc.constantFrom(...CODES),
    path: fc.constantFrom(...GLOBS),
    reason: fc.constantFrom("one", "another"),
  });
  const finding = fc.record({
    code: fc.constantFrom(...CODES),
    path: fc.constantFrom(...PATHS, null),
    line: fc.nat(2),
  });
  const cases = fc.property(fc.array(allowance), fc.array(finding), (allowances, facts) => {
    const findings = facts.map(({ code, ...place }) => makeFinding(code, "it is there", place));
    const allows = (index: number, { code, path }: typeof findings[number]): boolean =>
      allowances[index]?.code === code && path !== null &&
      compileGlobs([allowances[index]?.path ?? ""])(path);
    const indexes = [...allowances.keys()];
    const left = findings.filter((found) => !indexes.some((index) => allows(index, found)));
    const unused = indexes.filter((index) => !findings.some((found) => allows(index, found)))
      .map((index) => {
        const { code, path, reason } = allowances[index]!;
        const shown = path.replace("\\", "\\\\");
        return makeFinding(
          "identity.unused_allowance",
          `allowance of "${code}" at "${shown}" ("${reason}") allows nothing`,
          { hint: "remove it from the policy's allowances" },
        );
      });
    const results = [makeGuardResult("identity", findings)];
    assertEquals(applyAllowances(results, { allowances, today: TODAY, policyPath: null }), [
      makeGuardResult("identity", [...left, ...unused]),
    ]);
  });
  fc.assert(cases);
});

Deno.test("applyAllowances() is for every guard, and judges those that ran", PURE, () => {
  const allowances = [
    { code: "artifacts.tracked", path: "dist/**", reason: "the site" },
    { code: "runtime.out_of_range", path: "fixtures/**", reason: "old on purpose" },
    { code: "lock.changed", path: "x", reason: "gone" },
  ];
  const results = [
    found("artifacts.tracked", "dist/a.js"),
    found("runtime.out_of_range", "fixtures/.nvmrc"),
  ];
  assertEquals(apply(results, allowances), []);
  assertEquals(
    applyAllowances(results, { allowances, today: TODAY, policyPath: null })[0]?.ok,
    true,
  );
  assertEquals(apply([found("runtime.out_of_range", ".nvmrc")], allowances), [
    'runtime.unused_allowance null allowance of "runtime.out_of_range" at "fixtures/**" ("old on ' +
    'purpose") allows nothing',
    "runtime.out_of_range .nvmrc it is there",
  ]);
  assertEquals(apply([makeGuardResult("lock", [])], allowances).length, 1);
});

Deno.test("applyAllowances() finds an allowance of a guard that has no section", PURE, () => {
  const results = [makeGuardResult("identity", []), makeGuardResult("artifacts", [])];
  const allowances = [{ code: "lock.changed", path: "x", reason: "r" }];
  const judge = (configured: readonly string[]): string[][] =>
    applyAllowances(results, { allowances, today: TODAY, policyPath: null, configured })
      .map(({ findings }) => findings.map(({ code }) => code));
  assertEquals(judge(["identity", "artifacts"]), [["lock.unused_allowance"], []]);
  // It has a section, and did not run.
  assertEquals(judge(["identity", "artifacts", "lock"]), [[], []]);
});

Deno.test("applyAllowances() brings a finding back behind the last day, and says so", PURE, () => {
  const result = [found("runtime.unpinned", "a")];
  const allowance = { code: "runtime.unpinned", path: "a", reason: "until it is moved" };
  const ends = { ...allowance, until: "2026-03-01" };
  assertEquals(apply(result, [ends], "2026-02-28"), []);
  assertEquals(apply(result, [ends], "2026-03-01"), []);
  assertEquals(apply(result, [ends], "2026-03-02"), [
    "runtime.unpinned a it is there; it was allowed until 2026-03-01",
  ]);
  assertEquals(apply(result, [ends, { ...ends, until: "2026-03-05" }], "2026-03-06"), [
    "runtime.unpinned a it is there; it was allowed until 2026-03-05",
  ]);
  // Another that holds still.
  assertEquals(apply(result, [ends, allowance], "2026-03-02"), []);
});

Deno.test("applyAllowances() never counts the policy's own lists against it", PURE, () => {
  const path = "docs/governance/policy.json";
  for (const code of [...CODES, "identity.lookalike"]) {
    assertEquals(apply([found(code, path, 3)], [], TODAY, path), []);
    assertEquals(apply([found(code, path, 3)], [], TODAY, "other.json").length, 1);
    assertEquals(apply([found(code, path)], [], TODAY, path).length, 1, "its name is no list");
  }
  assertEquals(apply([found("identity.surface_mismatch", path, 3)], [], TODAY, path).length, 1);
});

Deno.test("applyAllowances() refuses a glob that could never match", PURE, () => {
  const allowances = [{ code: "artifacts.tracked", path: "/dist", reason: "x" }];
  assertThrows(() => apply([], allowances), Error, "/allowances/0/path");
});

Deno.test("parsePolicy() says what is wrong with an allowance, and what may be meant", PURE, () => {
  const parse = (allowance: Readonly<Record<string, string>>): void => {
    parsePolicy({ schema: "kprovengine.policy.v1", allowances: [allowance] }, "p");
  };
  const good = { code: "artifacts.tracked", path: "a", reason: "b" };
  parse({ ...good, until: "2028-02-29" });
  const cases: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
    [
      { ...good, code: "artefacts.tracked" },
      "/allowances/0/code: expected the code of a finding; did you mean artifacts.tracked?",
    ],
    [
      { ...good, code: "x" },
      "/allowances/0/code: expected the code of a finding such as identity.forbidden_token",
    ],
    [{ ...good, until: "2027-02-30" }, "/allowances/0/until: expected a day such as 2027-06-30"],
    [{ ...good, until: "2027-13-01" }, "/allowances/0/until: expected a day such as 2027-06-30"],
    [{ ...good, until: "30.6.2027" }, "/allowances/0/until: expected a day such as 2027-06-30"],
    [{ ...good, untill: "2027-06-30" }, '/allowances/0/untill: unknown key; did you mean "until"?'],
    [{ code: good.code, path: "a" }, "/allowances/0/reason: expected"],
  ];
  for (const [allowance, message] of cases) assertThrows(() => parse(allowance), Error, message);
});

Deno.test(
  "parsePolicy() takes no place for runs and products that is not below the root",
  PURE,
  () => {
    const parse = (run: unknown) => parsePolicy({ schema: "kprovengine.policy.v1", run }, "p");
    const fine = {
      out: "a/..b",
      exclude: ["/x", "!y", "z/"],
      products: ["out/", ".hidden", "a b"],
    };
    assertEquals(parse(fine).run, fine);
    for (const path of ["", "/a", "..", "../a", "a/../../b", ".", "./a", "C:/a", "a\\b", "~/a"]) {
      const message = "expected a path below the root such as runs";
      assertThrows(() => parse({ out: path }), KprovError, `at /run/out: ${message}`);
      assertThrows(() => parse({ products: [path] }), KprovError, `at /run/products/0: ${message}`);
    }
    for (const glob of ["", "# none", "a[b"]) {
      assertThrows(
        () => parse({ exclude: [glob] }),
        KprovError,
        "at /run/exclude/0: expected a glob",
      );
    }
  },
);

Deno.test("parsePolicy() answers an unknown key with the nearest that it knows", PURE, () => {
  const parse = (policy: Readonly<Record<string, unknown>>): void => {
    parsePolicy({ schema: "kprovengine.policy.v1", ...policy }, "p");
  };
  parse({ $schema: "./policy.v1.json" });
  const cases: readonly (readonly [Readonly<Record<string, unknown>>, string])[] = [
    [{ runtimes: {} }, 'at /runtimes: unknown key; did you mean "runtime"?'],
    [{ runtime: { pyhton: ">=3" } }, 'at /runtime/pyhton: unknown key; did you mean "python"?'],
    [{ lock: { version_form: {} } }, "at /lock"],
    [{ run: { exlude: [] } }, 'at /run/exlude: unknown key; did you mean "exclude"?'],
    [{ artifacts: { Deny: [] } }, 'at /artifacts/Deny: unknown key; did you mean "deny"?'],
    [{ entirely: {} }, "at /entirely: unknown key"],
    [{ runtime: { python: "^3.11" } }, "expected specifiers of PEP 440 such as >=3.11,<3.13"],
  ];
  for (const [policy, message] of cases) assertThrows(() => parse(policy), Error, message);
});

Deno.test(
  "makeGuardResult() fails on any error, whatever stands beside it, and not on notes",
  PURE,
  () => {
    const note = makeFinding("lock.not_proven", "nothing shows it", { level: "note" });
    const error = makeFinding("lock.changed", "it is changed");
    const isOk = (...findings: readonly Finding[]): boolean => makeGuardResult("lock", findings).ok;
    assertEquals([isOk(), isOk(note), isOk(note, note)], [true, true, true]);
    assertEquals([isOk(error), isOk(note, error), isOk(error, note)], [false, false, false]);
  },
);

Deno.test(
  "applyAllowances() judges a guard by what is left, and by allowances of nothing",
  PURE,
  () => {
    const allowance = { code: CODES[0] ?? "", path: "a", reason: "an example" };
    const isOk = (results: readonly GuardResult[], allowances: readonly Allowance[]): boolean => {
      const context = { allowances, today: TODAY, policyPath: null };
      return applyAllowances(results, context).every(({ ok }) => ok);
    };
    const result = found(allowance.code, "a", 1);
    assertEquals(isOk([result], []), false);
    assertEquals(isOk([result], [allowance]), true);
    assertEquals(isOk([result], [{ ...allowance, until: "2026-02-28" }]), false);
    assertEquals(isOk([makeGuardResult("identity", [])], [allowance]), false);
  },
);
