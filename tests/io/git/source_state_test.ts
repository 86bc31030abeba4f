import { existsSync } from "node:fs";
import { join } from "../../../src/base/std.ts";
import type { Source } from "../../../src/evidence/run_summary.ts";
import { gatherSource } from "../../../src/io/git/source.ts";
import { gatherInputs } from "../../../src/io/inputs.ts";
import { assert, assertEquals } from "../../assert.ts";
import { decode } from "../../run_kprov.ts";
import { type GitRepository, openRepository } from "./git_repository.ts";

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
    ownNames: [],
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
  const path = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "kprov-source-" }));
  try {
    const repo = openRepository(path);
    repo.git("init", "-q", "-b", "main", ...args);
    await use(repo);
  } finally {
    Deno.removeSync(path, { recursive: true });
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
