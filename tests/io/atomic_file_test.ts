import { KprovError } from "../../src/base/error.ts";
import { createFileAtomically, probeFile, writeFileAtomically } from "../../src/io/atomic_file.ts";
import { assertEquals, assertThrows } from "../assert.ts";
import { listNames, makeTree } from "../temporary_tree.ts";

Deno.test("createFileAtomically() makes a file with its directories, and leaves nothing beside it", () => {
  using tree = makeTree();
  createFileAtomically(tree.at("a/b/c.json"), "text\n");
  assertEquals(Deno.readTextFileSync(tree.at("a/b/c.json")), "text\n");
  assertEquals(listNames(tree.at("a/b")), ["c.json"]);
});

Deno.test("createFileAtomically() never takes the place of a file that is there", () => {
  using tree = makeTree({ "a.json": "old" });
  const error = assertThrows(() => createFileAtomically(tree.at("a.json"), "new"), KprovError);
  assertEquals(error.code, "cannot_create");
  assertEquals(Deno.readTextFileSync(tree.at("a.json")), "old");
  assertEquals(listNames(tree.path), ["a.json"]);
});

Deno.test("writeFileAtomically() takes the place of a file, and of nothing else", () => {
  using tree = makeTree({ "a.json": "old", "d/b": "" });
  writeFileAtomically(tree.at("a.json"), "new");
  assertEquals(Deno.readTextFileSync(tree.at("a.json")), "new");
  const error = assertThrows(() => writeFileAtomically(tree.at("d"), "new"), KprovError);
  assertEquals(error.code, "cannot_create");
  assertEquals(listNames(tree.path), ["a.json", "d"]);
});

Deno.test("probeFile() leaves the place as it was", () => {
  using tree = makeTree({ "a.json": "old" });
  probeFile(tree.at("a.json"));
  probeFile(tree.at("b.json"));
  assertEquals(listNames(tree.path), ["a.json"]);
  assertEquals(Deno.readTextFileSync(tree.at("a.json")), "old");
});

Deno.test("a temporary file that a killed writer left does not stand in the way", () => {
  using tree = makeTree({ ".kprov-1.tmp": "half" });
  probeFile(tree.at("a.json"));
  writeFileAtomically(tree.at("a.json"), "a");
  createFileAtomically(tree.at("b.json"), "b");
  assertEquals(listNames(tree.path), [".kprov-1.tmp", "a.json", "b.json"]);
  assertEquals(Deno.readTextFileSync(tree.at(".kprov-1.tmp")), "half");
});

Deno.test("a file whose name is as long as names can be is written like any other", () => {
  using tree = makeTree();
  const name = "n".repeat(255);
  writeFileAtomically(tree.at(name), "text");
  assertEquals(listNames(tree.path), [name]);
});
