import { assert, assertEquals } from "./assert.ts";
import { drawRuns, PICTURED } from "./draw_runs.ts";
import { GUIDE_PAGES, maskMachine, PIPELINE_PICTURE, runGuide } from "./guide.ts";

for (const page of GUIDE_PAGES) {
  const name = page.path.slice(page.path.lastIndexOf("/") + 1);
  Deno.test({
    name: `every command of docs/${name} prints what the page shows`,
    // The guide names the directories of Linux.
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      let count = 0;
      for await (const { line, command, output, found, directory } of runGuide(page)) {
        count++;
        assertEquals(maskMachine(found), maskMachine(output), `${name}:${line}: ${command}`);
        if (command !== PICTURED) continue;
        assertEquals(drawRuns(directory), Deno.readTextFileSync(PIPELINE_PICTURE));
      }
      assert(count > 10);
    },
  });
}
