import { describeRun, type Lineage, readRun, recordDecision, sha256Hex } from "../../mod.ts";
import { buildHumanReview, countApprovals } from "../../src/evidence/human_review.ts";
import { compareRunIds } from "../../src/evidence/run_summary.ts";
import { assertEquals } from "../assert.ts";
import { makeRun } from "../make_run.ts";
import { SAMPLE_FACTS } from "../sample_facts.ts";
import { fileOf, makeLineage } from "./sample_lineage.ts";

/** The inputs of a run, each with those that made it. */
function origins(lineage: Lineage, run: number): [name: string, madeBy: readonly number[]][] {
  return [...lineage.listInputs(run)].map(({ file, madeBy }) => [file.name, madeBy]);
}

Deno.test("Lineage joins a product to an input by name and content, and by nothing less", () => {
  const lineage = makeLineage([
    { products: { "a": "1", "b": "2" } },
    { inputs: { "a": "1", "b": "3", "c": "1" } },
  ]);
  assertEquals(origins(lineage, 1), [["a", [0]], ["b", []], ["c", []]]);
});

Deno.test("Lineage tells a link from a file of the same text", () => {
  const lineage = makeLineage([{ products: { a: "1" } }]);
  const link = { ...fileOf("a", "1"), kind: "symlink" } as const;
  assertEquals([lineage.findFile(fileOf("a", "1")), lineage.findFile(link)], [0, null]);
});

Deno.test("Lineage finds every file again among many, whose digests start alike", () => {
  const contents = Array.from({ length: 5000 }, (_, i) => String(i));
  const lineage = makeLineage([
    { products: Object.fromEntries(contents.map((content) => [`data/${content}`, content])) },
    { products: Object.fromEntries(contents.map((content) => [`data/${content}`, "same"])) },
  ]);
  for (const content of contents) {
    const file = fileOf(`data/${content}`, content);
    const id = lineage.findFile(file);
    assertEquals(id === null ? null : lineage.fileOf(id), file);
  }
  assertEquals(lineage.findContent(fileOf("", "same")).length, 5000);
  assertEquals(lineage.findContent(fileOf("", "other")), []);
});

Deno.test("Lineage takes the runs before a run as its origins, and itself never", () => {
  const lineage = makeLineage([
    { inputs: { a: "1" }, products: { a: "2" } },
    { inputs: { a: "2" }, products: { a: "1" } },
    { inputs: { a: "1" } },
  ]);
  // What the second run made goes into the third one, and cannot have gone into the first.
  assertEquals([0, 1, 2].map((run) => origins(lineage, run)[0]?.[1]), [[], [0], [1]]);
});

Deno.test("Lineage orders runs by second and number, and leaves open what nobody can tell", () => {
  const second = "2026-02-15T20-13-00Z";
  const maker = { products: { a: "1" } };
  const taker = { inputs: { a: "1" } };
  const later = makeLineage([{ id: `${second}-10`, ...maker }, { id: `${second}-9`, ...taker }]);
  assertEquals([later.order, origins(later, 1)], [[1, 0], [["a", []]]]);
  const elsewhere = makeLineage([
    { id: second, directory: "z", ...maker },
    { id: second, directory: "a", ...taker },
  ]);
  assertEquals(origins(elsewhere, 1), [["a", [0]]]);
});

Deno.test("describeRun() keeps of a run what lineage needs", () => {
  const run = makeRun(SAMPLE_FACTS);
  const { record, files } = describeRun("runs/x", { ...run, findings: [] });
  const { evidence_digest, run_id, created_at } = run.documents["run_summary.json"];
  assertEquals(
    [record.runId, record.createdAt, record.evidenceDigest, record.verifies, record.review],
    [run_id, created_at, evidence_digest, true, "PENDING"],
  );
  assertEquals(record.inputs.count, files.inputs.length);
});

Deno.test("describeRun() does not take a run that does not verify at its word", () => {
  const { documents, digests } = makeRun(SAMPLE_FACTS);
  const { findings } = readRun({ name: null, files: new Map() });
  const { record, files } = describeRun("runs/x", { documents, digests, findings });
  assertEquals(
    [record.verifies, record.outcome, record.exitCode, record.review, record.approvals],
    [false, null, null, null, 0],
  );
  assertEquals(files.inputs.length > 0, true);
});

Deno.test("countApprovals() counts people, by their latest decision", () => {
  let review = buildHumanReview(sha256Hex("evidence"));
  const counts = ([
    ["Ada", "APPROVED"],
    ["ada ", "APPROVED"],
    ["Bob", "APPROVED"],
    ["Ada", "REJECTED"],
    ["Ａｄａ", "APPROVED"],
  ] as const).map(([reviewer, status]) => {
    const reviewed_at = "2026-02-16T08:00:00Z";
    const decision = { reviewer, status, reviewed_at, meaning: null, note: null };
    review = recordDecision(review, decision, "2026-02-15T20:13:00Z");
    return countApprovals(review);
  });
  assertEquals(counts, [1, 1, 2, 1, 2]);
});

Deno.test("compareRunIds() orders by second, then by number", () => {
  const ids = [
    "2026-02-15T20-12-59Z-11",
    ...["", "-2", "-9", "-10"].map((it) => `2026-02-15T20-13-00Z${it}`),
    "2026-02-15T20-13-01Z",
  ];
  assertEquals(ids.toReversed().sort(compareRunIds), ids);
  assertEquals(ids.toSorted(compareRunIds), ids);
});
