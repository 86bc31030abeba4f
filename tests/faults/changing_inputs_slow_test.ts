import { assert } from "../assert.ts";
import { NARROW, WIDE } from "../run_kprov.ts";
import { makeTree } from "../temporary_tree.ts";
import { unless } from "../unless.ts";
import { changeAtEach, listCalls, type Site } from "./change_at_each.ts";
import { whyNotTraced } from "./strace.ts";

/** More than one buffer, so that a change can come between two reads. */
const SIZE = 300_000;

const reason = await whyNotTraced();

/** A change of what stands at a path. */
type Change = readonly [what: string, change: (path: string) => void];

const CHANGES: readonly Change[] = [
  ["appended to", (path) => Deno.writeTextFileSync(path, "more", { append: true })],
  ["truncated", (path) => Deno.truncateSync(path, 10)],
  ["rewritten in place with the same size and the same modification time", (path) => {
    const { atime, mtime, ctime } = Deno.statSync(path);
    assert(atime !== null && mtime !== null && ctime !== null);
    // Deno tells the time of the last change, which nobody can set back, in whole seconds, and the
    // system's own clock for it is some milliseconds late.
    waitUntil(ctime.getTime() + 1100);
    rewrite(path);
    Deno.utimeSync(path, atime, mtime);
  }],
  ["replaced by rename", (path) => {
    Deno.writeFileSync(`${path}.new`, new Uint8Array(SIZE));
    Deno.renameSync(`${path}.new`, path);
  }],
  ["replaced by a link to where it is now", (path) => {
    Deno.renameSync(path, `${path}.old`);
    Deno.symlinkSync(`${path}.old`, path);
  }],
  ["replaced by a FIFO", (path) => replace(path, () => makeFifo(path))],
  ["replaced by a directory", (path) => replace(path, () => Deno.mkdirSync(path))],
  ["deleted", (path) => Deno.removeSync(path)],
];

function isSwap([what]: Change): boolean {
  return what.includes("replaced");
}

function waitUntil(time: number): void {
  const rest = time - Date.now();
  if (rest > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, rest);
}

const LINKS: readonly Change[] = [
  ["replaced by a link to another file", (path) => {
    Deno.writeFileSync(`${path}.other`, new Uint8Array(SIZE));
    replace(path, () => Deno.symlinkSync(`${path}.other`, path));
  }],
  ["replaced by a link out of the root", (path) => {
    replace(path, () => Deno.symlinkSync("/etc/hostname", path));
  }],
];

const DIRECTORY = { "data/a.txt": "a", "data/b.txt": "b", "data/deep/c.txt": "c" };

const DIRECTORY_CHANGES: readonly Change[] = [
  ["gets a file", (path) => Deno.writeTextFileSync(`${path}/new.txt`, "new")],
  ["loses a file", (path) => Deno.removeSync(`${path}/a.txt`)],
  ["has a file renamed", (path) => Deno.renameSync(`${path}/a.txt`, `${path}/z.txt`)],
  ["is replaced by another directory", (path) => {
    Deno.renameSync(path, `${path}.old`);
    Deno.mkdirSync(path);
    Deno.writeTextFileSync(`${path}/a.txt`, "other");
  }],
  ["is replaced by a link to where it is now", (path) => {
    Deno.renameSync(path, `${path}.old`);
    Deno.symlinkSync(`${path}.old`, path);
  }],
  ["is replaced by a file", (path) => {
    Deno.renameSync(path, `${path}.old`);
    Deno.writeTextFileSync(path, "file");
  }],
  ["is moved away", (path) => Deno.renameSync(path, `${path}.old`)],
];

function rewrite(path: string): void {
  using file = Deno.openSync(path, { write: true });
  file.writeSync(new Uint8Array(SIZE).fill(7));
}

function replace(path: string, make: () => void): void {
  Deno.removeSync(path);
  make();
}

function makeFifo(path: string): void {
  assert(new Deno.Command("mkfifo", { args: [path] }).outputSync().success);
}

const FILE = { "big.bin": new Uint8Array(SIZE) };
const fileCalls = reason === null ? await listCalls(FILE, "big.bin", WIDE) : [];

for (const [what, change] of CHANGES) {
  Deno.test(
    ...unless(reason, `a file that is ${what} between two system calls refuses the run`),
    async () => {
      const opened = fileCalls.findIndex(({ name }) => name.startsWith("open"));
      const lookedAt = fileCalls.slice(0, opened).findLast(({ name }) => name.includes("stat"));
      const reads = fileCalls.filter(({ name }) => name === "read" || name === "pread64");
      assert(reads.length > 2, JSON.stringify(fileCalls));
      const isEarly = /replaced|deleted/.test(what);
      const sites = [
        [isEarly ? lookedAt : fileCalls[opened], "refused or exact"],
        [reads[0], "refused"],
        [reads.at(-1), "refused"],
      ] as const;
      await changeAtEach(sites, "big.bin", { files: FILE, change, permissions: WIDE });
    },
  );
}

const narrowCalls = reason === null ? await listCalls(FILE, "big.bin", NARROW) : [];

// Where Deno's permissions name paths, it resolves links itself before it opens, and would follow one
// that was put there between kprov's look and its own.
for (const [what, change] of [...CHANGES, ...LINKS].filter(isSwap)) {
  Deno.test(
    ...unless(
      reason,
      `under --allow-read=. a file that is ${what} before it is opened refuses the run`,
    ),
    async () => {
      const opened = narrowCalls.findIndex(({ name }) => name.startsWith("open"));
      const sites = narrowCalls.slice(0, opened).slice(what.includes("link") ? -2 : -1);
      assert(sites.at(-1)?.name.startsWith("readlink"), JSON.stringify(narrowCalls));
      await changeAtEach(sites.map((call) => [call, "refused or exact"]), "big.bin", {
        files: FILE,
        change,
        permissions: NARROW,
      });
    },
  );
}

const directoryCalls = reason === null ? await listCalls(DIRECTORY, "data", WIDE) : [];

for (const [what, change] of DIRECTORY_CHANGES) {
  Deno.test(
    ...unless(reason, `a directory that ${what} while it is listed refuses the run`),
    async () => {
      const opened = directoryCalls.findIndex(({ name }) => name.startsWith("open"));
      const listed = directoryCalls.filter(({ name }) => name === "getdents64");
      const sites: readonly Site[] = [
        ...(what.includes("replaced")
          ? [[directoryCalls[opened - 1], "refused or exact"] as const]
          : []),
        [listed[0], "refused"],
        [listed.at(-1), "refused"],
      ];
      await changeAtEach(sites, "data", { files: DIRECTORY, change, permissions: WIDE });
    },
  );
}

const deepCalls = reason === null ? await listCalls(DIRECTORY, "data", WIDE, "data/deep") : [];

Deno.test(
  ...unless(reason, "a directory that is swapped for a link once it is listed refuses the run"),
  async () => {
    using elsewhere = makeTree(
      Object.fromEntries(Object.keys(DIRECTORY).map((name) => [name.slice(5), "another"])),
    );
    const listed = deepCalls.findLastIndex(({ name }) => name === "getdents64");
    const lastLook = deepCalls.slice(listed).find(({ name }) => name.includes("stat"));
    await changeAtEach([[lastLook, "refused"]], "data", {
      files: DIRECTORY,
      watched: "data/deep",
      change: (path) => {
        Deno.renameSync(path, `${path}.old`);
        Deno.symlinkSync(elsewhere.path, path);
      },
      permissions: WIDE,
    });
  },
);
