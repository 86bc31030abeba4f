/**
 * Asks git anew what it makes of broken indexes, and writes tests/testdata/index:
 * `deno task update:git`. tests/io/git/broken_index_slow_test.ts holds it against git.
 *
 * @module
 */

import { join } from "../src/base/std.ts";
import { assert } from "./assert.ts";
import { withRepository } from "./io/git/git_repository.ts";
import { VARIANTS } from "./io/git/index_variants.ts";
import { askGit, breakIndex, takeIndexFiles, writeKeptIndex } from "./io/git/kept_index.ts";
import { testdata } from "./paths.ts";

Deno.removeSync(testdata("index"), { recursive: true });
for (const variant of VARIANTS) {
  withRepository(variant.init, (repo) => {
    variant.build(repo);
    const gitDir = join(repo.path, ".git");
    const path = join(gitDir, "index");
    assert(variant.isThere(Deno.readFileSync(path), repo), variant.name);
    const files = takeIndexFiles(gitDir, variant.init);
    const verdicts = [...breakIndex(files.get("index") ?? new Uint8Array())].map(({ bytes }) => {
      Deno.writeFileSync(path, bytes);
      return askGit(repo);
    });
    writeKeptIndex(variant, { files, verdicts });
  });
}
