import type { Finding } from "../../base/error.ts";
import { shellQuote } from "../../base/quote.ts";
import { sha256Hex } from "../../base/canonical_json.ts";
import { formatBytes } from "../../base/std.ts";
import type { DocumentName, DocumentTypes, Run } from "../../evidence/documents.ts";
import type { HumanReview } from "../../evidence/human_review.ts";
import { type FileDescriptor, listProducts, type Provenance } from "../../evidence/provenance.ts";
import {
  type FileTotals,
  type RunSummary,
  type Source,
  sumDescriptors,
} from "../../evidence/run_summary.ts";
import { describeOutcome, describeReview } from "../text.ts";
import {
  countOf,
  embedSource,
  type Html,
  joinHtml,
  markup,
  renderBadge,
  renderDataTable,
  renderDigest,
  renderFacts,
  renderOptional,
  renderTime,
  type Tone,
} from "./html.ts";
import PAGE_STYLE from "./report.css" with { type: "text" };
import PAGE_SCRIPT from "./report.js" with { type: "text" };

/** What verify says of a run: first the verdict, then what was checked, then every finding. */
export function renderVerdict(run: ReportedRun): Html {
  const { findings } = run;
  return markup`
    ${renderRunHeadline(run)}${renderFacts(listHeadlines(run))}
    <h3>What was checked</h3>
    <ul class="checks">
      ${CHECKS.map((check) => renderCheck(check, run))}</ul>
    ${findings.length === 0 ? [] : [renderFindings(findings)]}
    <h3>What this does not show</h3>
    <p>The documents are not signed here: whoever can rewrite a whole run can make one that verifies.
      Keep the evidence digest where nobody can change it, or sign provenance.json. The files
      themselves were not read for this page; the commands below do that. Source, policy, permissions
      and the output of the command are as kprov recorded them: nothing else in the run confirms
      them.</p>
  `;
}

/** The one line that tells how all stands, with what it means; the tone is that of its worst part. */
export function renderHeadline(
  parts: readonly string[],
  tone: Tone,
  meaning: readonly string[],
): Html {
  return markup`
    <div class="verdict ${tone}">
      <p class="headline">${
    joinHtml(parts.map((part) => markup`<span>${part}</span>`), " \u00b7 ")
  }</p>
      ${meaning.map((text) => markup`<p>${text}</p>\n`)}</div>
  `;
}

/** How a run stands that verifies: good is only what completed and was approved. */
export function judgeRun(
  { outcome }: Pick<RunSummary, "outcome">,
  { status }: Pick<HumanReview, "status">,
): Tone {
  if (outcome === "command_failed" || status === "REJECTED") return "bad";
  return outcome === "completed" && status === "APPROVED" ? "good" : "open";
}

function renderRunHeadline({ findings, documents }: ReportedRun): Html {
  const { "run_summary.json": summary, "human_review.json": review } = documents;
  if (findings.length > 0 || summary === undefined || review === undefined) {
    return renderHeadline(["Does not verify", countOf(findings.length, "finding")], "bad", [
      "Do not rely on it. Below is what its documents say, as far as they can be read; " +
      "nothing of it is confirmed.",
    ]);
  }
  const parts = [
    "Verified",
    describeOutcome(summary.outcome, summary.exit_code),
    describeReview(review.status),
  ];
  return renderHeadline(parts, judgeRun(summary, review), [
    "Its four documents are complete, unchanged in form, and agree with each other. " +
    (summary.outcome === "command_failed" ? "The command failed. " : "") +
    DECISIONS[review.status],
  ]);
}

const DECISIONS: Readonly<Record<HumanReview["status"], string>> = {
  PENDING: "Nobody has reviewed it yet.",
  APPROVED: "Somebody reviewed exactly this evidence, and approved it.",
  REJECTED: "Somebody reviewed exactly this evidence, and rejected it.",
};

/** Which decision stands, and which ones were taken before it. */
export function renderReview({ name, findings, documents }: ReportedRun): Html {
  const review = documents["human_review.json"];
  if (review === undefined) return renderUnreadable("human_review.json");
  const facts = renderFacts([
    ["The current decision", renderStanding(review)],
    ...(review.status === "PENDING" ? [] : [
      ["Meaning", renderOptional(review.meaning)] as const,
      ["Note", renderOptional(review.note)] as const,
    ]),
  ]);
  if (review.status === "PENDING" && findings.length === 0) {
    return markup`${facts}<h3>Approve or reject it</h3>
<pre tabindex="0"><code>${describeReviewCommand(name)}</code></pre>
<pre tabindex="0"><code>${describeReviewCommand(name, "reject")}</code></pre>
`;
  }
  if (review.history.length === 0) return markup`${facts}<p>There was no earlier decision.</p>\n`;
  const table = renderDataTable(review.history, {
    id: "history-table",
    caption: "Earlier decisions",
    columns: ["When", "Decision", "Reviewer", "Meaning", "Note"],
    toCells: ({ status, reviewer, reviewed_at, meaning, note }) => [
      renderTime(reviewed_at),
      status,
      reviewer,
      renderOptional(meaning),
      renderOptional(note),
    ],
    whole: "human_review.json",
  });
  return markup`${facts}${table}`;
}

/** The command by which a person decides about a run. */
export function describeReviewCommand(
  name: string,
  decision: "approve" | "reject" = "approve",
): string {
  const note = decision === "approve" ? "" : " --note 'WHY'";
  return `kprov review ${shellQuote(`runs/${name}`)} --${decision} --reviewer 'YOUR NAME'${note}`;
}

/** Where the inputs came from, for the head of a page; undefined where that cannot be read. */
export function renderSource(source: Source | null | undefined, whose: string | null): Html {
  const of = whose === null ? "" : ` of ${whose}`;
  if (source === undefined) return markup`<p class="source">Source${of}: unknown</p>\n`;
  if (source === null) return markup`<p class="source">Source${of}: not in a repository</p>\n`;
  const { repository, commit, state } = source;
  return markup`
    <p class="source">Source${of}: ${repository ?? "a repository without an address"} at commit
      <code>${commit ?? "none"}</code>, ${SOURCE_STATES[state]}</p>
  `;
}

const SOURCE_STATES: Readonly<Record<Source["state"], string>> = {
  committed: "and the inputs are the same as in it",
  modified: "but not all inputs are the same as in it",
  unknown: "which was not compared with the inputs",
};

function listHeadlines({ documents, digests }: ReportedRun): [string, Html][] {
  const summary = documents["run_summary.json"];
  const review = documents["human_review.json"];
  const evidence = digests["provenance.json"];
  return [
    ...(summary === undefined ? [] : listSummary(summary, documents["provenance.json"])),
    ...(review === undefined ? [] : [["Review", renderStanding(review)] as [string, Html]]),
    ...(evidence === undefined
      ? []
      : [["Evidence digest (SHA-256)", renderDigest(evidence)] as [string, Html]]),
  ];
}

function listSummary(summary: RunSummary, provenance?: Provenance): [string, Html][] {
  const inputs = provenance?.predicate.buildDefinition.resolvedDependencies ?? [];
  const products = provenance === undefined ? [] : listProducts(provenance);
  return [
    ["Made at", renderTime(summary.created_at)],
    ["Outcome", renderOutcome(summary)],
    ["Went in", markup`${describeTotals(summary.inputs, countLinks(inputs))}`],
    ["Came out", markup`${describeTotals(summary.products, countLinks(products))}`],
  ];
}

/** How the run ended. */
export function renderOutcome({ outcome, exit_code }: RunSummary): Html {
  if (outcome === "completed") return renderBadge("good", "completed");
  if (exit_code === null) {
    return markup`${renderBadge("open", "not observed")} the end of the command was not observed`;
  }
  return markup`${renderBadge("bad", "command failed")} with exit code ${exit_code}`;
}

/** Where a review stands. */
export function renderStatus({ status }: HumanReview): Html {
  const tones = { PENDING: "open", APPROVED: "good", REJECTED: "bad" } as const;
  return renderBadge(tones[status], status);
}

/** Where a review stands, and by whom. */
export function renderStanding(review: HumanReview): Html {
  const { reviewer, reviewed_at } = review;
  const badge = renderStatus(review);
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
      "Code",
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

/** A check of verify in plain words, with the codes of the findings by which it fails. */
interface Check {
  /** What holds where nothing is found. */
  readonly claim: string;
  /** The codes of its findings. */
  readonly codes: readonly string[];
  /** Whether it holds documents against each other, and so needs all four. */
  readonly needsAll: boolean;
}

/** What verify checks, in its order. */
export const CHECKS: readonly Check[] = [
  {
    claim: "The run holds exactly its four documents, and nothing else.",
    codes: ["document.missing", "document.unexpected"],
    needsAll: false,
  },
  {
    claim:
      "Each document can be read in only one way, fits its schema, and has the bytes that kprov writes.",
    codes: ["document.malformed", "document.old_form", "document.schema", "document.not_canonical"],
    needsAll: false,
  },
  {
    claim: "provenance.json was made with this toolchain.json: it names it by its digest.",
    codes: ["evidence.toolchain_mismatch"],
    needsAll: true,
  },
  {
    claim: "The review names this evidence and no other, and its times are possible.",
    codes: ["review.foreign", "review.misdated"],
    needsAll: true,
  },
  {
    claim:
      "Everything in run_summary.json that can be computed again is true: digests, totals, times, outcome.",
    codes: ["summary.mismatch"],
    needsAll: true,
  },
  {
    claim:
      "Every file is listed once, in order, and is in one of the given paths; the subject is " +
      "what came out.",
    codes: [
      "names.duplicate",
      "names.unsorted",
      "names.below_file",
      "names.uncovered",
      "names.other_shard",
      "exclude.malformed",
      "subject.mismatch",
    ],
    needsAll: true,
  },
];

/** What each code of verify means for somebody who does not read the documents. */
const MEANINGS: Readonly<Record<string, string>> = {
  "document.missing": "A document of the run is missing. The run cannot be judged without it.",
  "document.unexpected": "Somebody put a file into the run directory that kprov did not write.",
  "document.malformed": "A document cannot be read, or could be read in two ways.",
  "document.old_form": "An earlier version of kprov wrote the document. That version can judge it.",
  "document.schema": "A document says something that kprov never writes, or leaves something out.",
  "document.not_canonical": "The bytes of a document were changed after kprov wrote it.",
  "evidence.toolchain_mismatch":
    "The evidence belongs to another toolchain.json: one of the two was changed or exchanged.",
  "review.foreign":
    "The decision is about other evidence: it was moved here, or the evidence was changed afterwards.",
  "review.misdated": "A decision is dated before the run that it judges, or before an earlier one.",
  "summary.mismatch": "The summary says something that the evidence contradicts.",
  "names.duplicate": "A file is listed twice.",
  "names.unsorted": "The files are not listed in the order in which kprov lists them.",
  "names.below_file": "A file is listed, and another one below it, as if it were a directory.",
  "exclude.malformed": "A recorded exclusion is not a valid pattern.",
  "names.uncovered": "The listed files are not those of the given paths.",
  "names.other_shard":
    "The run is a part of a larger one, and a file in it belongs to another part.",
  "subject.mismatch": "The subject of the run is not what came out of it.",
};

/** What a finding means. */
export function explainCode(code: string): string {
  return MEANINGS[code] ?? "The run is not as kprov wrote it.";
}

/** A part of the page with its own heading. */
interface Section {
  /** What the navigation points at. */
  readonly id: string;
  readonly title: string;
  readonly content: Html;
}

/** A page. */
interface Page {
  /** It is the first heading too. */
  readonly title: string;
  /** What kind of page it is, above the title. */
  readonly kind: string;
  /** Where the inputs came from, below the title. */
  readonly source: Html;
  /** Its parts, in their order. */
  readonly sections: readonly Section[];
  /** The kprov that writes it. */
  readonly kprov: string;
}

/**
 * Renders a page that needs nothing but itself: its one style sheet and its one script stand in it,
 * named by their digests in a content security policy that lets through nothing else (CSP Level 3,
 * https://www.w3.org/TR/CSP3/).
 */
export function renderPage({ title, kind, source, sections, kprov }: Page): string {
  return String(markup`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="${renderPolicy()}">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="referrer" content="no-referrer">
        <meta name="robots" content="noindex">
        <title>${title}</title>
        <style>${embedSource(PAGE_STYLE)}</style>
        <script>${embedSource(PAGE_SCRIPT)}</script>
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header>
          <p class="kind">${kind}</p>
          <h1>${title}</h1>
          ${source}
          <nav aria-label="Parts of this page">
            <ul>
              ${
    sections.map(({ id, title }) => markup`<li><a href="#${id}">${title}</a></li>\n`)
  }</ul>
          </nav>
        </header>
        <main id="content" tabindex="-1">
          ${sections.map(renderSection)}</main>
        <footer>
          <p>Written by kprov ${kprov} from these documents alone: the same documents
            give the same page, to the byte. The page loads nothing and sends nothing.</p>
        </footer>
      </body>
    </html>
  `);
}

function renderSection({ id, title, content }: Section): Html {
  return markup`
    <section id="${id}" aria-labelledby="${id}-title">
      <h2 id="${id}-title">${title}</h2>
      ${content}</section>
  `;
}

function renderPolicy(): string {
  return [
    "default-src 'none'",
    `style-src 'sha256-${toBase64(sha256Hex(PAGE_STYLE))}'`,
    `script-src 'sha256-${toBase64(sha256Hex(PAGE_SCRIPT))}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

function toBase64(hex: string): string {
  const bytes = hex.match(/../g)?.map((pair) => Number.parseInt(pair, 16)) ?? [];
  return btoa(String.fromCharCode(...bytes));
}

/** A run as a page shows it: with what is wrong, and with those documents that can be read. */
export interface ReportedRun {
  /** The run directory's name. */
  readonly name: string;
  /** What verify finds, sorted; none where the run verifies. */
  readonly findings: readonly Finding[];
  /** The run, where all its documents have their form. */
  readonly run: Run | null;
  /** The documents that have their form. */
  readonly documents: Partial<DocumentTypes>;
  /** Digests of the bytes of the documents that are well-formed. */
  readonly digests: Partial<Readonly<Record<DocumentName, string>>>;
}

/** The inputs of a run, counted anew. */
export function totalInputs(provenance: Provenance): FileTotals {
  const { resolvedDependencies } = provenance.predicate.buildDefinition;
  return sumDescriptors(resolvedDependencies);
}

/** Files, and the links that are among them, with their size, such as `2 files, 1.34 kB`. */
export function describeTotals({ count, bytes }: FileTotals, links = 0): string {
  const files = links > 0 && links === count ? [] : [countOf(count - links, "file")];
  return [...files, ...(links > 0 ? [countOf(links, "link")] : []), formatBytes(bytes)].join(", ");
}

/** What stands in place of a part of the page whose document cannot be read. */
export function renderUnreadable(name: DocumentName): Html {
  return markup`<p>Unknown: ${name} cannot be read.</p>\n`;
}

/** How many links are among files. */
export function countLinks(files: readonly FileDescriptor[]): number {
  return files.filter(({ annotations }) => annotations.kind === "symlink").length;
}

/** The products of a run, or what a failed command left of them; null where they cannot be read. */
export function listReportedProducts({ documents }: ReportedRun): readonly FileDescriptor[] | null {
  const provenance = documents["provenance.json"];
  return provenance === undefined ? null : listProducts(provenance);
}
