import fc from "fast-check";
import { compareUtf8, sortUtf8 } from "../../src/base/text.ts";
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

const UNITS = ["a", "\u007f", "\u0080", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"];

Deno.test("compareUtf8() sorts as the UTF-8 bytes do", PURE, () => {
  const text = fc.string({ unit: fc.constantFrom(...UNITS) });
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

Deno.test("sortUtf8() sorts as the UTF-8 bytes do, whatever characters there are", PURE, () => {
  const texts = fc.subarray(UNITS, { minLength: 1 }).chain((units) =>
    fc.array(fc.string({ unit: fc.constantFrom(...units) }))
  );
  fc.assert(
    fc.property(texts, (list) => {
      assertEquals(sortUtf8([...list]), [...list].sort(compareBytes));
    }),
    { numRuns: 500 },
  );
});
