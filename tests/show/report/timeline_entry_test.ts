import { makeFinding } from "../../../src/base/finding.ts";
import type { ReportedRun } from "../../../src/show/report/page.ts";
import {
  buildTimeline,
  findStandingDecision,
  MOST_DETAILS,
} from "../../../src/show/report/timeline_page.ts";
import { assert, assertEquals } from "../../assert.ts";
import { digestOf, SAMPLE_FACTS } from "../../sample_facts.ts";
import { decide, makeReportedRun } from "./sample_runs.ts";

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
  const [first, again, other] = buildTimeline([FIRST, AGAIN, OTHER]);
  assertEquals(first?.verified?.since, null);
  assertEquals(again?.verified?.since, { name: FIRST.name, changes: [] });
  assertEquals(other?.verified?.since?.name, AGAIN.name);
  assertEquals(other?.verified?.since?.changes.map(({ kind, count }) => [kind, count]), [
    ["input", 4],
    ["parameter", 2],
  ]);
});

Deno.test("buildTimeline() takes nothing of a run at its word that does not verify", () => {
  const [, failed, other] = buildTimeline([FIRST, fail(AGAIN), OTHER]);
  assertEquals([failed?.verified, failed?.findingCount], [null, 1]);
  assertEquals(other?.verified?.since?.name, FIRST.name);
});

Deno.test("buildTimeline() keeps the first findings and changes only, however many there are", () => {
  const findings = Array.from({ length: 1000 }, (_, i) => makeFinding("names.duplicate", `${i}`));
  const materials = Array.from({ length: 1000 }, (_, i) => (
    { name: `data/${i}`, kind: "file", size: 0, sha256: digestOf("a") } as const
  ));
  const many = makeReportedRun({ ...SAMPLE_FACTS, inputs: ["data"], materials }, OTHER.name);
  const [failed, , changed] = buildTimeline([{ ...AGAIN, findings }, FIRST, many]);
  assertEquals([failed?.findingCount, failed?.findings.length], [1000, MOST_DETAILS]);
  const inputs = changed?.verified?.since?.changes[0];
  assertEquals([inputs?.count, inputs?.first.length], [1004, MOST_DETAILS]);
});

Deno.test("findStandingDecision() finds the latest decision about the evidence, whichever run holds it", () => {
  const entries = buildTimeline([
    decide(FIRST, { status: "APPROVED", day: 20 }),
    decide(AGAIN, { status: "REJECTED", day: 19 }),
    decide(OTHER, { status: "REJECTED", day: 21 }),
  ]);
  const digest = FIRST.digests["provenance.json"] ?? null;
  const about = findStandingDecision(entries, digest);
  assertEquals([about?.name, about?.review.status], [FIRST.name, "APPROVED"]);
  assertEquals(findStandingDecision(entries, null)?.name, OTHER.name);
  assertEquals(findStandingDecision(entries, digestOf("0")), null);
});

Deno.test("findStandingDecision() does not count a decision in a run that does not verify", () => {
  const approved = decide(FIRST, { status: "APPROVED", day: 20 });
  assert(findStandingDecision(buildTimeline([approved]), null) !== null);
  assertEquals(findStandingDecision(buildTimeline([fail(approved)]), null), null);
});
