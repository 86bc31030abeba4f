import { shellQuote } from "../../shell_quote.ts";
import { renderDataTable } from "./data_table.ts";
import { countOf, formatCount, renderBadge, renderDigest, renderFacts } from "./figures.ts";
import { type Html, markup } from "./markup.ts";
import { renderPage } from "./page.ts";
import { describeChanges, renderEntries } from "./timeline_entries.ts";
import { findStandingDecision, type TimelineEntry } from "./timeline_entry.ts";
import { renderTimelinePicture } from "./timeline_picture.ts";
import { renderStanding } from "./verdict.ts";

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
      { title: "Verdict", kind: "text" },
      { title: "Inputs", kind: "number" },
      { title: "Products", kind: "number" },
      { title: "Changed since the run before", kind: "text" },
      { title: "Decision", kind: "text" },
      { title: "Evidence", kind: "text" },
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
