import { gatherTrackedFiles } from "../../../src/gather/git_index/gather_tracked_files.ts";
import { join } from "../../../src/std.ts";
import { assertEquals } from "../../assert.ts";
import { withRepository } from "./git_repository.ts";
import { VARIANTS } from "./index_variants.ts";
import { askGit, breakIndex, putIndexFiles, readKeptIndex } from "./kept_index.ts";

for (const variant of VARIANTS) {
  Deno.test(`git lists what is kept of it, wherever kprov lists too: ${variant.name}`, () => {
    const { files, verdicts } = readKeptIndex(variant);
    withRepository(variant.init, (repo) => {
      variant.build(repo);
      const gitDir = join(repo.path, ".git");
      putIndexFiles(gitDir, files);
      for (const [i, broken] of [...breakIndex(files.get("index") ?? new Uint8Array())].entries()) {
        Deno.writeFileSync(join(gitDir, "index"), broken.bytes);
        if ("code" in gatherTrackedFiles(repo.path)) continue;
        assertEquals(askGit(repo), verdicts[i], broken.what);
      }
    });
  });
}
