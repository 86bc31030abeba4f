import { type Finding, makeFinding } from "../base/error.ts";

/** Where a review stands. */
export type ReviewStatus = "PENDING" | "APPROVED" | "REJECTED";

/** In which role a decision is taken. */
export type ReviewMeaning = "authored" | "reviewed" | "approved" | "responsible";

/** Every role, as `--meaning` takes it. */
export const REVIEW_MEANINGS: readonly [ReviewMeaning, ...ReviewMeaning[]] = [
  "authored",
  "reviewed",
  "approved",
  "responsible",
];

/** A decision that somebody took. */
export interface ReviewDecision {
  /** What was decided. */
  readonly status: "APPROVED" | "REJECTED";
  /** Who decided. */
  readonly reviewer: string;
  /** When, as a UTC second such as `2026-02-15T20:13:00Z`. */
  readonly reviewed_at: string;
  /**
   * In which role, where the reviewer said so: as author, reviewer, approver or as the responsible
   * person.
   */
  readonly meaning: ReviewMeaning | null;
  /** Why, where the reviewer said so. */
  readonly note: string | null;
}

/** human_review.json: who decided about which evidence, and how. */
export interface HumanReview {
  /** The document's schema. */
  readonly schema: "kprovengine.human_review.v1";
  /** Digest of the provenance.json that it judges. */
  readonly evidence_digest: string;
  /** Where the review stands. */
  readonly status: ReviewStatus;
  /** Who made the latest decision; null while pending. */
  readonly reviewer: string | null;
  /** When it was taken; null while pending. */
  readonly reviewed_at: string | null;
  /** In which role, where the reviewer said so; null while pending. */
  readonly meaning: ReviewMeaning | null;
  /** Why, where the reviewer said so. */
  readonly note: string | null;
  /** Earlier decisions, oldest first. */
  readonly history: readonly ReviewDecision[];
}

/** What a reviewer's name and note are made of. */
export const PERSON_TEXT = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+$/u;

/**
 * Whether a text may stand as a reviewer's name or note. It is shown to other people, so nothing in
 * it may act on a terminal or hide.
 *
 * @param text The candidate
 */
export function isPersonText(text: string): boolean {
  return PERSON_TEXT.test(text);
}

/**
 * Makes the human_review.json of a fresh run: nobody has reviewed it yet.
 *
 * @param evidenceDigest Digest of the run's provenance.json
 * @returns The document
 */
export function buildHumanReview(evidenceDigest: string): HumanReview {
  return {
    schema: "kprovengine.human_review.v1",
    evidence_digest: evidenceDigest,
    status: "PENDING",
    reviewer: null,
    reviewed_at: null,
    meaning: null,
    note: null,
    history: [],
  };
}

/**
 * The decisions of a review in the order in which they were taken, the one that stands last.
 *
 * @param review The review
 */
export function listDecisions(review: HumanReview): readonly ReviewDecision[] {
  const { status, reviewer, reviewed_at, meaning, note, history } = review;
  if (status === "PENDING" || reviewer === null || reviewed_at === null) return history;
  return [...history, { status, reviewer, reviewed_at, meaning, note }];
}

/**
 * Counts the people whose latest decision is an approval. Names that differ in nothing but case, width
 * or blanks are one person's.
 *
 * @param review The review
 */
export function countApprovals(review: HumanReview): number {
  const latest = new Map<string, ReviewDecision["status"]>();
  for (const { reviewer, status } of listDecisions(review)) {
    latest.set(reviewer.normalize("NFKC").toLowerCase().replace(/\s+/g, " ").trim(), status);
  }
  return latest.values().filter((status) => status === "APPROVED").toArray().length;
}

/**
 * Finds a decision that is dated before the run that it judges, or before the decision before it.
 *
 * @param decisions In the order in which they were taken
 * @param createdAt When the run was made
 * @returns What is wrong with the first such decision, or null
 */
export function describeMisdated(
  decisions: readonly ReviewDecision[],
  createdAt: string,
): string | null {
  // UTC seconds of one form are in the order of their characters.
  for (const [i, { reviewed_at: time }] of decisions.entries()) {
    if (time < createdAt) return `the time ${time} is before that of the run, ${createdAt}`;
    const previous = decisions[i - 1]?.reviewed_at ?? "";
    if (time < previous) {
      return `the time ${time} is before that of the earlier decision, ${previous}`;
    }
  }
  return null;
}

/** Checks that a review judges this evidence and no other, and that its times can be. */
export function checkReview(
  review: HumanReview,
  run: { readonly evidence: string; readonly createdAt: string },
): Finding[] {
  const path = "human_review.json";
  const findings: Finding[] = [];
  if (review.evidence_digest !== run.evidence) {
    const message =
      `it judges the evidence ${review.evidence_digest}, but this run's is ${run.evidence}`;
    findings.push(makeFinding("review.foreign", message, { path }));
  }
  const misdated = describeMisdated(listDecisions(review), run.createdAt);
  if (misdated !== null) findings.push(makeFinding("review.misdated", misdated, { path }));
  return findings;
}

/** Checks that enough people approve of a run; where 0 must, nobody need have. */
export function checkApprovals(document: HumanReview, approvals: number): Finding[] {
  const state = { review: document.status, approvals: countApprovals(document) };
  if (approvals === 0 || isApproved(state, approvals)) return [];
  return [makeFinding("run.not_approved", describeApprovals(state, approvals), {
    path: "human_review.json",
    hint: state.review === "REJECTED" ? null : "kprov review RUN --approve --reviewer NAME",
  })];
}

/** Where the review of a run stands, and how many people approve of it. */
interface ReviewState {
  readonly review: ReviewStatus | null;
  readonly approvals: number;
}

/**
 * Whether enough people approve of a run.
 *
 * @param state Where its review stands
 * @param approvals How many must
 */
export function isApproved(
  { review, approvals: given }: ReviewState,
  approvals: number,
): boolean {
  return review === "APPROVED" && given >= approvals;
}

/**
 * Says what a run lacks of its approvals.
 *
 * @param state Where its review stands
 * @param approvals How many people must approve
 */
export function describeApprovals(
  { review, approvals: given }: ReviewState,
  approvals: number,
): string {
  if (review === "PENDING") return "nobody has reviewed the run";
  if (review === "REJECTED") return "the run is rejected";
  return `it has ${given} of ${approvals} approvals`;
}
