import { join } from "../../../src/base/std.ts";
import { gatherTrackedFiles } from "../../../src/io/git/index_file.ts";
import { assert, assertEquals } from "../../assert.ts";
import { type GitRepository, withRepository } from "./git_repository.ts";
import { VARIANTS } from "./index_variants.ts";
import { askGit, breakIndex, putIndexFiles, readKeptIndex } from "./kept_index.ts";

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
}
