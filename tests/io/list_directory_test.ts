import { KprovError } from "../../src/base/error.ts";
import { compileExclusions, listDirectory } from "../../src/io/list_directory.ts";
import { PathWatch } from "../../src/io/path_watch.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";

const FILES = {
  "a.tmp": "",
  "a.txt": "",
  "data/a.tmp": "",
  "data/b/a.txt": "",
  "data/b/runs/r.json": "",
  "runs/r.json": "",
};

function list(tree: TemporaryTree, globs: readonly string[]): string[] {
  const watch = new PathWatch({ root: { path: tree.path }, role: "input" });
  return listDirectory({ name: ".", path: tree.path }, compileExclusions(globs), watch).sort();
}

const EXCLUSIONS: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["nothing", [], Object.keys(FILES)],
  ["a glob without / at any depth", ["*.tmp"], [
    "a.txt",
    "data/b/a.txt",
    "data/b/runs/r.json",
    "runs/r.json",
  ]],
  ["a name without / with all it holds", ["runs"], [
    "a.tmp",
    "a.txt",
    "data/a.tmp",
    "data/b/a.txt",
  ]],
  ["a leading / from the root only", ["/runs"], [
    "a.tmp",
    "a.txt",
    "data/a.tmp",
    "data/b/a.txt",
    "data/b/runs/r.json",
  ]],
  ["dir/** like the directory", ["data/**"], ["a.tmp", "a.txt", "runs/r.json"]],
  ["dir/ like the directory", ["/data/"], ["a.tmp", "a.txt", "runs/r.json"]],
  ["* within one part", ["data/*/*.txt"], [
    "a.tmp",
    "a.txt",
    "data/a.tmp",
    "data/b/runs/r.json",
    "runs/r.json",
  ]],
  ["** across parts", ["**/r.json"], ["a.tmp", "a.txt", "data/a.tmp", "data/b/a.txt"]],
];

for (const [what, globs, expected] of EXCLUSIONS) {
  Deno.test(`an exclusion leaves out ${what}`, () => {
    using tree = makeTree(FILES);
    assertEquals(list(tree, globs), [...expected]);
  });
}

Deno.test("an exclusion takes no longer where a glob could match in many ways", () => {
  using tree = makeTree({ ["a".repeat(200)]: "" });
  assertEquals(list(tree, [`${"*a".repeat(50)}b`, `/${"**/".repeat(50)}b`]).length, 1);
});

const NO_GLOBS: readonly (readonly [glob: string, reason: string])[] = [
  ["/", "it, or an alternative, is empty"],
  ["[a", ""],
  ["{a", ""],
  ["a**/b", ""],
  ["!a", ""],
  ["a".repeat(8193), ""],
];

for (const [glob, reason] of NO_GLOBS) {
  Deno.test(`an exclusion is refused where it is no glob: ${glob.slice(0, 9)}`, () => {
    const error = assertThrows(() => compileExclusions(["*.tmp", glob]), KprovError, reason);
    assertEquals(error.code, "usage");
    assert(error.message.startsWith(`Cannot use --exclude "${glob}": `), error.message);
  });
}

Deno.test("listDirectory() lists links and does not follow them", () => {
  using tree = makeTree({ "data/a.txt": "" });
  Deno.symlinkSync("data", tree.at("link"));
  Deno.symlinkSync(".", tree.at("data/loop"));
  assertEquals(list(tree, []), ["data/a.txt", "data/loop", "link"]);
});

Deno.test({
  name: "listDirectory() refuses names that are not UTF-8 instead of losing or merging them",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    using tree = makeTree({ "a.txt": "" });
    const script = `printf x > "$(printf 'b\\377')"; printf y > "$(printf 'b\\376')"`;
    await new Deno.Command("sh", { args: ["-c", script], cwd: tree.path }).output();
    const error = assertThrows(() => list(tree, []), KprovError, "is not valid UTF-8");
    assertEquals(error.code, "data");
  },
});
