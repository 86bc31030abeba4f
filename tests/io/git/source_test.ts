import { ARTIFACTS } from "../../../src/guards/artifacts.ts";
import type { Guard, TrackedEntry } from "../../../src/guards/guard.ts";
import { PARITY } from "../../../src/guards/parity/parity.ts";
import {
  findRemoteUrl,
  gatherDefaultBranch,
  gatherOrigin,
  gatherSource,
  type RecordedInputs,
  toRecordedUrl,
} from "../../../src/io/git/source.ts";
import { gatherRepository } from "../../../src/io/repository.ts";
import { assert, assertEquals } from "../../assert.ts";
import { decode } from "../../run_kprov.ts";
import { makeTree } from "../../temporary_tree.ts";

const NOTHING: RecordedInputs = { inputs: [], exclude: [], materials: [] };

async function git(cwd: string, ...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("git", {
    args: ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args],
    cwd,
    env: { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" },
  }).output();
  assert(success, decode(stderr));
  return decode(stdout).trim();
}

Deno.test("gatherSource() reads the commit as git does: loose, packed, detached, in a worktree", async () => {
  using tree = makeTree({ "a.txt": "a" });
  await git(tree.path, "init", "--quiet", "-b", "main");
  assertEquals(gatherSource(tree.path, NOTHING), {
    repository: null,
    commit: null,
    state: "unknown",
  });

  await git(tree.path, "remote", "add", "origin", "https://me:secret@example.org/a/b.git?token=t");
  await git(tree.path, "add", ".");
  await git(tree.path, "commit", "--quiet", "-m", "one");
  const commit = await git(tree.path, "rev-parse", "HEAD");
  const expected = {
    repository: "https://example.org/a/b.git",
    commit,
    state: "committed" as const,
  };
  assertEquals(gatherSource(tree.path, NOTHING), expected);

  await git(tree.path, "pack-refs", "--all");
  assertEquals(gatherSource(tree.path, NOTHING), expected);
  await git(tree.path, "worktree", "add", "--quiet", "-b", "side", "linked");
  assertEquals(gatherSource(tree.at("linked"), NOTHING), expected);
  await git(tree.path, "checkout", "--quiet", "--detach");
  assertEquals(gatherSource(tree.path, NOTHING), expected);
});

Deno.test("gatherSource() reads a commit with more files in a directory than a call has arguments", async () => {
  using tree = makeTree();
  await git(tree.path, "init", "--quiet");
  const entry = (i: number): string => `100644 f${100_000 + i}\0${"b".repeat(20)}`;
  const entries = Array.from({ length: 150_000 }, (_, i) => entry(i));
  Deno.writeTextFileSync(tree.at("tree"), entries.join(""));
  const id = await git(tree.path, "hash-object", "-t", "tree", "-w", "tree");
  const commit = await git(tree.path, "commit-tree", "-m", "one", id);
  await git(tree.path, "update-ref", "HEAD", commit);
  const inputs = { ...NOTHING, inputs: ["."] };
  assertEquals(gatherSource(tree.path, inputs), { repository: null, commit, state: "modified" });
});

Deno.test("gatherSource() is null where there is no git metadata", () => {
  using tree = makeTree();
  assertEquals(gatherSource(tree.path, NOTHING), null);
  assertEquals(gatherOrigin(tree.path), null);
});

Deno.test("gatherOrigin() takes what a fork calls upstream, then origin, then the only remote", async () => {
  using tree = makeTree();
  await git(tree.path, "init", "--quiet");
  assertEquals(gatherOrigin(tree.path), null);
  const at = (name: string): string => `https://me:secret@example.org/${name}/etl`;
  const told = (name: string): unknown => ({ name, url: `https://example.org/${name}/etl` });
  await git(tree.path, "remote", "add", "github", at("github"));
  assertEquals(gatherOrigin(tree.path), told("github"));
  await git(tree.path, "remote", "add", "backup", at("backup"));
  assertEquals(gatherOrigin(tree.path), null);
  await git(tree.path, "remote", "add", "origin", at("origin"));
  assertEquals(gatherOrigin(tree.path), told("origin"));
  await git(tree.path, "remote", "add", "upstream", at("upstream"));
  assertEquals(gatherOrigin(tree.path), told("upstream"));
});

Deno.test("gatherDefaultBranch() takes the remote's word, then the usual names", async () => {
  using tree = makeTree({ "a.txt": "a" });
  assertEquals(gatherDefaultBranch(tree.path), null);
  await git(tree.path, "init", "--quiet", "-b", "main");
  assertEquals(gatherDefaultBranch(tree.path), "main");
  await git(tree.path, "add", ".");
  await git(tree.path, "commit", "--quiet", "-m", "one");
  await git(tree.path, "checkout", "--quiet", "-b", "feature");
  assertEquals(gatherDefaultBranch(tree.path), "main");
  await git(tree.path, "pack-refs", "--all");
  await git(tree.path, "checkout", "--quiet", "--detach");
  assertEquals(gatherDefaultBranch(tree.path), "main");
  await git(tree.path, "branch", "master");
  assertEquals(gatherDefaultBranch(tree.path), null);
  await git(tree.path, "checkout", "--quiet", "master");
  assertEquals(gatherDefaultBranch(tree.path), "master");

  using parent = makeTree();
  await git(tree.path, "branch", "develop");
  await git(tree.path, "checkout", "--quiet", "develop");
  await git(parent.path, "clone", "--quiet", tree.path, "clone");
  assertEquals(gatherDefaultBranch(parent.at("clone")), "develop");
  await git(parent.at("clone"), "checkout", "--quiet", "main");
  assertEquals(gatherDefaultBranch(parent.at("clone")), "develop");
  await git(parent.at("clone"), "worktree", "add", "--quiet", "-b", "side", "linked");
  assertEquals(gatherDefaultBranch(parent.at("clone/linked")), "develop");
});

Deno.test("gatherRepository() tells the default branch to the guard that asks for it", async () => {
  using tree = makeTree({ "a.txt": "a" });
  await git(tree.path, "init", "--quiet", "-b", "main");
  await git(tree.path, "add", ".");
  const root = { given: tree.path, path: tree.path };
  const policy = { schema: "kprovengine.policy.v1" } as const;
  const branchFor = async (guard: Guard, tracked: readonly TrackedEntry[] | null) => {
    const facts = await gatherRepository({
      root,
      policy,
      guards: [guard],
      tracked,
      baseLock: null,
    });
    return facts.defaultBranch;
  };
  assertEquals(await branchFor(PARITY, null), "main");
  assertEquals(await branchFor(ARTIFACTS, null), null);
  assertEquals(await branchFor(PARITY, []), null);
});

const URLS: readonly (readonly [string, string | null])[] = [
  ["https://github.com/a/b", "https://github.com/a/b"],
  ["https://user:token@github.com/a/b.git", "https://github.com/a/b.git"],
  ["https://token@github.com/a/b#f", "https://github.com/a/b"],
  ["ssh://git@example.org:2222/a/b.git", "ssh://example.org:2222/a/b.git"],
  ["git@github.com:a/b.git", "ssh://github.com/a/b.git"],
  ["github.com:a/b.git", "ssh://github.com/a/b.git"],
  ["me@host:/srv/git/b.git", "ssh://host/srv/git/b.git"],
  ["host:~me/b", "ssh://host/~me/b"],
  ["host:a b?c#d%20e", "ssh://host/a%20b%3Fc%23d%2520e"],
  ["user:password@example.org:a/b", null],
  ["/home/somebody/b.git", null],
  ["../b.git", null],
  ["file:///home/somebody/b.git", null],
  ["C:/Users/somebody/b", null],
  ["C:\\Users\\somebody\\b", null],
  ["ext::sh -c secret", null],
  ["https://exa mple.org/", null],
];

for (const [url, expected] of URLS) {
  Deno.test(`toRecordedUrl() makes ${expected} of ${url}`, { permissions: "none" }, () => {
    assertEquals(toRecordedUrl(url), expected);
  });
}

const CONFIGS: readonly (readonly [string, string, string | null])[] = [
  ["a plain value", '[remote "origin"]\n\turl = https://a/b\n', "https://a/b"],
  ["the first of several", '[remote "origin"]\nurl=1\nurl=2\n', "1"],
  ["another remote only", '[remote "other"]\nurl = 1\n', null],
  ["a section in other case", '[ReMoTe "origin"] URL = 1', "1"],
  ["quotes and comments", '[remote "origin"]\nurl = "a;b" ; c\n', "a;b"],
  ["a line continued", '[remote "origin"]\nurl = a\\\nb\n', "ab"],
  ["a following section", '[remote "origin"]\nfetch = x\n[branch "m"]\nurl = 1\n', null],
];

for (const [what, text, expected] of CONFIGS) {
  Deno.test(`findRemoteUrl() reads ${what}`, { permissions: "none" }, () => {
    assertEquals(findRemoteUrl(text, "origin"), expected);
  });
}
