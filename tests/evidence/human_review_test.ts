import fc from "fast-check";
import {
  compareUtf8,
  type HumanReview,
  KprovError,
  parseHumanReview,
  recordDecision,
  type ReviewDecision,
  type ReviewStatus,
} from "../../mod.ts";
import { buildHumanReview, describeApprovals } from "../../src/evidence/human_review.ts";
import { assertEquals, assertThrows } from "../assert.ts";
import { digestOf } from "../sample_facts.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const DECISION: ReviewDecision = {
  status: "APPROVED",
  reviewer: "Ada Lovelace",
  reviewed_at: "2026-02-15T20:13:00Z",
  meaning: null,
  note: null,
};

/** When the run was made. */
const MADE_AT = "2024-02-29T00:00:00Z";

Deno.test("recordDecision() keeps every earlier decision, oldest first", PURE, () => {
  const decisions = fc.array(fc.record<ReviewDecision>({
    status: fc.constantFrom("APPROVED", "REJECTED"),
    reviewer: fc.constantFrom("Ada", "Grace Höpper", "李"),
    reviewed_at: fc.constantFrom("2026-02-15T20:13:00Z", MADE_AT),
    meaning: fc.constantFrom(null, "authored", "responsible"),
    note: fc.constantFrom(null, "because"),
  }));
  fc.assert(fc.property(decisions, (unordered) => {
    const all = unordered.toSorted((a, b) => compareUtf8(a.reviewed_at, b.reviewed_at));
    const fresh = buildHumanReview(digestOf("a"));
    const review = all.reduce<HumanReview>(
      (before, decision) => recordDecision(before, decision, MADE_AT),
      fresh,
    );
    const last = all.at(-1);
    assertEquals(review.history, all.slice(0, -1));
    assertEquals(review.status, last?.status ?? "PENDING");
    assertEquals(review.note, last?.note ?? null);
    assertEquals(review.meaning, last?.meaning ?? null);
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
    const error = assertThrows(
      () => recordDecision(fresh, { ...DECISION, ...part }, MADE_AT),
      KprovError,
    );
    assertEquals(error.code, "data");
  });
}

Deno.test(
  "recordDecision() refuses a time before the run, or before the last decision",
  PURE,
  () => {
    const fresh = buildHumanReview(digestOf("a"));
    const at = DECISION.reviewed_at;
    const decided = recordDecision(fresh, DECISION, at);
    assertEquals(recordDecision(decided, DECISION, at).history.length, 1);
    const early = { ...DECISION, reviewed_at: "2026-02-15T20:12:59Z" };
    assertThrows(
      () => recordDecision(fresh, early, at),
      KprovError,
      "Cannot record the decision: the time 2026-02-15T20:12:59Z is before that of the run, " + at,
    );
    assertThrows(
      () => recordDecision(decided, early, MADE_AT),
      KprovError,
      "is before that of the earlier decision, " + at,
    );
  },
);

const INCONSISTENT: readonly (readonly [string, Partial<HumanReview>])[] = [
  ["pending with a reviewer", { reviewer: "Ada" }],
  ["pending with a note", { note: "a" }],
  ["pending with a meaning", { meaning: "reviewed" }],
  ["approved by nobody", { status: "APPROVED", reviewed_at: DECISION.reviewed_at }],
  ["approved at no time", { status: "APPROVED", reviewer: "Ada" }],
];

for (const [what, part] of INCONSISTENT) {
  Deno.test(`parseHumanReview() refuses a review that is ${what}`, PURE, () => {
    const review = { ...buildHumanReview(digestOf("a")), ...part };
    assertThrows(() => parseHumanReview(review), KprovError);
  });
}

Deno.test("describeApprovals() tells a rejected run from one that nobody reviewed", PURE, () => {
  const describe = (review: ReviewStatus, approvals: number): string =>
    describeApprovals({ review, approvals }, 2);
  assertEquals(describe("PENDING", 0), "nobody has reviewed the run");
  assertEquals(describe("REJECTED", 1), "the run is rejected");
  assertEquals(describe("APPROVED", 1), "it has 1 of 2 approvals");
});
