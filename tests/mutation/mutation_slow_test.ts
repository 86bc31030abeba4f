import { assert, assertEquals } from "../assert.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { coverMutants, judgeMutants } from "./judge_mutants.ts";
import {
  applyMutant,
  describeMutant,
  type Mutant,
  type MutatedFiles,
  mutateFiles,
} from "./list_mutants.ts";
import type { Reached } from "./run_mutants.ts";

async function breakText(source: string): Promise<string[]> {
  const { mutants } = await mutateFiles(new Map([["a.ts", source]]));
  return mutants.map((mutant) => applyMutant(source, mutant));
}

const CASES: readonly (readonly [what: string, source: string, broken: readonly string[]])[] = [
  ["a bound", "f(a < b);", ["f((a <= b));", "f((a >= b));"]],
  ["a negation", "f(!a);", ["f((a));"]],
  ["a sum", "f(a + b);", ["f((a - b));"]],
  ["a word of truth", "f(true);", ["f((false));"]],
  ["which of a list are asked", "a.some(f);", ["(a.every(f));"]],
  ["a block", "function f() { g(); }", ["function f() {}"]],
  ["no wording, no pattern and no type", "const a: 1 | 2 = f('x', /y/);", []],
];

for (const [what, source, broken] of CASES) {
  Deno.test(`mutateFiles() breaks ${what}`, async () => {
    const found = await breakText(source);
    assertEquals(broken.filter((text) => !found.includes(text)), []);
    if (broken.length === 0) assertEquals(found, []);
  });
}

const SOURCE = `export function isSmall(n: number): boolean {
  return n < 10;
}

export function count(n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum += 1;
  }
  return sum;
}

export function isUnused(n: number): boolean {
  return n > 3;
}
`;

const TEST = `import { count, isSmall } from "../../src/evidence/size.ts";

Deno.test("isSmall() ends at ten", async (t) => {
  await t.step("below", () => { if (!isSmall(9) || isSmall(11)) throw new Error("wrong"); });
});

Deno.test({ name: "count() counts", fn: () => { if (count(3) !== 3) throw new Error("wrong"); } });

Deno.test.ignore("never runs", () => { throw new Error("wrong"); });
`;

const FILE = "src/evidence/size.ts";

/** A tree with mutants in one file, and a test of it. */
async function makeMutated(): Promise<{ tree: TemporaryTree; mutated: MutatedFiles }> {
  const mutated = await mutateFiles(new Map([[FILE, SOURCE]]));
  const tree = makeTree({
    "deno.json": '{"lock": false}',
    "tests/deno.lock": '{"version": "5"}',
    [FILE]: mutated.code.get(FILE) ?? "",
    "tests/evidence/size_test.ts": TEST,
  });
  return { tree, mutated };
}

function describe(mutant: Mutant | undefined): string {
  assert(mutant !== undefined);
  return describeMutant(SOURCE, mutant).replace(/^\w+: /, "");
}

Deno.test("judgeMutants() tells a mutant that a test notices from one that survives", async () => {
  const { tree, mutated: { mutants } } = await makeMutated();
  using _ = tree;
  const mutated = {
    directory: tree.path,
    files: ["tests/evidence/size_test.ts"],
    patience: 600_000,
  };
  const coverage = await coverMutants(mutated, mutants.length);
  assertEquals(coverage.failing, []);
  const reached = new Set(coverage.reached.map(([id]) => id));
  assertEquals(
    mutants.filter(({ id, line }) => reached.has(id) !== line < 12),
    [],
  );
  const killers = new Map<string, string | null>();
  await judgeMutants(coverage, mutated, (id, killer) => {
    killers.set(describe(mutants.find((mutant) => mutant.id === id)), killer);
  });
  const file = "tests/evidence/size_test.ts";
  assertEquals(
    [...killers].filter(([name]) => name.startsWith("n < 10")).sort(),
    [
      ["n < 10 -> n <= 10", null],
      ["n < 10 -> n >= 10", `${file}: isSmall() ends at ten`],
      ["n < 10 -> true", `${file}: isSmall() ends at ten`],
      ["n < 10 -> false", `${file}: isSmall() ends at ten`],
    ].sort(),
  );
  assertEquals(killers.get("i++ -> i--"), `${file}: count() counts`);
});

/** A tree whose one function says `true`, and its tests. */
async function makeStaying(
  test: string,
): Promise<{ readonly tree: TemporaryTree; readonly mutants: readonly Mutant[] }> {
  const source = "export function stay(): boolean {\n  return true;\n}\n";
  const { mutants, code } = await mutateFiles(new Map([[FILE, source]]));
  const tree = makeTree({
    "deno.json": '{"lock": false}',
    "tests/deno.lock": '{"version": "5"}',
    [FILE]: code.get(FILE) ?? "",
    "tests/evidence/size_test.ts": `import { stay } from "../../src/evidence/size.ts";\n${test}`,
  });
  return { tree, mutants };
}

async function listKillers(
  directory: string,
  reached: readonly Reached[],
): Promise<readonly (string | null)[]> {
  const killers = new Map<number, string | null>();
  const files = ["tests/evidence/size_test.ts"];
  const coverage = { tests: [], reached };
  await judgeMutants(coverage, { directory, files, patience: 600_000 }, (id, killer) => {
    killers.set(id, killer);
  });
  return [...killers.values()];
}

Deno.test("judgeMutants() goes on behind a mutant that ends the process", async () => {
  const test = 'Deno.test("stays", () => { if (!stay()) Deno.exit(1); });\n';
  const { tree, mutants } = await makeStaying(test);
  using _ = tree;
  const killers = await listKillers(tree.path, mutants.map(({ id }) => [id, [[0, 1]]]));
  assertEquals(killers, mutants.map(() => "no end, or the end of the process"));
});

Deno.test("judgeMutants() ends a loop without an end that looks at no mutant", async () => {
  const test = 'Deno.test("stays", () => { if (!stay()) for (;;); });\n';
  const { tree, mutants } = await makeStaying(test);
  using _ = tree;
  const [first] = mutants;
  assert(first !== undefined);
  const killers = await listKillers(tree.path, [[first.id, [[0, 1]]]]);
  assertEquals(killers, ["no end, or the end of the process"]);
});

Deno.test("judgeMutants() takes longer for a mutant whose tests half a second does not end", async () => {
  const test = `import process from "node:process";
Deno.test("works", () => {
  const { user } = process.cpuUsage();
  while (process.cpuUsage().user < user + 700_000) for (let i = 0; i < 1e7; i++);
});
Deno.test("stays", () => { if (!stay()) throw new Error("gone"); });
`;
  const { tree, mutants } = await makeStaying(test);
  using _ = tree;
  const killers = await listKillers(tree.path, mutants.map(({ id }) => [id, [[0, 1], [1, 1]]]));
  assertEquals(killers, mutants.map(() => "tests/evidence/size_test.ts: stays"));
});

Deno.test("judgeMutants() ends a loop without an end that does not come past its mutant", async () => {
  const source = `export function isStep(): boolean {
  return true;
}
export function count(): number {
  const step = isStep() ? 1 : 0;
  let sum = 0;
  while (sum < 3) sum += step;
  return sum;
}
`;
  const { mutants, code } = await mutateFiles(new Map([[FILE, source]]));
  const file = "tests/evidence/size_test.ts";
  using tree = makeTree({
    "deno.json": '{"lock": false}',
    "tests/deno.lock": '{"version": "5"}',
    [FILE]: code.get(FILE) ?? "",
    [file]: `import { count } from "../../src/evidence/size.ts";
Deno.test("counts", () => { if (count() !== 3) throw new Error("wrong"); });
`,
  });
  const noStep = mutants.filter(({ line, replacement }) => line < 4 && replacement === "false");
  assertEquals(noStep.length, 1);
  assertEquals(
    await listKillers(tree.path, noStep.map(({ id }) => [id, [[0, 1]]])),
    [`${file}: counts`],
  );
});
