/** Where a review stands. */
export type ReviewStatus = "PENDING" | "APPROVED" | "REJECTED";

/** A decision that somebody took. */
export interface ReviewDecision {
  /** What was decided. */
  readonly status: "APPROVED" | "REJECTED";
  /** Who decided. */
  readonly reviewer: string;
  /** When, as a UTC second such as `2026-02-15T20:13:00Z`. */
  readonly reviewed_at: string;
  /** Why, where the reviewer said so. */
  readonly note: string | null;
}

/** human_review.json: who judged which evidence, and how. */
export interface HumanReview {
  /** The document's schema. */
  readonly schema: "kprovengine.human_review.v1";
  /** Digest of the provenance.json that it judges. */
  readonly evidence_digest: string;
  /** Where the review stands. */
  readonly status: ReviewStatus;
  /** Who took the decision that stands; null while pending. */
  readonly reviewer: string | null;
  /** When it was taken; null while pending. */
  readonly reviewed_at: string | null;
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
 * Makes the human_review.json of a fresh run: nobody has judged it yet.
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
    note: null,
    history: [],
  };
}
