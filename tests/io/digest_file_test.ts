import { digestFile, PIECE } from "../../src/io/hash/digest_file.js";
import type { DigestOutcome } from "../../src/io/hash/job.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { makeTree } from "../temporary_tree.ts";

const CHANGED: DigestOutcome = { state: "fault", what: "changed" };

/** Digests a file of some size while Deno's open answers what the test says, and returns the file too. */
function digestOpenedAs(
  size: number,
  open: (path: string | URL, openSync: typeof Deno.openSync) => Deno.FsFile,
): { readonly outcome: DigestOutcome; readonly files: readonly Deno.FsFile[] } {
  using tree = makeTree({ "a.bin": new Uint8Array(size) });
  const original = Deno.openSync;
  const files: Deno.FsFile[] = [];
  Deno.openSync = (path) => {
    const file = open(path, original);
    files.push(file);
    return file;
  };
  try {
    return { outcome: digestFile(tree.at("a.bin")), files };
  } finally {
    Deno.openSync = original;
  }
}

const OTHERWISE: readonly (readonly [string, (seen: Deno.FileInfo) => Partial<Deno.FileInfo>])[] = [
  ["of another kind", () => ({ isFile: false })],
  ["on another device", ({ dev }) => ({ dev: dev + 1 })],
  ["another file", ({ ino }) => ({ ino: (ino ?? 0) + 1 })],
  ["of another size", ({ size }) => ({ size: size + 1 })],
  ["modified at another time", () => ({ mtime: new Date(0) })],
  ["changed at another time", () => ({ ctime: new Date(0) })],
];

for (const [what, change] of OTHERWISE) {
  Deno.test(`digestFile() refuses a file that is ${what}, once it is read`, () => {
    for (const size of [0, 10, PIECE]) {
      const { outcome } = digestOpenedAs(size, (path, openSync) => {
        const file = openSync(path);
        const seen = file.statSync();
        return Object.assign(file, { statSync: () => ({ ...seen, ...change(seen) }) });
      });
      assertEquals(outcome, CHANGED);
    }
  });
}

Deno.test("digestFile() does not read on for ever where a file has no end", () => {
  for (const size of [10, PIECE]) {
    let reads = 0;
    const { outcome } = digestOpenedAs(size, (path, openSync) =>
      Object.assign(openSync(path), {
        readSync: (buffer: Uint8Array): number => {
          assert(reads++ < 10);
          return buffer.length;
        },
      }));
    assertEquals(outcome, CHANGED);
  }
});

Deno.test("digestFile() takes a link that it would not follow for a change", () => {
  const { outcome } = digestOpenedAs(10, () => {
    throw Object.assign(new Deno.errors.FilesystemLoop("a loop"), { code: "ELOOP" });
  });
  assertEquals(outcome, CHANGED);
});

Deno.test("digestFile() tells a fault of reading as it is, where the file is the same", () => {
  const { outcome } = digestOpenedAs(10, (path, openSync) =>
    Object.assign(openSync(path), {
      readSync: () => {
        throw Object.assign(new Error("no"), { code: "EIO" });
      },
    }));
  assertEquals(outcome, {
    state: "fault",
    what: "refused",
    name: "Error",
    code: "EIO",
    message: "no",
  });
});

Deno.test("digestFile() closes what it opens, whatever comes of it", () => {
  const plans = [() => ({}), () => ({ statSync: () => ({}) }), () => ({ readSync: () => 1e9 })];
  for (const plan of plans) {
    const { files } = digestOpenedAs(10, (path, openSync) => Object.assign(openSync(path), plan()));
    assertEquals(files.length, 1);
    for (const file of files) assertThrows(() => file.syncDataSync(), Deno.errors.BadResource);
  }
});
