import { existsSync } from "node:fs";
import { join } from "../../../src/base/std.ts";
import type { Source } from "../../../src/evidence/run_summary.ts";
import { gatherSource } from "../../../src/io/git/source.ts";
import { gatherInputs } from "../../../src/io/inputs.ts";
import { assert, assertEquals } from "../../assert.ts";
import { decode } from "../../run_kprov.ts";
import { type GitRepository, openRepository, splitList } from "./git_repository.ts";

interface Setting {
  readonly exclude?: readonly string[];
  readonly root?: string;
}

/** What kprov says of inputs. */
async function stateOf(
  repo: GitRepository,
  inputs: readonly string[],
  { exclude = [], root = repo.path }: Setting = {},
): Promise<Source["state"] | undefined> {
  const gathered = await gatherInputs({
    inputs: inputs.map((name) => join(root, name)),
    exclude,
    root: { given: root, path: root },
    own: [],
    links: "links",
    effort: { jobs: 1, progress: null },
  });
  return gatherSource(root, gathered)?.state;
}

/** What git says of them: nothing that differs from HEAD, and nothing that is not tracked. */
function oracleOf(repo: GitRepository, inputs: readonly string[]): Source["state"] {
  const others = repo.git("ls-files", "--others", "-z", "--", ...inputs);
  const { code } = repo.tryGit("diff", "--quiet", "HEAD", "--", ...inputs);
  assert(code === 0 || code === 1, `git diff ended with ${code}`);
  return code === 0 && others.length === 0 ? "committed" : "modified";
}

async function assertAgrees(repo: GitRepository, inputs: readonly string[]): Promise<void> {
  assertEquals(await stateOf(repo, inputs), oracleOf(repo, inputs), inputs.join(" "));
}

/** The same with a name of what stands in the repository. */
async function assertState(
  repo: GitRepository,
  inputs: readonly string[],
  expected: Source["state"],
): Promise<void> {
  assertEquals(oracleOf(repo, inputs), expected, `git of ${inputs}`);
  assertEquals(await stateOf(repo, inputs), expected, `kprov of ${inputs}`);
}

/** Runs an asynchronous test in a repository made by git. */
async function inRepository(
  args: readonly string[],
  use: (repo: GitRepository) => Promise<void>,
): Promise<void> {
  const place = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "kprov-source-" }));
  try {
    const path = join(place, "repository");
    Deno.mkdirSync(path);
    const repo = openRepository(path);
    repo.git("init", "-q", "-b", "main", ...args);
    await use(repo);
  } finally {
    Deno.removeSync(place, { recursive: true });
  }
}

const FORMS = ["absent", "plain", "other", "executable", "link"] as const;
type Form = typeof FORMS[number];

function put(path: string, form: Form): void {
  if (existsSync(join(path, ".."))) Deno.removeSync(join(path, ".."), { recursive: true });
  Deno.mkdirSync(join(path, ".."), { recursive: true });
  Deno.writeTextFileSync(join(path, "../beside"), "beside\n");
  if (form === "link") Deno.symlinkSync("plain", path);
  else if (form === "other") Deno.writeTextFileSync(path, "other\n");
  else if (form !== "absent") Deno.writeTextFileSync(path, "plain");
  if (form === "executable") Deno.chmodSync(path, 0o755);
}

interface Combination {
  readonly name: string;
  readonly inCommit: Form;
  readonly inIndex: Form;
  readonly inWorktree: Form;
}

const COMBINATIONS: readonly Combination[] = FORMS.flatMap((inCommit) =>
  FORMS.flatMap((inIndex) =>
    FORMS.map((inWorktree) => ({
      name: `${inCommit}-${inIndex}-${inWorktree}`,
      inCommit,
      inIndex,
      inWorktree,
    }))
  )
);

/** A directory for each combination of what the commit, the index and the worktree hold. */
function putCombinations(repo: GitRepository): void {
  const putAll = (which: "inCommit" | "inIndex" | "inWorktree"): void => {
    for (const { name, [which]: form } of COMBINATIONS) {
      put(join(repo.path, "all", name, "f"), form);
    }
  };
  // Directories that are much alike, for a pack to hold one as a change of the other.
  for (const half of ["one", "two", "three"]) {
    for (let i = 0; i < 100; i++) repo.write(`wide/${half}/file${i}`, `${i}\n`);
    repo.write(`wide/${half}/${half}`);
  }
  putAll("inCommit");
  repo.git("add", "-A");
  repo.git("commit", "-qm", "all");
  putAll("inIndex");
  repo.git("add", "-A");
  putAll("inWorktree");
}

interface Storage {
  readonly name: string;
  readonly init?: readonly string[];
  readonly store: (repo: GitRepository) => void;
}

function repack(repo: GitRepository): void {
  repo.git("repack", "-adqf", "--depth=50", "--window=50");
  const pack = [...Deno.readDirSync(join(repo.path, ".git/objects/pack"))]
    .find(({ name }) => name.endsWith(".idx"));
  const listing = decode(repo.git("verify-pack", "-v", `.git/objects/pack/${pack?.name}`));
  assert(/ tree +\d+ \d+ \d+ [1-9]\d* /.test(listing), "git stored no tree as a change of another");
}

const STORAGES: readonly Storage[] = [
  { name: "loose", store: () => {} },
  { name: "packed", store: repack },
  {
    name: "packed with bases by their ids",
    store: (repo) => {
      repo.git("config", "repack.useDeltaBaseOffset", "false");
      repack(repo);
    },
  },
  {
    name: "packed, with an index over all packs",
    store: (repo) => {
      repack(repo);
      repo.git("multi-pack-index", "write");
    },
  },
  { name: "loose in SHA-256", init: ["--object-format=sha256"], store: () => {} },
  { name: "packed in SHA-256", init: ["--object-format=sha256"], store: repack },
  { name: "with a split index", store: (repo) => repo.git("update-index", "--split-index") },
  {
    name: "with an index of version 4",
    store: (repo) => repo.git("update-index", "--index-version", "4"),
  },
];

for (const { name, init = [], store } of STORAGES) {
  Deno.test(`gatherSource() judges each combination of commit, index and worktree as git does: ${name}`, async () => {
    await inRepository(init, async (repo) => {
      putCombinations(repo);
      store(repo);
      for (const { name } of COMBINATIONS) await assertAgrees(repo, [`all/${name}`]);
      await assertState(repo, ["wide"], "committed");
      await assertState(repo, ["all"], "modified");
      await assertAgrees(repo, ["all/plain-plain-plain/f", "all/link-link-link/f"]);
      await assertAgrees(repo, ["all/plain-plain-plain/f", "all/plain-other-other/f"]);
    });
  });
}

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

function commitFiles(repo: GitRepository): void {
  for (const name of ["data/a", "data/c", "data/sub/b"]) repo.write(name);
  Deno.symlinkSync("a", join(repo.path, "data/link"));
  repo.git("add", ".");
  repo.git("commit", "-qm", "files");
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

Deno.test("gatherSource() says unknown or what it said before whatever byte of a pack is wrong", async () => {
  await inRepository([], async (repo) => {
    commitFiles(repo);
    repo.git("repack", "-adq");
    const inputs = await gatherInputs({
      inputs: [join(repo.path, "data")],
      exclude: [],
      root: { given: repo.path, path: repo.path },
      own: [],
      links: "links",
      effort: { jobs: 1, progress: null },
    });
    const seen = new Set<Source["state"] | undefined>();
    const packs = join(repo.path, ".git/objects/pack");
    for (const { name } of [...Deno.readDirSync(packs)]) {
      const path = join(packs, name);
      const bytes = Deno.readFileSync(path);
      Deno.chmodSync(path, 0o600);
      for (let i = 0; i < bytes.length; i++) {
        const broken = bytes.slice();
        broken[i] = (broken[i] ?? 0) ^ (i % 2 === 0 ? 0xff : 0x10);
        Deno.writeFileSync(path, i % 5 === 0 ? bytes.subarray(0, i) : broken);
        seen.add(gatherSource(repo.path, inputs)?.state);
      }
      Deno.writeFileSync(path, bytes);
    }
    assertEquals(seen, new Set(["committed", "unknown"]));
  });
});
