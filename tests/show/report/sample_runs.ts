import { recordDecision, type RunFacts } from "../../../mod.ts";
import type { ReportedRun } from "../../../src/show/report/verdict.ts";
import { buildTimeline, type Timeline } from "../../../src/show/report/timeline.ts";
import { makeRun } from "../../make_run.ts";
import {
  digestOf,
  SAMPLE_CIRCUMSTANCES,
  SAMPLE_FACTS,
  SAMPLE_FAILED_FACTS,
} from "../../sample_facts.ts";

/**
 * A run that verifies, as a page shows it.
 *
 * @param facts What it is made of
 * @param name The run directory's name
 */
export function makeReportedRun(facts: RunFacts, name = "2026-02-15T20-13-00Z"): ReportedRun {
  const run = makeRun(facts, SAMPLE_CIRCUMSTANCES);
  return { name, findings: [], run, ...run };
}

/** A run of the files `d/NAME` of so many names, each of its own size. */
export function reportFiles(names: readonly string[]): ReportedRun {
  const materials = names.map((name, i) => (
    { name: `d/${name}`, kind: "file", size: sizeOf(i), sha256: digestOf("a") } as const
  ));
  return makeReportedRun({ ...SAMPLE_FACTS, inputs: ["d"], materials });
}

/** A run of so many files that making it would take longer than showing it. */
export function reportManyFiles(count: number): ReportedRun {
  const { documents } = GOLDEN_RUN;
  const provenance = documents["provenance.json"];
  if (provenance === undefined) throw new Error("a document is missing");
  const resolvedDependencies = Array.from({ length: count }, (_, i) => (
    {
      name: `d/file-${i}`,
      digest: { sha256: digestOf("a") },
      annotations: { kind: "file", size: sizeOf(i) },
    } as const
  ));
  const buildDefinition = { ...provenance.predicate.buildDefinition, resolvedDependencies };
  const predicate = { ...provenance.predicate, buildDefinition };
  return {
    ...GOLDEN_RUN,
    documents: { ...documents, "provenance.json": { ...provenance, predicate } },
  };
}

/** Sizes that are not in the order of the names. */
function sizeOf(i: number): number {
  return (i * 7919) % 1013;
}

/**
 * The same run with a decision about it.
 *
 * @param run The run
 * @param decision What was decided, and on which day of February
 */
export function decide(
  run: ReportedRun,
  decision: { readonly status: "APPROVED" | "REJECTED"; readonly day: number },
): ReportedRun {
  if (run.run === null) throw new Error("a document is missing");
  const { documents, digests } = run.run;
  const review = recordDecision(documents["human_review.json"], {
    status: decision.status,
    reviewer: "Ada Lovelace",
    reviewed_at: `2026-02-${decision.day}T08:00:00Z`,
    meaning: "reviewed",
    note: "looked at",
  }, documents["run_summary.json"].created_at);
  const decided = { documents: { ...documents, "human_review.json": review }, digests };
  return { ...run, ...decided, run: decided };
}

/** The timeline of runs, oldest first. */
export function timelineOf(runs: readonly ReportedRun[]): Timeline {
  return buildTimeline(runs.map((run) => () => run));
}

/** A run with everything that a page can show; the golden page shows it. */
export const GOLDEN_RUN: ReportedRun = decide(
  decide(makeReportedRun(SAMPLE_FAILED_FACTS), { status: "REJECTED", day: 16 }),
  { status: "APPROVED", day: 17 },
);
