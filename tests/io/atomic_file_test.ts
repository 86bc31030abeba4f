import { KprovError } from "../../src/base/error.ts";
import { basename } from "../../src/base/std.ts";
import { createFileAtomically, probeFile, writeFileAtomically } from "../../src/io/atomic_file.ts";
import { assertEquals, assertRejects } from "../assert.ts";
import { listNames, makeTree } from "../temporary_tree.ts";

Deno.test("createFileAtomically() makes a file with its directories, and leaves nothing beside it", async () => {
  using tree = makeTree();
  await createFileAtomically(tree.at("a/b/c.json"), "text\n");
  assertEquals(Deno.readTextFileSync(tree.at("a/b/c.json")), "text\n");
  assertEquals(listNames(tree.at("a/b")), ["c.json"]);
});

Deno.test("createFileAtomically() never takes the place of a file that is there", async () => {
  using tree = makeTree({ "a.json": "old" });
  const error = await assertRejects(
    () => createFileAtomically(tree.at("a.json"), "new"),
    KprovError,
  );
  assertEquals(error.code, "cannot_create");
  assertEquals(Deno.readTextFileSync(tree.at("a.json")), "old");
  assertEquals(listNames(tree.path), ["a.json"]);
});

Deno.test("writeFileAtomically() takes the place of a file, and of nothing else", async () => {
  using tree = makeTree({ "a.json": "old", "d/b": "" });
  await writeFileAtomically(tree.at("a.json"), "new");
  assertEquals(Deno.readTextFileSync(tree.at("a.json")), "new");
  const error = await assertRejects(() => writeFileAtomically(tree.at("d"), "new"), KprovError);
  assertEquals(error.code, "cannot_create");
  assertEquals(listNames(tree.path), ["a.json", "d"]);
});

Deno.test("probeFile() leaves the place as it was", async () => {
  using tree = makeTree({ "a.json": "old" });
  await probeFile(tree.at("a.json"));
  await probeFile(tree.at("b.json"));
  assertEquals(listNames(tree.path), ["a.json"]);
  assertEquals(Deno.readTextFileSync(tree.at("a.json")), "old");
});

Deno.test("what a killed writer left is used again, and what one at work has is not", async () => {
  using tree = makeTree({ ".kprov-1.tmp": "half", ".kprov-2.tmp": "half" });
  using file = Deno.openSync(tree.at(".kprov-1.tmp"));
  await file.lock(true);
  await probeFile(tree.at("a.json"));
  await writeFileAtomically(tree.at("a.json"), "a");
  await createFileAtomically(tree.at("b.json"), "b");
  assertEquals(listNames(tree.path), [".kprov-1.tmp", "a.json", "b.json"]);
  assertEquals(Deno.readTextFileSync(tree.at(".kprov-1.tmp")), "half");
});

Deno.test("a file whose name is as long as names can be is written like any other", async () => {
  using tree = makeTree();
  const name = "n".repeat(255);
  await writeFileAtomically(tree.at(name), "text");
  assertEquals(listNames(tree.path), [name]);
});

Deno.test("a temporary file goes while its lock is held, so that nobody else has its name by then", async () => {
  using tree = makeTree({ "a.json": "old" });
  const remove = Deno.removeSync;
  const removed: (readonly [name: string, isFree: boolean])[] = [];
  using _restored = { [Symbol.dispose]: () => void (Deno.removeSync = remove) };
  Deno.removeSync = (path, options) => {
    using other = Deno.openSync(path, { read: true, write: true });
    removed.push([basename(String(path)), other.tryLockSync(true)]);
    remove(path, options);
  };
  await probeFile(tree.at("a.json"));
  await assertRejects(() => createFileAtomically(tree.at("a.json"), "new"), KprovError);
  assertEquals(removed, [[".kprov-1.tmp", false], [".kprov-1.tmp", false]]);
});
