import { existsSync } from "node:fs";
import { join } from "../../../src/base/std.ts";
import type { Source } from "../../../src/evidence/run_summary.ts";
import { assert, assertEquals } from "../../assert.ts";
import { decode } from "../../run_kprov.ts";
import { type GitRepository, openRepository, splitList } from "./git_repository.ts";
import { assertState, commitFiles, inRepository, oracleOf, stateOf } from "./source_state.ts";

/** A repository with a commit of three files and a link, and what was done to it afterwards. */
const SITUATIONS: readonly (readonly [
  what: string,
  state: Source["state"],
  change: (repo: GitRepository) => void,
])[] = [
  ["nothing", "committed", () => {}],
  ["a file that is written anew", "committed", (repo) => repo.write("data/a")],
  ["times that are set back", "committed", (repo) => setTimes(repo, "data/a")],
  ["an untracked file", "modified", (repo) => repo.write("data/new")],
  ["an untracked file elsewhere", "committed", (repo) => repo.write("elsewhere/new")],
  ["an ignored file", "modified", (repo) => {
    repo.write(".git/info/exclude", "*.tmp\n");
    repo.write("data/a.tmp");
  }],
  ["a file whose content is not added yet", "modified", (repo) => {
    repo.write("data/new");
    repo.git("add", "--intent-to-add", "data/new");
  }],
  ["a file that is to be added anew", "committed", (repo) => {
    repo.git("rm", "-q", "--cached", "data/a");
    repo.git("add", "--intent-to-add", "data/a");
  }],
  [
    "a file that git does not track any more",
    "modified",
    (repo) => void repo.git("rm", "-q", "--cached", "data/a"),
  ],
  ["a staged change that is taken back in the worktree", "committed", (repo) => {
    repo.write("data/a", "other\n");
    repo.git("add", ".");
    repo.write("data/a");
  }],
  ["a staged file that is gone", "committed", (repo) => {
    repo.write("data/new");
    repo.git("add", ".");
    Deno.removeSync(join(repo.path, "data/new"));
  }],
  ["a file in place of a directory", "modified", (repo) => {
    Deno.removeSync(join(repo.path, "data/sub"), { recursive: true });
    repo.write("data/sub");
  }],
  ["a directory in place of a file", "modified", (repo) => {
    Deno.removeSync(join(repo.path, "data/a"));
    repo.write("data/a/b");
  }],
  ["a conflict", "modified", makeConflict],
  ["a conflict that the worktree does not show", "committed", (repo) => {
    makeConflict(repo);
    repo.write("data/a", "main\n");
  }],
  ["a mode that git is told not to look at", "committed", (repo) => {
    repo.git("config", "core.fileMode", "false");
    Deno.chmodSync(join(repo.path, "data/a"), 0o755);
  }],
  ["a staged mode that git does not look at in the worktree", "modified", (repo) => {
    repo.git("config", "core.fileMode", "false");
    repo.git("update-index", "--chmod=+x", "data/a");
  }],
  ["a link that was written as a file", "committed", (repo) => {
    repo.git("config", "core.symlinks", "false");
    Deno.removeSync(join(repo.path, "data/link"));
    repo.write("data/link", "a");
  }],
  ["a file that a sparse checkout leaves out", "committed", (repo) => {
    repo.git("sparse-checkout", "set", "--no-cone", "/*", "!/data/sub/b");
    assert(!existsSync(join(repo.path, "data/sub/b")));
  }],
  ["another branch that is checked out", "committed", (repo) => {
    repo.git("checkout", "-q", "-b", "side");
    repo.write("data/a", "side\n");
    repo.git("commit", "-qam", "side");
  }],
  ["HEAD on another commit than the files", "modified", (repo) => {
    repo.write("data/a", "second\n");
    repo.git("commit", "-qam", "second");
    repo.git("reset", "-q", "--soft", "HEAD^");
  }],
];

function makeConflict(repo: GitRepository): void {
  for (const branch of ["side", "main"]) {
    repo.git("checkout", "-q", ...(branch === "main" ? [] : ["-b"]), branch);
    repo.write("data/a", `${branch}\n`);
    repo.git("commit", "-qam", branch);
  }
  assertEquals(repo.tryGit("merge", "-q", "side").code, 1);
}

function setTimes(repo: GitRepository, name: string): void {
  Deno.utimeSync(join(repo.path, name), 0, 0);
}

for (const [what, state, change] of SITUATIONS) {
  Deno.test(`gatherSource() says ${state}, as git, after ${what}`, async () => {
    await inRepository([], async (repo) => {
      commitFiles(repo);
      change(repo);
      await assertState(repo, ["data"], state);
    });
  });
}

/** What git does not see, or what only git could decide. */
const OTHER_SITUATIONS: readonly (readonly [
  what: string,
  state: Source["state"],
  change: (repo: GitRepository) => void,
])[] = [
  ["a changed file that git is told to take as unchanged", "modified", (repo) => {
    repo.git("update-index", "--assume-unchanged", "data/a");
    repo.write("data/a", "other\n");
  }],
  ["a file of the same size with its old time", "modified", (repo) => {
    const { mtime } = Deno.statSync(join(repo.path, "data/a"));
    assert(mtime !== null);
    repo.write("data/a", "DATA/A\n");
    Deno.utimeSync(join(repo.path, "data/a"), mtime, mtime);
  }],
  ["other line ends", "unknown", (repo) => repo.write("data/a", "data/a\r\n")],
  ["another text with other line ends", "modified", (repo) => repo.write("data/a", "data/b\r\n")],
  ["a change where a filter may have made it", "unknown", (repo) => {
    repo.write("data/.gitattributes", "*a filter=lfs\n");
    commitAll(repo);
    repo.write("data/a", "other\n");
  }],
  ["a change where no filter applies", "modified", (repo) => {
    repo.write(".gitattributes", "*.bin filter=lfs\n/a filter=lfs\n# a filter=lfs\na -filter\n");
    commitAll(repo);
    repo.write("data/a", "other\n");
  }],
  ["what a filter made and git has looked at since", "committed", (repo) => {
    repo.git("config", "filter.upper.clean", "tr a-z A-Z");
    repo.write(".gitattributes", "a filter=upper\n");
    repo.write("data/a", "lower\n");
    commitAll(repo);
    assertEquals(decode(repo.git("show", "HEAD:data/a")), "LOWER\n");
    const later = Date.now() / 1000 + 10;
    Deno.utimeSync(join(repo.path, ".git/index"), later, later);
  }],
  ["the objects going elsewhere", "unknown", (repo) => {
    Deno.renameSync(join(repo.path, ".git/objects"), join(repo.path, ".git/elsewhere"));
    Deno.mkdirSync(join(repo.path, ".git/objects"));
  }],
  ["an object that is exchanged for another", "unknown", (repo) => {
    const pathOf = (name: string): string => {
      const id = decode(repo.git("rev-parse", name)).trim();
      return join(repo.path, ".git/objects", id.slice(0, 2), id.slice(2));
    };
    Deno.chmodSync(pathOf("HEAD:data"), 0o600);
    Deno.copyFileSync(pathOf("HEAD:"), pathOf("HEAD:data"));
  }],
  [
    "an index that is cut",
    "unknown",
    (repo) => Deno.truncateSync(join(repo.path, ".git/index"), 100),
  ],
];

function commitAll(repo: GitRepository): void {
  repo.git("add", ".");
  repo.git("commit", "-qm", "more");
}

for (const [what, state, change] of OTHER_SITUATIONS) {
  Deno.test(`gatherSource() says ${state} after ${what}`, async () => {
    await inRepository([], async (repo) => {
      commitFiles(repo);
      change(repo);
      assertEquals(await stateOf(repo, ["data"]), state);
    });
  });
}

Deno.test("gatherSource() knows no state before the first commit", async () => {
  await inRepository([], async (repo) => {
    repo.write("data/a");
    repo.git("add", ".");
    assertEquals(await stateOf(repo, ["data"]), "unknown");
  });
});

Deno.test("gatherSource() looks at the inputs alone, and at nothing that is excluded", async () => {
  await inRepository([], async (repo) => {
    commitFiles(repo);
    repo.write("data/a", "other\n");
    repo.write("data/new");
    Deno.removeSync(join(repo.path, "data/sub/b"));
    assertEquals(await stateOf(repo, ["data/c", "data/link"]), "committed");
    assertEquals(await stateOf(repo, ["data/c", "data/a"]), "modified");
    const exclude = ["/data/a", "new", "sub"];
    assertEquals(await stateOf(repo, ["data"], { exclude }), "committed");
    assertEquals(await stateOf(repo, ["data"], { exclude: exclude.slice(0, 2) }), "modified");
    assertEquals(await stateOf(repo, ["data"], { exclude: exclude.slice(1) }), "modified");
  });
});

Deno.test("gatherSource() takes names as relative to a root below the worktree", async () => {
  await inRepository([], async (repo) => {
    commitFiles(repo);
    const root = join(repo.path, "data");
    assertEquals(await stateOf(repo, ["."], { root }), "committed");
    assertEquals(await stateOf(repo, ["sub", "a"], { root }), "committed");
    repo.write("data/sub/b", "other\n");
    assertEquals(await stateOf(repo, ["sub"], { root }), "modified");
    assertEquals(await stateOf(repo, ["a"], { root }), "committed");
  });
});

Deno.test("gatherSource() reads linked worktrees and shallow clones, and no clone that borrows", async () => {
  await inRepository([], async (repo) => {
    commitFiles(repo);
    repo.write("data/a", "second\n");
    repo.git("commit", "-qam", "second");
    repo.git("worktree", "add", "-q", "../linked");
    repo.git("clone", "-q", "--depth=1", `file://${repo.path}`, "../shallow");
    repo.git("clone", "-q", "--shared", repo.path, "../borrowing");
    const states = { linked: "committed", shallow: "committed", borrowing: "unknown" } as const;
    for (const [name, state] of Object.entries(states)) {
      const clone = openRepository(join(repo.path, "..", name));
      assertEquals(await stateOf(clone, ["data"]), state, name);
      clone.write("data/c", "other\n");
      assertEquals(await stateOf(clone, ["data"]), state === "unknown" ? state : "modified", name);
    }
  });
});

/** A submodule at data/module, and what is done in it. */
const IN_SUBMODULE: readonly (readonly [
  what: string,
  state: Source["state"],
  change: (module: GitRepository, outer: GitRepository) => void,
])[] = [
  ["nothing", "committed", () => {}],
  ["a changed file", "modified", (module) => module.write("a", "other\n")],
  ["a staged file", "modified", (module) => {
    module.write("a", "other\n");
    module.git("add", ".");
  }],
  ["an untracked file", "modified", (module) => module.write("new")],
  ["a file that is gone", "modified", (module) => Deno.removeSync(join(module.path, "a"))],
  ["another commit", "modified", (module) => {
    module.git("commit", "-q", "--allow-empty", "-m", "more");
  }],
  ["another commit that is staged", "modified", (module, outer) => {
    module.git("commit", "-q", "--allow-empty", "-m", "more");
    outer.git("add", ".");
  }],
  ["being emptied", "committed", (_, outer) => {
    outer.git("submodule", "deinit", "-q", "-f", "data/module");
  }],
  ["a file in its place", "modified", (module, outer) => {
    Deno.removeSync(module.path, { recursive: true });
    outer.write("data/module");
  }],
];

for (const [what, state, change] of IN_SUBMODULE) {
  Deno.test(`gatherSource() says ${state} after ${what} in a submodule`, async () => {
    await inRepository([], async (inner) => {
      commitFiles(inner);
      for (const name of ["a", "b"]) inner.write(name);
      commitAll(inner);
      await inRepository([], async (outer) => {
        outer.write("data/beside");
        const url = ["-c", "protocol.file.allow=always", "submodule", "add", "-q", inner.path];
        outer.git(...url, "data/module");
        commitAll(outer);
        const module = openRepository(join(outer.path, "data/module"));
        change(module, outer);
        // Git looks for untracked files only where it is run.
        const isPlain = existsSync(join(module.path, ".git"));
        const others = isPlain ? splitList(module.git("ls-files", "--others", "-z")) : [];
        assertEquals(others.length > 0 ? "modified" : oracleOf(outer, ["data"]), state, "git");
        assertEquals(await stateOf(outer, ["data"]), state);
        assertEquals(await stateOf(outer, ["."]), state);
        assertEquals(await stateOf(outer, ["data/beside"]), "committed");
      });
    });
  });
}
