import {
  assumeDisk,
  type Cause,
  explainProduct,
  judgePipeline,
  type Lineage,
  type ObservedFile,
  type PipelineDisk,
  planStatus,
  type RunRecord,
  sha256Hex,
  traceFile,
} from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { makeLineage, type SampleRun } from "./sample_lineage.ts";

/** What stands on the disk: contents, and nothing where a name is not given. */
function makeDisk(
  files: Readonly<Record<string, string>>,
  more: Partial<PipelineDisk> = {},
): PipelineDisk {
  const observed = Object.entries(files).map(([name, content]): [string, ObservedFile] => [name, {
    state: "read",
    file: { name, kind: "file", size: content.length, sha256: sha256Hex(content) },
  }]);
  return { files: new Map(observed), listed: new Map(), changedTools: () => [], ...more };
}

/** Every product as `path state causes`. */
function judge(
  lineage: Lineage,
  files: Readonly<Record<string, string>>,
  more: Partial<PipelineDisk> = {},
): string[] {
  const { products } = judgePipeline(lineage, planStatus(lineage), makeDisk(files, more));
  return products.map(({ path, state, because }) =>
    [path, state, ...because.map(({ kind, name }) => `${kind}:${name}`)].join(" ")
  );
}

/** Raw data, a clean table, a model and a report, each with the program that makes it. */
const THREE_STEPS: readonly SampleRun[] = [
  { inputs: { "raw": "1", "clean.py": "c" }, products: { "clean": "c1" } },
  { inputs: { "clean": "c1", "train.py": "t" }, products: { "model": "m1" } },
  { inputs: { "model": "m1", "raw": "1" }, products: { "report": "r1" } },
];
const ALL = {
  "raw": "1",
  "clean.py": "c",
  "clean": "c1",
  "train.py": "t",
  "model": "m1",
  "report": "r1",
};

/** What happens to the disk, with what every product is then. */
const CHANGES: readonly (readonly [
  what: string,
  files: Readonly<Record<string, string>>,
  expected: readonly string[],
])[] = [
  ["nothing", {}, ["clean current", "model current", "report current"]],
  ["the raw data change", { "raw": "2" }, [
    "clean stale input:raw",
    "model stale input:raw",
    "report stale input:raw",
  ]],
  ["a program in the middle changes", { "train.py": "u" }, [
    "clean current",
    "model stale input:train.py",
    "report stale input:train.py",
  ]],
  ["a product in the middle is edited", { "clean": "x" }, [
    "clean modified",
    "model stale input:clean",
    "report stale input:clean",
  ]],
  ["two things change", { "raw": "2", "train.py": "u" }, [
    "clean stale input:raw",
    "model stale input:raw input:train.py",
    "report stale input:raw input:train.py",
  ]],
];

for (const [what, files, expected] of CHANGES) {
  Deno.test(`judgePipeline() follows a pipeline where ${what}`, () => {
    assertEquals(judge(makeLineage(THREE_STEPS), { ...ALL, ...files }), expected);
  });
}

Deno.test("judgePipeline() tells of what is gone, and of what was made from it", () => {
  const { model: _, ...left } = ALL;
  assertEquals(judge(makeLineage(THREE_STEPS), left), [
    "clean current",
    "model missing",
    "report stale input:model",
  ]);
});

Deno.test("judgePipeline() goes by the newest completed run, whatever the order of the runs", () => {
  const again = { inputs: { "raw": "2", "clean.py": "c" }, products: { "clean": "c2" } };
  const lineage = makeLineage([...THREE_STEPS, again]);
  assertEquals(judge(lineage, { ...ALL, "raw": "2", "clean": "c2" }), [
    "clean current",
    "model stale input:clean",
    "report stale input:clean input:raw",
  ]);
  const failed = { ...again, record: { outcome: "command_failed", exitCode: 1 } } as const;
  assertEquals(judge(makeLineage([...THREE_STEPS, failed]), ALL), [
    "clean current",
    "model current",
    "report current",
  ]);
});

Deno.test("judgePipeline() does not take a file that was put back for what the newest run made", () => {
  const again = { inputs: { "raw": "2" }, products: { "clean": "c2" } };
  assertEquals(judge(makeLineage([...THREE_STEPS, again]), { ...ALL, "raw": "2" }), [
    "clean modified",
    "model stale input:clean",
    "report stale input:clean input:raw",
  ]);
});

Deno.test("judgePipeline() does so too where the newest run was read first", () => {
  const newest = { id: "2027-01-01T00-00-00Z", products: { "clean": "c2" } };
  assertEquals(judge(makeLineage([newest, ...THREE_STEPS]), ALL), [
    "clean modified",
    "model stale input:clean",
    "report stale input:clean",
  ]);
});

Deno.test("judgePipeline() tells where the only run that made a product did not complete", () => {
  const failed = { outcome: "command_failed", exitCode: 1 } as const;
  const lineage = makeLineage([
    { id: "2026-02-15T20-13-00Z", inputs: { raw: "1" }, products: { a: "a" }, record: failed },
    { inputs: { a: "a" }, products: { b: "b" } },
  ]);
  const cause = "outcome:runs/2026-02-15T20-13-00Z";
  assertEquals(judge(lineage, { raw: "1", a: "a", b: "b" }), [
    `a stale ${cause}`,
    `b stale ${cause}`,
  ]);
});

Deno.test("judgePipeline() takes a file that a run rewrites as generations", () => {
  const runs = [
    { inputs: { raw: "1" }, products: { table: "t1" } },
    ...[1, 2, 3].map((i) => ({
      inputs: { table: `t${i}`, "fix.py": "f" },
      products: { table: `t${i + 1}` },
    })),
    { inputs: { table: "t4" }, products: { report: "r" } },
  ];
  const disk = { raw: "1", table: "t4", report: "r", "fix.py": "f" };
  assertEquals(judge(makeLineage(runs), disk), ["report current", "table current"]);
  // The first generation still tells: raw data that changed reach what was made of all of them.
  assertEquals(judge(makeLineage(runs), { ...disk, raw: "2" }), [
    "report stale input:raw",
    "table stale input:raw",
  ]);
});

Deno.test("judgePipeline() takes two runs that feed each other as generations", () => {
  const lineage = makeLineage([
    { inputs: { a: "a1" }, products: { b: "b1" } },
    { inputs: { b: "b1" }, products: { a: "a2" } },
    { inputs: { a: "a2" }, products: { b: "b2" } },
  ]);
  // The newest b was made from the newest a, and that from an earlier b.
  assertEquals(judge(lineage, { a: "a2", b: "b2" }), ["a current", "b current"]);
});

Deno.test("judgePipeline() tells of a generation that a failed run made", () => {
  const failed = { outcome: "command_failed", exitCode: 1 } as const;
  const rewrite = { inputs: { table: "t1" }, products: { table: "t2" } };
  const id = "2026-02-15T09-00-00Z";
  const broken = { id, products: { table: "t1" }, record: failed };
  assertEquals(judge(makeLineage([broken, rewrite]), { table: "t2" }), [
    `table stale outcome:runs/${id}`,
  ]);
  // One that completed made the same before.
  const whole = { id: "2026-02-15T08-00-00Z", products: { table: "t1" } };
  assertEquals(judge(makeLineage([broken, whole, rewrite]), { table: "t2" }), ["table current"]);
});

Deno.test("of failed runs the last one counts", () => {
  const failed = { outcome: "command_failed", exitCode: 1 } as const;
  const lineage = makeLineage(
    ["1", "2"].map((a) => ({ inputs: { raw: a }, products: { a }, record: failed })),
  );
  const [product] = planStatus(lineage).products;
  assertEquals(product?.run, 1);
});

Deno.test("judgePipeline() takes a generation from outside as it is", () => {
  const lineage = makeLineage([
    { inputs: { counter: "0" }, products: { counter: "1" } },
    { inputs: { raw: "1" }, products: { other: "o" } },
  ]);
  assertEquals(judge(lineage, { counter: "1", raw: "2", other: "o" }), [
    "counter current",
    "other stale input:raw",
  ]);
});

Deno.test("judgePipeline() takes runs in a circle as generations, however they are read", () => {
  // Each step of the circle takes in what the step before it made.
  const circle = (length: number): SampleRun[] =>
    Array.from({ length }, (_, i) => ({
      id: `2026-02-15T20-13-0${i}Z`,
      inputs: { [`f${(i + length - 1) % length}`]: i === 0 ? "old" : "new" },
      products: { [`f${i}`]: "new" },
    }));
  for (const length of [2, 3, 4, 5]) {
    const names = Array.from({ length }, (_, i) => `f${i}`);
    const disk = Object.fromEntries(names.map((name) => [name, "new"]));
    const current = names.map((name) => `${name} current`);
    assertEquals(judge(makeLineage(circle(length)), disk), current);
    assertEquals(judge(makeLineage(circle(length).reverse()), disk), current);
  }
});

Deno.test("judgePipeline() ends where two runs of one second fed each other", () => {
  const id = "2026-02-15T20-13-00Z";
  const lineage = makeLineage([
    { id, directory: "a", inputs: { x: "1" }, products: { y: "1" } },
    { id, directory: "b", inputs: { y: "1" }, products: { x: "1" } },
  ]);
  assertEquals(judge(lineage, { x: "1", y: "1" }), ["x current", "y current"]);
});

Deno.test("judgePipeline() takes no newer run's file for a generation where no circle leads back", () => {
  const runs = [
    { inputs: { x: "old" }, products: { seen: "s" } },
    { inputs: { log: "1" }, products: { table: "t1", x: "x" } },
    { inputs: { table: "t1" }, products: { table: "t2", log: "2" } },
  ];
  assertEquals(judge(makeLineage(runs), { log: "2", table: "t2", x: "x", seen: "s" }), [
    "log stale input:log",
    "seen stale input:x",
    "table stale input:log",
    "x stale input:log",
  ]);
  const line = [
    { inputs: { b: "old" }, products: { seen: "s" } },
    { inputs: { a: "1" }, products: { b: "b" } },
    { inputs: { raw: "1" }, products: { a: "2" } },
  ];
  assertEquals(
    judge(makeLineage(line), { raw: "1", a: "2", b: "b", seen: "s" })[1],
    "b stale input:a",
  );
});

Deno.test("judgePipeline() goes through ten thousand generations without overflowing", () => {
  const runs = Array.from({ length: 10_000 }, (_, i) => ({
    id: `2026-02-15T20-13-00Z-${i + 2}`,
    inputs: { counter: `${i}`, ...(i === 0 ? { raw: "1" } : {}) },
    products: { counter: `${i + 1}` },
  }));
  assertEquals(judge(makeLineage(runs), { counter: "10000", raw: "1" }), ["counter current"]);
  assertEquals(judge(makeLineage(runs), { counter: "10000", raw: "2" }), [
    "counter stale input:raw",
  ]);
});

Deno.test("judgePipeline() finds a new file in a directory input, and who is to know it", () => {
  const given = { inputs: ["data"], exclude: [] };
  const lineage = makeLineage([{
    inputs: { "data/a": "1" },
    products: { "data/out": "o" },
    record: { given },
  }]);
  const plan = planStatus(lineage);
  const [kept] = plan.directories;
  const listed = new Map([[kept ?? given, ["data/a", "data/new", "data/out"]]]);
  const disk = makeDisk({ "data/a": "1", "data/out": "o" }, { listed });
  const { ok, products, unknown } = judgePipeline(lineage, plan, disk);
  assertEquals([ok, unknown], [false, ["data/new"]]);
  assertEquals(products[0]?.because, [{ kind: "input", name: "data/new" }]);
});

Deno.test("judgePipeline() is ok where every product is current and no file is unknown", () => {
  const lineage = makeLineage(THREE_STEPS);
  const plan = planStatus(lineage);
  const isOk = (files: Readonly<Record<string, string>>, listed: readonly string[]): boolean => {
    const [given = { inputs: [], exclude: [] }] = plan.directories;
    const disk = makeDisk(files, { listed: new Map([[given, listed]]) });
    return judgePipeline(lineage, plan, disk).ok;
  };
  assert(isOk(ALL, []));
  assert(!isOk({ ...ALL, "report": "x" }, []), "one product is modified");
  assert(!isOk({ "raw": "2" }, []), "none is current");
  const recorded = makeLineage([{ inputs: { "data/a": "1" } }]);
  const recording = planStatus(recorded);
  const listed = new Map(
    recording.directories.map((given) => [given, ["data/c", "data/a", "data/b"]]),
  );
  const status = judgePipeline(recorded, recording, makeDisk({}, { listed }));
  assertEquals([status.ok, status.unknown], [false, ["data/b", "data/c"]]);
});

Deno.test("a file that another run knows is new to a directory, and a product is not", () => {
  const lineage = makeLineage([
    { products: { "data/out": "o" } },
    { inputs: { "data/b": "2" }, products: { "other": "p" } },
    {
      inputs: { "data/a": "1" },
      products: { "sum": "s" },
      record: { given: { inputs: ["data"], exclude: [] } },
    },
  ]);
  const given = lineage.runs[2]?.given ?? { inputs: [], exclude: [] };
  const files = { "data/out": "o", "data/a": "1", "data/b": "2", "other": "p", "sum": "s" };
  const judgeListed = (listed: readonly string[]): string[] =>
    judge(lineage, files, { listed: new Map([[given, listed]]) });
  assertEquals(judgeListed(["data/a", "data/out"])[2], "sum current");
  assertEquals(judgeListed(["data/a", "data/b"])[2], "sum stale input:data/b");
});

Deno.test("judgePipeline() sorts causes by what they are, then by name", () => {
  const lineage = makeLineage([
    { inputs: { "z": "1", "b": "1" }, products: { "clean": "c" } },
    { inputs: { "clean": "c", "n": "1" }, products: { "model": "m" } },
  ]);
  const changedTools = (run: number): readonly Cause[] =>
    run === 0 ? [{ kind: "runtime", name: "a" }] : [];
  assertEquals(
    judge(lineage, { "z": "2", "b": "2", "n": "2", "clean": "c", "model": "m" }, {
      changedTools,
    }),
    [
      "clean stale input:b input:z runtime:a",
      "model stale input:b input:n input:z runtime:a",
    ],
  );
});

Deno.test("judgePipeline() names a changed tool where it was used, and below", () => {
  const changedTools = (run: number): readonly Cause[] =>
    run === 1 ? [{ kind: "runtime", name: "python" }] : [];
  assertEquals(judge(makeLineage(THREE_STEPS), ALL, { changedTools }), [
    "clean current",
    "model stale runtime:python",
    "report stale runtime:python",
  ]);
});

Deno.test("judgePipeline() tells of a product that cannot be read", () => {
  const lineage = makeLineage([{ products: { a: "a" } }]);
  const files = new Map([["a", { state: "unreadable", reason: "it is a FIFO" } as const]]);
  assertEquals(judge(lineage, {}, { files }), ["a modified unreadable:a"]);
});

Deno.test("assumeDisk() judges a pipeline by its evidence alone", () => {
  const judgeAlone = (runs: readonly SampleRun[]): string[] => {
    const lineage = makeLineage(runs);
    const plan = planStatus(lineage);
    const disk = assumeDisk(lineage, plan, () => []);
    return judgePipeline(lineage, plan, disk).products.map(({ path, state }) => `${path} ${state}`);
  };
  assertEquals(judgeAlone(THREE_STEPS), ["clean current", "model current", "report current"]);
  // A newer run took in other raw data: what was made of the older ones is stale.
  const other = { inputs: { "raw": "2" }, products: { "sum": "s" } };
  assertEquals(judgeAlone([...THREE_STEPS, other]), [
    "clean stale",
    "model stale",
    "report stale",
    "sum current",
  ]);
  // One took in a product that was edited since.
  const edited = { inputs: { "model": "x" }, products: { "sum": "s" } };
  assertEquals(judgeAlone([...THREE_STEPS, edited]), [
    "clean current",
    "model modified",
    "report stale",
    "sum stale",
  ]);
});

Deno.test("thousands of unrelated runs, and runs of another root, change nothing of a pipeline", () => {
  const unrelated = Array.from({ length: 5000 }, (_, i): SampleRun => ({
    id: `2026-03-01T00-00-00Z-${i + 2}`,
    directory: "elsewhere",
    inputs: { [`other/${i}`]: `${i}`, [`shared/${i % 7}`]: "s" },
    products: { [`made/${i}`]: `${i}` },
  }));
  const lineage = makeLineage([...THREE_STEPS, ...unrelated]);
  const states = judge(lineage, { ...ALL, raw: "2" });
  assertEquals(states.length, 5003);
  assertEquals(states.filter((state) => !state.startsWith("made/")), [
    "clean stale input:raw",
    "model stale input:raw",
    "report stale input:raw",
  ]);
  // What another root holds is not here, and is told so.
  assertEquals(
    new Set(states.filter((state) => state.startsWith("made/")).map((s) => s.split(" ")[1])),
    new Set(["missing"]),
  );
  const report = { name: "report", kind: "file", sha256: sha256Hex("r1") } as const;
  assertEquals(traceFile(lineage, report).runs, [2, 1, 0]);
});

Deno.test("planStatus() tells of two runs that made one path otherwise in one second", () => {
  const one = { id: "2026-02-15T20-13-00Z", products: { a: "1" } };
  const ties = (other: SampleRun): number => planStatus(makeLineage([one, other])).ties.length;
  assertEquals(ties({ ...one, directory: "other", products: { a: "2" } }), 1);
  assertEquals(ties({ ...one, directory: "other" }), 0);
  assertEquals(ties({ id: `${one.id}-2`, inputs: { a: "1" }, products: { a: "2" } }), 0);
  assertEquals(ties({ id: "2026-02-15T20-13-01Z", products: { a: "2" } }), 0);
});

Deno.test("planStatus() tells of ties whichever run was read first, as long as nothing newer is there", () => {
  const id = "2026-02-15T20-13-00Z";
  const tied = ["a", "b"].map((directory) => ({ id, directory, products: { a: directory } }));
  assertEquals(planStatus(makeLineage(tied)).ties, [{ path: "a", runs: [0, 1] }]);
  const newer = { id: "2026-02-15T20-13-01Z", products: { a: "c" } };
  assertEquals(planStatus(makeLineage([...tied, newer])).ties, []);
});

Deno.test("planStatus() takes the runs that count, the names in them and their directories", () => {
  const given = (exclude: string): Pick<RunRecord, "given"> => ({
    given: { inputs: ["data"], exclude: [exclude] },
  });
  const lineage = makeLineage([
    ...THREE_STEPS,
    { inputs: { raw: "2", "new.py": "c" }, products: { clean: "c2" } },
    { inputs: { "data/a": "1" }, record: given("older") },
    { inputs: { "data/a": "1" }, record: given("newer") },
  ]);
  const plan = planStatus(lineage);
  assertEquals(plan.runs, [1, 2, 3]);
  assertEquals(plan.names, ["clean", "model", "new.py", "raw", "report", "train.py"]);
  assertEquals(plan.directories.map(({ inputs, exclude }) => [...inputs, ...exclude]), [
    // Not those of the run whose product was made again.
    ["raw", "new.py"],
    ["clean", "train.py"],
    ["model", "raw"],
    ["data", "newer"],
  ]);
});

Deno.test("explainProduct() follows only what is not current, and each step once", () => {
  const lineage = makeLineage([
    { inputs: { raw: "1" }, products: { clean: "c" } },
    { inputs: { clean: "c" }, products: { left: "l" } },
    { inputs: { clean: "c" }, products: { right: "r" } },
    { inputs: { fixed: "f" }, products: { table: "t" } },
    { inputs: { left: "l", right: "r", table: "t" }, products: { report: "p" } },
  ]);
  const files = { clean: "c", left: "l", right: "r", fixed: "f", table: "t", report: "p" };
  const disk = makeDisk({ ...files, raw: "2" });
  assertEquals(
    explainProduct(lineage, planStatus(lineage), disk, "report").map((
      { path, from },
    ) => [path, from]),
    [["report", ["left", "right"]], ["left", ["clean"]], ["right", ["clean"]], ["clean", []]],
  );
});

Deno.test("explainProduct() leads from a product to what changed, step by step", () => {
  const lineage = makeLineage(THREE_STEPS);
  const plan = planStatus(lineage);
  const disk = makeDisk({ ...ALL, "clean.py": "d" });
  const steps = explainProduct(lineage, plan, disk, "report")
    .map(({ path, causes, from }) => [path, causes.map(({ name }) => name), from]);
  assertEquals(steps, [
    ["report", [], ["model"]],
    ["model", [], ["clean"]],
    ["clean", ["clean.py"], []],
  ]);
  assertEquals(explainProduct(lineage, plan, disk, "raw"), []);
});

Deno.test("what a run read through links is held against what the links lead to", () => {
  const lineage = makeLineage([{
    inputs: { "raw": "1" },
    products: { "clean": "c1" },
    record: { given: { inputs: ["raw"], exclude: [], links: "follow" } },
  }]);
  const { names, followed } = planStatus(lineage);
  assertEquals([names, followed], [["clean"], ["raw"]]);
  const judgeBehind = (content: string): string[] =>
    judge(lineage, { "clean": "c1" }, { followed: makeDisk({ "raw": content }).files });
  assertEquals(judgeBehind("1"), ["clean current"]);
  assertEquals(judgeBehind("2"), ["clean stale input:raw"]);
});
