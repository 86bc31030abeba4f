import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { decode, runKprov, WIDE } from "../run_kprov.ts";
import { listNames, makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { lacks, unless } from "../unless.ts";
import { assertOneLine, assertVerified } from "./assert_ended.ts";
import { runInShell } from "./run_in_shell.ts";
import { whyNotTraced } from "./strace.ts";

const AT = "2026-02-15T20:13:00Z";
const RUN_ID = "2026-02-15T20-13-00Z";
const FILES = { "a.txt": "content" };

const untraced = await whyNotTraced();

/** A cache of Deno's for those who break it: limits are Deno's too. It goes with the tree. */
async function makeDenoDirectory(tree: TemporaryTree): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const directory = tree.at("deno");
  Deno.mkdirSync(directory);
  Deno.symlinkSync(`${JSON.parse(decode(stdout)).denoDir}/npm`, `${directory}/npm`);
  return directory;
}

Deno.test(...unless(untraced, "under ulimit -n a run stands whole, or there is none"), async () => {
  const ends = new Set<string>();
  using cache = makeTree();
  const env = { DENO_DIR: await makeDenoDirectory(cache) };
  for (let limit = 8; limit <= 32; limit += 2) {
    using tree = makeTree(FILES);
    const line = `ulimit -n ${limit} && exec "$@"`;
    const { code, stderr } = await runInShell(line, tree.path, ["a.txt", "--quiet"], env);
    // Deno itself may end for want of files, before its start or at any time.
    const isKprov = /^error: Cannot /.test(stderr);
    if (isKprov) assertStringIncludes(stderr, "too many files are open");
    const runs = listNames(tree.at("runs")).filter((name) => !name.startsWith("."));
    assertEquals(runs.length, code === 0 ? 1 : isKprov ? 0 : runs.length, stderr);
    if (runs.length > 0) await assertVerified(tree, 1);
    ends.add(code === 0 ? "whole" : isKprov ? "kprov refused" : "Deno failed");
  }
  assert(ends.has("whole") && ends.size > 1, [...ends].join(", "));
});

Deno.test(
  ...unless(untraced, "under ulimit -f a document that does not fit ends the run with one line"),
  async () => {
    using tree = makeTree(FILES);
    // The first part of the largest document is taken: a short write.
    const line = `trap '' XFSZ; ulimit -f 4; exec "$@"`;
    using cache = makeTree();
    const env = { DENO_DIR: await makeDenoDirectory(cache) };
    const ended = await runInShell(line, tree.path, ["a.txt"], env);
    assertOneLine(ended, 74, "the file would be too large");
    assertEquals(listNames(tree.at("runs")), []);
  },
);

Deno.test(
  ...unless(untraced, "a result that nobody takes ends in exit 74, and the run stands"),
  async () => {
    using tree = makeTree(FILES);
    const ended = await runInShell(`exec "$@" >/dev/full`, tree.path, ["a.txt"]);
    assertOneLine(ended, 74, "Cannot write to standard output: no space is left on the device");
    await assertVerified(tree, 1);
  },
);

/** Mounts a file system on a directory of the tree while a function runs. */
async function mountWhile(
  tree: TemporaryTree,
  options: string,
  fn: (place: string) => Promise<void>,
): Promise<void> {
  const place = tree.at("runs");
  Deno.mkdirSync(place, { recursive: true });
  const args = ["-t", "tmpfs", "-o", options, "tmpfs", place];
  const mount = await new Deno.Command("mount", { args }).output();
  assert(mount.success, decode(mount.stderr));
  try {
    await fn(place);
  } finally {
    await new Deno.Command("umount", { args: [place] }).output();
  }
}

const unmounted = lacks("mount");

Deno.test(
  ...unless(unmounted, "on a read-only file system nothing is written, with one line"),
  async () => {
    using tree = makeTree(FILES);
    await mountWhile(tree, "ro", async (place) => {
      const options = { cwd: tree.path, permissions: WIDE };
      const reason = "the file system is read-only";
      assertOneLine(await runKprov(["a.txt"], options), 73, reason);
      assertOneLine(
        await runKprov(["a.txt", "--out", "o", "--result", "runs/r"], options),
        73,
        reason,
      );
      assertOneLine(
        await runKprov(["record", "start", "a.txt", "--state", "runs/s"], options),
        73,
        reason,
      );
      assertOneLine(await runKprov(["init", "--root", "runs"], options), 73, reason);
      assertEquals([listNames(place), listNames(tree.at("o"))], [[], []]);
    });
  },
);

Deno.test(
  ...unless(unmounted, "on a full disk a review is refused and the earlier one stands"),
  async () => {
    using tree = makeTree(FILES);
    await mountWhile(tree, "size=64k", async (place) => {
      assertEquals((await runKprov(["a.txt", "--at", AT], { cwd: tree.path })).code, 0);
      const name = `${place}/${RUN_ID}/human_review.json`;
      const before = Deno.readTextFileSync(name);
      fill(`${place}/.filler`);
      const args = ["review", `runs/${RUN_ID}`, "--approve", "--reviewer", "Ada"];
      const ended = await runKprov(args, { cwd: tree.path, permissions: WIDE });
      assertOneLine(ended, 74, "no space is left on the device");
      assertEquals(Deno.readTextFileSync(name), before);
      assertEquals(listNames(place), [".filler", RUN_ID]);
    });
  },
);

function fill(path: string): void {
  using file = Deno.openSync(path, { write: true, createNew: true });
  try {
    for (;;) file.writeSync(new Uint8Array(4096));
  } catch {
    // It is full.
  }
}
