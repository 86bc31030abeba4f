/**
 * Writes the outputs of docs/guide.md anew: `deno run --allow-all tests/update_guide.ts`. A test holds
 * them against the commands.
 *
 * @module
 */
import { parseGuide, runGuideStep } from "./guide.ts";
import { fromFileUrl } from "./paths.ts";
import { installKprov } from "./run_script.ts";
import { makeTree } from "./temporary_tree.ts";

const path = fromFileUrl(new URL("../docs/guide.md", import.meta.url));
let text = Deno.readTextFileSync(path);
const { files, steps } = parseGuide(text);
using tree = makeTree(files);
using bin = makeTree();
installKprov(bin.path, "ALLOW");
for (const { command, output } of steps) {
  const found = await runGuideStep(command, tree.path, bin.path);
  text = text.replace(`$ ${command}\n${output}`, () => `$ ${command}\n${found}`);
}
Deno.writeTextFileSync(path, text);
