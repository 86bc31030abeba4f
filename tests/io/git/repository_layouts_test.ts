import { KprovError } from "../../../src/base/error.ts";
import { join } from "../../../src/base/std.ts";
import type { IndexFault } from "../../../src/guards/guard.ts";
import { gatherTrackedFiles } from "../../../src/io/git/index_file.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "../../assert.ts";
import { buildIndex } from "./build_index.ts";
import { type GitRepository, openRepository, withRepository } from "./git_repository.ts";

function pathsOf(path: string): string[] {
  const tracked = gatherTrackedFiles(path);
  if ("code" in tracked) throw new Error(tracked.message);
  return tracked.map((entry) => entry.path);
}

function faultOf(path: string): IndexFault {
  const tracked = gatherTrackedFiles(path);
  assert("code" in tracked, "a list where a fault belongs");
  return tracked;
}

function assertInvalid(path: string, reason: string): void {
  const { code, message } = faultOf(path);
  assertEquals(code, "artifacts.index_invalid");
  assertStringIncludes(message, reason);
}

function addFiles(repo: GitRepository): void {
  for (const name of ["a", "sub/b", "sub/deep/c", "sub.txt"]) repo.write(name);
  repo.git("add", ".");
}

Deno.test("gatherTrackedFiles() tells files, links and submodules apart", () => {
  withRepository([], (repo) => {
    Deno.symlinkSync("nowhere", join(repo.path, "link"));
    repo.write("file");
    repo.git("add", ".");
    repo.git("update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},module`);
    assertEquals(gatherTrackedFiles(repo.path), [
      { path: "file", kind: "file" },
      { path: "link", kind: "symlink" },
      { path: "module", kind: "submodule" },
    ]);
  });
});

Deno.test("gatherTrackedFiles() lists a directory below the worktree by its own names", () => {
  withRepository([], (repo) => {
    addFiles(repo);
    const sub = openRepository(join(repo.path, "sub"));
    assertEquals(pathsOf(sub.path), ["b", "deep/c"]);
    assertEquals(pathsOf(sub.path), sub.list());
    assertEquals(pathsOf(join(repo.path, "sub/deep")), ["c"]);
  });
});

Deno.test("gatherTrackedFiles() reads a linked worktree's own index", () => {
  for (const init of [[], ["--object-format=sha256"]]) {
    withRepository(init, (repo) => {
      addFiles(repo);
      repo.git("commit", "-qm", "all");
      repo.git("worktree", "add", "-q", "linked");
      const linked = openRepository(join(repo.path, "linked"));
      linked.write("only-here");
      linked.git("add", ".");
      linked.git("update-index", "--split-index");
      linked.write("only-here-too");
      linked.git("add", ".");
      assertEquals(pathsOf(linked.path), linked.list());
      assert(pathsOf(linked.path).includes("only-here-too"));
      assert(!pathsOf(repo.path).includes("only-here"));
    });
  }
});

Deno.test("gatherTrackedFiles() reads a submodule's own index", () => {
  withRepository([], (inner) => {
    addFiles(inner);
    inner.git("commit", "-qm", "all");
    withRepository([], (outer) => {
      outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", inner.path, "lib/x");
      const module = openRepository(join(outer.path, "lib/x"));
      assertEquals(pathsOf(module.path), module.list());
      assertEquals(pathsOf(outer.path), [".gitmodules", "lib/x"]);
    });
  });
});

Deno.test("gatherTrackedFiles() reads a worktree with extensions.worktreeConfig", () => {
  withRepository(["--object-format=sha256"], (repo) => {
    addFiles(repo);
    repo.git("config", "extensions.worktreeConfig", "true");
    repo.git("config", "--worktree", "core.sparseCheckout", "false");
    assertEquals(pathsOf(repo.path), repo.list());
    repo.git("config", "--worktree", "core.worktree", "/");
    assertInvalid(repo.path, "core.worktree puts the worktree of the repository elsewhere");
  });
});

Deno.test("gatherTrackedFiles() refuses a repository whose worktree is elsewhere", () => {
  withRepository([], (repo) => {
    addFiles(repo);
    repo.git("config", "core.worktree", "../sub");
    assertInvalid(repo.path, "core.worktree");
    repo.git("--work-tree=.", "config", "core.worktree", "..");
    assertEquals(pathsOf(repo.path), repo.list());
  });
});

function describeTracked(path: string): string[] {
  const tracked = gatherTrackedFiles(path);
  if ("code" in tracked) throw new Error(tracked.message);
  return tracked.map(({ path, kind }) => `${kind === "symlink" ? "120000" : "100644"} ${path}`);
}

function listWithModes(repo: GitRepository): string[] {
  return new TextDecoder().decode(repo.git("ls-files", "-s", "-z")).split("\0").slice(0, -1)
    .map((line) => line.replace(/^(\d+) \S+ \d\t/, "$1 "));
}

Deno.test("gatherTrackedFiles() merges a large split index as git does", () => {
  for (const version of ["2", "4"]) {
    withRepository([], (repo) => {
      const names = Array.from({ length: 700 }, (_, i) => `d${i % 7}/f${i}`);
      repo.git("config", "splitIndex.maxPercentChange", "100");
      repo.git("config", "index.version", version);
      repo.trackAll(names);
      repo.git("update-index", "--split-index");
      const gone = names.filter((_, i) => (i > 100 && i < 400) || i % 13 === 0);
      repo.git("rm", "-q", "--cached", ...gone);
      const kept = names.filter((name) => !gone.includes(name));
      repo.trackAll(kept.filter((_, i) => i % 3 === 0 || i > 200), "120000");
      repo.trackAll(names.filter((_, i) => i % 5 === 0).map((name) => `${name}.new`));
      const bytes = new TextDecoder("latin1").decode(
        Deno.readFileSync(join(repo.path, ".git/index")),
      );
      assert(bytes.includes("link") && !bytes.includes(`${kept[0]}\0`));
      assertEquals(describeTracked(repo.path), listWithModes(repo));
      assert(pathsOf(repo.path).length > 400);
    });
  }
});

Deno.test("gatherTrackedFiles() refuses a split index whose shared index is gone or another", () => {
  withRepository([], (repo) => {
    addFiles(repo);
    repo.git("update-index", "--split-index");
    const gitDir = join(repo.path, ".git");
    const shared = [...Deno.readDirSync(gitDir)].find(({ name }) =>
      name.startsWith("sharedindex.")
    );
    const path = join(gitDir, shared?.name ?? "");
    Deno.writeFileSync(path, buildIndex({ entries: [{ path: "another" }] }));
    assertInvalid(repo.path, "another checksum than its name says");
    Deno.removeSync(path);
    assertInvalid(repo.path, "its shared index does not exist");
  });
});

Deno.test("gatherTrackedFiles() refuses a sparse index with collapsed directories", () => {
  withRepository([], (repo) => {
    addFiles(repo);
    repo.write("kept/file");
    repo.git("add", ".");
    repo.git("commit", "-qm", "all");
    repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "kept");
    assertInvalid(repo.path, 'sparse index with collapsed directories, such as "sub/"');
    repo.git("sparse-checkout", "reapply", "--no-sparse-index");
    assertEquals(pathsOf(repo.path), repo.list());
    assert(pathsOf(repo.path).includes("sub/deep/c"));
  });
});

Deno.test("gatherTrackedFiles() takes an index whose checksum git skipped", () => {
  withRepository([], (repo) => {
    addFiles(repo);
    const index = join(repo.path, ".git/index");
    const bytes = Deno.readFileSync(index);
    bytes.fill(0, bytes.length - 20);
    Deno.writeFileSync(index, bytes);
    assertEquals(pathsOf(repo.path), repo.list());
  });
});

Deno.test("gatherTrackedFiles() names a path that is not UTF-8 and gives no list", () => {
  withRepository([], (repo) => {
    addFiles(repo);
    Deno.writeFileSync(
      join(repo.path, ".git/index"),
      buildIndex({ entries: [{ path: "a" }, { path: Uint8Array.of(0x62, 0xe9) }] }),
    );
    assertInvalid(repo.path, 'the path "b\\xe9" is not valid UTF-8');
  });
});

Deno.test("gatherTrackedFiles() lists nothing where nothing was ever added, as git", () => {
  withRepository([], (repo) => {
    assertEquals(gatherTrackedFiles(repo.path), []);
    assertEquals(repo.list(), []);
  });
});

Deno.test("gatherTrackedFiles() says that the index is missing where there is no repository", () => {
  const path = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "kprov-index-" }));
  try {
    assertEquals(faultOf(path).code, "artifacts.index_missing");
    assertStringIncludes(faultOf(path).message, 'no ".git" is here');
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
});

Deno.test({
  name: "gatherTrackedFiles() asks for the permission that it lacks",
  permissions: { read: false },
  fn: () => {
    const error = assertThrows(() => gatherTrackedFiles("/repository"), KprovError);
    assertEquals(error.code, "permission");
    assertStringIncludes(error.hint ?? "", "--allow-read=/repository/.git");
  },
});

Deno.test({
  name: "gatherTrackedFiles() looks above only where it may, and says so",
  permissions: { read: ["/nowhere/inner"] },
  fn: () => {
    const fault = gatherTrackedFiles("/nowhere/inner");
    assert("code" in fault);
    assertEquals(fault.code, "artifacts.index_missing");
    assertStringIncludes(fault.message, "a directory above that may be read");
  },
});
