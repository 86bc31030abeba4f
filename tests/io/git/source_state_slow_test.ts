import { existsSync } from "node:fs";
import { join } from "../../../src/base/std.ts";
import type { Source } from "../../../src/evidence/run_summary.ts";
import { gatherSource } from "../../../src/io/git/source.ts";
import { gatherInputs } from "../../../src/io/inputs.ts";
import { assert, assertEquals } from "../../assert.ts";
import { decode } from "../../run_kprov.ts";
import type { GitRepository } from "./git_repository.ts";
import { assertAgrees, assertState, commitFiles, inRepository } from "./source_state.ts";

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
