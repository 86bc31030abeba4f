import { buildEvidence, type Evidence, KprovError } from "../../mod.ts";
import { renderCanonicalPart } from "../../src/base/canonical_json.ts";
import { readDocument } from "../../src/evidence/read_document.ts";
import {
  checkFileCount,
  DOCUMENT_LIMITS,
  LONGEST_ITEM,
  MOST_FILES,
  PROVENANCE_LIMITS,
} from "../../src/evidence/documents.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { fromFileUrl } from "../paths.ts";
import { SAMPLE_FACTS } from "../sample_facts.ts";

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
    readLimit("provenance.json without its lists of files"),
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

Deno.test("a run takes as many files as are supported, and no more", () => {
  for (const what of ["inputs", "products"] as const) {
    checkFileCount(MOST_FILES, what);
    assertThrows(() => checkFileCount(MOST_FILES + 1, what), KprovError, what);
  }
});

/** What is left for the rest of provenance.json, which is not read as a whole with them. */
const ROOM = 4096;

Deno.test("inputs as given are recorded as long as they can be read again, and refused beyond", () => {
  const rest = renderCanonicalPart({ exclude: [], inputs: [""] }, "      ").length;
  const longest = PROVENANCE_LIMITS.maxOutline - ROOM - rest;
  const record = (length: number): Evidence =>
    buildEvidence({ ...SAMPLE_FACTS, exclude: [], inputs: ["a".repeat(length)] });
  const text = record(longest).documents["provenance.json"];
  assertEquals(readDocument("provenance.json", new TextEncoder().encode(text)).findings, []);
  const { code, message } = assertThrows(() => record(longest + 1), KprovError);
  assertEquals([code, message], [
    "data",
    `Cannot record the inputs as given: with the command they take ${
      longest + 1 + rest
    } characters, at most ${longest + rest} are supported`,
  ]);
});
