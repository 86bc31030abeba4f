import { type Finding, KprovError, makeFinding, pickFindings } from "../../src/base/error.ts";
import { assertEquals } from "../assert.ts";

Deno.test("an error's reason ends its message, and stands by itself too", () => {
  const reason = 'it lies behind "a: b"';
  const error = new KprovError("data", 'Cannot read "c"', { reason });
  assertEquals([error.message, error.reason], [`Cannot read "c": ${reason}`, reason]);
  assertEquals(new KprovError("data", "Cannot guard: no policy").reason, null);
});

function findingOf(code: string, message: string): Finding {
  return makeFinding(code, message, { level: code.startsWith("note") ? "note" : "error" });
}

Deno.test("pickFindings() takes the first of every list and code, and errors before notes", () => {
  const lists = [
    [findingOf("note.a", "1"), findingOf("a", "2"), findingOf("a", "3"), findingOf("b", "4")],
    [findingOf("a", "5"), findingOf("note.b", "6")],
  ];
  const pick = (most: number): string[] =>
    [...pickFindings(lists, most)].map(({ message }) => message);
  assertEquals(pick(0), []);
  assertEquals(pick(2), ["2", "4"]);
  assertEquals(pick(4), ["2", "4", "5", "3"]);
  assertEquals(pick(9), ["2", "4", "5", "3", "1", "6"]);
});
