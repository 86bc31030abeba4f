import fc from "fast-check";
import { parseSemverRange, parseVersion, satisfies } from "../../src/base/std.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const CASES: readonly (readonly [range: string, version: string, isInside: boolean])[] = [
  [">=2.8.2 <2.10.0", "2.9.6", true],
  [">=2.8.2 <2.10.0", "2.10.0", false],
  ["<=*", "2.9.6", true],
  ["<=x", "2.9.6", true],
  ["<1.0.0 || <=X.1.2", "2.9.6", true],
  [">*", "2.9.6", false],
  ["<=2.x", "2.9.6", true],
  ["<=1.x", "2.9.6", false],
];

for (const [range, version, isInside] of CASES) {
  Deno.test(
    `parseSemverRange() reads ${range} so that ${version} can be held against it`,
    PURE,
    () => {
      assertEquals(satisfies(parseVersion(version), parseSemverRange(range)), isInside);
    },
  );
}

Deno.test(
  "parseSemverRange() refuses what is no range, and a long text before it looks at it",
  PURE,
  () => {
    for (const text of ["nonsense", ">=", "1.0.0 - ", `1${" ".repeat(1_000_000)}1`]) {
      assertThrows(() => parseSemverRange(text), TypeError);
    }
  },
);

Deno.test("parseSemverRange() gives nothing that a version cannot be held against", PURE, () => {
  const part = fc.constantFrom("*", "x", "X", "0", "1", "99999999999999999999", "01", "");
  const version = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("."));
  const operator = fc.constantFrom("", "=", "<", "<=", ">", ">=", "^", "~", "~>", "v", "!=", "=>");
  const tail = fc.constantFrom("", "-rc", "-rc.1", "-0", "+b", "-", " ", " - ", " || ", "||");
  const term = fc.tuple(operator, version, tail).map((parts) => parts.join(""));
  const text = fc.array(term, { maxLength: 4 }).map((terms) => terms.join(" "));
  let parsed = 0;
  fc.assert(
    fc.property(text, (some) => {
      try {
        const range = parseSemverRange(some);
        parsed++;
        // Each bound alone, so that none hides behind one that already decides.
        for (const bound of range.flat()) satisfies(parseVersion("1.2.3-rc"), [[bound]]);
      } catch (error) {
        assert(error instanceof TypeError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
  assert(parsed > 100);
});
