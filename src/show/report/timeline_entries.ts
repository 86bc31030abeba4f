import { shellQuote } from "../../base/quote.ts";
import { type Change, CHANGE_KINDS, type ChangeKind } from "../../evidence/diff.ts";
import { countChanges, joinWords, KIND_NAMES } from "../results.ts";
import {
  countOf,
  describeTotals,
  type Html,
  markup,
  renderBadge,
  renderDigest,
  renderFacts,
} from "./html.ts";
import type { ChangeGroup, TimelineEntry, VerifiedContent } from "./timeline.ts";
import { explainCode, judgeRun, renderOutcome, renderStanding } from "./verdict.ts";

/** A page with the details of more runs than this is not read any more; the table lists all. */
export const MOST_DETAILED = 500;

/**
 * The runs with what is wrong with each, what changed and who decided, newest first.
 *
 * @param entries The timeline, oldest first
 */
export function renderEntries(entries: readonly TimelineEntry[]): Html {
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
export function describeChanges({ since }: VerifiedContent): string {
  if (since === null) return "the first";
  if (since.changes.length === 0) return "nothing";
  return joinWords(since.changes.map(({ kind, count }) => countChanges(kind, count)));
}

function renderEntry(entry: TimelineEntry, number: number): Html {
  const { name, verified } = entry;
  const tone = verified === null ? "bad" : judgeRun(verified.summary, verified.review);
  const content = verified === null ? renderFailure(entry) : renderVerified(name, verified);
  const step = verified === null
    ? renderBadge("bad", "does not verify")
    : markup`<span class="step">${verified.step}</span>`;
  return markup`
    <li id="run-${number}" class="${tone}">
      <h3>${name} ${step}</h3>
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
      ["Integrity", renderBadge("good", "verified")],
      ["Outcome", renderOutcome(summary)],
      [
        "Went in, came out",
        markup`${describeTotals(summary.inputs)}; ${describeTotals(summary.products)}`,
      ],
      ["Review", renderStanding(review)],
      ["Evidence digest", renderDigest(summary.evidence_digest)],
      [
        "Changed since the run before of its step",
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
const ROWS = CHANGE_KINDS.length + 3;

/**
 * Draws runs from left to right: whether each verifies, what changed since the one before, and which
 * decision it holds.
 *
 * @param entries The timeline, oldest first
 */
export function renderTimelinePicture(entries: readonly TimelineEntry[]): Html {
  const drawn = entries.slice(-MOST_DRAWN);
  const [width, height] = [LEFT + Math.max(drawn.length, 12) * STEP, ROWS * ROW + 30];
  const rows = ["Verified", "Completed", ...CHANGE_KINDS.map((kind) => LABELS[kind]), "Decision"];
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
    <p class="note">A tick: it is so; a cross: it is not; a ring: nobody saw how it ended. A large dot: something of this
      kind changed since the run before of the same step; a small one: nothing did. A: approved, R: rejected, a small
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
  const outcome = verified?.summary.outcome;
  const marks = [
    renderMark(verified !== null, middle, 0),
    ...(outcome === undefined
      ? []
      : outcome === "not_observed"
      ? [markup`<circle class="mark open" cx="${middle}" cy="${ROW + 13}" r="5"/>`]
      : [renderMark(outcome === "completed", middle, ROW)]),
  ];
  const changed = new Set(verified?.since?.changes.map(({ kind }) => kind));
  const cells = verified === null || verified.since === null
    ? []
    : CHANGE_KINDS.map((kind, i) => renderDot(changed.has(kind), middle, (i + 2) * ROW + 13));
  const decision = drawDecision(verified?.review.status, middle, (ROWS - 1) * ROW);
  return markup`<g><title>${name}</title>${marks}${cells}${decision}</g>\n`;
}

/** A tick or a cross. */
function renderMark(isGood: boolean, x: number, y: number): Html {
  return isGood
    ? markup`<path class="mark good" d="M${x - 6} ${y + 13}l4 5l8 -10"/>`
    : markup`<path class="mark bad" d="M${x - 5} ${y + 8}l10 10m0 -10l-10 10"/>`;
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
