import { assertEquals, assertStringIncludes } from "../assert.ts";
import { buildIndex, type IndexDraft } from "../io/git/build_index.ts";
import { assertVerdict, callKprov } from "./call_kprov.ts";
import { EVERYTHING, judge, makeRepository, POLICY, READ_FILES } from "./hostile_repository.ts";

const GIBIBYTE = 2 ** 30;

/** Everything that has a limit, and git's own files, which a run reads too. */
const LIMITED = [".git/HEAD", ".git/config", ".git/index", ".git/packed-refs", "package.json"];

Deno.test("a file of 5 GiB where a small one belongs is refused without being read", async () => {
  for (const name of LIMITED) {
    // The identity guard reads every tracked file to its end, by pieces; a test of its own does so.
    const { identity: _, ...others } = EVERYTHING;
    using tree = makeRepository({ [POLICY]: JSON.stringify(others) });
    Deno.truncateSync(createFile(tree.at(name)), 5 * GIBIBYTE);
    await judge(tree, name);
    if (READ_FILES.includes(name) && name !== POLICY) continue;
    const args = [tree.at("README.md"), "--root", tree.path, "--out", tree.at("runs"), "--quiet"];
    const ended = await callKprov(args);
    assertVerdict(ended, name);
    assertEquals(ended.code, name === POLICY ? 78 : 0, `${name}: ${ended.stderr}`);
  }
});

function createFile(path: string): string {
  Deno.writeTextFileSync(path, "", { append: true });
  return path;
}

const BAD_INDEXES: readonly (readonly [what: string, draft: IndexDraft])[] = [
  ["more entries than bytes", { count: 0xffffffff }],
  ["one entry too many", { count: 2, entries: [{ path: "a" }] }],
  ["a path that leaves the worktree", { entries: [{ path: "../outside" }] }],
  ["a path with .. in it", { entries: [{ path: "a/../../outside" }] }],
  ["an absolute path", { entries: [{ path: "/etc/passwd" }] }],
  ["git's own files", { entries: [{ path: ".git/config" }] }],
  ["git's own files in capitals", { entries: [{ path: "a/.GIT/config" }] }],
  ["an empty path", { entries: [{ path: "" }] }],
  ["an empty part", { entries: [{ path: "a//b" }] }],
  ["a path that is no text", { entries: [{ path: Uint8Array.of(0x61, 0xff) }] }],
  ["a path twice", { entries: [{ path: "a" }, { path: "a" }] }],
  ["paths in no order", { entries: [{ path: "b" }, { path: "a" }] }],
  ["a mode that is none", { entries: [{ path: "a", mode: 0o177777 }] }],
  ["an extension that must be known", { extensions: [["evil", new Uint8Array(8)]] }],
];

for (const [what, draft] of BAD_INDEXES) {
  Deno.test(`the guards refuse an index with ${what}`, async () => {
    using tree = makeRepository();
    Deno.writeFileSync(tree.at(".git/index"), buildIndex(draft));
    const { code, stdout } = await judge(tree, what);
    assertEquals(code, 1);
    assertStringIncludes(stdout, "artifacts.index_invalid");
  });
}

const BAD_POINTERS: readonly (readonly [what: string, text: string])[] = [
  ["the root of the system", "gitdir: /\n"],
  ["a directory outside that is no repository", "gitdir: ../../../../../../../etc\n"],
  ["a file", "gitdir: README.md\n"],
  ["itself", "gitdir: .git\n"],
  ["nothing", "gitdir: \n"],
  ["a NUL character", "gitdir: a\0b\n"],
  ["a name that is too long", `gitdir: ${"a".repeat(5000)}\n`],
  ["two places", "gitdir: a\ngitdir: b\n"],
  ["a million line ends", `gitdir: a${"\r\n".repeat(500_000)}x`],
];

for (const [what, text] of BAD_POINTERS) {
  Deno.test(`the guards refuse a .git file that points at ${what}, and a run takes no source from it`, async () => {
    using tree = makeRepository();
    Deno.removeSync(tree.at(".git"), { recursive: true });
    Deno.writeTextFileSync(tree.at(".git"), text);
    const { code, stdout } = await judge(tree, what);
    assertEquals(code, 1);
    assertStringIncludes(stdout, "artifacts.index_invalid");
    const args = [
      tree.at("README.md"),
      "--root",
      tree.path,
      "--out",
      tree.at("runs"),
      "--at",
      "2026-02-15T20:13:00Z",
    ];
    assertEquals((await callKprov(args)).code, 0);
    const summary = JSON.parse(
      Deno.readTextFileSync(tree.at("runs/2026-02-15T20-13-00Z/run_summary.json")),
    );
    assertEquals(summary.source, null);
  });
}

for (
  const target of [
    "/etc",
    "..",
    ".",
    "a\0b",
    "../../../../..",
    "\u202e",
    "a".repeat(5000),
  ]
) {
  Deno.test(`the guards give a verdict where commondir is ${JSON.stringify(target).slice(0, 20)}`, async () => {
    using tree = makeRepository();
    Deno.writeTextFileSync(tree.at(".git/commondir"), `${target}\n`);
    await judge(tree, target);
  });
}
