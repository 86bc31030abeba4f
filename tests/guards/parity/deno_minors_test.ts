import { coversMinor, listMinors, showMinor } from "../../../src/guards/parity/deno_minors.ts";
import { claimVersion } from "../../../src/guards/runtime/declaration.ts";
import { parseNpmRange, type VersionRange } from "../../../src/guards/runtime/version_range.ts";
import { assert, assertEquals } from "../../assert.ts";
import { PURE } from "./parity_facts.ts";

function rangeOf(text: string): VersionRange {
  const result = parseNpmRange(text);
  assert(result.ok);
  return result.range;
}

function minorsOf(text: string): readonly string[] | string {
  const result = listMinors(rangeOf(text));
  return result.ok ? result.minors.map(showMinor) : result.reason;
}

Deno.test("listMinors() lists every minor version of which a release is in the range", PURE, () => {
  const cases: readonly (readonly [string, readonly string[] | string])[] = [
    [">=2.8.2 <2.10.0", ["2.8", "2.9"]],
    [">=2.8.2 <2.10.1", ["2.8", "2.9", "2.10"]],
    ["2.8.2", ["2.8"]],
    ["2.8 || 2.10", ["2.8", "2.10"]],
    [">=2.8.2 <=2.9", ["2.8", "2.9"]],
    ["~1.46.0 || ~2.0.0", ["1.46", "2.0"]],
    [">=2.8", "it has no upper bound"],
    ["^2.8", "nothing says which is the last minor version of 2"],
    [">=2.0.0 <2.500.0", "it has too many of them"],
    [">2.0.0 <2.0.0", "no release is in it"],
  ];
  for (const [range, minors] of cases) assertEquals(minorsOf(range), minors, range);
});

Deno.test("coversMinor() counts what is surely of the minor version and in the range", PURE, () => {
  const range = rangeOf(">=2.8.2 <2.10.0");
  const covers = (text: string): boolean =>
    coversMinor(claimVersion("deno", text), { major: 2, minor: 8 }, range);
  for (const text of ["2.8.2", "v2.8.9", "2.8", "2.8.x", "v2.8.x", "~2.8.3", ">=2.8.2 <2.9"]) {
    assert(covers(text), text);
  }
  for (
    const text of [
      "2.8.1",
      "2.9.0",
      "2.8.3-rc.1",
      "2.x",
      "^2.8.2",
      "2.8 || 2.9",
      "latest",
      "canary",
      "",
      "<2.8.2",
    ]
  ) {
    assert(!covers(text), text);
  }
});
