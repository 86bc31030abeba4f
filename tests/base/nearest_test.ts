import { findNearest } from "../../src/base/quote.ts";
import { assertEquals } from "../assert.ts";

Deno.test("the nearest word is at most two slips away, and shares most of its letters", () => {
  const known = ["guard", "verify", "run", "record", "report"];
  assertEquals(findNearest("gaurd", known), "guard");
  assertEquals(findNearest("verfy", known), "verify");
  assertEquals(findNearest("rnu", known), "run");
  assertEquals(findNearest("runs", known), "run");
  assertEquals(findNearest("recport", known), "report");
  assertEquals(findNearest("guarding", known), null);
  assertEquals(findNearest("rn", known), null);
  assertEquals(findNearest("data", known), null);
  assertEquals(findNearest("", known), null);
  assertEquals(findNearest("r".repeat(100_000), known), null);
});
