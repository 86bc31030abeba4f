import { assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import type { Ended } from "../run_kprov.ts";
import { listNames, type TemporaryTree } from "../temporary_tree.ts";
import { callKprov } from "./call_kprov.ts";

/** So many runs stand in `runs`, and each verifies against the tree. */
export async function assertVerified(tree: TemporaryTree, count: number): Promise<void> {
  const names = listNames(tree.at("runs")).filter((name) => !name.startsWith("."));
  assertEquals(names.length, count, names.join(" "));
  const { code, stdout, stderr } = await callKprov([
    "verify",
    tree.at("runs"),
    "--root",
    tree.path,
  ]);
  assertEquals([code, stderr], [0, ""], stdout);
}

/** kprov ended with a code and an error of one line that gives the reason. */
export function assertOneLine(ended: Ended, code: number, reason: string): void {
  assertMatch(ended.stderr, /^error: Cannot [^\n]*[^.\n]\n(hint: [^\n]*\n)?$/);
  assertStringIncludes(ended.stderr, reason);
  assertEquals([ended.code, ended.stdout], [code, ""]);
}
