import { DOCUMENT_NAMES, type DocumentName } from "../../mod.ts";
import { renderCanonicalJson } from "../../src/base/canonical_json.ts";
import { readDocument } from "../../src/evidence/read_document.ts";
import { assert, assertEquals } from "../assert.ts";
import { testdata } from "../paths.ts";

/** The smallest or largest value that a field takes, and the next one, which it does not. */
type Edge = readonly [document: DocumentName, pointer: string, good: unknown, bad: unknown];

const PARAMETERS = "/predicate/buildDefinition/externalParameters";
const MATERIAL = "/predicate/buildDefinition/resolvedDependencies/0";
const TOO_MUCH = 2 ** 53;

const DIGEST = `sha256:${"0".repeat(64)}`;

/** A command with digests in the place of its last two arguments. */
const redact = (...redacted: readonly number[]): unknown => ({
  argv: ["a", "b", DIGEST, DIGEST],
  redacted,
});

/** A command with so many bytes on standard input. */
const feed = (size: number): unknown => ({
  argv: ["a"],
  stdin: { sha256: "0".repeat(64), size },
});

const EDGES: readonly Edge[] = [
  ["provenance.json", `${PARAMETERS}/inputs`, ["a"], []],
  ["provenance.json", `${PARAMETERS}/inputs/0`, "a", ""],
  // A run around a command has products, and is no shard; a file has no digest of inputs.
  ["provenance.json", `${PARAMETERS}/products`, ["out"], undefined],
  ["provenance.json", `${PARAMETERS}/shard`, undefined, { count: 2, index: 1 }],
  ["provenance.json", "/subject/0/digest/dirHash", undefined, "0".repeat(64)],
  ["provenance.json", `${PARAMETERS}/command/argv`, ["a"], []],
  ["provenance.json", `${PARAMETERS}/command/env`, ["A"], []],
  ["provenance.json", `${PARAMETERS}/command/env`, ["A"], [""]],
  ["provenance.json", `${PARAMETERS}/command`, redact(2, 3), redact()],
  ["provenance.json", `${PARAMETERS}/command`, redact(2), redact(1)],
  ["provenance.json", `${PARAMETERS}/command`, redact(3), redact(4)],
  ["provenance.json", `${PARAMETERS}/command`, redact(3), redact(3, 2)],
  ["provenance.json", `${PARAMETERS}/command`, redact(3), redact(3, 3)],
  ["provenance.json", `${PARAMETERS}/command`, feed(1), feed(0)],
  ["provenance.json", `${PARAMETERS}/command`, feed(TOO_MUCH - 1), feed(TOO_MUCH)],
  ["provenance.json", `${MATERIAL}/annotations/size`, 0, -1],
  ["provenance.json", `${MATERIAL}/annotations/size`, TOO_MUCH - 1, TOO_MUCH],
  ["provenance.json", `${MATERIAL}/digest/sha256`, "0".repeat(64), "0".repeat(63)],
  ["provenance.json", `${MATERIAL}/digest/sha256`, "f".repeat(64), "f".repeat(65)],
  ["provenance.json", "/predicate/runDetails/builder/version/kprov", "1", ""],
  ["toolchain.json", "/kprov", "1", ""],
  ["toolchain.json", "/deno", "2", ""],
  ["toolchain.json", "/lockfile/packages/0/name", "a", ""],
  ["toolchain.json", "/runtimes/0/version", null, ""],
  ["toolchain.json", "/runtimes/1/packages/0/name", "a", ""],
  ["toolchain.json", "/runtimes/1/packages/1/source", { commit: "a" }, {}],
  ["toolchain.json", "/runtimes/1/packages/1/source/url", "git+ssh://a/b", "/home/ada/b"],
  ["toolchain.json", "/runtimes/1/packages/1/source/archive", "sha256:00", "sha256:"],
  ["toolchain.json", "/runtimes/1/packages/1/editable", true, false],
  ["run_summary.json", "/exit_code", 0, -1],
  ["run_summary.json", "/exit_code", null, 2 ** 32],
  ["run_summary.json", "/exit_code", 2 ** 32 - 1, 0.5],
  ["run_summary.json", "/observation", null, { by: "", complete: true }],
  ["run_summary.json", "/runtime_policy/0/version", null, ""],
  ["run_summary.json", "/source/state", "unknown", "clean"],
  ["run_summary.json", "/inputs/count", 0, -1],
  ["run_summary.json", "/products/bytes", TOO_MUCH - 1, TOO_MUCH],
  ["run_summary.json", "/source/commit", "0".repeat(40), "0".repeat(41)],
  ["run_summary.json", "/source/commit", "0".repeat(64), "0".repeat(63)],
  ["run_summary.json", "/run_id", "2026-02-15T20-13-00Z-2", "2026-02-15T20-13-00Z-1"],
  ["run_summary.json", "/run_id", "2026-02-15T20-13-00Z-10", "2026-02-15T20-13-00Z-01"],
  ["human_review.json", "/meaning", null, "signed"],
  ["human_review.json", "/evidence_digest", "0".repeat(64), "g".repeat(64)],
];

/** The golden documents by their names. */
const GOLDEN: ReadonlyMap<DocumentName, string> = new Map(
  DOCUMENT_NAMES.map((name) => [name, Deno.readTextFileSync(testdata(`golden/command/${name}`))]),
);

/** The golden document with another value at a pointer; what leads there must stand. */
function replaceAt(name: DocumentName, pointer: string, value: unknown): Uint8Array {
  const document: unknown = JSON.parse(GOLDEN.get(name) ?? "");
  const keys = pointer.split("/").slice(1);
  let place = document;
  for (const key of keys.slice(0, -1)) {
    assert(typeof place === "object" && place !== null, pointer);
    place = Reflect.get(place, key);
  }
  assert(typeof place === "object" && place !== null, pointer);
  Reflect.set(place, keys.at(-1) ?? "", value);
  return new TextEncoder().encode(JSON.stringify(document));
}

function findIssues(name: DocumentName, bytes: Uint8Array): readonly string[] {
  return readDocument(name, bytes).findings
    .filter(({ code }) => code !== "document.not_canonical")
    .map(({ code, message }) => `${code}: ${message}`);
}

for (const [name, pointer, good, bad] of EDGES) {
  const show = (value: unknown): string => (JSON.stringify(value) ?? "nothing").slice(0, 20);
  Deno.test(`${name}${pointer} takes ${show(good)} and not ${show(bad)}`, () => {
    assertEquals(findIssues(name, replaceAt(name, pointer, good)), []);
    assert(findIssues(name, replaceAt(name, pointer, bad)).length > 0);
  });
}

Deno.test("the golden documents are read, and rendered to what they are", () => {
  for (const [name, text] of GOLDEN) {
    assertEquals(readDocument(name, new TextEncoder().encode(text)).findings, []);
    assertEquals(renderCanonicalJson(JSON.parse(text)), text);
  }
});
