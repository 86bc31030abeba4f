import fc from "fast-check";
import {
  type HumanReview,
  KprovError,
  parseHumanReview,
  recordDecision,
  type ReviewDecision,
} from "../../mod.ts";
import { buildHumanReview } from "../../src/evidence/human_review.ts";
import { assertEquals, assertThrows } from "../assert.ts";
import { digestOf } from "../sample_facts.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const DECISION: ReviewDecision = {
  status: "APPROVED",
  reviewer: "Ada Lovelace",
  reviewed_at: "2026-02-15T20:13:00Z",
  note: null,
};

Deno.test("recordDecision() keeps every earlier decision, oldest first", PURE, () => {
  const decisions = fc.array(fc.record<ReviewDecision>({
    status: fc.constantFrom("APPROVED", "REJECTED"),
    reviewer: fc.constantFrom("Ada", "Grace Höpper", "李"),
    reviewed_at: fc.constantFrom("2026-02-15T20:13:00Z", "2024-02-29T00:00:00Z"),
    note: fc.constantFrom(null, "because"),
  }));
  fc.assert(fc.property(decisions, (all) => {
    const fresh = buildHumanReview(digestOf("a"));
    const review = all.reduce<HumanReview>(recordDecision, fresh);
    const last = all.at(-1);
    assertEquals(review.history, all.slice(0, -1));
    assertEquals(review.status, last?.status ?? "PENDING");
    assertEquals(review.note, last?.note ?? null);
    assertEquals(review.evidence_digest, digestOf("a"));
    assertEquals(parseHumanReview(JSON.parse(JSON.stringify(review))), review);
  }));
});

const REFUSED: readonly (readonly [string, Partial<ReviewDecision>])[] = [
  ["a terminal sequence in the reviewer's name", { reviewer: "Ada\u001b[2J" }],
  ["a line break in the note", { note: "one\ntwo" }],
  ["a bidirectional override in the note", { note: "\u202eyek" }],
  ["a zero-width space in the reviewer's name", { reviewer: "A\u200bda" }],
  ["a lone surrogate in the note", { note: "\ud800" }],
  ["nobody", { reviewer: "" }],
  ["an empty note", { note: "" }],
  ["a time that is none", { reviewed_at: "2026-02-30T00:00:00Z" }],
];

for (const [what, part] of REFUSED) {
  Deno.test(`recordDecision() refuses ${what}`, PURE, () => {
    const fresh = buildHumanReview(digestOf("a"));
    const error = assertThrows(() => recordDecision(fresh, { ...DECISION, ...part }), KprovError);
    assertEquals(error.code, "data");
  });
}

const INCONSISTENT: readonly (readonly [string, Partial<HumanReview>])[] = [
  ["pending with a reviewer", { reviewer: "Ada" }],
  ["pending with a note", { note: "a" }],
  ["approved by nobody", { status: "APPROVED", reviewed_at: DECISION.reviewed_at }],
  ["approved at no time", { status: "APPROVED", reviewer: "Ada" }],
];

for (const [what, part] of INCONSISTENT) {
  Deno.test(`parseHumanReview() refuses a review that is ${what}`, PURE, () => {
    const review = { ...buildHumanReview(digestOf("a")), ...part };
    assertThrows(() => parseHumanReview(review), KprovError);
  });
}
