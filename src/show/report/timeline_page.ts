import { shellQuote } from "../../base/quote.ts";
import {
  type Column,
  countOf,
  formatCount,
  type Html,
  markup,
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
  renderStatus,
} from "./verdict.ts";
import { buildPipelineGraph, type PipelineGraph } from "./pipeline_graph.ts";
import { renderPipeline } from "./pipeline_picture.ts";
import {
  describeChanges,
  findStandingDecisions,
  isVerified,
  linkRun,
  MOST_DETAILED,
  type Parts,
  renderEntries,
  renderTimelinePicture,
  type StandingDecision,
  type Timeline,
  type TimelineEntry,
  type VerifiedEntry,
} from "./timeline.ts";

/** What the page shows: the runs, what stands of them, and where each has its part. */
interface Overview extends Timeline {
  readonly graph: PipelineGraph;
  readonly standing: ReadonlyMap<string, StandingDecision>;
  /** The newest runs of their steps that nobody has reviewed, newest first. */
  readonly waiting: readonly VerifiedEntry[];
  readonly parts: Parts;
}

const STEP: Column = { title: "Step", kind: "command" };
const WHOLE = "the directory of runs";

/** Renders a directory of runs as a page for people. Equal runs give equal bytes. */
export function renderTimelineReport(timeline: Timeline, kprov: string): string {
  const overview = lookOver(timeline);
  const { entries, graph, parts } = overview;
  const newest = entries.findLast(isVerified);
  return renderPage({
    kind: "kprov: report of a directory of runs",
    title: describeSpan(entries),
    source: renderSource(newest?.verified.summary.source, "the newest run"),
    kprov,
    sections: [
      { id: "verdict", title: "Verdict", content: renderVerdict(overview) },
      { id: "pipeline", title: "The pipeline", content: renderPipeline(graph, parts) },
      { id: "review", title: "What waits for review", content: renderWaiting(overview) },
      { id: "picture", title: "What changed", content: renderTimelinePicture(entries) },
      { id: "runs", title: "All runs", content: renderTable(overview) },
      { id: "timeline", title: "Run by run", content: renderEntries(entries) },
      { id: "recheck", title: "Check it yourself", content: renderRecheck(entries) },
    ],
  });
}

function lookOver(timeline: Timeline): Overview {
  const { newest } = timeline;
  const standing = findStandingDecisions(timeline.entries);
  const numbered = timeline.entries.map(({ name }, i) => [name, i + 1] as const);
  return {
    ...timeline,
    graph: buildPipelineGraph(timeline.lineage, newest.map(({ verified }) => verified.run)),
    standing,
    waiting: newest.filter((entry) => !standing.has(digestOf(entry))).reverse(),
    parts: new Map(numbered.slice(-MOST_DETAILED)),
  };
}

function digestOf({ verified }: VerifiedEntry): string {
  return verified.review.evidence_digest;
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
  const tones = newest.map((entry) =>
    judgeRun(entry.verified.summary, findStanding(entry, overview).review)
  );
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

/** The decision about a run's evidence, which another run of the same evidence may hold. */
function findStanding(entry: VerifiedEntry, { standing }: Overview): StandingDecision {
  const own = { name: entry.name, review: entry.verified.review };
  return standing.get(own.review.evidence_digest) ?? own;
}

function countOutcomes({ newest, graph }: Overview): string[] {
  const total = newest.length;
  const outcomes = newest.map(({ verified }) => verified.summary.outcome);
  const failed = outcomes.filter((outcome) => outcome === "command_failed").length;
  const unseen = outcomes.filter((outcome) => outcome === "not_observed").length;
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

function countDecisions(overview: Overview): string[] {
  const { newest, waiting } = overview;
  const standing = newest.map((entry) => findStanding(entry, overview).review.status);
  const rejected = standing.filter((status) => status === "REJECTED").length;
  return [
    ...(rejected === 0 ? [] : [`${formatCount(rejected)} rejected`]),
    ...(waiting.length === 0 ? [] : [`${formatCount(waiting.length)} not reviewed`]),
    ...(rejected + waiting.length > 0 ? [] : ["approved"]),
  ];
}

function renderWaiting(overview: Overview): Html {
  const { newest, waiting, parts } = overview;
  if (newest.length === 0) return markup`<p>Nothing: no run verifies.</p>\n`;
  const decided = newest.filter((entry) => !waiting.includes(entry));
  const table = decided.length === 0 ? [] : [renderDecided(decided, overview)];
  if (waiting.length === 0) {
    return markup`<p>Nothing: somebody has decided about the newest run of each step.</p>\n${table}`;
  }
  const list = renderDataTable(waiting, {
    id: "waiting-table",
    caption: "Newest runs of steps that nobody has reviewed",
    columns: [STEP, "Run", "Outcome", { title: "What to type", kind: "command" }],
    toCells: ({ name, verified }) => [
      verified.step,
      linkRun(name, parts),
      renderOutcome(verified.summary),
      markup`<code>${describeReviewCommand(name)}</code>`,
    ],
    whole: WHOLE,
  });
  return markup`<p>To reject a run, type <code>--reject</code> instead of <code>--approve</code>.</p>
${list}${table}`;
}

function renderDecided(decided: readonly VerifiedEntry[], overview: Overview): Html {
  const { parts } = overview;
  return renderDataTable(decided.toReversed(), {
    id: "decided-table",
    caption: "Current decisions",
    columns: [
      { title: "Step", kind: "name" },
      { title: "Decision", kind: "prose" },
      "Taken in run",
      "Newest run",
    ],
    toCells: (entry) => {
      const { name, review } = findStanding(entry, overview);
      const links = [linkRun(name, parts), linkRun(entry.name, parts)];
      return [entry.verified.step, renderStanding(review), ...links];
    },
    whole: WHOLE,
  });
}

function renderTable({ entries, parts }: Overview): Html {
  return renderDataTable(entries.toReversed(), {
    id: "runs-table",
    caption: "Runs, newest first, each compared with the one before it in its step",
    columns: [
      ...["Run", STEP, "Integrity", "Outcome", "Decision"],
      ...[{ title: "In", kind: "number" }, { title: "Out", kind: "number" }] as const,
      ...["Changed", "Evidence"],
    ],
    toCells: ({ name, verified, findingCount }) =>
      verified === null
        ? [linkRun(name, parts), "", renderBadge("bad", countOf(findingCount, "finding"))]
          .concat(["", "", "", "", "", ""])
        : [
          linkRun(name, parts),
          verified.step,
          renderBadge("good", "verified"),
          renderOutcome(verified.summary),
          renderStatus(verified.review),
          formatCount(verified.summary.inputs.count),
          formatCount(verified.summary.products.count),
          describeChanges(verified),
          markup`<code>${verified.summary.evidence_digest.slice(0, 12)}…</code>`,
        ],
    whole: WHOLE,
  });
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
