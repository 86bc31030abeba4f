import { makeFinding } from "../../../src/base/error.ts";
import { renderRunReport } from "../../../src/show/report/run_page.ts";
import { renderTimelineReport } from "../../../src/show/report/timeline_page.ts";
import { assert, assertEquals } from "../../assert.ts";
import axe from "../../axe.ts";
import type { BrowserPage } from "../../browser.ts";
import { SAMPLE_COMMAND_FACTS } from "../../sample_facts.ts";
import { makeTree } from "../../temporary_tree.ts";
import { CLIPPED, FAINT, inBrowser, openPage } from "./in_browser.ts";
import { listChain, listManySteps, makePipeline, THREE_STEPS } from "./sample_pipelines.ts";
import { GOLDEN_RUN, makeReportedRun, timelineOf } from "./sample_runs.ts";

function renderPipeline(steps: Parameters<typeof makePipeline>[0]): string {
  return renderTimelineReport(timelineOf(makePipeline(steps)), "1.0.0");
}

/** The pages that are looked at. */
const PAGES: Readonly<Record<string, () => string>> = {
  run: () => renderRunReport(GOLDEN_RUN, "1.0.0"),
  pending: () => renderRunReport(makeReportedRun(SAMPLE_COMMAND_FACTS), "1.0.0"),
  broken: () =>
    renderRunReport({ ...GOLDEN_RUN, findings: [makeFinding("x", "b", { path: "a" })] }, "1.0.0"),
  three: () => renderPipeline(THREE_STEPS),
  sixty: () => renderPipeline(listManySteps()),
  chain: () => renderPipeline(listChain(30)),
};

/** How they are looked at, and where axe is asked, which takes its time. */
const VIEWS = [
  { name: "1280", width: 1280, media: "screen", scheme: "light", isAsked: true },
  { name: "1280-dark", width: 1280, media: "screen", scheme: "dark", isAsked: false },
  { name: "800", width: 800, media: "screen", scheme: "light", isAsked: false },
  { name: "400", width: 400, media: "screen", scheme: "light", isAsked: false },
  { name: "400-dark", width: 400, media: "screen", scheme: "dark", isAsked: true },
  { name: "print", width: 688, media: "print", scheme: "light", isAsked: false },
] as const;

/** Where the screenshots go, for people to look at: KPROV_SCREENSHOTS, or nowhere. */
const SCREENSHOTS = Deno.env.get("KPROV_SCREENSHOTS");

for (const [name, render] of Object.entries(PAGES)) {
  Deno.test(
    ...inBrowser(`the page "${name}" is whole on every screen and on paper`),
    async () => {
      const html = render();
      for (const view of VIEWS) {
        await using page = await openPage(html);
        await show(page, view);
        const shown = `${name} ${view.name}`;
        assertEquals(await page.evaluate(OVERFLOW), 0, shown);
        assertEquals(await page.evaluate(CLIPPED), [], shown);
        assertEquals(await page.evaluate(FAINT), [], shown);
        if (view.isAsked) assertEquals(await findViolations(page), [], shown);
        assertEquals(await page.evaluate(WIDER_SHEETS), [], shown);
        await takeScreenshot(page, `${name}-${view.name}`);
        assertEquals(page.events, []);
      }
    },
  );
}

/** By how much the page is wider than the screen. */
const OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth";

/** Pipelines that are wider than what shows them. */
const WIDER_SHEETS = `[...document.querySelectorAll(".sheet")]
  .filter((sheet) => sheet.checkVisibility() && sheet.scrollWidth > sheet.clientWidth)
  .map((sheet) => sheet.className + " " + sheet.scrollWidth + " " + sheet.clientWidth)`;

async function show(page: BrowserPage, view: typeof VIEWS[number]): Promise<void> {
  const { width, media, scheme } = view;
  const size = { width, height: 900, deviceScaleFactor: 1, mobile: width < 600 };
  await page.send("Emulation.setDeviceMetricsOverride", size);
  const features = [{ name: "prefers-color-scheme", value: scheme }];
  await page.send("Emulation.setEmulatedMedia", { media, features });
}

async function findViolations(page: BrowserPage): Promise<unknown> {
  await page.evaluate(`${axe.source}; 0`);
  return await page.evaluate(`axe.run().then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join("\\n"))
  )`);
}

async function takeScreenshot(page: BrowserPage, name: string): Promise<void> {
  if (SCREENSHOTS === undefined) return;
  const { data } = await page.send("Page.captureScreenshot", { captureBeyondViewport: true });
  const png = Uint8Array.from(atob(String(data)), (character) => character.charCodeAt(0));
  assertEquals(new TextDecoder("latin1").decode(png.subarray(1, 4)), "PNG");
  Deno.writeFileSync(`${SCREENSHOTS}/${name}.png`, png);
}

Deno.test(
  ...inBrowser("axe and the measures of clipped and of faint text see what is wrong"),
  async () => {
    const html = PAGES["three"]?.() ?? "";
    const broken = html.replaceAll(
      '<text class="word"',
      '<text class="word faint" textLength="900"',
    )
      .replace('<html lang="en">', "<html>");
    await using page = await openPage(broken);
    assert((await page.evaluate(CLIPPED) as string[]).length > 5);
    assert(JSON.stringify(await findViolations(page)).includes("html-has-lang"));
  },
);

/** Whether there is a program that reads the text of a PDF. */
function hasPdfText(): boolean {
  try {
    return new Deno.Command("pdftotext", { args: ["-v"], stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

const [title, options] = inBrowser("a printed table repeats its head on every page");
const canRead = hasPdfText();
Deno.test(
  canRead ? title : `${title} (there is no pdftotext here)`,
  { ...options, ignore: options.ignore === true || !canRead },
  async () => {
    await using page = await openPage(PAGES["sixty"]?.() ?? "");
    const { data } = await page.send("Page.printToPDF", { preferCSSPageSize: true });
    using tree = makeTree();
    const pdf = tree.at("page.pdf");
    Deno.writeFileSync(pdf, Uint8Array.from(atob(String(data)), (c) => c.charCodeAt(0)));
    const { stdout } = await new Deno.Command("pdftotext", { args: ["-layout", pdf, "-"] })
      .output();
    const pages = new TextDecoder().decode(stdout).split("\f")
      .filter((text) => /verified +(completed|command failed)/.test(text));
    assert(pages.length > 1, `${pages.length}`);
    for (const text of pages) assert(/Run +Step +Integrity +Outcome +Decision/.test(text), text);
  },
);
