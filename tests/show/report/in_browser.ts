import { type Browser, type BrowserPage, findBrowser, startBrowser } from "../../browser.ts";
import { makeTree } from "../../temporary_tree.ts";
import { type TestHead, unless } from "../../unless.ts";

const program = findBrowser();
const tree = makeTree();
let browser: Browser | undefined;

// One browser serves every test of the file that imports this.
if (program !== null) {
  Deno.test.beforeAll(async () => {
    browser = await startBrowser(program);
  });
}
Deno.test.afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  tree[Symbol.dispose]();
});

/**
 * The head of a test that opens pages, ignored where there is no browser.
 *
 * @param name Its name
 */
export function inBrowser(name: string): TestHead {
  const [shown, options] = unless(program === null ? "there is no Chromium here" : null, name);
  // The browser's connection outlives each test.
  return [shown, { ...options, sanitizeOps: false, sanitizeResources: false }];
}

/**
 * Opens a page from a file, as a reviewer would.
 *
 * @param html The page
 * @param options Whether its scripts run; default: they do
 */
export async function openPage(
  html: string,
  options: { readonly hasScripts?: boolean } = {},
): Promise<BrowserPage> {
  const path = tree.at("page.html");
  Deno.writeTextFileSync(path, html);
  if (browser === undefined) throw new Error("there is no browser");
  return await browser.open(`file://${path}`, options);
}

/** The names that the table of inputs of a page shows, in their order. */
export async function readNames(page: BrowserPage): Promise<unknown> {
  return await page.evaluate(
    "[...document.querySelectorAll('#inputs-table tbody th')].map((cell) => cell.textContent)",
  );
}

/** Text whose contrast with what is behind it is below WCAG 2.2 AA, 1.4.3, as `ratio text`. */
export const FAINT = `(() => {
  const parse = (color) => color.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const box = at.tagName === "text" ? at.parentElement.querySelector(":scope > rect") : null;
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

/** Text of a picture that reaches out of its box or of the picture, by what the browser measures. */
export const CLIPPED = `(() => {
  const clipped = [];
  for (const text of document.querySelectorAll("svg text")) {
    if (!text.checkVisibility()) continue;
    const box = text.parentElement.querySelector(":scope > rect") ?? text.closest("svg");
    const [inner, outer] = [text.getBoundingClientRect(), box.getBoundingClientRect()];
    const isInside = inner.left >= outer.left - 1 && inner.right <= outer.right + 1 &&
      inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
    if (!isInside) clipped.push(text.textContent);
  }
  return clipped;
})()`;
