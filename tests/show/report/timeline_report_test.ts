import { makeFinding } from "../../../src/base/error.ts";
import { renderTimelineReport } from "../../../src/show/report/timeline_page.ts";
import { assert, assertEquals, assertStringIncludes } from "../../assert.ts";
import { digestOf, SAMPLE_COMMAND_FACTS, SAMPLE_FACTS } from "../../sample_facts.ts";
import { parsePage } from "./parse_page.ts";
import { listChain, makePipeline, type SampleStep, THREE_STEPS } from "./sample_pipelines.ts";
import { decide, makeReportedRun, timelineOf } from "./sample_runs.ts";

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
    timelineOf([
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
      "<span>1 of 5 runs does not verify</span>",
      `APPROVED</strong> by Ada Lovelace, <time datetime="2026-02-16T08:00:00Z">`,
      `<a class="run-id" href="#run-1">${nameRun(15)}</a>`,
      `<h3>${nameRun(16)} <span class="step">out</span></h3>`,
      "exclude &lt;/script&gt;\\u202e",
      "<code>&lt;toolchain&gt;</code>: the run has no such document. A document of the run is missing.",
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
  const page = renderTimelineReport(timelineOf(runs), "1.0.0");
  assertStringIncludes(page, "The newest 40 runs are drawn.");
  assertStringIncludes(page, "The newest 500 runs in detail; the table lists all.");
  assertEquals(page.match(/<li id="run-/g)?.length, 500);
  assertEquals(page.match(/<th scope="row" class="text"><(a|span) class="run-id"/g)?.length, 600);
  assert(page.length < 1_500_000, String(page.length));
});

Deno.test("where no run verifies, no decision stands", () => {
  const run = {
    ...makeReportedRun(SAMPLE_FACTS),
    findings: [makeFinding("document.malformed", digestOf("a"))],
  };
  const page = renderTimelineReport(timelineOf([run]), "1.0.0");
  assertStringIncludes(page, "None: no run verifies.");
});

/** The headline of a page, with its tone. */
function readHeadline(page: string): string {
  const [, tone, headline = ""] =
    /<div class="verdict ([a-z]+)">\n<p class="headline">(.*)<\/p>/.exec(page) ?? [];
  return `${tone}: ${headline.replace(/<\/?span>/g, "")}`;
}

Deno.test("the headline tells integrity, outcome, staleness and decisions of each step's newest run", () => {
  const render = (steps: readonly SampleStep[]): string =>
    readHeadline(renderTimelineReport(timelineOf(makePipeline(steps)), "1.0.0"));
  const approved = listChain(3).map((step) => ({ ...step, decision: "APPROVED" } as const));
  assertEquals(
    render(approved),
    "good: All 3 runs verified \u00b7 all 3 steps completed \u00b7 approved",
  );
  assertEquals(
    render(listChain(2)),
    "open: All 2 runs verified \u00b7 all 2 steps completed \u00b7 2 not reviewed",
  );
  assertEquals(
    render(THREE_STEPS),
    "bad: All 5 runs verified \u00b7 1 of 4 steps failed \u00b7 1 of 3 products stale \u00b7 1 rejected \u00b7 2 not reviewed",
  );
  // A failure that was made good is history.
  const [step] = approved;
  assert(step);
  const failed = { ...step, products: {}, given: Object.keys(step.products), exitCode: 1 };
  assertEquals(
    render([failed, step]),
    "good: All 2 runs verified \u00b7 the step completed \u00b7 approved",
  );
});

Deno.test("the page lists what waits for review, with the command to type", () => {
  const runs = makePipeline(THREE_STEPS);
  const page = renderTimelineReport(timelineOf(runs), "1.0.0");
  const waiting = [...page.matchAll(/kprov review (\S+) --approve --reviewer &#39;YOUR NAME&#39;/g)]
    .map(([, run]) => run);
  assertEquals(waiting, [4, 2].map((i) => `runs/${runs[i]?.name}`));
});

Deno.test("the page tells of every run how it ended and what was decided", () => {
  const page = renderTimelineReport(timelineOf(makePipeline(THREE_STEPS)), "1.0.0");
  const elements = parsePage(page);
  const [, , , , , , ...heads] = elements.filter(({ name }) => name === "th").map((e) => e.source);
  for (const head of ["Integrity", "Outcome", "Decision"]) assert(heads.includes(head), head);
  assertStringIncludes(page, "Source of the newest run: https://example.org/a/b at commit");
});
