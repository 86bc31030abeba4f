import { makeFinding } from "../../../src/base/finding.ts";
import { buildTimeline, renderTimelineReport } from "../../../src/show/report/timeline_page.ts";
import { assert, assertEquals, assertStringIncludes } from "../../assert.ts";
import { digestOf, SAMPLE_COMMAND_FACTS, SAMPLE_FACTS } from "../../sample_facts.ts";
import { parsePage } from "./parse_page.ts";
import { decide, makeReportedRun } from "./sample_runs.ts";

const CHANGED = { ...SAMPLE_FACTS, exclude: [".git", "</script>\u202e"] };

function nameRun(day: number): string {
  return `2026-02-${String(day).padStart(2, "0")}T20-13-00Z`;
}

Deno.test("the timeline says which runs verify, what changed, and which decision stands", () => {
  const failed = {
    ...makeReportedRun(SAMPLE_FACTS, nameRun(18)),
    findings: [
      makeFinding("document.missing", "the run has no such document", { path: "<toolchain>" }),
    ],
  };
  const page = renderTimelineReport(
    buildTimeline([
      decide(makeReportedRun(SAMPLE_FACTS, nameRun(15)), { status: "APPROVED", day: 16 }),
      makeReportedRun(SAMPLE_COMMAND_FACTS, nameRun(16)),
      makeReportedRun(CHANGED, nameRun(17)),
      failed,
      makeReportedRun(SAMPLE_FACTS, nameRun(19)),
    ]),
    "1.0.0",
  );
  parsePage(page);
  for (
    const text of [
      "5 runs, 2026-02-15 to 2026-02-19",
      "1 of 5 runs does not verify.",
      `APPROVED</strong> by Ada Lovelace, <time datetime="2026-02-16T08:00:00Z">`,
      `in run <code>${nameRun(15)}</code>`,
      "added: <code>out/clean.csv</code>",
      "exclude &lt;/script&gt;\\u202e",
      "<code>&lt;toolchain&gt;</code>: the run has no such document. A document of the run is gone.",
      `kprov diff runs/${nameRun(17)} runs/${nameRun(19)}`,
    ]
  ) assertStringIncludes(page, text);
});

Deno.test("the timeline of hundreds of runs stays bounded: newest drawn and detailed, all in the table", () => {
  const run = makeReportedRun(SAMPLE_FACTS);
  const runs = Array.from(
    { length: 600 },
    (_, i) => ({ ...run, name: `2026-01-01T00-00-00Z-${i}` }),
  );
  const page = renderTimelineReport(buildTimeline(runs), "1.0.0");
  assertStringIncludes(page, "The newest 40 runs are drawn.");
  assertStringIncludes(page, "The newest 500 runs in detail; the table lists all.");
  assertEquals(page.match(/<li id="run-/g)?.length, 500);
  assertEquals(page.match(/<th scope="row" class="name">2026/g)?.length, 600);
  assert(page.length < 1_500_000, String(page.length));
});

Deno.test("where no run verifies, no decision stands", () => {
  const run = {
    ...makeReportedRun(SAMPLE_FACTS),
    findings: [makeFinding("document.malformed", digestOf("a"))],
  };
  const page = renderTimelineReport(buildTimeline([run]), "1.0.0");
  assertStringIncludes(page, "None: no run verifies.");
});
