import { LONGEST_ITEM, MOST_FILES, PROVENANCE_LIMITS } from "../../src/evidence/limits.ts";
import { DOCUMENT_LIMITS } from "../../src/evidence/parse_document.ts";
import { assert, assertEquals } from "../assert.ts";
import { fromFileUrl } from "../paths.ts";

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  " each": 1,
  " MiB": 2 ** 20,
  " MiB each": 2 ** 20,
  " GiB": 2 ** 30,
  " Mi characters": 2 ** 20,
};

/** The limit that docs/formats.md gives for something. */
function readLimit(what: string): number {
  const page = Deno.readTextFileSync(
    fromFileUrl(new URL("../../docs/formats.md", import.meta.url)),
  );
  const row = page.split("\n").find((line) => line.startsWith(`| ${what} `));
  const [, number = "", unit = ""] = /\| ([0-9,]+)(.*?) +\|$/.exec(row ?? "") ?? [];
  const factor = UNITS[unit];
  assert(factor !== undefined, `"${what}": ${row}`);
  return Number(number.replaceAll(",", "")) * factor;
}

Deno.test("the limits are those of docs/formats.md", () => {
  const documents = ["human_review.json", "toolchain.json"] as const;
  assertEquals(MOST_FILES, readLimit("inputs of a run, and products"));
  assertEquals(PROVENANCE_LIMITS.maxBytes, readLimit("provenance.json"));
  assertEquals(
    PROVENANCE_LIMITS.maxOutline,
    readLimit("provenance.json without the items of its lists of files"),
  );
  assertEquals(LONGEST_ITEM, readLimit("one item of those lists"));
  for (const name of documents) {
    assertEquals(DOCUMENT_LIMITS[name].maxBytes, readLimit("human_review.json, toolchain.json"));
  }
  assertEquals(DOCUMENT_LIMITS["run_summary.json"].maxBytes, readLimit("run_summary.json"));
  for (const { maxDepth } of Object.values(DOCUMENT_LIMITS)) {
    assertEquals(maxDepth, readLimit("nesting"));
  }
});
