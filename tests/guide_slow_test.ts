import { assert, assertEquals } from "./assert.ts";
import { maskMachine, parseGuide, runGuideStep, writeWheels } from "./guide.ts";
import { fromFileUrl } from "./paths.ts";
import { installKprov } from "./run_script.ts";
import { makeTree } from "./temporary_tree.ts";

const GUIDE = fromFileUrl(new URL("../docs/guide.md", import.meta.url));

Deno.test({
  name: "every command of docs/guide.md prints what the guide shows",
  // The guide names the directories of Linux.
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const { files, steps } = parseGuide(Deno.readTextFileSync(GUIDE));
    assert(steps.length > 10);
    using tree = makeTree(files);
    await writeWheels(tree.path);
    using bin = makeTree();
    installKprov(bin.path, "ALLOW");
    for (const { line, command, output } of steps) {
      const found = await runGuideStep(command, tree.path, bin.path);
      assertEquals(maskMachine(found), maskMachine(output), `guide.md:${line}: ${command}`);
    }
  },
});
