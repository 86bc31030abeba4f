import { join } from "../../../src/base/std.ts";
import { compareUtf8 } from "../../../src/base/text.ts";
import type { TrackedEntry } from "../../../src/guards/guard.ts";
import { gatherTrackedFiles } from "../../../src/io/git/index_file.ts";
import { assert, assertEquals } from "../../assert.ts";
import { withRepository } from "./git_repository.ts";
import { AWKWARD_NAMES, VARIANTS } from "./index_variants.ts";

function expectEntries(path: string): readonly TrackedEntry[] {
  const tracked = gatherTrackedFiles(path);
  if ("code" in tracked) throw new Error(tracked.message);
  return tracked;
}

function expectPaths(path: string): string[] {
  return expectEntries(path).map((entry) => entry.path);
}

for (const variant of VARIANTS) {
  Deno.test(`gatherTrackedFiles() lists what git lists: ${variant.name}`, () => {
    withRepository(variant.init, (repo) => {
      variant.build(repo);
      const bytes = Deno.readFileSync(join(repo.path, ".git/index"));
      assert(variant.isThere(bytes, repo), "git did not write this variant");
      assertEquals(expectPaths(repo.path), repo.list());
    });
  });
}

for (const version of ["2", "4"]) {
  Deno.test(`gatherTrackedFiles() reads awkward names in version ${version}`, () => {
    withRepository([], (repo) => {
      repo.trackAll(AWKWARD_NAMES.filter((name) => name !== "a"));
      repo.git("update-index", "--index-version", version);
      assertEquals(expectPaths(repo.path), repo.list());
      assertEquals(expectPaths(repo.path), expectPaths(repo.path).toSorted(compareUtf8));
    });
  });
}
