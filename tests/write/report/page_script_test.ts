import type { RunFacts } from "../../../mod.ts";
import { makeFinding } from "../../../src/finding.ts";
import { escapeText } from "../../../src/quote.ts";
import type { ReportedRun } from "../../../src/write/report/reported_run.ts";
import { buildTimeline } from "../../../src/write/report/timeline_entry.ts";
import { renderRunReport } from "../../../src/write/report/run_report.ts";
import { renderTimelineReport } from "../../../src/write/report/timeline_report.ts";
import { assert, assertEquals } from "../../assert.ts";
import { type Browser, type BrowserPage, findBrowser, startBrowser } from "../../browser.ts";
import { digestOf, SAMPLE_FACTS } from "../../sample_facts.ts";
import { makeTree } from "../../temporary_tree.ts";
import { decide, GOLDEN_RUN, reportRun } from "./sample_runs.ts";

const program = findBrowser();
const tree = makeTree();
let browser: Browser | undefined;

// One browser serves every test of this file.
if (program !== null) {
  Deno.test.beforeAll(async () => {
    browser = await startBrowser(program);
  });
}
Deno.test.afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  tree[Symbol.dispose]();
});

function test(name: string, fn: () => Promise<void>): void {
  const shown = program === null ? `${name} (there is no Chromium here)` : name;
  // The browser's connection outlives each test.
  Deno.test({
    name: shown,
    ignore: program === null,
    sanitizeOps: false,
    sanitizeResources: false,
    fn,
  });
}

async function open(
  html: string,
  options: { readonly hasScripts?: boolean } = {},
): Promise<BrowserPage> {
  const path = tree.at("page.html");
  Deno.writeTextFileSync(path, html);
  if (browser === undefined) throw new Error("there is no browser");
  return await browser.open(`file://${path}`, options);
}

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

function listFiles(names: readonly string[]): RunFacts {
  const materials = names.map((name, i) => (
    { name: `d/${name}`, kind: "file", size: (i * 7919) % 1013, sha256: digestOf("a") } as const
  ));
  return { ...SAMPLE_FACTS, inputs: ["d"], materials };
}

/** A run of so many files that making it would take longer than showing it. */
function listManyFiles(count: number): ReportedRun {
  const { documents } = GOLDEN_RUN;
  const provenance = documents["provenance.json"];
  assert(provenance);
  const resolvedDependencies = Array.from({ length: count }, (_, i) => (
    {
      name: `d/file-${i}`,
      digest: { sha256: digestOf("a") },
      annotations: { kind: "file", size: (i * 7919) % 1013 },
    } as const
  ));
  const buildDefinition = { ...provenance.predicate.buildDefinition, resolvedDependencies };
  const predicate = { ...provenance.predicate, buildDefinition };
  return {
    ...GOLDEN_RUN,
    documents: { ...documents, "provenance.json": { ...provenance, predicate } },
  };
}

function render(facts: RunFacts): string {
  return renderRunReport(reportRun(facts), "1.0.0");
}

/** The names that the table of inputs shows, in their order. */
async function readNames(page: BrowserPage): Promise<unknown> {
  return await page.evaluate(
    "[...document.querySelectorAll('#inputs-table tbody th')].map((cell) => cell.textContent)",
  );
}

async function readStatus(page: BrowserPage): Promise<unknown> {
  return await page.evaluate("document.querySelector('#inputs-table [role=status]').textContent");
}

test("hostile names are shown, and do nothing", async () => {
  // A name with a slash in it names a directory and a file; a backslash would be refused.
  const facts = listFiles(HOSTILE_NAMES.map((name) => name.replaceAll("/", "\u2215")));
  await using page = await open(render(facts));
  const names = facts.materials.map(({ name }) => escapeText(name));
  assertEquals(new Set(await readNames(page) as string[]), new Set(names));
  assertEquals(await page.evaluate("document.scripts.length"), 1);
  assertEquals(await page.evaluate("document.title"), "Run 2026-02-15T20-13-00Z");
  assertEquals(page.events, []);
});

test("hostile text in every other place does nothing either", async () => {
  const run = reportRun({
    ...SAMPLE_FACTS,
    exclude: HOSTILE_NAMES,
    command: {
      argv: ["sh", ...HOSTILE_NAMES],
      productPaths: ["out"],
      products: [],
      exitCode: 1,
      output: { stdout: digestOf("1"), stderr: digestOf("2") },
    },
    toolchain: {
      ...SAMPLE_FACTS.toolchain,
      tools: HOSTILE_NAMES.toSorted().map((name) => ({ name, sha256: digestOf("3") })),
    },
  }, HOSTILE_NAMES.join(""));
  const findings = HOSTILE_NAMES.map((text) => makeFinding(text, text, { path: text, hint: text }));
  const runs = [reportRun(SAMPLE_FACTS), run, { ...run, findings }];
  for (
    const html of [
      renderRunReport(run, "1.0.0"),
      renderRunReport({ ...run, findings }, "1.0.0"),
      renderTimelineReport(buildTimeline(runs), "1.0.0"),
    ]
  ) {
    await using page = await open(html);
    assertEquals(page.events, []);
  }
});

test("what a page without its escaping or with another block would do is seen, and stopped", async () => {
  const html = render(SAMPLE_FACTS).replace(
    "</main>",
    "<img src=https://example.org/x><script>alert(1)</script><p style='color:red' onclick='1'></main>",
  );
  await using page = await open(html);
  const kinds = new Set(page.events.map(({ kind }) => kind));
  assert(kinds.has("issue") && kinds.has("log"), JSON.stringify(page.events));
  assert(!kinds.has("dialog"), JSON.stringify(page.events));
});

test("a table sorts by keyboard, and says so to a screen reader", async () => {
  await using page = await open(render(listFiles(["b", "a", "c", "10", "9", "8", "7", "6"])));
  const recorded = await readNames(page);
  const read = async () => [
    await page.evaluate("document.querySelector('#inputs-table th.number').ariaSort"),
    await page.evaluate(
      "[...document.querySelectorAll('#inputs-table td.number')].map((c) => +c.textContent)",
    ),
  ];
  await page.evaluate("document.querySelector('#inputs-table th.text button').focus()");
  await page.press("Tab");
  assertEquals(await page.evaluate("document.activeElement.textContent"), "Bytes");
  const [, sizes] = await read() as [unknown, number[]];
  await page.press("Enter");
  assertEquals(await read(), ["ascending", sizes.toSorted((a, b) => a - b)]);
  await page.press(" ");
  assertEquals(await read(), ["descending", sizes.toSorted((a, b) => b - a)]);
  await page.press("Enter");
  assertEquals([await readNames(page), (await read())[0]], [recorded, null]);
  assertEquals(page.events, []);
});

test("a table filters by keyboard, and tells how much is left", async () => {
  await using page = await open(
    render(listFiles(["one", "two", "three", "four", "five", "six", "seven", "eight"])),
  );
  assertEquals(await readStatus(page), "Showing 1 to 8 of 8");
  await page.evaluate("document.querySelector('#inputs-table input').focus()");
  await page.type("/T");
  assertEquals(await readNames(page), ["d/three", "d/two"]);
  assertEquals(await readStatus(page), "Showing 1 to 2 of 2 that match, from 8");
  await page.type("zz");
  assertEquals(await readStatus(page), "Showing none of 0 that match, from 8");
  await page.press("Escape");
  assertEquals(await readStatus(page), "Showing 1 to 8 of 8");
});

test("the first stop of the keyboard leads past the navigation", async () => {
  await using page = await open(render(SAMPLE_FACTS));
  await page.press("Tab");
  assertEquals(await page.evaluate("document.activeElement.textContent"), "Skip to the content");
  assert(await page.evaluate("document.activeElement.getBoundingClientRect().top >= 0"));
  await page.press("Enter");
  assertEquals(await page.evaluate("document.activeElement.id"), "content");
});

test("100,000 rows load, filter, sort and turn, two hundred at a time", async () => {
  const html = renderRunReport(listManyFiles(100_000), "1.0.0");
  await using page = await open(html);
  const count = "document.querySelectorAll('#inputs-table tbody tr').length";
  assertEquals([await page.evaluate(count), await readStatus(page)], [
    200,
    "Showing 1 to 200 of 100,000",
  ]);
  assertEquals(await page.evaluate("document.querySelectorAll('#inputs-table table').length"), 1);
  await page.evaluate("document.querySelector('#inputs-table .next').focus()");
  await page.press("Enter");
  assertEquals(await readStatus(page), "Showing 201 to 400 of 100,000");
  await page.evaluate("document.querySelector('#inputs-table input').focus()");
  await page.type("file-7777");
  assertEquals(await readStatus(page), "Showing 1 to 11 of 11 that match, from 100,000");
  await page.press("Escape");
  await page.evaluate("document.querySelector('#inputs-table th.number button').click()");
  assertEquals(
    await page.evaluate("document.querySelector('#inputs-table td.number').textContent"),
    "0",
  );
  assertEquals(page.events, []);
});

test("without scripts the page reads whole, and shows no control that does nothing", async () => {
  await using page = await open(render(listFiles(Array.from({ length: 600 }, (_, i) => `${i}`))), {
    hasScripts: false,
  });
  assertEquals(
    await page.evaluate(
      "[...document.querySelectorAll('#inputs-table table')].map((t) => t.tBodies[0].rows.length)",
    ),
    [500, 100],
  );
  assertEquals(
    await page.evaluate(
      "[...document.querySelectorAll('button,input')].filter((e) => e.checkVisibility()).length",
    ),
    0,
  );
  assertEquals(
    await page.evaluate("document.querySelector('#inputs-table tr:last-child').checkVisibility()"),
    true,
  );
});

test("a printer gets every row of a table of thousands", async () => {
  await using page = await open(render(listFiles(Array.from({ length: 600 }, (_, i) => `${i}`))));
  const count = "document.querySelectorAll('#inputs-table tbody tr').length";
  await page.evaluate("dispatchEvent(new Event('beforeprint'))");
  assertEquals(await page.evaluate(count), 600);
  await page.evaluate("dispatchEvent(new Event('afterprint'))");
  assertEquals(await page.evaluate(count), 200);
});

/** Text whose contrast with what is behind it is below WCAG 2.2 AA, 1.4.3, as `ratio text`. */
const FAINT = `(() => {
  const parse = (color) => color.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const box = at.closest("svg.across,svg.down") === null ? null : at.parentElement.querySelector("rect");
      const color = parse(box === null ? getComputedStyle(at).backgroundColor : getComputedStyle(box).fill);
      if (color[3] !== 0) return color;
    }
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
    if (text === "" || !element.checkVisibility() || ["TITLE", "DESC"].includes(element.tagName.toUpperCase())) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(parse(element instanceof SVGElement ? style.fill : style.color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push(ratio.toFixed(2) + " " + text);
  }
  return faint;
})()`;

test("in the light and in the dark, every text stands out, and nothing is wider than a telephone", async () => {
  const broken = {
    ...GOLDEN_RUN,
    findings: [{
      code: "x",
      level: "error",
      path: "a",
      line: 1,
      column: null,
      message: "b",
      hint: null,
    }],
  } as const;
  const timeline = buildTimeline([
    decide(reportRun(SAMPLE_FACTS), { status: "REJECTED", day: 20 }),
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
    await using page = await open(html);
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
});
