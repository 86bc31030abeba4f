import { shellQuote } from "../../base/quote.ts";
import type { ProductStatus } from "../../evidence/pipeline_status.ts";
import { joinWords } from "../results.ts";
import {
  countOf,
  formatCount,
  type Html,
  markup,
  NAME,
  renderBadge,
  renderDataTable,
  type Tone,
} from "./html.ts";
import {
  describeReviewCommand,
  judgeRun,
  renderHeadline,
  renderOutcome,
  renderPage,
  renderSource,
  renderStanding,
} from "./verdict.ts";
import { buildPipelineGraph, type PipelineGraph } from "./pipeline_graph.ts";
import { renderPipelinePicture } from "./pipeline_picture.ts";
import {
  describeChanges,
  findStandingDecisions,
  MOST_DETAILED,
  renderEntries,
  renderTimelinePicture,
  type StandingDecision,
  type Timeline,
  type TimelineEntry,
  type VerifiedContent,
} from "./timeline.ts";

/** What the page shows: the runs, what stands of them, and where each has its part. */
interface Overview extends Timeline {
  readonly graph: PipelineGraph;
  readonly standing: ReadonlyMap<string, StandingDecision>;
  /** The newest runs of their steps that nobody has reviewed, newest first. */
  readonly waiting: readonly VerifiedEntry[];
  /** The number of each run that has its own part, by its name. */
  readonly parts: ReadonlyMap<string, number>;
}

type VerifiedEntry = TimelineEntry & { readonly verified: VerifiedContent };

/**
 * Renders a directory of runs as a page for people. Equal runs give equal bytes.
 *
 * @param timeline The runs
 * @param kprov The version of the kprov that writes the page
 * @returns An HTML document
 */
export function renderTimelineReport(timeline: Timeline, kprov: string): string {
  const overview = lookOver(timeline);
  const { entries } = timeline;
  const newest = entries.findLast(isVerified);
  return renderPage({
    kind: "kprov: report of a directory of runs",
    title: describeSpan(entries),
    source: renderSource(newest?.verified.summary.source, "the newest run"),
    kprov,
    sections: [
      { id: "verdict", title: "Verdict", content: renderVerdict(overview) },
      { id: "pipeline", title: "The pipeline", content: renderPipeline(overview) },
      { id: "review", title: "What waits for review", content: renderWaiting(overview) },
      { id: "picture", title: "What changed", content: renderTimelinePicture(entries) },
      { id: "runs", title: "All runs", content: renderTable(overview) },
      { id: "timeline", title: "Run by run", content: renderEntries(entries) },
      { id: "recheck", title: "Check it yourself", content: renderRecheck(entries) },
    ],
  });
}

function isVerified(entry: TimelineEntry): entry is VerifiedEntry {
  return entry.verified !== null;
}

function lookOver(timeline: Timeline): Overview {
  const newest = timeline.newest.filter(isVerified);
  const standing = findStandingDecisions(timeline.entries);
  const numbered = timeline.entries.map(({ name }, i) => [name, i + 1] as const);
  return {
    ...timeline,
    graph: buildPipelineGraph(timeline.lineage, newest.map(({ verified }) => verified.run)),
    standing,
    waiting: newest.filter(({ verified }) => !standing.has(verified.review.evidence_digest))
      .reverse(),
    parts: new Map(numbered.slice(-MOST_DETAILED)),
  };
}

/** How many runs, and of which days. */
function describeSpan(entries: readonly TimelineEntry[]): string {
  const total = countOf(entries.length, "run");
  const [first, last] = [entries[0], entries.at(-1)].map((entry) => entry?.name.slice(0, 10) ?? "");
  return first === last ? `${total} of ${first}` : `${total}, ${first} to ${last}`;
}

function renderVerdict(overview: Overview): Html {
  const { entries, newest, graph } = overview;
  const unsound = entries.filter(({ verified }) => verified === null).length;
  const stale = graph.products.filter(({ state }) => state !== "current").length;
  const tones = newest.filter(isVerified).map((entry) => judgeEntry(entry, overview));
  const tone: Tone = unsound > 0 || tones.includes("bad")
    ? "bad"
    : stale > 0 || tones.includes("open")
    ? "open"
    : "good";
  const integrity = unsound === 0
    ? entries.length === 1 ? "The run verified" : `All ${countOf(entries.length, "run")} verified`
    : `${formatCount(unsound)} of ${countOf(entries.length, "run")} ${
      unsound === 1 ? "does" : "do"
    } not verify`;
  const parts = newest.length === 0
    ? []
    : [...countOutcomes(overview), ...countDecisions(overview)];
  return renderHeadline([integrity, ...parts], tone, [
    ...(unsound === 0 ? [] : [
      "Do not rely on a run that does not verify. It is not compared with others, and its decision " +
      "does not count.",
    ]),
    "Runs with the same product paths are one step; its newest run counts. A product is stale if its " +
    "evidence names an older input, tool or package than a newer run does. kprov status compares the " +
    "files themselves.",
  ]);
}

function judgeEntry({ verified }: VerifiedEntry, { standing }: Overview): Tone {
  const { summary, review } = verified;
  return judgeRun(summary, standing.get(review.evidence_digest)?.review ?? review);
}

function countOutcomes({ newest, graph }: Overview): string[] {
  const total = newest.length;
  const failed =
    newest.filter(({ verified }) => verified?.summary.outcome === "command_failed").length;
  const unseen =
    newest.filter(({ verified }) => verified?.summary.outcome === "not_observed").length;
  const stale = graph.products.filter(({ state }) => state !== "current").length;
  return [
    ...(failed === 0 ? [] : [`${formatCount(failed)} of ${countOf(total, "step")} failed`]),
    ...(unseen === 0 ? [] : [`the end of ${formatCount(unseen)} was not observed`]),
    ...(failed + unseen > 0
      ? []
      : [`${total === 1 ? "the step" : `all ${formatCount(total)} steps`} completed`]),
    ...(stale === 0
      ? []
      : [`${formatCount(stale)} of ${countOf(graph.products.length, "product")} stale`]),
  ];
}

function countDecisions({ newest, standing, waiting }: Overview): string[] {
  const rejected =
    newest.filter(isVerified).filter(({ verified }) =>
      standing.get(verified.review.evidence_digest)?.review.status === "REJECTED"
    ).length;
  return [
    ...(rejected === 0 ? [] : [`${formatCount(rejected)} rejected`]),
    ...(waiting.length === 0 ? [] : [`${formatCount(waiting.length)} not reviewed`]),
    ...(rejected + waiting.length > 0 ? [] : ["approved"]),
  ];
}

function renderWaiting(overview: Overview): Html {
  const { newest, waiting, parts } = overview;
  if (newest.length === 0) return markup`<p>Nothing: no run verifies.</p>\n`;
  const decided = newest.filter(isVerified).filter((entry) => !waiting.includes(entry));
  const table = decided.length === 0 ? [] : [renderDecided(decided, overview)];
  if (waiting.length === 0) {
    return markup`<p>Nothing: somebody has decided about the newest run of each step.</p>\n${table}`;
  }
  const list = renderDataTable(waiting, {
    id: "waiting-table",
    caption: "Newest runs of steps that nobody has reviewed",
    columns: [
      { title: "Step", kind: "command" },
      "Run",
      "Outcome",
      { title: "What to type", kind: "command" },
    ],
    toCells: ({ name, verified }) => [
      verified.step,
      linkRun(name, parts),
      renderOutcome(verified.summary),
      markup`<code>${describeReviewCommand(name)}</code>`,
    ],
    whole: "the directory of runs",
  });
  return markup`<p>To reject a run, type <code>--reject</code> instead of <code>--approve</code>.</p>
${list}${table}`;
}

function renderDecided(decided: readonly VerifiedEntry[], { standing, parts }: Overview): Html {
  return renderDataTable(decided.toReversed(), {
    id: "decided-table",
    caption: "Current decisions",
    columns: [
      { title: "Step", kind: "name" },
      { title: "Decision", kind: "prose" },
      "Taken in run",
      "Newest run",
    ],
    toCells: ({ name, verified }) => {
      const decision = standing.get(verified.review.evidence_digest);
      return [
        verified.step,
        renderStanding(decision?.review ?? verified.review),
        linkRun(decision?.name ?? name, parts),
        linkRun(name, parts),
      ];
    },
    whole: "the directory of runs",
  });
}

/** A run by its name, which leads to its part of the page where it has one. */
function linkRun(name: string, parts: Overview["parts"]): Html {
  const number = parts.get(name);
  return number === undefined
    ? markup`<span class="run-id">${name}</span>`
    : markup`<a class="run-id" href="#run-${number}">${name}</a>`;
}

function renderPipeline({ graph, parts }: Overview): Html {
  if (graph.runs.length === 0) return markup`<p>None: no run verifies.</p>\n`;
  const picture = renderPipelinePicture(graph, ({ record }) => {
    const number = parts.get(record.run);
    return number === undefined ? null : `#run-${number}`;
  });
  const omitted = graph.omitted === 0
    ? []
    : [markup`<p class="note">The newest ${countOf(graph.runs.length, "run")} are drawn;
      ${formatCount(graph.omitted)} are not.</p>\n`];
  return markup`
    <p>From left to right: files, and the newest runs that made something of them. Each run
      links to its part of this page. Earlier runs of the same steps are listed below.</p>
    ${picture}<ul class="legend">
      <li><span class="swatch origin"></span>made by no run</li>
      <li><span class="swatch product"></span>made by a run</li>
      <li><span class="swatch"></span>run</li>
      <li><span class="swatch approved"></span>current and approved</li>
      <li><span class="swatch stale"></span>stale</li>
      <li><span class="swatch failed"></span>failed or rejected</li>
      <li><span class="swatch repeated"></span>from the row above, or an earlier run</li>
    </ul>
    ${omitted}${graph.products.length === 0 ? [] : [renderProductStates(graph.products, parts)]}
  `;
}

const STATE_TONES: Readonly<Record<ProductStatus["state"], Tone>> = {
  current: "good",
  stale: "open",
  modified: "open",
  missing: "bad",
};

function renderProductStates(products: readonly ProductStatus[], parts: Overview["parts"]): Html {
  const isCurrent = ({ state }: ProductStatus): number => state === "current" ? 1 : 0;
  return renderDataTable(products.toSorted((a, b) => isCurrent(a) - isCurrent(b)), {
    id: "products-table",
    caption: "Products, judged by the evidence alone",
    columns: [
      NAME,
      "State",
      { title: "Because of", kind: "prose" },
      "Made by",
    ],
    toCells: ({ path, state, because, run }) => [
      path,
      renderBadge(STATE_TONES[state], state),
      joinWords(because.map(({ kind, name }) => `${kind} ${name}`)),
      linkRun(run, parts),
    ],
    whole: "what kprov status prints",
  });
}

function renderTable({ entries, parts }: Overview): Html {
  return renderDataTable(entries.toReversed(), {
    id: "runs-table",
    caption: "Runs, newest first, each compared with the one before it in its step",
    columns: [
      "Run",
      { title: "Step", kind: "command" },
      "Integrity",
      "Outcome",
      "Decision",
      { title: "In", kind: "number" },
      { title: "Out", kind: "number" },
      "Changed",
      "Evidence",
    ],
    toCells: ({ name, verified, findingCount }) =>
      verified === null
        ? [
          linkRun(name, parts),
          "",
          renderBadge("bad", countOf(findingCount, "finding")),
          ...["", "", "", "", "", ""],
        ]
        : [
          linkRun(name, parts),
          verified.step,
          renderBadge("good", "verified"),
          renderOutcome(verified.summary),
          describeDecision(verified),
          formatCount(verified.summary.inputs.count),
          formatCount(verified.summary.products.count),
          describeChanges(verified),
          markup`<code>${verified.summary.evidence_digest.slice(0, 12)}…</code>`,
        ],
    whole: "the directory of runs",
  });
}

function describeDecision({ review }: VerifiedContent): Html {
  const { status } = review;
  const tone: Tone = status === "APPROVED" ? "good" : status === "REJECTED" ? "bad" : "open";
  return renderBadge(tone, status);
}

function renderRecheck(entries: readonly TimelineEntry[]): Html {
  const newest = shellQuote(`runs/${entries.at(-1)?.name ?? ""}`);
  return markup`
    <p>Type these in the directory that the recorded paths start from, with the runs in
      <code>runs</code>. If either is elsewhere, replace <code>.</code> and <code>runs</code> by its
      path.</p>
    <h3>Check the documents of every run again, and the files that the newest runs name</h3>
    <pre tabindex="0"><code>kprov verify runs --root .</code></pre>
    <h3>Say what must be made again, with the present files, tools and packages</h3>
    <pre tabindex="0"><code>kprov status runs --root .</code></pre>
    <h3>Show the newest run as a page of its own</h3>
    <pre tabindex="0"><code>kprov report ${newest} --out report.html</code></pre>
  `;
}
