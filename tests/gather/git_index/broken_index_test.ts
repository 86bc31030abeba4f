import { gatherTrackedFiles } from "../../../src/gather/git_index/gather_tracked_files.ts";
import { join } from "../../../src/std.ts";
import { assert, assertEquals } from "../../assert.ts";
import { makeTree } from "../../temporary_tree.ts";
import { type GitRepository, withRepository } from "./git_repository.ts";
import { VARIANTS } from "./index_variants.ts";
import { breakIndex, putIndexFiles, readKeptIndex } from "./kept_index.ts";

interface IndexFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

function readIndexFiles(repo: GitRepository): IndexFile[] {
  const gitDir = join(repo.path, ".git");
  return [...Deno.readDirSync(gitDir)]
    .filter(({ name }) => name === "index" || name.startsWith("sharedindex."))
    .map(({ name }) => join(gitDir, name))
    .map((path) => ({ path, bytes: Deno.readFileSync(path) }));
}

function assertFault(repo: GitRepository, what: string): void {
  const tracked = gatherTrackedFiles(repo.path);
  assert("code" in tracked, `${what}: a list where a fault belongs`);
  assertEquals(tracked.code, "artifacts.index_invalid", what);
}

function flipEach(file: IndexFile, check: (what: string) => void): void {
  for (let i = 0; i < file.bytes.length; i++) {
    const broken = file.bytes.slice();
    broken[i] = (broken[i] ?? 0) ^ 0xff;
    Deno.writeFileSync(file.path, broken);
    check(`byte ${i}`);
  }
  Deno.writeFileSync(file.path, file.bytes);
}

for (const variant of VARIANTS) {
  Deno.test(`gatherTrackedFiles() refuses a cut or flipped index: ${variant.name}`, () => {
    withRepository(variant.init, (repo) => {
      variant.build(repo);
      for (const file of readIndexFiles(repo)) {
        for (let length = 0; length < file.bytes.length; length++) {
          Deno.writeFileSync(file.path, file.bytes.subarray(0, length));
          assertFault(repo, `${length} bytes`);
        }
        flipEach(file, (what) => assertFault(repo, what));
      }
    });
  });

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
