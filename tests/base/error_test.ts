import { KprovError } from "../../src/base/error.ts";
import { assertEquals } from "../assert.ts";

Deno.test("an error's reason ends its message, and stands by itself too", () => {
  const reason = 'it lies behind "a: b"';
  const error = new KprovError("data", 'Cannot read "c"', { reason });
  assertEquals([error.message, error.reason], [`Cannot read "c": ${reason}`, reason]);
  assertEquals(new KprovError("data", "Cannot guard: no policy").reason, null);
});
