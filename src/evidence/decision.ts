import * as z from "zod/mini";
import { KprovError } from "../base/error.ts";
import { parseWithSchema } from "../base/schema.ts";
import {
  describeMisdated,
  type HumanReview,
  listDecisions,
  PERSON_TEXT,
  REVIEW_MEANINGS,
  type ReviewDecision,
  type ReviewStatus,
} from "./human_review.ts";
import { sha256Schema, timeSchema } from "./schemas.ts";

const personTextSchema = z.string().check(
  z.regex(PERSON_TEXT, { error: "expected text without control or invisible characters" }),
);

const meaningSchema = z.nullable(z.enum(REVIEW_MEANINGS));

const decisionSchema = z.strictObject({
  status: z.enum(["APPROVED", "REJECTED"]),
  reviewer: personTextSchema,
  reviewed_at: timeSchema,
  meaning: meaningSchema,
  note: z.nullable(personTextSchema),
});

/** The schema of human_review.json. */
export const humanReviewSchema: z.ZodMiniType<HumanReview> = z.strictObject({
  schema: z.literal("kprovengine.human_review.v1"),
  evidence_digest: sha256Schema,
  status: z.enum(["PENDING", "APPROVED", "REJECTED"]),
  reviewer: z.nullable(personTextSchema),
  reviewed_at: z.nullable(timeSchema),
  meaning: meaningSchema,
  note: z.nullable(personTextSchema),
  history: z.array(decisionSchema),
}).check(z.refine((review: HumanReview) => isConsistent(review), {
  error: "expected reviewer and reviewed_at exactly where there is a decision",
}));

/** A decision has a reviewer and a time; what is pending has nothing of a decision. */
function isConsistent(review: HumanReview): boolean {
  const { status, reviewer, reviewed_at, meaning, note } = review;
  return status === "PENDING"
    ? [reviewer, reviewed_at, meaning, note].every((part) => part === null)
    : reviewer !== null && reviewed_at !== null;
}

/**
 * Holds a value against the schema of human_review.json.
 *
 * @param value Such as `JSON.parse` returns it
 * @returns The value, typed
 * @throws {KprovError} `data` naming the first place that differs
 *
 * @example
 * ```ts
 * import { KprovError, parseHumanReview } from "@kprov/cli";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => parseHumanReview({ status: "APPROVED" }), KprovError, "Cannot parse human_review.json");
 * ```
 */
export function parseHumanReview(value: unknown): HumanReview {
  return parseWithSchema(humanReviewSchema, value, "human_review.json");
}

/**
 * Records a decision: the earlier one, where there is any, moves into the history.
 *
 * @param review The review as it stands
 * @param decision What was decided, by whom and when
 * @param createdAt When the run was made, as its run_summary.json says
 * @returns The review as it stands then
 * @throws {KprovError} `data` where the decision is not of the right form: control or invisible
 * characters, an empty reviewer, a time that is none, or one before the run or an earlier decision
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
 *   meaning: null,
 *   note: null,
 *   history: [],
 * } as const;
 * const approved = recordDecision(pending, {
 *   status: "APPROVED",
 *   reviewer: "Ada",
 *   reviewed_at: "2026-02-16T08:00:00Z",
 *   meaning: "reviewed",
 *   note: null,
 * }, "2026-02-15T20:13:00Z");
 * assertEquals(approved.status, "APPROVED");
 * assertEquals(approved.history, []);
 * ```
 */
export function recordDecision(
  review: HumanReview,
  decision: ReviewDecision,
  createdAt: string,
): HumanReview {
  const decided = parseHumanReview({ ...review, ...decision, history: listDecisions(review) });
  const misdated = describeMisdated(listDecisions(decided), createdAt);
  if (misdated === null) return decided;
  throw new KprovError("data", `Cannot record the decision: ${misdated}`);
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
  return `${given} of ${approvals} approvals are there`;
}
