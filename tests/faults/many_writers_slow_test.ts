import { assert, assertEquals } from "../assert.ts";
import { type Ended, runKprov } from "../run_kprov.ts";
import { listNames, makeTree, type TemporaryTree } from "../temporary_tree.ts";

const AT = "2026-02-15T20:13:00Z";
const RUN_ID = "2026-02-15T20-13-00Z";
const WIDE = ["--allow-read", "--allow-write"];
const POSIX: Pick<Deno.TestDefinition, "ignore"> = { ignore: Deno.build.os === "windows" };

function start(tree: TemporaryTree, args: readonly string[]): Promise<Ended> {
  return runKprov(args, { cwd: tree.path, permissions: WIDE });
}

Deno.test("twenty runs of one second all stand, each with a name of its own", POSIX, async () => {
  using tree = makeTree({ "a.txt": "a" });
  // What killed writers left is recognised by many at once.
  Deno.mkdirSync(tree.at(`runs/.${RUN_ID}.tmp`), { recursive: true });
  Deno.mkdirSync(tree.at(`runs/.${RUN_ID}-7.tmp`));
  const args = ["a.txt", "--at", AT, "--quiet"];
  const ended = await Promise.all(Array.from({ length: 20 }, () => start(tree, args)));
  for (const { code, stderr } of ended) assertEquals([code, stderr], [0, ""]);
  const names = Array.from({ length: 20 }, (_, i) => i === 0 ? RUN_ID : `${RUN_ID}-${i + 1}`);
  assertEquals(listNames(tree.at("runs")), names.sort());
  const { code, stdout, stderr } = await start(tree, ["verify", "runs", "--root", "."]);
  assertEquals([code, stderr], [0, ""], stdout);
});

Deno.test(
  "of twenty reviews of one run each is in its history, or was refused",
  POSIX,
  async () => {
    using tree = makeTree({ "a.txt": "a" });
    assertEquals((await start(tree, ["a.txt", "--at", AT, "--quiet"])).code, 0);
    Deno.writeTextFileSync(tree.at(`runs/.${RUN_ID}.review.tmp`), "half");
    const run = `runs/${RUN_ID}`;
    const ended = await Promise.all(
      Array.from(
        { length: 20 },
        (_, i) => start(tree, ["review", run, "--approve", "--reviewer", `Ada ${i}`, "--at", AT]),
      ),
    );
    const done = ended.flatMap(({ code }, i) => code === 0 ? [`Ada ${i}`] : []);
    for (const { code, stderr } of ended) {
      assert(code === 0 || (code === 73 && stderr.includes("somebody else is writing it")), stderr);
    }
    const review = JSON.parse(Deno.readTextFileSync(tree.at(`${run}/human_review.json`)));
    const reviewers = [...review.history, review].map(({ reviewer }) => reviewer);
    assertEquals(reviewers.filter((reviewer) => reviewer !== null).sort(), done.sort());
    assert(done.length > 0);
    assertEquals(listNames(tree.at("runs")), [RUN_ID]);
    assertEquals((await start(tree, ["verify", "runs"])).code, 0);
  },
);

Deno.test(
  "a merge while shards appear joins all of them, or says which is missing",
  POSIX,
  async () => {
    using tree = makeTree(
      Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`d/${i}`, `${i}`])),
    );
    const shards = [1, 2, 3, 4].map((i) => start(tree, ["d", "--shard", `${i}/4`, "--quiet"]));
    const merges: Ended[] = [];
    let isOver = false;
    const all = Promise.all(shards).then(() => isOver = true);
    for (let isLast = false; !isLast;) {
      isLast = isOver;
      merges.push(
        await start(tree, ["merge", "runs", "--out", `merged/${merges.length}`, "--at", AT]),
      );
    }
    await all;
    for (const [i, { code, stderr }] of merges.entries()) {
      assert(
        code === 0 ||
          (code === 65 && /^error: Cannot (merge|find (a run|runs:)|read run) /.test(stderr)),
        stderr,
      );
      const { code: verified } = await start(tree, ["verify", `merged/${i}`, "--root", "."]);
      assertEquals(verified, code, stderr);
    }
    assertEquals(merges.at(-1)?.code, 0);
  },
);
