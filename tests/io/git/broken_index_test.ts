import { join } from "../../../src/base/std.ts";
import { gatherTrackedFiles } from "../../../src/io/git/tracked_files.ts";
import { assert, assertEquals } from "../../assert.ts";
import { type GitRepository, splitList, withRepository } from "./git_repository.ts";
import { VARIANTS } from "./index_variants.ts";

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

/** Either a fault, or exactly what git lists of the same bytes. */
function assertFaultOrGitsList(repo: GitRepository, what: string): void {
  const tracked = gatherTrackedFiles(repo.path);
  if ("code" in tracked) return;
  const result = repo.tryGit("-c", "index.threads=1", "ls-files", "-z");
  assertEquals(result.code, 0, `${what}: a list where git fails: ${result.stderr}`);
  assertEquals(tracked.map((entry) => entry.path), splitList(result.stdout), what);
}

function flipEach(file: IndexFile, flip: number, check: (what: string) => void): void {
  for (let i = 0; i < file.bytes.length; i++) {
    const broken = file.bytes.slice();
    broken[i] = (broken[i] ?? 0) ^ flip;
    Deno.writeFileSync(file.path, broken);
    check(`byte ${i} ^ ${flip}`);
  }
  Deno.writeFileSync(file.path, file.bytes);
}

function withoutChecksum(bytes: Uint8Array, hashLength: number): Uint8Array {
  const zeroed = bytes.slice();
  zeroed.fill(0, bytes.length - hashLength);
  return zeroed;
}

for (const variant of VARIANTS) {
  const hashLength = variant.init.includes("--object-format=sha256") ? 32 : 20;

  Deno.test(`gatherTrackedFiles() refuses a cut or flipped index: ${variant.name}`, () => {
    withRepository(variant.init, (repo) => {
      variant.build(repo);
      for (const file of readIndexFiles(repo)) {
        for (let length = 0; length < file.bytes.length; length++) {
          Deno.writeFileSync(file.path, file.bytes.subarray(0, length));
          assertFault(repo, `${length} bytes`);
        }
        flipEach(file, 0xff, (what) => assertFault(repo, what));
      }
    });
  });

  Deno.test(`gatherTrackedFiles() agrees with git where no checksum helps: ${variant.name}`, () => {
    withRepository(variant.init, (repo) => {
      variant.build(repo);
      const index = join(repo.path, ".git/index");
      const bytes = withoutChecksum(Deno.readFileSync(index), hashLength);
      Deno.writeFileSync(index, bytes);
      assertEquals("code" in gatherTrackedFiles(repo.path), false);
      for (let length = 0; length < bytes.length; length++) {
        Deno.writeFileSync(index, bytes.subarray(0, length));
        assertFaultOrGitsList(repo, `${length} bytes`);
      }
      flipEach({ path: index, bytes }, 0x01, (what) => assertFaultOrGitsList(repo, what));
    });
  });
}
