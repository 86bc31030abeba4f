/**
 * Writes the outputs of docs/guide.md, README.md and the pages of docs/examples/ anew:
 * `deno run --allow-all tests/update_guide.ts`. Tests hold them against the commands.
 *
 * @module
 */

import { EXAMPLES, readExample, runExample } from "./examples.ts";
import { parseGuide, runGuideStep, writeWheels } from "./guide.ts";
import { fromFileUrl } from "./paths.ts";
import { README, runReadme } from "./readme.ts";
import { installKprov } from "./run_script.ts";
import { makeTree } from "./temporary_tree.ts";

const GUIDE = fromFileUrl(new URL("../docs/guide.md", import.meta.url));

async function updateGuide(): Promise<void> {
  let text = Deno.readTextFileSync(GUIDE);
  const { files, steps } = parseGuide(text);
  using tree = makeTree(files);
  await writeWheels(tree.path);
  using bin = makeTree();
  installKprov(bin.path, "ALLOW");
  for (const { command, output } of steps) {
    const found = await runGuideStep(command, tree.path, bin.path);
    text = text.replace(`$ ${command}\n${output}`, () => `$ ${command}\n${found}`);
  }
  Deno.writeTextFileSync(GUIDE, text);
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

for (const name of EXAMPLES) await updateExample(name);
if (Deno.args[0] !== "examples") {
  await updateGuide();
  await updateReadme();
}
