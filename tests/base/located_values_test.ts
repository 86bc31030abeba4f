import { findJsonValue } from "../../src/base/located_values.ts";
import { assertEquals } from "../assert.ts";

Deno.test("findJsonValue() shows a key that stands twice escaped", { permissions: "none" }, () => {
  assertEquals(findJsonValue('{"a\u202e": 1, "a\u202e": 2}', "/a\u202e"), {
    ok: false,
    reason: 'it has the key "a\\u202e" twice',
    index: 16,
  });
});
