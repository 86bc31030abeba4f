import { findRemoteUrl, gatherSource, stripCredentials } from "../../src/io/git/source.ts";
import { assert, assertEquals } from "../assert.ts";
import { decode } from "../run_kprov.ts";
import { makeTree } from "../temporary_tree.ts";

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
  assertEquals(gatherSource(tree.path), {
    repository: null,
    commit: null,
    state: "unknown",
  });

  await git(tree.path, "remote", "add", "origin", "https://me:secret@example.org/a/b.git?token=t");
  await git(tree.path, "add", ".");
  await git(tree.path, "commit", "--quiet", "-m", "one");
  const commit = await git(tree.path, "rev-parse", "HEAD");
  const repository = "https://example.org/a/b.git";
  const expected = { repository, commit, state: "unknown" } as const;
  assertEquals(gatherSource(tree.path), expected);

  await git(tree.path, "pack-refs", "--all");
  assertEquals(gatherSource(tree.path), expected);
  await git(tree.path, "worktree", "add", "--quiet", "-b", "side", "linked");
  assertEquals(gatherSource(tree.at("linked")), expected);
  await git(tree.path, "checkout", "--quiet", "--detach");
  assertEquals(gatherSource(tree.path), expected);
});

Deno.test("gatherSource() is null where there is no git metadata", () => {
  using tree = makeTree();
  assertEquals(gatherSource(tree.path), null);
});

const URLS: readonly (readonly [string, string | null])[] = [
  ["https://github.com/a/b", "https://github.com/a/b"],
  ["https://user:token@github.com/a/b.git", "https://github.com/a/b.git"],
  ["https://token@github.com/a/b#f", "https://github.com/a/b"],
  ["ssh://git@example.org:2222/a/b.git", "ssh://example.org:2222/a/b.git"],
  ["git@github.com:a/b.git", "github.com:a/b.git"],
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
  Deno.test(`stripCredentials() makes ${expected} of ${url}`, { permissions: "none" }, () => {
    assertEquals(stripCredentials(url), expected);
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
