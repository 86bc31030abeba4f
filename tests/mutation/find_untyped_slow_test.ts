import { assert, assertEquals } from "../assert.ts";
import { makeTree } from "../temporary_tree.ts";
import { findUntyped } from "./find_untyped.ts";
import { mutateFiles } from "./list_mutants.ts";

const FILE = "src/evidence/size.ts";
const SOURCE = "export function isSmall(n: number): boolean {\n  return n < 10;\n}\n";

Deno.test("findUntyped() tells a mutant that cannot be written", async () => {
  const { mutants } = await mutateFiles(new Map([[FILE, SOURCE]]));
  using tree = makeTree({ "deno.json": "{}", "tests/deno.lock": "{}", [FILE]: SOURCE });
  const refused = await findUntyped(mutants, tree.path);
  const kept = mutants.filter(({ id }) => !refused.has(id));
  // A function that gives a number, and is empty.
  assert(kept.length < mutants.length);
  assertEquals(kept.filter(({ kind, line }) => kind === "BlockStatement" && line === 1), []);
  assert(kept.some(({ kind }) => kind === "EqualityOperator"));
  assertEquals([...Deno.readDirSync(tree.at("src/evidence"))].length, 1);
});
