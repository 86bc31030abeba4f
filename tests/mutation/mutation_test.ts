import { assertEquals } from "../assert.ts";
import { makeTree } from "../temporary_tree.ts";
import { findKiller, isTyped, listStages } from "./check_mutant.ts";
import { applyMutant, describeMutant, listMutants } from "./list_mutants.ts";
import { maskCode } from "./mask_code.ts";

function mutate(source: string): string[] {
  return listMutants(source).map((mutant) => applyMutant(source, mutant).trim());
}

const CASES: readonly (readonly [what: string, source: string, broken: readonly string[]])[] = [
  ["a comparison", "f(a === b);", ["f(a !== b);"]],
  ["a bound", "f(a < b);", ["f(a <= b);"]],
  ["a check", "if (a(b)) c();", ["if (false) c();", "if (true) c();"]],
  ["a negation", "f(!a);", ["f(a);"]],
  ["a constant", "f(a, 41);", ["f(a, 42);"]],
  ["both sides", "f(a && b || c);", ["f(a || b || c);", "f(a && b && c);"]],
  ["one of several lists", "[\n  ...a(b),\n  ...c,\n]", ["[\n\n  ...c,\n]"]],
  ["no string", 'f("a === 1 && \\" !b", `${a === 1} === ${`2`}`);', []],
  ["no comment", "// a === 1\n/* if (a) */", []],
  ["no pattern, but a division", "f(/[/]1 < 2/.test(a), a / b, 1 / c);", [
    "f(/[/]1 < 2/.test(a), a / b, 2 / c);",
  ]],
  [
    "no type",
    "export interface A {\n  readonly a: 1;\n}\ntype B = 1 | 2;\nimport { c } from '1';\n",
    [],
  ],
  ["no part of a name or of another number", "f(a1, 0x10, 1.5, $2);", []],
];

for (const [what, source, broken] of CASES) {
  Deno.test(`listMutants() breaks ${what}`, () => {
    assertEquals(mutate(source), [...broken]);
    assertEquals(maskCode(source).length, source.length);
  });
}

Deno.test("describeMutant() shows the line and what changes in it", () => {
  const source = "function f() {\n  return a < 1;\n}\n";
  assertEquals(listMutants(source).map((mutant) => [mutant.line, describeMutant(source, mutant)]), [
    [2, "return a[< -> <=]1;"],
    [2, "return a < [1 -> 2];"],
  ]);
});

Deno.test("listStages() asks the nearest tests first, and none twice", () => {
  const there = [
    "tests/guards/lock/lock_test.ts",
    "tests/guards/lock",
    "tests/guards",
    "tests/laws_test.ts",
  ];
  const exists = (path: string): boolean => there.includes(path);
  assertEquals(listStages("src/guards/lock/lock.ts", exists), there.map((path) => [path]));
  assertEquals(listStages("src/guards/policy.ts", exists), [["tests/guards"], [
    "tests/laws_test.ts",
  ]]);
});

const SOURCE = `export function isSmall(n: number): boolean {
  return n < 10;
}

export function isLarge(n: number): boolean {
  return n > 1000;
}
`;

const TEST = `import { isLarge, isSmall } from "../../src/evidence/size.ts";

Deno.test("isSmall() ends at ten", () => {
  if (!isSmall(9) || isSmall(10)) throw new Error("wrong");
});

Deno.test("isLarge() is barely tested", () => {
  if (!isLarge(5000)) throw new Error("wrong");
});
`;

Deno.test("findKiller() tells a mutant that a test notices from one that survives", async () => {
  using tree = makeTree({
    "deno.json": '{"test": {"permissions": {"read": true}}}',
    "src/evidence/size.ts": SOURCE,
    "tests/evidence/size_test.ts": TEST,
  });
  const stages = [["tests/evidence/size_test.ts"], ["tests/evidence"]];
  const run = { directory: tree.path, patience: 60_000 };
  assertEquals(await findKiller(stages, run), null);
  const killers: Record<string, string | null> = {};
  for (const mutant of listMutants(SOURCE)) {
    Deno.writeTextFileSync(tree.at("src/evidence/size.ts"), applyMutant(SOURCE, mutant));
    killers[describeMutant(SOURCE, mutant)] = await findKiller(stages, run);
  }
  assertEquals(killers, {
    "return n[< -> <=]10;": "tests/evidence/size_test.ts: isSmall() ends at ten",
    "return n < [10 -> 11];": "tests/evidence/size_test.ts: isSmall() ends at ten",
    "return n[> -> >=]1000;": null,
    "return n > [1000 -> 1001];": null,
  });
});

Deno.test("findKiller() takes a mutant that never ends for one that is noticed", async () => {
  using tree = makeTree({
    "deno.json": '{"test": {"permissions": {"read": true}}}',
    "tests/a_test.ts": "Deno.test('a', () => { for (;;); });\n",
  });
  assertEquals(
    await findKiller([["tests/a_test.ts"]], { directory: tree.path, patience: 1000 }),
    "no end of tests/a_test.ts",
  );
});

Deno.test("findKiller() takes a mutant that breaks a module for one that is noticed", async () => {
  using tree = makeTree({
    "deno.json": '{"test": {"permissions": {"read": true}}}',
    "tests/a_test.ts": "throw new Error('broken');\n",
  });
  const run = { directory: tree.path, patience: 60_000 };
  assertEquals(await findKiller([["tests/a_test.ts"]], run), "an error in tests/a_test.ts");
});

Deno.test("isTyped() tells a mutant that cannot be written", async () => {
  using tree = makeTree({
    "deno.json": "{}",
    "good.ts": "export const a: number = 1;\n",
    "bad.ts": "export const a: number = true;\n",
  });
  assertEquals([await isTyped("good.ts", tree.path), await isTyped("bad.ts", tree.path)], [
    true,
    false,
  ]);
});
