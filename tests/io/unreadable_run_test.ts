import { readWhateverStands } from "../../src/io/run_files.ts";
import { buildTimeline } from "../../src/show/report/timeline.ts";
import { renderTimelineReport } from "../../src/show/report/timeline_page.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { makeTree } from "../temporary_tree.ts";

Deno.test("a run that goes while a directory of them is read is told as one that does not verify", () => {
  using tree = makeTree();
  const path = tree.at("2026-02-15T20-13-00Z");
  const run = readWhateverStands(path);
  assertEquals([run.name, run.run, run.findings.map(({ code }) => code)], [
    "2026-02-15T20-13-00Z",
    null,
    ["run.unreadable"],
  ]);
  const page = renderTimelineReport(buildTimeline([() => run]), "1.0.0");
  assertStringIncludes(page, "<span>1 of 1 run does not verify</span>");
});
