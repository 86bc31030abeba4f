import type { Finding, RecordedRuntime, RecordedTool, RunFacts } from "../../mod.ts";
import { listProducts } from "../../src/evidence/provenance.ts";
import {
  checkRecorder,
  checkRepetitions,
  checkRuntimes,
  checkTools,
  type ContentDifference,
  findProductDifferences,
  type Repetition,
  type Variation,
} from "../../src/evidence/reproduction.ts";
import { assert, assertEquals } from "../assert.ts";
import { makeRun } from "../make_run.ts";
import {
  digestOf,
  SAMPLE_CIRCUMSTANCES,
  SAMPLE_COMMAND_FACTS,
  SAMPLE_FACTS,
  SAMPLE_FAILED_FACTS,
} from "../sample_facts.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const RUN = makeRun(SAMPLE_FAILED_FACTS);
const CLEAN = {
  name: "out/clean.csv",
  kind: "file",
  size: 9,
  sha256: digestOf("9"),
} as const;

const LINK = { name: "out/latest", kind: "symlink", size: 9, sha256: digestOf("8") } as const;

/** What came out, once. */
type Made = Pick<Repetition, "exitCode" | "products">;

const CASES: readonly (readonly [string, Made, readonly string[]])[] = [
  ["the same", { exitCode: 3, products: [CLEAN, LINK] }, []],
  ["another exit code", { exitCode: 0, products: [CLEAN, LINK] }, ["command.exit_code"]],
  ["another content", { exitCode: 3, products: [{ ...CLEAN, sha256: digestOf("8") }, LINK] }, [
    "out/clean.csv product.changed",
  ]],
  ["a file in the place of a link", { exitCode: 3, products: [CLEAN, { ...LINK, kind: "file" }] }, [
    "out/latest product.changed",
  ]],
  ["no product", { exitCode: 3, products: [] }, [
    "out/clean.csv product.missing",
    "out/latest product.missing",
  ]],
  ["one product more", { exitCode: 3, products: [{ ...CLEAN, name: "out/b" }, CLEAN, LINK] }, [
    "out/b product.unexpected",
  ]],
  ["everything", { exitCode: 1, products: [{ ...CLEAN, name: "out/b" }] }, [
    "command.exit_code",
    "out/b product.unexpected",
    "out/clean.csv product.missing",
    "out/latest product.missing",
  ]],
];

function check(
  repetitions: readonly Repetition[],
  content?: ContentDifference | null,
): readonly Finding[] {
  const differences = findProductDifferences(RUN, repetitions);
  const contents = new Map(
    content === undefined ? [] : differences.map((difference) => [difference, content]),
  );
  return checkRepetitions(RUN, repetitions, differences, { contents });
}

function codesOf(findings: readonly Finding[]): string[] {
  return findings.map(({ path, code }) => path === null ? code : `${path} ${code}`);
}

for (const [what, made, expected] of CASES) {
  Deno.test(`checkRepetitions() judges ${what}`, PURE, () => {
    assertEquals(codesOf(check([{ ...made, variation: null }])), expected);
  });
}

const SAME = { variation: null, exitCode: 3, products: [CLEAN, LINK] } as const;
const TIME: Variation = { kind: "time", how: "a clock ahead" };
const CORES: Variation = { kind: "cores", how: "one core" };

function makeOther(content: string, variation: Variation | null = null): Repetition {
  return { ...SAME, variation, products: [{ ...CLEAN, sha256: digestOf(content) }, LINK] };
}

const REPEATED: readonly (readonly [string, readonly Repetition[], readonly string[]])[] = [
  ["the same three times", [SAME, SAME, { ...SAME, variation: TIME }], []],
  ["a product that follows one variation", [SAME, makeOther("a", TIME), {
    ...SAME,
    variation: CORES,
  }], [
    "out/clean.csv variation.time",
  ]],
  ["a product that follows two", [SAME, makeOther("a", TIME), makeOther("b", CORES)], [
    "out/clean.csv variation.cores",
    "out/clean.csv variation.time",
  ]],
  ["a product that differs from run to run", [SAME, makeOther("a"), makeOther("b", TIME)], [
    "out/clean.csv product.unstable",
  ]],
  ["the same, where the varied run came first", [SAME, makeOther("b", TIME), makeOther("a")], [
    "out/clean.csv product.unstable",
  ]],
  ["a product that follows two, behind a run with nothing varied", [
    SAME,
    SAME,
    makeOther("a", TIME),
    makeOther("b", CORES),
  ], ["out/clean.csv variation.cores", "out/clean.csv variation.time"]],
  ["another product than the recorded one, each time", [makeOther("a"), makeOther("a", TIME)], [
    "out/clean.csv product.changed",
  ]],
  ["a product that is missing under a variation", [SAME, {
    ...SAME,
    variation: TIME,
    products: [LINK],
  }], ["out/clean.csv variation.time"]],
  ["a product more under a variation", [SAME, {
    ...SAME,
    variation: TIME,
    products: [CLEAN, LINK, { ...CLEAN, name: "out/b" }],
  }], ["out/b variation.time"]],
  ["another exit code under a variation", [SAME, { ...SAME, variation: CORES, exitCode: 1 }], [
    "variation.cores",
  ]],
  ["another exit code from run to run", [SAME, { ...SAME, exitCode: 1 }], ["command.unstable"]],
];

for (const [what, repetitions, expected] of REPEATED) {
  Deno.test(`checkRepetitions() judges ${what}`, PURE, () => {
    assertEquals(codesOf(check(repetitions)), expected);
  });
}

const LINE = { number: 2, before: "a", after: null };
const MESSAGES: readonly (readonly [ContentDifference | null, string])[] = [
  [{ offset: 7, line: null, only: null }, "the first difference is at byte 7"],
  [
    { offset: 7, line: LINE, only: "order of lines" },
    'only the order of lines differs; the first difference is in line 2: "a" -> (no such line)',
  ],
  [
    { offset: 7, line: LINE, only: "time stamps" },
    'only time stamps differ; the first difference is in line 2: "a" -> (no such line)',
  ],
  [null, "the recorded version is not available"],
];

for (const [content, expected] of MESSAGES) {
  Deno.test(`checkRepetitions() says that ${expected}`, PURE, () => {
    const products = [{ ...CLEAN, sha256: digestOf("a"), size: 1 }, LINK];
    const [finding] = check([{ ...SAME, products }], content);
    assertEquals(
      finding?.message,
      "the product is different: expected " +
        `sha256:${CLEAN.sha256}, found sha256:${digestOf("a")}; 9 bytes, then 1 byte; ${expected}`,
    );
  });
}

Deno.test(
  "checkRepetitions() names what was varied, and doubts it where it may be chance",
  PURE,
  () => {
    const [sure] = check([SAME, makeOther("a", TIME)]);
    assertEquals([sure?.message, sure?.hint], [
      "the product is different with a clock ahead: 9 bytes both times",
      null,
    ]);
    const [, unsure] = check([makeOther("a"), makeOther("b", TIME)]);
    assertEquals(unsure?.hint, "it also differs with nothing varied, so this may be chance");
    const [chance] = check([SAME, makeOther("a")]);
    assertEquals(
      chance?.message,
      "the product is different in run 2, with nothing varied: 9 bytes both times",
    );
  },
);

Deno.test(
  "checkRepetitions() tells what a link and a file hold, and no sizes of them",
  PURE,
  () => {
    const file = { ...LINK, kind: "file", size: 7 } as const;
    const messageOf = (...repetitions: readonly Repetition[]): string | undefined =>
      check(repetitions, { offset: 0, line: null, only: null })[0]?.message;
    const [one, other] = [`link to sha256:${LINK.sha256}`, `sha256:${file.sha256}`];
    const turned = { ...SAME, products: [CLEAN, file] };
    assertEquals(messageOf(turned), `the product is different: expected ${one}, found ${other}`);
    assertEquals(
      messageOf(SAME, turned),
      `the product is different in run 2, with nothing varied: ${one}, then ${other}`,
    );
    assertEquals(
      check([turned, SAME]).at(-1)?.message,
      `the product is different in run 2, with nothing varied: ${other}, then ${one}`,
    );
  },
);

Deno.test("checkRepetitions() doubts no difference where nothing was varied", PURE, () => {
  const findings = check([makeOther("a"), makeOther("b")]);
  assertEquals(findings.map(({ code, hint }) => [code, hint]), [
    ["product.changed", null],
    ["product.unstable", null],
  ]);
});

Deno.test("checkRepetitions() says why a command may fail, and in which run it did", PURE, () => {
  const hintOf = (exitCode: number, isIsolated?: boolean): string | null | undefined =>
    checkRepetitions(
      RUN,
      [{ ...SAME, exitCode }],
      [],
      isIsolated === undefined ? {} : { isIsolated },
    )[0]?.hint;
  assertEquals(hintOf(0), null);
  assertEquals(hintOf(1)?.split(" ", 3).join(" "), "everything that the");
  assertEquals(hintOf(1, false), hintOf(1));
  assertEquals(hintOf(1, true)?.split(" ", 3).join(" "), "only the inputs,");
  assertEquals(
    check([SAME, { ...SAME, exitCode: 1 }])[0]?.message,
    "in run 2, with nothing varied, the command ended with 1, before with 3",
  );
});

Deno.test("listProducts() does not take inputs for products", PURE, () => {
  const list = (facts: RunFacts): readonly string[] =>
    listProducts(makeRun(facts).documents["provenance.json"]).map(({ name }) => name);
  assertEquals(list(SAMPLE_COMMAND_FACTS), ["out/clean.csv", "out/latest"]);
  assertEquals(list(SAMPLE_FAILED_FACTS), ["out/clean.csv", "out/latest"]);
  assertEquals(list(SAMPLE_FACTS), []);
});

const TOOLS: readonly (readonly [string, readonly RecordedTool[], readonly string[]])[] = [
  ["the same", [{ name: "sh", sha256: digestOf("3") }], []],
  ["another", [{ name: "sh", sha256: digestOf("4") }], ["tool.changed"]],
  ["none", [], ["tool.missing"]],
  ["one more", [{ name: "sh", sha256: digestOf("3") }, { name: "zz", sha256: digestOf("3") }], [
    "tool.unexpected",
  ]],
];

for (const [what, found, expected] of TOOLS) {
  Deno.test(`checkTools() judges ${what}`, PURE, () => {
    assertEquals(checkTools(RUN, found).map(({ code }) => code), expected);
  });
}

const OBSERVED = makeRun(SAMPLE_FAILED_FACTS, {
  ...SAMPLE_CIRCUMSTANCES,
  observation: { by: "strace 6.1", complete: true },
});

Deno.test("checkTools() tells a tool that is there and cannot be started", PURE, () => {
  const faults = new Map([["sh", "it is no program"], ["other", "it is no program"]]);
  const findings = checkTools(RUN, [], faults);
  assertEquals(findings.map(({ code, level }) => [code, level]), [["tool.unstartable", "error"]]);
});

Deno.test("checkTools() notes a tool that only the observation saw", PURE, () => {
  const findings = checkTools(OBSERVED, []);
  assertEquals(findings.map(({ code, level }) => [code, level]), [["tool.unseen", "note"]]);
  const changed = checkTools(OBSERVED, [{ name: "sh", sha256: digestOf("4") }]);
  assertEquals(changed.map(({ code, level }) => [code, level]), [["tool.changed", "error"]]);
});

const { runtimes: RUNTIMES = [] } = SAMPLE_FAILED_FACTS.toolchain;
const [PYTHON, NODE] = RUNTIMES;

function judgeRuntimes(found: readonly (RecordedRuntime | undefined)[], run = RUN): string[] {
  return checkRuntimes(run, found.filter((runtime) => runtime !== undefined))
    .map(({ code, level, message }) => `${level} ${code} ${message}`);
}

Deno.test("checkRuntimes() finds nothing where the runtimes are the same", PURE, () => {
  assertEquals(judgeRuntimes(RUNTIMES), []);
});

Deno.test("checkRuntimes() finds a runtime that changed, is missing or is new", PURE, () => {
  assert(PYTHON !== undefined);
  assertEquals(judgeRuntimes([{ ...PYTHON, version: "3.12.2" }, NODE]).map(codeOf), [
    "error runtime.changed",
  ]);
  assertEquals(judgeRuntimes([PYTHON]).map(codeOf), ["error runtime.missing"]);
  assertEquals(judgeRuntimes([PYTHON], OBSERVED).map(codeOf), ["note runtime.missing"]);
  // What was watched is there, so that it is another one is no matter of who started it.
  assertEquals(judgeRuntimes([{ ...PYTHON, version: "3.12.2" }, NODE], OBSERVED).map(codeOf), [
    "error runtime.changed",
  ]);
  const perl = { ...PYTHON, name: "perl", packages: [] };
  assertEquals(judgeRuntimes([...RUNTIMES, perl]).map(codeOf), ["error runtime.unexpected"]);
  assertEquals(judgeRuntimes([...RUNTIMES, perl], OBSERVED).map(codeOf), [
    "error runtime.unexpected",
  ]);
  const messages = [...judgeRuntimes([...RUNTIMES, perl]), ...judgeRuntimes([PYTHON])];
  assertEquals(messages.map((text) => text.split(" ").slice(2).join(" ")), [
    "runtime perl (not recorded) -> 3.12.1",
    "runtime node unknown version -> (not there)",
  ]);
});

Deno.test("checkRuntimes() finds packages that changed, whoever started the runtime", PURE, () => {
  assert(PYTHON !== undefined);
  const packages = [...PYTHON.packages ?? []];
  const changed = packages.map((it) => it.name === "pandas" ? { ...it, version: "2.2.0" } : it);
  for (const run of [RUN, OBSERVED]) {
    const codes = (found: typeof packages): readonly string[] =>
      judgeRuntimes([{ ...PYTHON, packages: found }, NODE], run).map(codeOf);
    assertEquals(codes(changed), ["error package.changed"]);
    assertEquals(codes(packages.slice(1)), ["error package.missing"]);
    assertEquals(codes([...packages, { name: "zz", version: "1" }]), ["error package.unexpected"]);
  }
});

function codeOf(text: string): string {
  return text.split(" ").slice(0, 2).join(" ");
}

Deno.test("checkRecorder() notes another kprov and another Deno, each by itself", PURE, () => {
  const judge = (now: { kprov: string; deno: string }): readonly string[] =>
    checkRecorder(RUN, now).map(({ code, level, message }) => `${level} ${code} ${message}`);
  const same = { kprov: "1.0.0", deno: "2.9.6" };
  assertEquals(judge(same), []);
  assertEquals(judge({ ...same, deno: "2.9.7" }), ["note toolchain.changed deno 2.9.6 -> 2.9.7"]);
  assertEquals(judge({ ...same, kprov: "1.1.0" }), ["note toolchain.changed kprov 1.0.0 -> 1.1.0"]);
});
