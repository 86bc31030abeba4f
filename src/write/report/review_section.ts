import type { ReviewDecision } from "../../evidence/human_review.ts";
import { renderDataTable } from "./data_table.ts";
import { renderFacts, renderOptional, renderTime } from "./figures.ts";
import { type Html, markup } from "./markup.ts";
import type { ReportedRun } from "./reported_run.ts";
import { renderStanding } from "./verdict.ts";

/**
 * Which decision stands, and which ones were taken before it.
 *
 * @param run The run
 */
export function renderReview({ documents }: ReportedRun): Html {
  const review = documents["human_review.json"];
  if (review === undefined) {
    return markup`<p>Cannot be told: human_review.json cannot be read.</p>\n`;
  }
  const facts = renderFacts([
    ["The decision that stands", renderStanding(review)],
    ...(review.status === "PENDING"
      ? []
      : [["Note", renderOptional(review.note)] as [string, Html]]),
  ]);
  if (review.history.length === 0) return markup`${facts}<p>There was no earlier decision.</p>\n`;
  const table = renderDataTable(review.history, {
    id: "history-table",
    caption: "Earlier decisions",
    columns: [
      { title: "When", kind: "text" },
      { title: "Decision", kind: "text" },
      { title: "Reviewer", kind: "text" },
      { title: "Note", kind: "text" },
    ],
    toCells: ({ status, reviewer, reviewed_at, note }: ReviewDecision) => [
      renderTime(reviewed_at),
      status,
      reviewer,
      renderOptional(note),
    ],
    whole: "human_review.json",
  });
  return markup`${facts}${table}`;
}
