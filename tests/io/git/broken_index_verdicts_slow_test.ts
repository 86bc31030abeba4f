import { gatherTrackedFiles } from "../../../src/io/git/index_file.ts";
import { assert, assertEquals } from "../../assert.ts";
import { makeTree } from "../../temporary_tree.ts";
import { VARIANTS } from "./index_variants.ts";
import { breakIndex, putIndexFiles, readKeptIndex } from "./kept_index.ts";

for (const variant of VARIANTS) {
  Deno.test(`gatherTrackedFiles() agrees with git where no checksum helps: ${variant.name}`, () => {
    const { files, verdicts } = readKeptIndex(variant);
    using tree = makeTree({ ".git/objects/none": "", ".git/refs/none": "" });
    putIndexFiles(tree.at(".git"), files);
    assert(!("code" in gatherTrackedFiles(tree.path)));
    let listed = 0;
    for (
      const [i, { what, bytes }] of [...breakIndex(files.get("index") ?? new Uint8Array())]
        .entries()
    ) {
      Deno.writeFileSync(tree.at(".git/index"), bytes);
      const tracked = gatherTrackedFiles(tree.path);
      // Either a fault, or exactly what git lists of the same bytes.
      if ("code" in tracked) continue;
      assertEquals(tracked.map(({ path }) => path), verdicts[i], what);
      listed++;
    }
    assert(listed > 0);
  });
}
