import { checkTrace, type Lineage, type Trace, traceFile } from "../../mod.ts";
import {
  describeTrace,
  listDotLines,
  listMermaidLines,
  listTraceLines,
} from "../../src/show/trace.ts";
import { streamCanonicalJson } from "../../src/base/canonical_json.ts";
import { assert, assertEquals } from "../assert.ts";
import { fileOf, makeLineage, type SampleRun } from "./sample_lineage.ts";

const STEPS: readonly SampleRun[] = [
  { inputs: { raw: "1" }, products: { clean: "c" } },
  { inputs: { clean: "c", train: "t" }, products: { model: "m" } },
];

function check(
  runs: readonly SampleRun[],
  demands: { readonly origins?: readonly string[]; readonly approvals?: number } = {},
  file = fileOf("model", "m"),
): string[] {
  const lineage = makeLineage(runs);
  const { origins = ["raw", "train"], approvals = 0 } = demands;
  const isOrigin = (name: string): boolean => origins.includes(name);
  return checkTrace(lineage, traceFile(lineage, file), { approvals, isOrigin })
    .map(({ code, path }) => `${code} ${path}`);
}

Deno.test("traceFile() goes back to what no run made", () => {
  const { madeBy, runs, nearest } = traceFile(makeLineage(STEPS), fileOf("model", "m"));
  assertEquals([madeBy, runs, nearest], [[1], [1, 0], []]);
});

Deno.test("traceFile() finds every run that made these bytes, under whatever name", () => {
  const lineage = makeLineage([...STEPS, ...STEPS, { products: { copy: "m", other: "n" } }]);
  assertEquals(traceFile(lineage, fileOf("elsewhere/x", "m")).madeBy, [1, 3, 4]);
});

Deno.test("traceFile() names what comes nearest where no run made the file", () => {
  const edited = { inputs: { "model": "edited", "data/model": "9" } };
  const lineage = makeLineage([...STEPS, edited]);
  const near = (name: string, content: string): string[] =>
    traceFile(lineage, fileOf(name, content)).nearest
      .map(({ relation, run, file }) => `${relation} ${run} ${file.name}`);
  assertEquals(near("renamed", "t"), ["input 1 train"]);
  assertEquals(near("model", "x"), ["other_product 1 model"]);
  assertEquals(near("model", "edited"), ["input 2 model", "other_product 1 model"]);
  assertEquals(near("raw", "x"), ["other_input 0 raw"]);
  assertEquals(near("copy/train", "x"), ["alike 1 train"]);
  assertEquals(near("unheard", "x"), []);
});

Deno.test("checkTrace() passes a way on which nothing is wrong", () => {
  assertEquals(check(STEPS), []);
});

const [CLEAN = {}, MODEL = {}] = STEPS;
const FAULTS: readonly (readonly [
  what: string,
  record: NonNullable<SampleRun["record"]>,
  code: string,
])[] = [
  ["failed", { outcome: "command_failed", exitCode: 1 }, "trace.not_completed"],
  ["ended unobserved", { outcome: "not_observed", exitCode: null }, "trace.not_completed"],
  ["does not verify", { verifies: false, outcome: null, review: null }, "trace.not_verified"],
];

for (const [what, record, code] of FAULTS) {
  Deno.test(`checkTrace() finds a run on the way that ${what}`, () => {
    assertEquals(check([{ ...CLEAN, record }, MODEL]), [`${code} runs/2026-02-15T10-00-00Z`]);
    const lineage = makeLineage([{ ...CLEAN, record }]);
    const trace = traceFile(lineage, fileOf("clean", "c"));
    const [finding] = checkTrace(lineage, trace, { approvals: 0, isOrigin: () => true });
    assert(finding?.message.endsWith(what.replace("does not verify", "not verify")));
  });
}

Deno.test("checkTrace() asks for as many approvals as it is told, of every run", () => {
  const approve = (approvals: number) => ({ review: "APPROVED", approvals }) as const;
  const codes = (clean: number, model: number): string[] =>
    check([{ ...CLEAN, record: approve(clean) }, { ...MODEL, record: approve(model) }], {
      approvals: 2,
    });
  assertEquals(codes(2, 2), []);
  assertEquals(codes(2, 1), ["trace.not_approved runs/2026-02-15T10-01-00Z"]);
  const rejected = { review: "REJECTED", approvals: 2 } as const;
  assertEquals(
    check([{ ...CLEAN, record: rejected }, { ...MODEL, record: approve(2) }], {
      approvals: 1,
    }),
    ["trace.not_approved runs/2026-02-15T10-00-00Z"],
  );
  assertEquals(check(STEPS, { approvals: 1 }).length, 2);
});

Deno.test("checkTrace() finds what came from outside and is not named", () => {
  assertEquals(check(STEPS, { origins: ["raw"] }), ["trace.origin train"]);
  assertEquals(check(STEPS, {}, fileOf("raw", "1")), []);
  assertEquals(check(STEPS, {}, fileOf("raw", "2")), ["trace.unknown raw"]);
  assertEquals(check(STEPS, {}, fileOf("new", "n")), ["trace.origin new", "trace.unknown new"]);
});

Deno.test("checkTrace() takes what a later run made again for what came from outside", () => {
  // The second run makes what the first one already took in.
  const again = { inputs: { model: "m" }, products: { raw: "1" } };
  assertEquals(check([CLEAN, MODEL, again], { origins: ["train"] }), ["trace.origin raw"]);
  assertEquals(check([again, CLEAN, MODEL], { origins: ["train", "model"] }), []);
  // A run that makes its own input anew is not where that comes from.
  const own = { inputs: { a: "1" }, products: { a: "1", model: "m" } };
  assertEquals(check([own], { origins: [] }), ["trace.origin a"]);
});

Deno.test("traceFile() goes to whatever may have made an input in the same second", () => {
  const second = "2026-02-15T20-13-00Z";
  const runs = (directory: string, id = second): readonly SampleRun[] => [
    { id, directory, products: { clean: "c" } },
    { id: second, directory: "runs", inputs: { clean: "c" }, products: { model: "m" } },
  ];
  assertEquals(check(runs("other"), { origins: [] }), []);
  assertEquals(check(runs("other", "2026-02-15T20-12-59Z"), { origins: [] }), []);
  assertEquals(check(runs("other", "2026-02-15T20-13-01Z"), { origins: [] }), [
    "trace.origin clean",
  ]);
  const walked = traceFile(makeLineage(runs("other")), fileOf("model", "m")).runs;
  assertEquals([...walked].sort(), [0, 1]);
});

Deno.test("traceFile() goes back to each of the runs that made an input of several runs", () => {
  const lineage = makeLineage([
    { products: { a: "1" } },
    { inputs: { a: "1" }, products: { b: "2" } },
    { products: { a: "1" } },
    { inputs: { a: "1", b: "2" }, products: { c: "3" } },
    { products: { a: "1" } },
  ]);
  assertEquals(traceFile(lineage, fileOf("c", "3")).runs.toSorted(), [0, 1, 2, 3]);
  assertEquals(traceFile(lineage, fileOf("b", "2")).runs.toSorted(), [0, 1]);
});

function showText(lineage: Lineage, trace: Trace): string[] {
  return [...listTraceLines(lineage, trace, { isColored: false })];
}

function parseTrace(lineage: Lineage, trace: Trace): ReturnType<typeof JSON.parse> {
  let text = "";
  streamCanonicalJson(describeTrace(lineage, trace, null), (piece) => text += piece);
  return JSON.parse(text);
}

/** A chain of runs, each over the file of the one before. */
function makeChain(length: number): readonly [Lineage, Trace] {
  const lineage = makeLineage(Array.from({ length }, (_, i) => ({
    inputs: { [`step${i}`]: `${i}` },
    products: { [`step${i + 1}`]: `${i + 1}` },
  })));
  return [lineage, traceFile(lineage, fileOf(`step${length}`, `${length}`))];
}

Deno.test("a trace shows every run whole once, also where the chain is longer than it nests", () => {
  const [lineage, trace] = makeChain(100);
  const whole = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if ("inputs" in value && "run" in value) {
      assert(!whole.has(String(value.run)), String(value.run));
      whole.add(String(value.run));
    }
    Object.values(value).forEach(visit);
  };
  visit(parseTrace(lineage, trace));
  assertEquals(whole.size, 100);
  const lines = showText(lineage, trace);
  assertEquals(lines.filter((line) => line.includes("completed")).length, 100);
  assertEquals(lines.filter((line) => Array.from(line).length > 80), []);
});

Deno.test("a trace names a run that comes again", () => {
  const lineage = makeLineage([
    { inputs: { raw: "1" }, products: { a: "a", b: "b" } },
    { inputs: { a: "a", b: "b" }, products: { c: "c" } },
  ]);
  const trace = traceFile(lineage, fileOf("c", "c"));
  const [first, second] = parseTrace(lineage, trace).made_by[0].inputs;
  assertEquals(first.made_by[0].inputs.length, 1);
  assertEquals(second.made_by, [{ run: "runs/2026-02-15T10-00-00Z" }]);
  assert(showText(lineage, trace).at(-1)?.endsWith("runs/2026-02-15T10-00-00Z (above)"));
});

Deno.test("a trace fits a terminal, and shows nothing that a terminal acts on", () => {
  const long = `data/${"ä".repeat(200)}.csv`;
  const inputs = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`raw/${i}`, `${i}`]));
  const lineage = makeLineage([{
    directory: "a/rather/long/way/to/the/directory/that/runs/are/in",
    inputs: { ...inputs, [long]: "1", "\x1b[2J\u202e": "2" },
    products: { model: "m" },
  }]);
  const trace = traceFile(lineage, fileOf("model", "m"));
  const lines = showText(lineage, trace);
  assertEquals(lines.filter((line) => Array.from(line).length > 80), []);
  assertEquals(lines.at(-1)?.trim(), "└─ 22 more files that no run made");
  const graphs = [...listDotLines(lineage, trace), ...listMermaidLines(lineage, trace)];
  assertEquals(
    [...lines, ...graphs].filter((line) => line.includes("\x1b") || line.includes("\u202e")),
    [],
  );
});

Deno.test("the graphs of a trace quote what their languages would read", () => {
  const name = 'a "b" \\ <c> # `d` [e]';
  const lineage = makeLineage([{ inputs: { [name]: "1" }, products: { model: "m" } }]);
  const trace = traceFile(lineage, fileOf("model", "m"));
  assertEquals([...listDotLines(lineage, trace)], [
    "digraph trace {",
    "  rankdir=LR;",
    '  file0 [shape=note, label="model"];',
    '  run0 [shape=box, label="runs/2026-02-15T10-00-00Z\\ncompleted, not reviewed"];',
    "  run0 -> file0;",
    '  file1 [shape=note, label="\\"a \\\\\\"b\\\\\\" \\\\\\\\ <c> # `d` [e]\\""];',
    "  file1 -> run0;",
    "}",
  ]);
  assertEquals(
    [...listMermaidLines(lineage, trace)].find((line) => line.includes("file1(")),
    '  file1(["#34;a #92;#34;b#92;#34; #92;#92; #60;c#62; #35; #96;d#96; #91;e#93;#34;"])',
  );
});

Deno.test("a trace of ten thousand runs does not overflow", () => {
  const [lineage, trace] = makeChain(10_000);
  assertEquals(trace.runs.length, 10_000);
  assert(showText(lineage, trace).length > 20_000);
  assertEquals(parseTrace(lineage, trace).made_by.length, 1);
});

Deno.test("a trace of runs that made and took in the same files again and again stays short", () => {
  const again = Array.from({ length: 1000 }, (_, i): SampleRun => ({
    inputs: { raw: "1", ...(i === 0 ? {} : { table: "same" }) },
    products: { table: "same", ...(i === 999 ? { model: "m" } : {}) },
  }));
  const lineage = makeLineage(again);
  const trace = traceFile(lineage, fileOf("model", "m"));
  assertEquals(trace.runs.length, 1000);
  const lines = showText(lineage, trace);
  assert(lines.some((line) => line.endsWith("table, also made by 996 more runs")));
  assert(lines.length < 10_000);
});

Deno.test("traceFile() follows a run of another directory and the same second", () => {
  const id = "2026-02-15T20-13-00Z";
  const lineage = makeLineage([
    { id, directory: "z", products: { a: "1" } },
    { id, directory: "a", inputs: { a: "1" }, products: { b: "2" } },
  ]);
  const trace = traceFile(lineage, fileOf("b", "2"));
  assertEquals(trace.runs, [1, 0]);
  const demands = { approvals: 0, isOrigin: () => false };
  assertEquals(checkTrace(lineage, trace, demands), []);
});

Deno.test("traceFile() names makers oldest first, and the nearest by name where there is none", () => {
  const turned = makeLineage([
    { id: "2026-02-15T20-13-09Z", products: { x: "1" } },
    { id: "2026-02-15T20-13-00Z", products: { y: "1" } },
  ]);
  assertEquals(traceFile(turned, fileOf("y", "1")).madeBy, [1, 0]);
  const lineage = makeLineage([
    { inputs: { clean: "1", "other/b": "2" } },
    { inputs: { copy: "1" } },
  ]);
  const nearestOf = (name: string, content: string): unknown[] =>
    traceFile(lineage, fileOf(name, content)).nearest
      .map(({ relation, run, file }) => [relation, run, file.name]);
  assertEquals(nearestOf("clean", "1"), [["input", 0, "clean"]]);
  assertEquals(nearestOf("raw", "1"), [["input", 1, "copy"]]);
  assertEquals(nearestOf("x/b", "9"), [["alike", 0, "other/b"]]);
  // Where a run took the file in, others that only bear its name say nothing of it.
  const bearing = makeLineage([{ inputs: { "other/raw": "2" } }, { inputs: { raw: "1" } }]);
  assertEquals(
    traceFile(bearing, fileOf("raw", "1")).nearest.map(({ relation, run }) => [relation, run]),
    [["input", 1]],
  );
});
