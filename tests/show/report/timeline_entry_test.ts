import { makeFinding } from "../../../src/base/error.ts";
import type { ReportedRun } from "../../../src/show/report/verdict.ts";
import {
  buildTimeline,
  findStandingDecisions,
  MOST_DETAILS,
} from "../../../src/show/report/timeline.ts";
import { assert, assertEquals } from "../../assert.ts";
import { digestOf, SAMPLE_FACTS } from "../../sample_facts.ts";
import { makePipeline, THREE_STEPS } from "./sample_pipelines.ts";
import { decide, makeReportedRun, timelineOf } from "./sample_runs.ts";

const FIRST = makeReportedRun(SAMPLE_FACTS, "2026-02-15T20-13-00Z");
const AGAIN = makeReportedRun(SAMPLE_FACTS, "2026-02-16T20-13-00Z");
const OTHER = makeReportedRun({
  ...SAMPLE_FACTS,
  materials: SAMPLE_FACTS.materials.map((file) => ({ ...file, sha256: digestOf("0") })),
  exclude: [".git"],
}, "2026-02-17T20-13-00Z");

/** A run that is all right but for a finding. */
function fail(run: ReportedRun): ReportedRun {
  return { ...run, findings: [makeFinding("summary.mismatch", "wrong")] };
}

Deno.test("buildTimeline() counts what changed since the run before, by kind", () => {
  const [first, again, other] = timelineOf([FIRST, AGAIN, OTHER]).entries;
  assertEquals(first?.verified?.since, null);
  assertEquals(again?.verified?.since, { name: FIRST.name, changes: [] });
  assertEquals(other?.verified?.since?.name, AGAIN.name);
  assertEquals(other?.verified?.since?.changes.map(({ kind, count }) => [kind, count]), [
    ["input", 4],
    ["parameter", 2],
  ]);
});

Deno.test("buildTimeline() takes nothing of a run at its word that does not verify", () => {
  const [, failed, other] = timelineOf([FIRST, fail(AGAIN), OTHER]).entries;
  assertEquals([failed?.verified, failed?.findingCount], [null, 1]);
  assertEquals(other?.verified?.since?.name, FIRST.name);
});

Deno.test("buildTimeline() keeps the first findings and changes only, however many there are", () => {
  const findings = Array.from({ length: 1000 }, (_, i) => makeFinding("names.duplicate", `${i}`));
  const materials = Array.from({ length: 1000 }, (_, i) => (
    { name: `data/${i}`, kind: "file", size: 0, sha256: digestOf("a") } as const
  ));
  const readme = { name: "README.md", kind: "file", size: 0, sha256: digestOf("0") } as const;
  const facts = { ...SAMPLE_FACTS, materials: [readme, ...materials] };
  const many = makeReportedRun(facts, OTHER.name);
  const [failed, , changed] = timelineOf([{ ...AGAIN, findings }, FIRST, many]).entries;
  assertEquals([failed?.findingCount, failed?.findings.length], [1000, MOST_DETAILS]);
  const inputs = changed?.verified?.since?.changes[0];
  assertEquals([inputs?.count, inputs?.first.length], [1004, MOST_DETAILS]);
});

/** What each run of a pipeline is compared with, by its number; -1 for the first of a step. */
function listFormer(runs: readonly ReportedRun[]): number[] {
  const { entries } = timelineOf(runs);
  return entries.map(({ verified }) =>
    entries.findIndex(({ name }) => name === verified?.since?.name)
  );
}

Deno.test("buildTimeline() compares a run with the one before of its step, not with another step's", () => {
  const runs = makePipeline(THREE_STEPS);
  assertEquals(listFormer(runs), [-1, -1, -1, 1, -1]);
  const { newest } = timelineOf(runs);
  assertEquals(newest.map(({ name }) => name), [0, 2, 3, 4].map((i) => runs[i]?.name));
});

Deno.test("buildTimeline() takes a run that failed before it made anything for one of its step", () => {
  const [clean, train] = THREE_STEPS;
  assert(clean && train);
  const failed = { ...train, products: {}, given: ["model.json"], exitCode: 1 };
  assertEquals(listFormer(makePipeline([clean, train, failed, clean, train])), [-1, -1, 1, 0, 2]);
});

Deno.test("buildTimeline() parts steps that were to make one directory by what they made in it", () => {
  const make = (file: string) => ({
    command: ["make", file] as const,
    inputs: { [`${file}.in`]: "1" },
    products: { [`out/${file}`]: "1" },
    given: ["out"],
  });
  const runs = makePipeline([make("a"), make("b"), make("a"), make("b")]);
  assertEquals(listFormer(runs), [-1, -1, 0, 1]);
});

Deno.test("buildTimeline() reads a run again where others lie between it and the one compared", () => {
  const runs = makePipeline([...THREE_STEPS, ...THREE_STEPS]);
  const reads = new Map<string, number>();
  const { entries } = buildTimeline(runs.map((run) => () => {
    reads.set(run.name, (reads.get(run.name) ?? 0) + 1);
    return run;
  }));
  assertEquals(runs.map(({ name }) => reads.get(name)), [2, 2, 2, 2, 2, 1, 2, 1, 1, 1]);
  assertEquals(entries[5]?.verified?.since?.changes, []);
});

Deno.test("findStandingDecisions() finds the latest decision about the evidence, whichever run holds it", () => {
  const { entries } = timelineOf([
    decide(FIRST, { status: "APPROVED", day: 20 }),
    decide(AGAIN, { status: "REJECTED", day: 19 }),
    decide(OTHER, { status: "REJECTED", day: 21 }),
  ]);
  const standing = findStandingDecisions(entries);
  const about = standing.get(FIRST.digests["provenance.json"] ?? "");
  assertEquals([about?.name, about?.review.status], [FIRST.name, "APPROVED"]);
  assertEquals(standing.get(OTHER.digests["provenance.json"] ?? "")?.name, OTHER.name);
  assertEquals(standing.size, 2);
});

Deno.test("findStandingDecisions() does not count a decision in a run that does not verify", () => {
  const approved = decide(FIRST, { status: "APPROVED", day: 20 });
  assertEquals(findStandingDecisions(timelineOf([approved]).entries).size, 1);
  assertEquals(findStandingDecisions(timelineOf([fail(approved)]).entries).size, 0);
});
