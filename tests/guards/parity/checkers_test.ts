import { isCheckingAction } from "../../../src/guards/parity/checkers.ts";
import { assertEquals } from "../../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

Deno.test("isCheckingAction() judges published actions by their names, and no others", PURE, () => {
  const named = ["acme/lint@v1", "./lint", "./.github/actions/lint", "docker://acme/lint:1"];
  assertEquals(named.map(isCheckingAction), [true, false, false, false]);
});
