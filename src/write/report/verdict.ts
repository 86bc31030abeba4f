import type { HumanReview } from "../../evidence/human_review.ts";
import type { RunSummary } from "../../evidence/run_summary.ts";
import type { Finding } from "../../finding.ts";
import { renderDataTable } from "./data_table.ts";
import {
  countOf,
  describeTotals,
  renderBadge,
  renderDigest,
  renderFacts,
  renderTime,
  type Tone,
} from "./figures.ts";
import { type Html, markup } from "./markup.ts";
import { type Check, CHECKS, explainCode } from "./plain_words.ts";
import type { ReportedRun } from "./reported_run.ts";

/**
 * What verify says of a run: first the verdict, then what was checked, then every finding.
 *
 * @param run The run
 */
export function renderVerdict(run: ReportedRun): Html {
  const { findings } = run;
  return markup`
    ${renderHeadline(findings)}${renderFacts(listHeadlines(run))}
    <h3>What was checked</h3>
    <ul class="checks">
      ${CHECKS.map((check) => renderCheck(check, run))}</ul>
    ${findings.length === 0 ? [] : [renderFindings(findings)]}
    <h3>What this does not show</h3>
    <p>The documents are not signed here: whoever can rewrite a whole run can make one that verifies.
      Keep the evidence digest where nobody can change it, or sign provenance.json. The files
      themselves were not read for this page; the commands below do that. Source, policy, permissions
      and what the command printed are as kprov recorded them: nothing else in the run confirms
      them.</p>
  `;
}

function renderHeadline(findings: readonly Finding[]): Html {
  if (findings.length === 0) {
    return markup`
      <div class="verdict good">
        <p class="headline">This run verifies.</p>
        <p>Its four documents are complete, unchanged in form, and agree with each other.</p>
      </div>
    `;
  }
  return markup`
    <div class="verdict bad">
      <p class="headline">This run does not verify: ${countOf(findings.length, "finding")}.</p>
      <p>Do not rely on it. What stands below is what its documents say, as far as they can be
        read; nothing of it is confirmed.</p>
    </div>
  `;
}

function listHeadlines({ documents, digests }: ReportedRun): [string, Html][] {
  const summary = documents["run_summary.json"];
  const review = documents["human_review.json"];
  const evidence = digests["provenance.json"];
  return [
    ...(summary === undefined ? [] : listSummary(summary)),
    ...(review === undefined ? [] : [["Review", renderStanding(review)] as [string, Html]]),
    ...(evidence === undefined
      ? []
      : [["Evidence digest (SHA-256)", renderDigest(evidence)] as [string, Html]]),
  ];
}

function listSummary(summary: RunSummary): [string, Html][] {
  return [
    ["Made at", renderTime(summary.created_at)],
    ["Outcome", renderOutcome(summary)],
    ["Went in", markup`${describeTotals(summary.inputs)}`],
    ["Came out", markup`${describeTotals(summary.products)}`],
  ];
}

/** How the run ended. */
export function renderOutcome({ outcome, exit_code }: RunSummary): Html {
  return outcome === "completed"
    ? renderBadge("good", "completed")
    : markup`${renderBadge("bad", "command failed")} with exit code ${exit_code}`;
}

const STANDINGS: Readonly<Record<HumanReview["status"], readonly [tone: Tone, word: string]>> = {
  PENDING: ["open", "PENDING"],
  APPROVED: ["good", "APPROVED"],
  REJECTED: ["bad", "REJECTED"],
};

/** Where a review stands, and by whom. */
export function renderStanding({ status, reviewer, reviewed_at }: HumanReview): Html {
  const badge = renderBadge(...STANDINGS[status]);
  if (reviewer === null || reviewed_at === null) return markup`${badge} nobody has decided yet`;
  return markup`${badge} by ${reviewer}, ${renderTime(reviewed_at)}`;
}

function renderCheck({ claim, codes, needsAll }: Check, run: ReportedRun): Html {
  const count = run.findings.filter(({ code }) => codes.includes(code)).length;
  const badge = count > 0
    ? renderBadge("bad", countOf(count, "finding"))
    : needsAll && run.run === null
    ? renderBadge("open", "not checked")
    : renderBadge("good", "holds");
  return markup`<li><span>${badge}</span><span>${claim}</span></li>\n`;
}

function renderFindings(findings: readonly Finding[]): Html {
  return renderDataTable(findings, {
    id: "findings",
    caption: "Findings",
    columns: [
      { title: "Where", kind: "name" },
      { title: "What is wrong", kind: "prose" },
      { title: "What it means", kind: "prose" },
      { title: "Code", kind: "text" },
    ],
    toCells: ({ path, line, code, message, hint }) => [
      `${path ?? "the run"}${line === null ? "" : `:${line}`}`,
      markup`${message}${hint === null ? "" : `; ${hint}`}`,
      explainCode(code),
      markup`<code>${code}</code>`,
    ],
    whole: "what kprov verify prints",
  });
}
