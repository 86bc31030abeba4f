import { makeFinding } from "../../../src/base/error.ts";
import { escapeText } from "../../../src/base/quote.ts";
import { renderRunReport } from "../../../src/show/report/run_page.ts";
import { renderTimelineReport } from "../../../src/show/report/timeline_page.ts";
import { assert, assertEquals } from "../../assert.ts";
import { digestOf, SAMPLE_FACTS } from "../../sample_facts.ts";
import { FAINT, inBrowser, openPage, readNames } from "./in_browser.ts";
import { decide, GOLDEN_RUN, makeReportedRun, reportFiles, timelineOf } from "./sample_runs.ts";

const HOSTILE_NAMES = [
  "<script>document.title = 'owned'</script>",
  "<img src=x onerror=alert(1)>",
  "</style><style>body{display:none}",
  "]]>--></title></table>",
  `a" onmouseover="alert(1)" b='`,
  "\u202etxt.exe",
  "line\nbreak\ttab",
  "javascript:alert(1)",
  "&lt;b&gt;",
];

Deno.test(...inBrowser("hostile names are shown, and do nothing"), async () => {
  // A name with a slash in it names a directory and a file; a backslash would be refused.
  const names = HOSTILE_NAMES.map((name) => name.replaceAll("/", "\u2215"));
  await using page = await openPage(renderRunReport(reportFiles(names), "1.0.0"));
  assertEquals(
    new Set(await readNames(page) as string[]),
    new Set(names.map((name) => escapeText(`d/${name}`))),
  );
  assertEquals(await page.evaluate("document.scripts.length"), 1);
  assertEquals(await page.evaluate("document.title"), "Run 2026-02-15T20-13-00Z");
  assertEquals(page.events, []);
});

Deno.test(...inBrowser("hostile text in every other place does nothing either"), async () => {
  const run = makeReportedRun({
    ...SAMPLE_FACTS,
    exclude: HOSTILE_NAMES,
    command: {
      argv: ["sh", ...HOSTILE_NAMES],
      productPaths: ["out"],
      products: [],
      exitCode: 1,
      signal: null,
      output: { stdout: digestOf("1"), stderr: digestOf("2") },
    },
    toolchain: {
      ...SAMPLE_FACTS.toolchain,
      tools: HOSTILE_NAMES.toSorted().map((name) => ({ name, sha256: digestOf("3") })),
      runtimes: HOSTILE_NAMES.map((name) => ({
        name,
        version: name,
        implementation: name,
        sha256: digestOf("4"),
        packages: [{
          name,
          version: name,
          manager: name,
          integrity: name,
          source: { commit: name },
        }],
      })),
    },
  }, HOSTILE_NAMES.join(""));
  const findings = HOSTILE_NAMES.map((text) => makeFinding(text, text, { path: text, hint: text }));
  const runs = [makeReportedRun(SAMPLE_FACTS), run, { ...run, findings }];
  for (
    const html of [
      renderRunReport(run, "1.0.0"),
      renderRunReport({ ...run, findings }, "1.0.0"),
      renderTimelineReport(timelineOf(runs), "1.0.0"),
    ]
  ) {
    await using page = await openPage(html);
    assertEquals(page.events, []);
  }
});

Deno.test(
  ...inBrowser(
    "what a page without its escaping or with another block would do is seen, and stopped",
  ),
  async () => {
    const html = renderRunReport(makeReportedRun(SAMPLE_FACTS), "1.0.0").replace(
      "</main>",
      "<img src=https://example.org/x><script>alert(1)</script><p style='color:red' onclick='1'></main>",
    );
    await using page = await openPage(html);
    const kinds = new Set(page.events.map(({ kind }) => kind));
    assert(kinds.has("issue") && kinds.has("log"), JSON.stringify(page.events));
    assert(!kinds.has("dialog"), JSON.stringify(page.events));
  },
);

Deno.test(...inBrowser("the first stop of the keyboard leads past the navigation"), async () => {
  await using page = await openPage(renderRunReport(makeReportedRun(SAMPLE_FACTS), "1.0.0"));
  await page.press("Tab");
  assertEquals(await page.evaluate("document.activeElement.textContent"), "Skip to the content");
  assert(await page.evaluate("document.activeElement.getBoundingClientRect().top >= 0"));
  await page.press("Enter");
  assertEquals(await page.evaluate("document.activeElement.id"), "content");
});

Deno.test(
  ...inBrowser(
    "in the light and in the dark, every text stands out, and nothing is wider than a telephone",
  ),
  async () => {
    const broken = { ...GOLDEN_RUN, findings: [makeFinding("x", "b", { path: "a", line: 1 })] };
    const timeline = timelineOf([
      decide(makeReportedRun(SAMPLE_FACTS), { status: "REJECTED", day: 20 }),
      broken,
      GOLDEN_RUN,
    ]);
    for (
      const html of [
        renderRunReport(GOLDEN_RUN, "1.0.0"),
        renderRunReport(broken, "1.0.0"),
        renderTimelineReport(timeline, "1.0.0"),
      ]
    ) {
      await using page = await openPage(html);
      for (const value of ["light", "dark"]) {
        await page.send("Emulation.setEmulatedMedia", {
          features: [{ name: "prefers-color-scheme", value }],
        });
        assertEquals(await page.evaluate(FAINT), [], value);
      }
      await page.send("Emulation.setDeviceMetricsOverride", {
        width: 360,
        height: 800,
        deviceScaleFactor: 1,
        mobile: true,
      });
      assertEquals(await page.evaluate("document.documentElement.scrollWidth"), 360);
    }
  },
);
