import { MAX_RANGE_LENGTH } from "../../../src/base/semver.ts";
import {
  claimRange,
  claimVersion,
  type RuntimeName,
} from "../../../src/guards/runtime/declaration.ts";
import { parseNpmRange } from "../../../src/guards/runtime/version_range.ts";
import { assertEquals } from "../../assert.ts";

const LONGEST = `>=1 <2${" ".repeat(MAX_RANGE_LENGTH - 7)}3`;

const VERSIONS: readonly (readonly [runtime: RuntimeName, text: string, says: string])[] = [
  ["deno", "2.9.6", "pinned 2.9.6"],
  ["deno", " v2.9.6\n", "pinned 2.9.6"],
  ["node", "20", "range"],
  ["deno", "2.8.x", "range"],
  ["python", "3.13t", "range"],
  ["python", "3.13.1t", "pinned 3.13.1"],
  ["node", "20.1.1t", "floating: it is a name and not a version"],
  ["node", "lts/*", "floating: it is a name and not a version"],
  ["node", "*", "floating: it sets no bound"],
  ["node", "", "floating: it names no version"],
  ["node", " \t", "floating: it names no version"],
  ["node", ">2 <1", "floating: no version is in it"],
  ["node", `${LONGEST}4`, "floating: it is too long for a version"],
];

for (const [runtime, text, says] of VERSIONS) {
  Deno.test(`claimVersion() of ${runtime} ${JSON.stringify(text).slice(0, 40)}: ${says}`, () => {
    const claim = claimVersion(runtime, text);
    const shown = claim.kind === "pinned"
      ? ` ${[claim.version.major, claim.version.minor, claim.version.patch].join(".")}`
      : claim.kind === "floating"
      ? `: ${claim.reason}`
      : "";
    assertEquals(claim.kind + shown, says);
  });
}

Deno.test("claimVersion() reads a range of the longest length that is taken", () => {
  assertEquals(LONGEST.length, MAX_RANGE_LENGTH);
  const claim = claimVersion("node", LONGEST);
  assertEquals(claim.kind === "floating" && claim.reason === "it is too long for a version", false);
});

Deno.test("claimRange() passes on why a range is none", () => {
  assertEquals(claimRange({ ok: false, reason: "it is no range" }), {
    kind: "floating",
    reason: "it is no range",
  });
  assertEquals(claimRange(parseNpmRange(">=20 <21")).kind, "range");
});
