import type { Finding } from "../../base/error.ts";
import { type Change, CHANGE_KINDS, type ChangeKind, diffRuns } from "../../evidence/diff.ts";
import type { Run } from "../../evidence/documents.ts";
import type { HumanReview } from "../../evidence/human_review.ts";
import { Lineage } from "../../evidence/lineage.ts";
import { describeRun } from "../../evidence/lineage_records.ts";
import { listProducts, type Provenance } from "../../evidence/provenance.ts";
import type { RunSummary } from "../../evidence/run_summary.ts";
import type { ReportedRun } from "./verdict.ts";

/** Of a run's findings, and of each kind of its changes, a timeline shows the first ones. */
export const MOST_DETAILS = 5;

/** The changes of one kind. */
export interface ChangeGroup {
  /** What they are changes of. */
  readonly kind: ChangeKind;
  /** How many there are. */
  readonly count: number;
  /** The first of them. */
  readonly first: readonly Change[];
}

/** What a timeline shows of a run: little, so that hundreds of them fit into memory and on a page. */
export interface TimelineEntry {
  /** The run directory's name. */
  readonly name: string;
  /** How many findings verify has. */
  readonly findingCount: number;
  /** The first of them. */
  readonly findings: readonly Finding[];
  /** The content of a run that verifies; of another nothing is taken at its word. */
  readonly verified: VerifiedContent | null;
}

/** What a timeline shows of a run that verifies. */
export interface VerifiedContent {
  /** The circumstances. */
  readonly summary: RunSummary;
  /** Who judged it. */
  readonly review: HumanReview;
  /** What it was to make, or what it was to record. */
  readonly step: string;
  /** Its number in the lineage. */
  readonly run: number;
  /** The run before it of the same step, and what changed since; null for the first one. */
  readonly since: { readonly name: string; readonly changes: readonly ChangeGroup[] } | null;
}

/** A directory of runs, as its page shows it; see {@linkcode buildTimeline}. */
export interface Timeline {
  /** The runs, oldest first. */
  readonly entries: readonly TimelineEntry[];
  /** Those that verify, joined. */
  readonly lineage: Lineage;
  /** Of each step the newest run that verifies, oldest first. */
  readonly newest: readonly TimelineEntry[];
}

/** Reads a run from where it stands; a second time, where others are compared with it. */
type ReadReported = () => ReportedRun;

/**
 * Makes a timeline of runs. Each is compared with the one before it of the same step that verifies, and
 * let go: two at a time are held.
 *
 * @param runs In the order of their making
 */
export function buildTimeline(runs: readonly ReadReported[]): Timeline {
  const entries: TimelineEntry[] = [];
  const lineage = new Lineage();
  const steps = new Steps();
  let last: { readonly place: number; readonly run: Run } | null = null;
  for (const [place, read] of runs.entries()) {
    const reported = read();
    const run = reported.findings.length === 0 ? reported.run : null;
    let verified: VerifiedContent | null = null;
    if (run !== null) {
      const provenance = run.documents["provenance.json"];
      const before = steps.replace(place, provenance);
      const former = before === null || last?.place === before ? last?.run : runs[before]?.().run;
      const since = before === null || former === null || former === undefined
        ? null
        : { name: entries[before]?.name ?? "", changes: groupChanges(diffRuns(former, run)) };
      const { record, files } = describeRun(reported.name, { ...run, findings: [] });
      lineage.add(record, files);
      verified = {
        summary: run.documents["run_summary.json"],
        review: run.documents["human_review.json"],
        step: nameStep(provenance),
        run: lineage.runs.length - 1,
        since,
      };
      last = { place, run };
    }
    const { name, findings } = reported;
    const first = findings.slice(0, MOST_DETAILS);
    entries.push({ name, findingCount: findings.length, findings: first, verified });
  }
  const newest = entries.filter(({ verified }, place) =>
    verified !== null && steps.isNewest(place)
  );
  return { entries, lineage, newest };
}

/** What a run was to make, in words; what it was to record where that is nothing. */
function nameStep({ predicate }: Provenance): string {
  const { products = [], inputs } = predicate.buildDefinition.externalParameters;
  const [first = "", ...more] = products.length > 0 ? products : inputs;
  return more.length === 0 ? first : `${first} and ${more.length} more`;
}

/** The places of the newest runs that were to make the same paths; -1 where there is none. */
interface LastRuns {
  any: number;
  /** Of those that made nothing. */
  without: number;
  readonly byName: Map<string, number>;
}

/**
 * Joins runs of one step: those that were to make the same paths, and made a file in common; of runs that
 * make nothing, those over the same inputs.
 */
class Steps {
  readonly #last = new Map<string, LastRuns>();
  readonly #replaced = new Set<number>();

  /**
   * Notes a run as the newest of its step.
   *
   * @param place Its place
   * @param provenance What it did
   * @returns The place of the run before it of the same step; null where it is the first
   */
  replace(place: number, provenance: Provenance): number | null {
    const { products, inputs, shard } = provenance.predicate.buildDefinition.externalParameters;
    const key = JSON.stringify([products?.toSorted() ?? null, products ? null : inputs, shard]);
    const last = this.#last.get(key) ?? { any: -1, without: -1, byName: new Map() };
    this.#last.set(key, last);
    const names = listProducts(provenance).map(({ name }) => name);
    // One that failed before it made anything is of the step of those that were to make the same.
    const before = names.length === 0 ? last.any : names.reduce(
      (most, name) => Math.max(most, last.byName.get(name) ?? -1),
      last.without,
    );
    for (const name of names) last.byName.set(name, place);
    if (names.length === 0) last.without = place;
    last.any = place;
    if (before < 0) return null;
    this.#replaced.add(before);
    return before;
  }

  isNewest(place: number): boolean {
    return !this.#replaced.has(place);
  }
}

/** A decision, with the run that it was taken about. */
export interface StandingDecision {
  /** The run's name. */
  readonly name: string;
  /** The review that holds the decision. */
  readonly review: HumanReview;
}

/**
 * The decisions that stand, by the digest of the evidence that they judge: the latest of those that runs
 * over it hold. Runs that are alike to the byte are one piece of evidence, whichever of them was judged.
 *
 * @param entries The timeline
 */
export function findStandingDecisions(
  entries: readonly TimelineEntry[],
): ReadonlyMap<string, StandingDecision> {
  const standing = new Map<string, StandingDecision>();
  for (const { name, verified } of entries) {
    if (verified === null || verified.review.status === "PENDING") continue;
    const { review } = verified;
    const other = standing.get(review.evidence_digest)?.review.reviewed_at ?? "";
    if ((review.reviewed_at ?? "") >= other) standing.set(review.evidence_digest, { name, review });
  }
  return standing;
}

function groupChanges(changes: readonly Change[]): ChangeGroup[] {
  return CHANGE_KINDS
    .map((kind) => ({ kind, members: changes.filter((change) => change.kind === kind) }))
    .filter(({ members }) => members.length > 0)
    .map(({ kind, members }) => ({
      kind,
      count: members.length,
      first: members.slice(0, MOST_DETAILS),
    }));
}
