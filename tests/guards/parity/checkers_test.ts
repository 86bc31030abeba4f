import { isChecker, isCheckingAction } from "../../../src/guards/parity/checkers.ts";
import { assertEquals } from "../../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

Deno.test("isCheckingAction() judges published actions by their names, and no others", PURE, () => {
  const named = ["acme/lint@v1", "./lint", "./.github/actions/lint", "docker://acme/lint:1"];
  assertEquals(named.map(isCheckingAction), [true, false, false, false]);
});

Deno.test("isChecker() looks at twenty words of a command, which bounds its work", PURE, () => {
  const behind = (count: number): string[] => [...Array<string>(count).fill("npx"), "eslint"];
  assertEquals([0, 1, 19, 20].map((count) => isChecker(behind(count))), [true, true, true, false]);
  const asking = (
    count: number,
  ): string[] => ["eslint", ...Array<string>(count).fill("."), "--help"];
  assertEquals([0, 18, 19].map((count) => isChecker(asking(count))), [false, false, true]);
});
