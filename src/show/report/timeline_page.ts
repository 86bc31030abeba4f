import type { Finding } from "../../base/finding.ts";
import { shellQuote } from "../../base/quote.ts";
import { type Change, CHANGE_KINDS, type ChangeKind, diffRuns } from "../../evidence/diff.ts";
import type { Run } from "../../evidence/documents.ts";
import type { HumanReview } from "../../evidence/human_review.ts";
import type { RunSummary } from "../../evidence/run_summary.ts";
import { countChanges, joinWords, KIND_NAMES } from "../results.ts";
import {
  countOf,
  describeTotals,
  formatCount,
  type Html,
  markup,
  renderBadge,
  renderDataTable,
  renderDigest,
  renderFacts,
} from "./html.ts";
import { renderPage, type ReportedRun } from "./page.ts";
import { explainCode, renderOutcome, renderStanding } from "./verdict.ts";

/** Of a run's findings, and of each kind of its changes, a timeline shows the first ones. */
export const MOST_DETAILS = 5;

/** The changes of one kind. */
interface ChangeGroup {
  /** What they are changes of. */
  readonly kind: ChangeKind;
  /** How many there are. */
  readonly count: number;
  /** The first of them. */
  readonly first: readonly Change[];
}

/** What a timeline shows of a run: little, so that hundreds of them fit into memory and on a page. */
interface TimelineEntry {
  /** The run directory's name. */
  readonly name: string;
  /** How many findings verify has. */
  readonly findingCount: number;
  /** The first of them. */
  readonly findings: readonly Finding[];
  /** The content of a run that verifies; of another nothing is taken at its word. */
  readonly verified: VerifiedContent | null;
}

/** What a timeline shows of a run that verifies. */
interface VerifiedContent {
  /** The circumstances. */
  readonly summary: RunSummary;
  /** Who judged it. */
  readonly review: HumanReview;
  /** The run before it that verifies, and what changed since; null for the first one. */
  readonly since: { readonly name: string; readonly changes: readonly ChangeGroup[] } | null;
}

/**
 * Makes a timeline of runs. Each run is compared with the one before it that verifies, and let go.
 *
 * @param runs In the order of their making; read one after the other
 */
export function buildTimeline(runs: Iterable<ReportedRun>): TimelineEntry[] {
  const entries: TimelineEntry[] = [];
  let before: { readonly name: string; readonly run: Run } | null = null;
  for (const reported of runs) {
    const { name, findings } = reported;
    const run = findings.length === 0 ? reported.run : null;
    const since = before === null || run === null
      ? null
      : { name: before.name, changes: groupChanges(diffRuns(before.run, run)) };
    entries.push({
      name,
      findingCount: findings.length,
      findings: findings.slice(0, MOST_DETAILS),
      verified: run === null ? null : {
        summary: run.documents["run_summary.json"],
        review: run.documents["human_review.json"],
        since,
      },
    });
    if (run !== null) before = { name, run };
  }
  return entries;
}

/** A decision, with the run that it was taken about. */
interface StandingDecision {
  /** The run's name. */
  readonly name: string;
  /** The review that holds the decision. */
  readonly review: HumanReview;
}

/**
 * The decision that stands about some evidence: the latest of those that runs over it hold. Runs that
 * are alike to the byte are one piece of evidence, whichever of them was judged.
 *
 * @param entries The timeline
 * @param evidenceDigest Which evidence; null for any
 * @returns Null where nobody has decided
 */
export function findStandingDecision(
  entries: readonly TimelineEntry[],
  evidenceDigest: string | null,
): StandingDecision | null {
  let standing: StandingDecision | null = null;
  for (const { name, verified } of entries) {
    if (verified === null || verified.review.status === "PENDING") continue;
    const { review } = verified;
    if (evidenceDigest !== null && review.evidence_digest !== evidenceDigest) continue;
    const isLater = (review.reviewed_at ?? "") >= (standing?.review.reviewed_at ?? "");
    if (isLater) standing = { name, review };
  }
  return standing;
}

function groupChanges(changes: readonly Change[]): ChangeGroup[] {
  return CHANGE_KINDS
    .map((kind) => ({ kind, members: changes.filter((change) => change.kind === kind) }))
    .filter(({ members }) => members.length > 0)
    .map(({ kind, members }) => ({
      kind,
      count: members.length,
      first: members.slice(0, MOST_DETAILS),
    }));
}

/**
 * Renders a directory of runs as a page for people. Equal runs give equal bytes.
 *
 * @param entries The timeline, oldest first
 * @param kprov The version of the kprov that writes the page
 * @returns An HTML document
 */
export function renderTimelineReport(entries: readonly TimelineEntry[], kprov: string): string {
  return renderPage({
    kind: "kprov: timeline of runs",
    title: describeSpan(entries),
    kprov,
    sections: [
      { id: "verdict", title: "Verdict", content: renderVerdict(entries) },
      { id: "decision", title: "Which decision stands", content: renderDecision(entries) },
      { id: "picture", title: "What changed", content: renderTimelinePicture(entries) },
      { id: "runs", title: "All runs", content: renderTable(entries) },
      { id: "timeline", title: "Run by run", content: renderEntries(entries) },
      { id: "recheck", title: "Check it yourself", content: renderRecheck(entries) },
    ],
  });
}

/** How many runs, and of which days. */
function describeSpan(entries: readonly TimelineEntry[]): string {
  const total = countOf(entries.length, "run");
  const [first, last] = [entries[0], entries.at(-1)].map((entry) => entry?.name.slice(0, 10) ?? "");
  return first === last ? `${total} of ${first}` : `${total}, ${first} to ${last}`;
}

function renderVerdict(entries: readonly TimelineEntry[]): Html {
  const failed = entries.filter(({ verified }) => verified === null);
  if (failed.length === 0) {
    const total = formatCount(entries.length);
    return markup`
      <div class="verdict good">
        <p class="headline">${
      entries.length === 1 ? "The run verifies." : `All ${total} runs verify.`
    }</p>
        <p>The documents of each are complete, unchanged in form, and agree with each other.</p>
      </div>
    `;
  }
  return markup`
    <div class="verdict bad">
      <p class="headline">${formatCount(failed.length)} of ${countOf(entries.length, "run")} ${
    failed.length === 1 ? "does" : "do"
  } not verify.</p>
      <p>Do not rely on what such a run says. It is not compared with its neighbours, and a decision
        in it does not stand.</p>
    </div>
  `;
}

function renderDecision(entries: readonly TimelineEntry[]): Html {
  const newest = entries.findLast(({ verified }) => verified !== null);
  if (newest === undefined || newest.verified === null) {
    return markup`<p>None: no run verifies.</p>\n`;
  }
  const digest = newest.verified.summary.evidence_digest;
  const about = findStandingDecision(entries, digest);
  const latest = findStandingDecision(entries, null);
  return renderFacts([
    ["Newest run that verifies", markup`<code>${newest.name}</code>`],
    ["Its evidence", renderDigest(digest)],
    [
      "Decision about this evidence",
      about === null
        ? markup`${renderBadge("open", "PENDING")} nobody has decided yet`
        : markup`${renderStanding(about.review)}, in run <code>${about.name}</code>`,
    ],
    ...(latest === null || latest === about || latest.name === about?.name ? [] : [
      [
        "Latest decision, about other evidence",
        markup`${renderStanding(latest.review)}, in run <code>${latest.name}</code>`,
      ] as [string, Html],
    ]),
  ]);
}

function renderTable(entries: readonly TimelineEntry[]): Html {
  return renderDataTable(entries, {
    id: "runs-table",
    caption: "Runs",
    columns: [
      { title: "Run", kind: "name" },
      "Verdict",
      { title: "Inputs", kind: "number" },
      { title: "Products", kind: "number" },
      "Changed since the run before",
      "Decision",
      "Evidence",
    ],
    toCells: ({ name, verified, findingCount }) =>
      verified === null
        ? [name, renderBadge("bad", countOf(findingCount, "finding")), "", "", "", "", ""]
        : [
          name,
          renderBadge("good", "verifies"),
          formatCount(verified.summary.inputs.count),
          formatCount(verified.summary.products.count),
          describeChanges(verified),
          verified.review.status,
          markup`<code>${verified.summary.evidence_digest.slice(0, 12)}…</code>`,
        ],
    whole: "the directory of runs",
  });
}

function renderRecheck(entries: readonly TimelineEntry[]): Html {
  const newest = shellQuote(`runs/${entries.at(-1)?.name ?? ""}`);
  return markup`
    <p>For a shell in the directory that the names of the files start from, with the runs in
      <code>runs</code>; where either lies elsewhere, put its path for <code>.</code> and
      <code>runs</code>.</p>
    <h3>Check the documents of every run again</h3>
    <pre tabindex="0"><code>kprov verify runs</code></pre>
    <h3>Read every input and product of the newest run again</h3>
    <pre tabindex="0"><code>kprov verify ${newest} --root .</code></pre>
    <h3>Show the newest run as a page of its own</h3>
    <pre tabindex="0"><code>kprov report ${newest} --out report.html</code></pre>
  `;
}

/** A page with the details of more runs than this is not read any more; the table lists all. */
const MOST_DETAILED = 500;

/**
 * The runs with what is wrong with each, what changed and who decided, newest first.
 *
 * @param entries The timeline, oldest first
 */
function renderEntries(entries: readonly TimelineEntry[]): Html {
  const detailed = entries.map((entry, i) => ({ entry, number: i + 1 })).slice(-MOST_DETAILED);
  const items = detailed.reverse().map(({ entry, number }) => renderEntry(entry, number));
  const note = entries.length > MOST_DETAILED
    ? [
      markup`<p class="note">The newest ${MOST_DETAILED} runs in detail; the table lists all.</p>\n`,
    ]
    : [];
  return markup`
    ${note}<ol class="timeline" reversed start="${entries.length}">
      ${items}</ol>
  `;
}

/** What changed, in a few words. */
function describeChanges({ since }: VerifiedContent): string {
  if (since === null) return "the first run";
  if (since.changes.length === 0) return "nothing";
  return joinWords(since.changes.map(({ kind, count }) => countChanges(kind, count)));
}

function renderEntry(entry: TimelineEntry, number: number): Html {
  const { name, verified } = entry;
  const tone = verified === null ? "bad" : "good";
  const content = verified === null ? renderFailure(entry) : renderVerified(name, verified);
  return markup`
    <li id="run-${number}" class="${tone}">
      <h3>${name} ${renderBadge(tone, tone === "good" ? "verifies" : "does not verify")}</h3>
      ${content}</li>
  `;
}

function renderFailure({ findings, findingCount }: TimelineEntry): Html {
  const items = findings.map(({ path, line, code, message }) =>
    markup`<li><code>${path ?? "the run"}${line === null ? "" : `:${line}`}</code>: ${message}. ${
      explainCode(code)
    }</li>\n`
  );
  return markup`
    <p>${
    countOf(findingCount, "finding")
  }; nothing in this run is taken at its word, and a decision in it
      does not stand:</p>
    <ul>
      ${items}${renderRest(findingCount - findings.length)}</ul>
  `;
}

function renderVerified(name: string, content: VerifiedContent): Html {
  const { summary, review, since } = content;
  const groups = since?.changes ?? [];
  const isRepeated = since !== null && groups.length === 0;
  return markup`${
    renderFacts([
      ["Outcome", renderOutcome(summary)],
      [
        "Went in, came out",
        markup`${describeTotals(summary.inputs)}; ${describeTotals(summary.products)}`,
      ],
      ["Review", renderStanding(review)],
      ["Evidence digest", renderDigest(summary.evidence_digest)],
      [
        "Changed since the run before",
        markup`${describeChanges(content)}${
          isRepeated ? ": the evidence is the same to the byte" : ""
        }`,
      ],
    ])
  }${groups.map(renderGroup)}${
    since === null || groups.length === 0 ? [] : [renderCommand(since.name, name)]
  }`;
}

function renderGroup({ kind, count, first }: ChangeGroup): Html {
  return markup`
    <h4>${KIND_NAMES[kind][count === 1 ? 0 : 1]}</h4>
    <ul>
      ${first.map(renderChange)}${renderRest(count - first.length)}</ul>
  `;
}

function renderChange({ name, change, before, after }: Change): Html {
  const values = [before, after].filter((value) => value !== null && value !== "given");
  const shown = values.length === 0 || change !== "changed"
    ? []
    : [markup`: ${values.map((value) => abbreviate(value ?? "")).join(" → ")}`];
  return markup`<li>${change}: <code>${name}</code>${shown}</li>\n`;
}

/** Digests are told apart by their first digits; the command shows all of them. */
function abbreviate(value: string): string {
  return value.replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, "$1…");
}

function renderRest(count: number): Html {
  return count === 0 ? markup`` : markup`<li class="muted">and ${count} more</li>\n`;
}

function renderCommand(before: string, after: string): Html {
  const words = [before, after].map((name) => shellQuote(`runs/${name}`));
  return markup`<pre tabindex="0"><code>kprov diff ${words.join(" ")}</code></pre>\n`;
}

/** More runs than this are no picture any more; the newest are drawn. */
const MOST_DRAWN = 40;

const LABELS: Readonly<Record<ChangeKind, string>> = {
  input: "Inputs",
  product: "Products",
  outcome: "Outcome",
  parameter: "Parameters",
  runtime: "Runtimes",
  package: "Packages",
  toolchain: "Toolchain",
  policy: "Policy",
};

const LEFT = 96;
const STEP = 22;
const ROW = 26;
const ROWS = CHANGE_KINDS.length + 2;

/**
 * Draws runs from left to right: whether each verifies, what changed since the one before, and which
 * decision it holds.
 *
 * @param entries The timeline, oldest first
 */
function renderTimelinePicture(entries: readonly TimelineEntry[]): Html {
  const drawn = entries.slice(-MOST_DRAWN);
  const [width, height] = [LEFT + Math.max(drawn.length, 12) * STEP, ROWS * ROW + 30];
  const rows = ["Verifies", ...CHANGE_KINDS.map((kind) => LABELS[kind]), "Decision"];
  const [oldest, newest] = [drawn[0]?.name ?? "", drawn.at(-1)?.name ?? ""];
  const columns = drawn.map((entry, i) => renderColumn(entry, LEFT + i * STEP));
  const bound = entries.length > MOST_DRAWN ? ` The newest ${MOST_DRAWN} runs are drawn.` : "";
  return markup`
    <div class="scroll" role="region" aria-label="Picture of the timeline" tabindex="0">
      <svg class="strip" role="img" aria-labelledby="strip-title strip-desc"
        viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
        <title id="strip-title">What changed from run to run</title>
        <desc id="strip-desc">A column for each run, from ${oldest} to ${newest}; the table below says
          the same in words.</desc>
        ${rows.map(renderLabel)}${columns}${renderEnds(drawn.length)}</svg>
    </div>
    <p class="note">A tick: the run verifies; a cross: it does not. A large dot: something of this
      kind changed since the run before; a small one: nothing did. A: approved, R: rejected, a small
      dot: nobody has decided.${bound}</p>
  `;
}

/** In which direction time runs; a few runs leave room for one word only. */
function renderEnds(drawn: number): Html {
  const y = ROWS * ROW + 20;
  const newest = markup`<text class="label" x="${
    LEFT + drawn * STEP
  }" y="${y}" text-anchor="end">newest</text>\n`;
  return markup`<text class="label" x="${LEFT}" y="${y}">oldest</text>
${drawn > 4 ? [newest] : []}`;
}

function renderLabel(label: string, row: number): Html {
  return markup`<text x="0" y="${row * ROW + 18}">${label}</text>\n`;
}

function renderColumn({ name, verified }: TimelineEntry, x: number): Html {
  const middle = x + STEP / 2;
  const verdict = verified === null
    ? markup`<path class="mark bad" d="M${middle - 5} 8l10 10m0 -10l-10 10"/>`
    : markup`<path class="mark good" d="M${middle - 6} 13l4 5l8 -10"/>`;
  const changed = new Set(verified?.since?.changes.map(({ kind }) => kind));
  const cells = verified === null || verified.since === null
    ? []
    : CHANGE_KINDS.map((kind, i) => renderDot(changed.has(kind), middle, (i + 1) * ROW + 13));
  const decision = drawDecision(verified?.review.status, middle, (ROWS - 1) * ROW);
  return markup`<g><title>${name}</title>${verdict}${cells}${decision}</g>\n`;
}

function renderDot(isChanged: boolean, x: number, y: number): Html {
  return isChanged
    ? markup`<circle class="changed" cx="${x}" cy="${y}" r="6"/>`
    : markup`<circle class="unchanged" cx="${x}" cy="${y}" r="2"/>`;
}

function drawDecision(status: string | undefined, x: number, y: number): Html {
  if (status === undefined) return markup``;
  if (status === "PENDING") return renderDot(false, x, y + 13);
  const [tone, letter] = status === "APPROVED" ? ["good", "A"] : ["bad", "R"];
  return markup`<text class="${tone}" x="${x}" y="${y + 18}" text-anchor="middle">${letter}</text>`;
}
