import type { Change } from "../../evidence/diff_runs.ts";
import { shellQuote } from "../../shell_quote.ts";
import { countChanges, joinWords, KIND_NAMES } from "../change_words.ts";
import { countOf, describeTotals, renderBadge, renderDigest, renderFacts } from "./figures.ts";
import { type Html, markup } from "./markup.ts";
import { explainCode } from "./plain_words.ts";
import type { ChangeGroup, TimelineEntry, VerifiedContent } from "./timeline_entry.ts";
import { renderOutcome, renderStanding } from "./verdict.ts";

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
