import fc from "fast-check";
import { compareUtf8 } from "../../src/base/text.ts";
import { assert, assertEquals } from "../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

function compareBytes(a: string, b: string): number {
  const x = new TextEncoder().encode(a);
  const y = new TextEncoder().encode(b);
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    if (x[i] !== y[i]) return (x[i] ?? 0) - (y[i] ?? 0);
  }
  return x.length - y.length;
}

Deno.test("compareUtf8() sorts as the UTF-8 bytes do", PURE, () => {
  const text = fc.string({
    unit: fc.constantFrom(
      "a",
      "\u007f",
      "\u0080",
      "\ud7ff",
      "\ue000",
      "\uffff",
      "\u{10000}",
      "\u{10ffff}",
    ),
  });
  fc.assert(
    fc.property(text, text, (a, b) => {
      assertEquals(Math.sign(compareUtf8(a, b)), Math.sign(compareBytes(a, b)));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("compareUtf8() puts supplementary characters last, unlike UTF-16 order", PURE, () => {
  assert(compareUtf8("\u{1F600}", "\uFF5E") > 0);
  assert("\u{1F600}" < "\uFF5E");
});
