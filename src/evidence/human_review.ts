import * as z from "zod/mini";
import { parseWithSchema } from "../schema_issue.ts";
import { sha256Schema, timeSchema } from "./fields.ts";

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

// What a person writes is shown to other people: nothing in it may act on a terminal or hide.
const personTextSchema = z.string().check(
  z.minLength(1, { error: "expected some text" }),
  z.refine((text: string) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text), {
    error: "expected text without control or invisible characters",
  }),
);

const decisionFields = {
  reviewer: personTextSchema,
  reviewed_at: timeSchema,
  note: z.nullable(personTextSchema),
};

const commonFields = {
  schema: z.literal("kprovengine.human_review.v1"),
  evidence_digest: sha256Schema,
  history: z.array(z.strictObject({ status: z.enum(["APPROVED", "REJECTED"]), ...decisionFields })),
};

/** The schema of human_review.json. */
export const humanReviewSchema: z.ZodMiniType<HumanReview> = z.discriminatedUnion("status", [
  z.strictObject({
    ...commonFields,
    status: z.literal("PENDING"),
    reviewer: z.null(),
    reviewed_at: z.null(),
    note: z.null(),
  }),
  z.strictObject({ ...commonFields, status: z.enum(["APPROVED", "REJECTED"]), ...decisionFields }),
]);

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

/**
 * Holds a value against the schema of human_review.json.
 *
 * @param value Such as `JSON.parse` returns it
 * @returns The value, typed
 * @throws {KprovError} `data` naming the first place that differs
 */
export function parseHumanReview(value: unknown): HumanReview {
  return parseWithSchema(humanReviewSchema, value, "human_review.json");
}
