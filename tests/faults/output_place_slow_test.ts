import { assert, assertEquals } from "../assert.ts";
import { runKprov } from "../run_kprov.ts";
import { listNames, makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { unless } from "../unless.ts";
import { assertOneLine, assertVerified } from "./assert_ended.ts";
import { callKprov } from "./call_kprov.ts";
import { runInShell } from "./run_in_shell.ts";
import { traceKprov, whyNotTraced } from "./strace.ts";

const AT = "2026-02-15T20:13:00Z";
const RUN_ID = "2026-02-15T20-13-00Z";
const FILES = { "a.txt": "content" };

const untraced = await whyNotTraced();

Deno.test(
  ...unless(untraced, "everything of a run is synced before its name appears, and then the name"),
  async () => {
    using tree = makeTree(FILES);
    const { calls, stderr } = await traceKprov(["a.txt", "--at", AT], {
      cwd: tree.path,
      trace: "openat,mkdir,write,fsync,fdatasync,rename,renameat,renameat2",
    });
    assertEquals(stderr, "");
    const own = calls.filter(({ line }) => line.includes(tree.at("runs")));
    const renamed = own.findIndex(({ name }) => name.startsWith("rename"));
    const unsynced = new Set<string>();
    for (const { name, line } of own.slice(0, renamed)) {
      const path = (name === "openat" ? /"([^"]*)"/ : /<([^>]*)>/).exec(line)?.[1] ?? "";
      if (line.includes("O_CREAT")) unsynced.add(path.slice(0, path.lastIndexOf("/")));
      if (name === "write") unsynced.add(path);
      if (name === "fsync") unsynced.delete(path);
    }
    assertEquals([...unsynced], []);
    assertEquals(own.slice(0, renamed).filter(({ name }) => name === "fsync").length, 5);
    const after = own.slice(renamed + 1).filter(({ name }) => name === "fsync");
    assertEquals(after.map(({ line }) => line.includes(`<${tree.at("runs")}>`)), [true]);
  },
);

/** What becomes of the output directory in the middle of a run. */
const ENDS: readonly (readonly [string, (tree: TemporaryTree) => void])[] = [
  ["removed", (tree) => Deno.removeSync(tree.at("runs"), { recursive: true })],
  ["swapped for a link", (tree) => {
    Deno.renameSync(tree.at("runs"), tree.at("moved"));
    Deno.mkdirSync(tree.at("other"));
    Deno.symlinkSync("other", tree.at("runs"));
  }],
  ["swapped for a link out of it all", (tree) => {
    Deno.renameSync(tree.at("runs"), tree.at("moved"));
    Deno.symlinkSync(`${tree.path}-elsewhere`, tree.at("runs"));
  }],
];

for (const [what, change] of ENDS) {
  Deno.test(
    ...unless(
      untraced,
      `an output directory that is ${what} in the middle ends the run with one line`,
    ),
    async () => {
      for (
        const behind of [
          "mkdir:signal=STOP:when=2",
          "openat:signal=STOP:when=3",
          "fsync:signal=STOP:when=5",
        ]
      ) {
        using tree = makeTree(FILES);
        const temporary = tree.at(`runs/.${RUN_ID}.tmp`);
        let isChanged = false;
        const ended = await traceKprov(["a.txt", "--at", AT, "--quiet"], {
          cwd: tree.path,
          trace: "mkdir,openat,fsync",
          paths: [tree.at("runs"), temporary, `${temporary}/human_review.json`]
            .concat(
              ["provenance", "run_summary", "toolchain"].map((name) => `${temporary}/${name}.json`),
            ),
          inject: behind,
          whenStopped: () => {
            change(tree);
            isChanged = true;
          },
        });
        assert(isChanged, behind);
        assertOneLine(ended, 74, `Cannot write run "runs/${RUN_ID}"`);
        for (const place of ["runs", "other", "moved"]) {
          assertEquals(listNames(tree.at(place)).filter((name) => !name.startsWith(".")), []);
        }
      }
    },
  );
}

async function whyNoFaketime(): Promise<string | null> {
  try {
    const { success } = await new Deno.Command("faketime", { args: ["-f", "-1d", "true"] })
      .output();
    return success ? untraced : "faketime does not work here";
  } catch {
    return "faketime is not installed";
  }
}

Deno.test(
  ...unless(
    await whyNoFaketime(),
    "with a clock that is set back, or stands still, every run gets a name of its own",
  ),
  async () => {
    using tree = makeTree(FILES);
    for (const time of ["20:13:00", "20:13:00", "19:13:00", "20:13:00"]) {
      const line = `exec faketime -f '2026-02-15 ${time}' "$@"`;
      const { code, stderr } = await runInShell(line, tree.path, ["a.txt", "--quiet"]);
      assertEquals([code, stderr], [0, ""]);
    }
    assertEquals(listNames(tree.at("runs")), [
      "2026-02-15T19-13-00Z",
      RUN_ID,
      `${RUN_ID}-2`,
      `${RUN_ID}-3`,
    ]);
    await assertVerified(tree, 4);
  },
);

Deno.test(
  ...unless(untraced, "a reader beside two writers sees nothing but whole runs"),
  async () => {
    using tree = makeTree(FILES);
    const each = 4;
    assertEquals((await runKprov(["a.txt", "--at", AT], { cwd: tree.path })).code, 0);
    const write = async (): Promise<void> => {
      for (let i = 0; i < each; i++) {
        const { code, stderr } = await runKprov(["a.txt", "--at", AT, "--quiet"], {
          cwd: tree.path,
        });
        assertEquals([code, stderr], [0, ""]);
      }
    };
    let isWriting = true;
    const writers = Promise.allSettled([write(), write()]).finally(() => void (isWriting = false));
    let looks = 0;
    try {
      while (isWriting) {
        looks++;
        const { code, stdout, stderr } = await callKprov(["verify", tree.at("runs")]);
        assertEquals([code, stderr], [0, ""], stdout);
        // Gives the writers' processes a chance to be heard of.
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    } finally {
      await writers;
    }
    for (const ended of await writers) {
      if (ended.status === "rejected") throw ended.reason;
    }
    assert(looks > 1);
    await assertVerified(tree, 1 + 2 * each);
  },
);
