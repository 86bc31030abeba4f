import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { CLI, decode, type Ended, runKprov, WIDE } from "../run_kprov.ts";
import { listNames, makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { callKprov } from "./call_kprov.ts";
import { traceKprov, whyNotTraced } from "./strace.ts";

const AT = "2026-02-15T20:13:00Z";
const RUN_ID = "2026-02-15T20-13-00Z";
const FILES = { "a.txt": "content" };

const untraced = await whyNotTraced();

function test(name: string, reason: string | null, fn: () => Promise<void>): void {
  const shown = reason === null ? name : `${name} (${reason})`;
  Deno.test({ name: shown, ignore: reason !== null, fn });
}

/** A cache of Deno's for those who break it: limits are Deno's too. It goes with the tree. */
async function makeDenoDirectory(tree: TemporaryTree): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const directory = tree.at("deno");
  Deno.mkdirSync(directory);
  Deno.symlinkSync(`${JSON.parse(decode(stdout)).denoDir}/npm`, `${directory}/npm`);
  return directory;
}

/** Runs a line of shell that ends in kprov, `"$@"`. */
async function runIn(
  line: string,
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", line, "sh", Deno.execPath(), "run", "--quiet", "--no-prompt", ...WIDE, CLI]
      .concat(args),
    cwd,
    env: { NO_COLOR: "1", TZ: "UTC", ...env },
    stdin: "null",
  }).output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

async function assertVerified(tree: TemporaryTree, count: number): Promise<void> {
  const names = listNames(tree.at("runs")).filter((name) => !name.startsWith("."));
  assertEquals(names.length, count, names.join(" "));
  const { code, stdout, stderr } = await callKprov([
    "verify",
    tree.at("runs"),
    "--root",
    tree.path,
  ]);
  assertEquals([code, stderr], [0, ""], stdout);
}

function assertOneLine(ended: Ended, code: number, reason: string): void {
  assertMatch(ended.stderr, /^error: Cannot [^\n]*[^.\n]\n(hint: [^\n]*\n)?$/);
  assertStringIncludes(ended.stderr, reason);
  assertEquals([ended.code, ended.stdout], [code, ""]);
}

test(
  "everything of a run is synced before its name appears, and then the name",
  untraced,
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
  test(
    `an output directory that is ${what} in the middle ends the run with one line`,
    untraced,
    async () => {
      for (
        const behind of [
          "mkdir:signal=STOP:when=2",
          "openat:signal=STOP:when=1",
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

test("under ulimit -n a run stands whole, or there is none", untraced, async () => {
  const ends = new Set<string>();
  using cache = makeTree();
  const env = { DENO_DIR: await makeDenoDirectory(cache) };
  for (let limit = 8; limit <= 32; limit += 2) {
    using tree = makeTree(FILES);
    const line = `ulimit -n ${limit} && exec "$@"`;
    const { code, stderr } = await runIn(line, tree.path, ["a.txt", "--quiet"], env);
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

test(
  "under ulimit -f a document that does not fit ends the run with one line",
  untraced,
  async () => {
    using tree = makeTree(FILES);
    // The first part of the largest document is taken: a short write.
    const line = `trap '' XFSZ; ulimit -f 4; exec "$@"`;
    using cache = makeTree();
    const env = { DENO_DIR: await makeDenoDirectory(cache) };
    const ended = await runIn(line, tree.path, ["a.txt"], env);
    assertOneLine(ended, 74, "the file would be too large");
    assertEquals(listNames(tree.at("runs")), []);
  },
);

test("a result that nobody takes ends in exit 74, and the run stands", untraced, async () => {
  using tree = makeTree(FILES);
  const ended = await runIn(`exec "$@" >/dev/full`, tree.path, ["a.txt"]);
  assertOneLine(ended, 74, "Cannot write to standard output: no space is left on the device");
  await assertVerified(tree, 1);
});

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

async function whyNotMounted(): Promise<string | null> {
  if (Deno.build.os !== "linux") return `no tmpfs on ${Deno.build.os}`;
  try {
    using tree = makeTree();
    await mountWhile(tree, "size=64k", () => Promise.resolve());
    return null;
  } catch {
    return "no file system may be mounted here";
  }
}

const unmounted = await whyNotMounted();

test("on a read-only file system nothing is written, with one line", unmounted, async () => {
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
});

test("on a full disk a review is refused and the earlier one stands", unmounted, async () => {
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
});

function fill(path: string): void {
  using file = Deno.openSync(path, { write: true, createNew: true });
  try {
    for (;;) file.writeSync(new Uint8Array(4096));
  } catch {
    // It is full.
  }
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

test(
  "with a clock that is set back, or stands still, every run gets a name of its own",
  await whyNoFaketime(),
  async () => {
    using tree = makeTree(FILES);
    for (const time of ["20:13:00", "20:13:00", "19:13:00", "20:13:00"]) {
      const line = `exec faketime -f '2026-02-15 ${time}' "$@"`;
      const { code, stderr } = await runIn(line, tree.path, ["a.txt", "--quiet"]);
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

test("a reader beside two writers sees nothing but whole runs", untraced, async () => {
  using tree = makeTree(FILES);
  const each = 4;
  assertEquals((await runKprov(["a.txt", "--at", AT], { cwd: tree.path })).code, 0);
  const write = async (): Promise<void> => {
    for (let i = 0; i < each; i++) {
      const { code, stderr } = await runKprov(["a.txt", "--at", AT, "--quiet"], { cwd: tree.path });
      assertEquals([code, stderr], [0, ""]);
    }
  };
  let isWriting = true;
  const writers = Promise.all([write(), write()]).finally(() => void (isWriting = false));
  let looks = 0;
  while (isWriting) {
    looks++;
    const { code, stdout, stderr } = await callKprov(["verify", tree.at("runs")]);
    assertEquals([code, stderr], [0, ""], stdout);
    // Gives the writers' processes a chance to be heard of.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await writers;
  assert(looks > 1);
  await assertVerified(tree, 1 + 2 * each);
});
