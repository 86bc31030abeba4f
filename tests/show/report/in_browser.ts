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
