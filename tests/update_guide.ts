/**
 * Writes the outputs of docs/guide.md and docs/pipeline.md with its picture, of README.md and the pages
 * of docs/examples/ anew: `deno run --allow-all tests/update_guide.ts`. Tests hold them against the
 * commands.
 *
 * @module
 */

import { EXAMPLES, readExample, runExample } from "./examples.ts";
import { drawRuns, PICTURED } from "./draw_runs.ts";
import { GUIDE_PAGES, type GuidePage, PIPELINE_PICTURE, runGuide } from "./guide.ts";
import { README, runReadme } from "./readme.ts";

async function updatePage(page: GuidePage): Promise<void> {
  const text = Deno.readTextFileSync(page.path);
  let [written, end] = ["", 0];
  for await (const { command, output, found, directory } of runGuide(page)) {
    // One command may stand on a page several times.
    const start = text.indexOf(`$ ${command}\n${output}`, end);
    written += `${text.slice(end, start)}$ ${command}\n${found}`;
    end = start + `$ ${command}\n${output}`.length;
    if (command === PICTURED) Deno.writeTextFileSync(PIPELINE_PICTURE, drawRuns(directory));
  }
  Deno.writeTextFileSync(page.path, written + text.slice(end));
}

async function updateReadme(): Promise<void> {
  let text = Deno.readTextFileSync(README);
  for (const { command, shown, printed } of await runReadme(text)) {
    // The page shows one second of all.
    const found = printed.replace(/runs\/[0-9T-]+Z/g, "runs/2026-02-15T20-13-00Z");
    text = text.replace(`$ ${command}\n${shown}`, () => `$ ${command}\n${found}`);
  }
  Deno.writeTextFileSync(README, text);
}

async function updateExample(name: string): Promise<void> {
  const example = await runExample(name);
  if (typeof example === "string") return console.warn(`${name}: ${example}`);
  let { page } = readExample(name);
  for (const { command, shown, printed } of example) {
    page = page.replace(`$ ${command}\n${shown}`, () => `$ ${command}\n${printed}`);
  }
  Deno.writeTextFileSync(readExample(name).path, page);
}

if (Deno.args[0] !== "guide") { for (const name of EXAMPLES) await updateExample(name); }
if (Deno.args[0] !== "examples") {
  for (const page of GUIDE_PAGES) await updatePage(page);
  await updateReadme();
}
