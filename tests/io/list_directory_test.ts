import { KprovError } from "../../src/base/error.ts";
import {
  compileExclusions,
  gatherExclusions,
  joinExclusions,
  listExclusions,
} from "../../src/io/exclusions.ts";
import { listDirectory } from "../../src/io/list_directory.ts";
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
  const { isIgnored: isExcluded } = compileExclusions(globs);
  return listDirectory({ name: ".", path: tree.path }, { isExcluded, watch }).sort();
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

Deno.test("an exclusion is refused where it is malformed, whoever gave it", () => {
  for (const glob of ["[a", "a\\", "a".repeat(8193)]) {
    const given = assertThrows(() => gatherExclusions(["*.tmp", glob], []), KprovError);
    assertEquals(given.code, "usage");
    assert(given.message.startsWith("Cannot use --exclude "), given.message);
    const recorded = assertThrows(() => compileExclusions(["*.tmp", glob]), KprovError);
    assertEquals(recorded.code, "data");
    assert(recorded.message.startsWith("Cannot use the recorded exclusion "), recorded.message);
  }
});

Deno.test("a file of globs is read as a .gitignore file, and its faults are named with their line", () => {
  const text = "\uFEFF# logs\r\n\r\n*.log  \r\n!keep.log\r\n\\#x\n";
  using tree = makeTree({ ignore: text, broken: "ok\n\n[a\n" });
  const given = gatherExclusions(["/a.log", "#none"], [tree.at("ignore")]);
  assertEquals(given.globs, ["*.log", "!keep.log", "\\#x", "/a.log"]);
  assertThrows(
    () => gatherExclusions([], [tree.at("broken")]),
    KprovError,
    `/broken", line 3: a "[" is not closed`,
  );
});

Deno.test("exclusions keep their order where one takes back what others leave out", () => {
  const globs = ["*.log", "!keep.log", "b/*.tmp", "a.log", "/c/x"];
  const inputs = listExclusions(globs, ["a/runs"], ["a"]);
  assertEquals(inputs, ["*.log", "!keep.log", "a.log", ".git", "/a/runs"]);
  const products = listExclusions(globs, ["a/runs"], ["b"]);
  assertEquals(joinExclusions(globs, inputs, products), [
    "*.log",
    "!keep.log",
    "b/*.tmp",
    "a.log",
    ".git",
    "/a/runs",
  ]);
});

Deno.test("nothing takes back what is always left out", () => {
  const globs = listExclusions([".git", "!.git", "!/runs"], ["runs"], ["."]);
  const joined = joinExclusions([".git", "!.git", "!/runs"], globs, globs);
  for (const list of [globs, joined]) {
    const { isIgnored } = compileExclusions(list);
    assertEquals([isIgnored(".git", true), isIgnored("runs", true)], [true, true]);
  }
});

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

const RECORDED: readonly (readonly [
  what: string,
  given: readonly string[],
  own: readonly string[],
  directories: readonly string[],
  recorded: readonly string[],
])[] = [
  ["nothing where no directory is read", ["*.tmp"], ["runs"], [], []],
  ["what kprov writes inside of a directory", [], ["data/runs", "runs", "data2/x"], ["data"], [
    ".git",
    "/data/runs",
  ]],
  ["everything that kprov writes below the root", [], ["runs", "a [1]"], ["."], [
    ".git",
    "/a \\[1]",
    "/runs",
  ]],
  ["globs without / for any directory", ["*.tmp", "tmp/", "*.tmp"], [], ["data"], [
    "*.tmp",
    ".git",
    "tmp/",
  ]],
  [
    "globs that lead into a directory",
    ["/a/b/*.c", "a/b/c", "a/**", "*/b/x", "a/b/"],
    [],
    ["a/b"],
    [
      "*/b/x",
      ".git",
      "/a/b/*.c",
      "a/**",
      "a/b/c",
    ],
  ],
  ["no globs that lead elsewhere", ["/a/c/*.c", "c/b/**", "a/b"], [], ["a/b"], [".git"]],
  ["globs that lead into one of two", ["/a/x", "/b/x", "/c/x"], [], ["a", "b"], [
    ".git",
    "/a/x",
    "/b/x",
  ]],
];

for (const [what, given, own, directories, recorded] of RECORDED) {
  Deno.test(`listExclusions() chooses ${what}`, () => {
    assertEquals(listExclusions(given, own, directories), [...recorded]);
  });
}
