import * as z from "zod/mini";
import { parseWithSchema } from "../schema_issue.ts";
import { sha256Schema, timeSchema } from "./fields.ts";
import { type HumanReview, PERSON_TEXT } from "./human_review.ts";

const personTextSchema = z.string().check(
  z.regex(PERSON_TEXT, { error: "expected text without control or invisible characters" }),
);

const decisionSchema = z.strictObject({
  status: z.enum(["APPROVED", "REJECTED"]),
  reviewer: personTextSchema,
  reviewed_at: timeSchema,
  note: z.nullable(personTextSchema),
});

/** The schema of human_review.json. */
export const humanReviewSchema: z.ZodMiniType<HumanReview> = z.strictObject({
  schema: z.literal("kprovengine.human_review.v1"),
  evidence_digest: sha256Schema,
  status: z.enum(["PENDING", "APPROVED", "REJECTED"]),
  reviewer: z.nullable(personTextSchema),
  reviewed_at: z.nullable(timeSchema),
  note: z.nullable(personTextSchema),
  history: z.array(decisionSchema),
}).check(z.refine((review: HumanReview) => isConsistent(review), {
  error: "expected reviewer and reviewed_at exactly where there is a decision",
}));

/** A decision has a reviewer and a time; what is pending has neither, nor a note. */
function isConsistent({ status, reviewer, reviewed_at, note }: HumanReview): boolean {
  return status === "PENDING"
    ? reviewer === null && reviewed_at === null && note === null
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
