import type { Finding } from "../../base/error.ts";
import { shellQuote } from "../../base/quote.ts";
import { type Change, CHANGE_KINDS, type ChangeKind, diffRuns } from "../../evidence/diff.ts";
import type { Run } from "../../evidence/documents.ts";
import type { HumanReview } from "../../evidence/human_review.ts";
import { Lineage } from "../../evidence/lineage.ts";
import { describeRun } from "../../evidence/lineage_records.ts";
import { listProducts, type Provenance } from "../../evidence/provenance.ts";
import type { RunSummary } from "../../evidence/run_summary.ts";
import { countChanges, joinWords, KIND_NAMES } from "../results.ts";
import { countOf, type Html, markup, renderBadge, renderDigest, renderFacts } from "./html.ts";
import {
  describeTotals,
  explainCode,
  judgeRun,
  renderOutcome,
  renderStanding,
  type ReportedRun,
} from "./verdict.ts";

/** A page with the details of more runs than this is not read any more; the table lists all. */
export const MOST_DETAILED = 500;

/** The runs, given oldest first, with what is wrong, what changed and who decided, newest first. */
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

/** The number of each run that has its own part of the page, by its name. */
export type Parts = ReadonlyMap<string, number>;

/** A run by its name, which leads to its part of the page where it has one. */
export function linkRun(name: string, parts: Parts): Html {
  const number = parts.get(name);
  return number === undefined
    ? markup`<span class="run-id">${name}</span>`
    : markup`<a class="run-id" href="#run-${number}">${name}</a>`;
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
  }; nothing in this run is trusted, and its decision does not count:</p>
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
        "Changed since the run before it in its step",
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
 * Draws runs, oldest first, from left to right: whether each verifies, what changed since the one
 * before, and which decision it holds.
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
export interface TimelineEntry {
  /** The run directory's name. */
  readonly name: string;
  /** How many findings verify has. */
  readonly findingCount: number;
  /** The first of them. */
  readonly findings: readonly Finding[];
  /** The content of a run that verifies; another is not trusted. */
  readonly verified: VerifiedContent | null;
}

/** One of a run that verifies. */
export type VerifiedEntry = TimelineEntry & { readonly verified: VerifiedContent };

/** What a timeline shows of a run that verifies. */
interface VerifiedContent {
  /** The circumstances. */
  readonly summary: RunSummary;
  /** Who judged it. */
  readonly review: HumanReview;
  /** What it was to make, or what it was to record. */
  readonly step: string;
  /** Its number in the lineage. */
  readonly run: number;
  /** The run before it of the same step, and what changed since; null for the first one. */
  readonly since: { readonly name: string; readonly changes: readonly ChangeGroup[] } | null;
}

/** A directory of runs, as its page shows it. */
export interface Timeline {
  /** The runs, oldest first. */
  readonly entries: readonly TimelineEntry[];
  /** Those that verify, joined. */
  readonly lineage: Lineage;
  /** Of each step the newest run that verifies, oldest first. */
  readonly newest: readonly VerifiedEntry[];
}

/** Reads a run from where it stands; a second time, where others are compared with it. */
type ReadReported = () => ReportedRun;

/**
 * Makes a timeline of runs. Each is compared with the one before it of the same step that verifies,
 * and let go: two at a time are held.
 */
export function buildTimeline(runs: readonly ReadReported[]): Timeline {
  const entries: TimelineEntry[] = [];
  const lineage = new Lineage();
  const steps = new Steps();
  let last: { readonly place: number; readonly run: Run } | null = null;
  for (const [place, read] of runs.entries()) {
    const reported = read();
    const run = reported.findings.length === 0 ? reported.run : null;
    let verified: VerifiedContent | null = null;
    if (run !== null) {
      const provenance = run.documents["provenance.json"];
      const before = steps.replace(place, provenance);
      const former = before === null || last?.place === before ? last?.run : runs[before]?.().run;
      const since = before === null || former === null || former === undefined
        ? null
        : { name: entries[before]?.name ?? "", changes: groupChanges(diffRuns(former, run)) };
      const { record, files } = describeRun(reported.name, { ...run, findings: [] });
      lineage.add(record, files);
      verified = {
        summary: run.documents["run_summary.json"],
        review: run.documents["human_review.json"],
        step: nameStep(provenance),
        run: lineage.runs.length - 1,
        since,
      };
      last = { place, run };
    }
    const { name, findings } = reported;
    const first = findings.slice(0, MOST_DETAILS);
    entries.push({ name, findingCount: findings.length, findings: first, verified });
  }
  const newest = entries.filter((_, place) => steps.isNewest(place)).filter(isVerified);
  return { entries, lineage, newest };
}

/** Whether what the run says counts. */
export function isVerified(entry: TimelineEntry): entry is VerifiedEntry {
  return entry.verified !== null;
}

/** What a run was to make, in words; what it was to record where that is nothing. */
function nameStep({ predicate }: Provenance): string {
  const { products = [], inputs } = predicate.buildDefinition.externalParameters;
  const [first = "", ...more] = products.length > 0 ? products : inputs;
  return more.length === 0 ? first : `${first} and ${more.length} more`;
}

/** The places of the newest runs that were to make the same paths; -1 where there is none. */
interface LastRuns {
  any: number;
  /** Of those that made nothing. */
  without: number;
  readonly byName: Map<string, number>;
}

/**
 * Joins runs of one step: those that were to make the same paths, and made a file in common; of
 * runs that make nothing, those over the same inputs.
 */
class Steps {
  readonly #last = new Map<string, LastRuns>();
  readonly #replaced = new Set<number>();

  /** Notes a run as the newest of its step; gives the place of the one before it, or null. */
  replace(place: number, provenance: Provenance): number | null {
    const { products, inputs, shard } = provenance.predicate.buildDefinition.externalParameters;
    const key = JSON.stringify([products?.toSorted() ?? null, products ? null : inputs, shard]);
    const last = this.#last.get(key) ?? { any: -1, without: -1, byName: new Map() };
    this.#last.set(key, last);
    const names = listProducts(provenance).map(({ name }) => name);
    // One that failed before it made anything is of the step of those that were to make the same.
    const before = names.length === 0 ? last.any : names.reduce(
      (most, name) => Math.max(most, last.byName.get(name) ?? -1),
      last.without,
    );
    for (const name of names) last.byName.set(name, place);
    if (names.length === 0) last.without = place;
    last.any = place;
    if (before < 0) return null;
    this.#replaced.add(before);
    return before;
  }

  isNewest(place: number): boolean {
    return !this.#replaced.has(place);
  }
}

/** A decision, with the run that it was taken about. */
export interface StandingDecision {
  /** The run's name. */
  readonly name: string;
  /** The review that holds the decision. */
  readonly review: HumanReview;
}

/**
 * The decisions that stand, by the digest of the evidence that they judge: the latest of those that
 * runs over it hold. Runs that are alike to the byte are one piece of evidence, whichever of them
 * was judged.
 */
export function findStandingDecisions(
  entries: readonly TimelineEntry[],
): ReadonlyMap<string, StandingDecision> {
  const standing = new Map<string, StandingDecision>();
  for (const { name, verified } of entries) {
    if (verified === null || verified.review.status === "PENDING") continue;
    const { review } = verified;
    const other = standing.get(review.evidence_digest)?.review.reviewed_at ?? "";
    if ((review.reviewed_at ?? "") >= other) standing.set(review.evidence_digest, { name, review });
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
