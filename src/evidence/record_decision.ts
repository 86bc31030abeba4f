import type { HumanReview, ReviewDecision } from "./human_review.ts";
import { parseHumanReview } from "./parse_human_review.ts";

/**
 * Records a decision: the earlier one, where there is any, moves into the history.
 *
 * @param review The review as it stands
 * @param decision What was decided, by whom and when
 * @returns The review as it stands then
 * @throws {KprovError} `data` where the decision is not of the right form: control or invisible
 * characters, an empty reviewer, a time that is none
 *
 * @example
 * ```ts
 * import { recordDecision } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const pending = {
 *   schema: "kprovengine.human_review.v1",
 *   evidence_digest: "0".repeat(64),
 *   status: "PENDING",
 *   reviewer: null,
 *   reviewed_at: null,
 *   note: null,
 *   history: [],
 * } as const;
 * const approved = recordDecision(pending, {
 *   status: "APPROVED",
 *   reviewer: "Ada",
 *   reviewed_at: "2026-02-15T20:13:00Z",
 *   note: null,
 * });
 * assertEquals(approved.status, "APPROVED");
 * assertEquals(approved.history, []);
 * ```
 */
export function recordDecision(review: HumanReview, decision: ReviewDecision): HumanReview {
  const { status, reviewer, reviewed_at, note } = review;
  const earlier = status === "PENDING" ? [] : [{ status, reviewer, reviewed_at, note }];
  return parseHumanReview({
    ...review,
    ...decision,
    history: [...review.history, ...earlier],
  });
}
