import { describeRun, type Lineage, readRun, recordDecision, sha256Hex } from "../../mod.ts";
import { buildHumanReview, countApprovals } from "../../src/evidence/human_review.ts";
import { FileTable } from "../../src/evidence/file_table.ts";
import { compareRunIds } from "../../src/evidence/run_summary.ts";
import { assertEquals } from "../assert.ts";
import { makeRun } from "../make_run.ts";
import { SAMPLE_COMMAND_FACTS, SAMPLE_FACTS } from "../sample_facts.ts";
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

Deno.test("a table of files holds more than a block of them", () => {
  const table = new FileTable();
  const count = 2 ** 16 + 10;
  const shaOf = (i: number): string => i.toString(16).padStart(64, "0");
  const annotations = { kind: "file", size: 0 } as const;
  for (let i = 0; i < count; i++) {
    const id = table.intern({ name: `f${i}`, digest: { sha256: shaOf(i) }, annotations });
    if (id !== i) throw new Error(`file ${i} is number ${id}`);
  }
  assertEquals([table.size, table.nameCount], [count, count]);
  for (const i of [0, 1, 1023, 2 ** 16 - 1, 2 ** 16, count - 1]) {
    const file = { name: `f${i}`, kind: "file", sha256: shaOf(i) } as const;
    assertEquals([table.find(file), table.fileOf(i), table.findContent(file)], [i, file, [i]]);
    const annotations = { kind: file.kind, size: 0 };
    assertEquals(table.intern({ ...file, digest: file, annotations }), i);
    const link = { ...file, kind: "symlink" } as const;
    assertEquals([table.find(link), table.findContent(link)], [null, []]);
  }
  const links = new FileTable();
  const link = { name: "a", kind: "symlink", sha256: shaOf(0) } as const;
  links.intern({ ...link, digest: link, annotations: { kind: "symlink", size: 0 } });
  assertEquals([links.fileOf(0), links.findContent(link)], [link, [0]]);
  assertEquals(links.findContent({ ...link, kind: "file" }), []);
  assertEquals(table.find({ name: "f0", kind: "file", sha256: shaOf(1) }), null);
  assertEquals([table.findName("g"), table.nameOf(count)], [null, ""]);
});

Deno.test("describeRun() keeps of a run what lineage needs", () => {
  const run = makeRun(SAMPLE_COMMAND_FACTS);
  const decisions = ([["Ada", "APPROVED"], ["Ada", "REJECTED"], ["Bob", "APPROVED"]] as const).map((
    [reviewer, status],
  ) => ({ reviewer, status, reviewed_at: "2026-02-16T08:00:00Z", meaning: null, note: null }));
  const review = decisions.reduce(
    (review, decision) => recordDecision(review, decision, "2026-02-15T20:13:00Z"),
    run.documents["human_review.json"],
  );
  const documents = { ...run.documents, "human_review.json": review };
  const { record, files } = describeRun("runs/x", { ...run, documents, findings: [] });
  const { command } = SAMPLE_COMMAND_FACTS;
  const { tools = [], runtimes = [] } = run.documents["toolchain.json"];
  assertEquals(record, {
    run: "runs/x",
    runId: "2026-02-15T20-13-00Z",
    createdAt: "2026-02-15T20:13:00Z",
    verifies: true,
    outcome: "completed",
    exitCode: 0,
    review: "APPROVED",
    approvals: 1,
    reviewers: ["Ada", "Bob"],
    command: command?.argv ?? [],
    evidenceDigest: run.documents["run_summary.json"].evidence_digest,
    toolchain: { tools, runtimes },
    given: { inputs: ["README.md", "data"], exclude: ["*.tmp", ".git", "/runs"] },
    inputs: { count: 4, bytes: 5139 },
    products: { count: 2, bytes: 18 },
  });
  assertEquals([files.inputs.length, files.products.length], [4, 2]);
});

Deno.test("describeRun() keeps that links were followed, and nothing of a run without documents", () => {
  const run = makeRun({ ...SAMPLE_FACTS, links: "follow" });
  const { record } = describeRun("runs/x", { ...run, findings: [] });
  assertEquals([record.given.links, record.toolchain], ["follow", {}]);
  const nothing = readRun({ name: null, files: new Map() });
  const { record: none, files } = describeRun("runs\\x", nothing);
  assertEquals(describeRun("a/b/runs/x", nothing).record.runId, "x");
  assertEquals(
    [none.runId, none.createdAt, none.given, none.toolchain, none.command, none.evidenceDigest],
    ["x", "", { inputs: [], exclude: [] }, {}, null, null],
  );
  assertEquals(files, { inputs: [], products: [] });
});

Deno.test("describeRun() does not take a run that does not verify at its word", () => {
  const { documents, digests } = makeRun(SAMPLE_FACTS);
  const { findings } = readRun({ name: null, files: new Map() });
  const { record, files } = describeRun("runs/x", { documents, digests, findings });
  assertEquals(
    [record.runId, record.outcome, record.exitCode, record.review, record.approvals],
    ["x", null, null, null, 0],
  );
  assertEquals([record.verifies, record.reviewers, files.inputs.length], [false, [], 4]);
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
