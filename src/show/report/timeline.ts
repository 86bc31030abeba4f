import type { Finding } from "../../base/finding.ts";
import { type Change, CHANGE_KINDS, type ChangeKind, diffRuns } from "../../evidence/diff.ts";
import type { HumanReview } from "../../evidence/human_review.ts";
import type { Run } from "../../evidence/documents.ts";
import type { RunSummary } from "../../evidence/run_summary.ts";
import type { ReportedRun } from "./page.ts";

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
  /** The run before it that verifies, and what changed since; null for the first one. */
  readonly since: { readonly name: string; readonly changes: readonly ChangeGroup[] } | null;
}

/**
 * Makes a timeline of runs. Each run is compared with the one before it that verifies, and let go.
 *
 * @param runs In the order of their making; read one after the other
 */
export function buildTimeline(runs: Iterable<ReportedRun>): TimelineEntry[] {
  const entries: TimelineEntry[] = [];
  let before: { readonly name: string; readonly run: Run } | null = null;
  for (const reported of runs) {
    const { name, findings } = reported;
    const run = findings.length === 0 ? reported.run : null;
    const since = before === null || run === null
      ? null
      : { name: before.name, changes: groupChanges(diffRuns(before.run, run)) };
    entries.push({
      name,
      findingCount: findings.length,
      findings: findings.slice(0, MOST_DETAILS),
      verified: run === null ? null : {
        summary: run.documents["run_summary.json"],
        review: run.documents["human_review.json"],
        since,
      },
    });
    if (run !== null) before = { name, run };
  }
  return entries;
}

/** A decision, with the run that it was taken about. */
interface StandingDecision {
  /** The run's name. */
  readonly name: string;
  /** The review that holds the decision. */
  readonly review: HumanReview;
}

/**
 * The decision that stands about some evidence: the latest of those that runs over it hold. Runs that
 * are alike to the byte are one piece of evidence, whichever of them was judged.
 *
 * @param entries The timeline
 * @param evidenceDigest Which evidence; null for any
 * @returns Null where nobody has decided
 */
export function findStandingDecision(
  entries: readonly TimelineEntry[],
  evidenceDigest: string | null,
): StandingDecision | null {
  let standing: StandingDecision | null = null;
  for (const { name, verified } of entries) {
    if (verified === null || verified.review.status === "PENDING") continue;
    const { review } = verified;
    if (evidenceDigest !== null && review.evidence_digest !== evidenceDigest) continue;
    const isLater = (review.reviewed_at ?? "") >= (standing?.review.reviewed_at ?? "");
    if (isLater) standing = { name, review };
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
