import { join } from "../../../src/base/std.ts";
import { gatherTrackedFiles } from "../../../src/io/git/index_file.ts";
import { assert, assertEquals, assertStringIncludes } from "../../assert.ts";
import { withRepository } from "./git_repository.ts";

const BROKEN: readonly (readonly [what: string, breakIt: (at: string) => void, reason: string])[] =
  [
    ["an empty .git", (at) => replace(at, () => Deno.mkdirSync(at)), "is not a git repository"],
    [
      "a .git file that names nothing",
      (at) => replace(at, () => Deno.writeTextFileSync(at, "x\n")),
      "does not name a git directory",
    ],
    [
      "a .git file that leads nowhere",
      (at) => replace(at, () => Deno.writeTextFileSync(at, "gitdir: ../nowhere\n")),
      "is not a git repository",
    ],
    ["no HEAD", (at) => Deno.removeSync(join(at, "HEAD")), "is not a git repository"],
    [
      "an index that is a directory",
      (at) => replace(join(at, "index"), () => Deno.mkdirSync(join(at, "index"))),
      `git's file "index": it is a directory`,
    ],
    [
      "an index that is a FIFO",
      (at) =>
        replace(
          join(at, "index"),
          () => new Deno.Command("mkfifo", { args: [join(at, "index")] }).outputSync(),
        ),
      `git's file "index": it is a FIFO`,
    ],
    [
      "an empty index",
      (at) => Deno.writeFileSync(join(at, "index"), new Uint8Array()),
      "too short",
    ],
    [
      "an index of more than 1 GiB",
      (at) => Deno.truncateSync(join(at, "index"), 2 ** 30 + 1),
      "it is larger than 1073741824 bytes",
    ],
    [
      "a configuration that is not UTF-8",
      (at) => Deno.writeFileSync(join(at, "config"), Uint8Array.of(0xff)),
      `git's file "config": it is not valid UTF-8`,
    ],
    [
      "the other object format",
      (at) =>
        Deno.writeTextFileSync(
          join(at, "config"),
          "[core]\nrepositoryformatversion=1\n[extensions]\nobjectformat=sha256\n",
        ),
      "its checksum is wrong",
    ],
  ];

function replace(path: string, make: () => void): void {
  Deno.removeSync(path, { recursive: true });
  make();
}

for (const [what, breakIt, reason] of BROKEN) {
  Deno.test(`gatherTrackedFiles() refuses ${what}`, () => {
    withRepository([], (repo) => {
      repo.write("a");
      repo.git("add", ".");
      breakIt(join(repo.path, ".git"));
      const tracked = gatherTrackedFiles(repo.path);
      assert("code" in tracked, "a list where a fault belongs");
      assertEquals(tracked.code, "artifacts.index_invalid");
      assertStringIncludes(tracked.message, reason);
    });
  });
}
