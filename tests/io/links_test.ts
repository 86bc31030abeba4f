import { KprovError } from "../../src/base/error.ts";
import { gatherInputs } from "../../src/io/inputs.ts";
import { FollowedPaths, type LinkReading } from "../../src/io/list_directory.ts";
import { resolveOwnPath } from "../../src/io/paths.ts";
import { assertEquals, assertRejects, assertThrows } from "../assert.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";

const EFFORT = { jobs: 1, progress: null };

function gather(
  tree: TemporaryTree,
  inputs: readonly string[],
  links: LinkReading,
  out: string = "/nowhere",
) {
  const root = { given: tree.path, path: tree.path };
  return gatherInputs({
    inputs: inputs.map((name) => tree.at(name)),
    exclude: ["left_out"],
    links,
    root,
    own: [resolveOwnPath(out, root)],
    effort: EFFORT,
  });
}

/** Links in the directory `data`, which holds a.txt, b/c.txt and the excluded left_out. */
const LINKS: readonly (readonly [target: string, isNoted: boolean])[] = [
  ["a.txt", false],
  ["./b/../a.txt", false],
  ["b", false],
  ["b/", false],
  [".", false],
  ["..", true],
  ["../data/b/c.txt", false],
  ["../outside/x.txt", true],
  ["../outside", true],
  ["/etc/passwd", true],
  ["../../../../../../../../data/a.txt", true],
  ["nowhere", true],
  ["left_out", true],
  ["inner/c.txt", false],
  ["inner/../a.txt", false],
  ["inner/none.txt", true],
  ["link", true],
];

Deno.test("a link is noted where what it leads to is not recorded", async () => {
  for (const [target, isNoted] of LINKS) {
    using tree = makeTree({
      "data/a.txt": "",
      "data/b/c.txt": "",
      "data/left_out": "",
      "outside/x.txt": "",
    });
    Deno.symlinkSync("b", tree.at("data/inner"));
    Deno.symlinkSync(target, tree.at("data/link"));
    const { notes } = await gather(tree, ["data"], "none");
    const expected = isNoted ? [["note", "link.outside", "data/link"]] : [];
    assertEquals(notes.map(({ level, code, path }) => [level, code, path]), expected, target);
  }
});

Deno.test("a link with an absolute target in the root is held against the names there", async () => {
  using tree = makeTree({ "data/a.txt": "", "other/b.txt": "" });
  Deno.symlinkSync(tree.at("data/a.txt"), tree.at("data/near"));
  Deno.symlinkSync(tree.at("other/b.txt"), tree.at("data/far"));
  Deno.symlinkSync(tree.path, tree.at("data/root"));
  const { notes } = await gather(tree, ["data"], "none");
  assertEquals(notes.map(({ path }) => path), ["data/far", "data/root"]);
});

Deno.test("of many links that lead out, some are named and the others counted", async () => {
  using tree = makeTree({ "data/a.txt": "" });
  for (let i = 0; i < 25; i++) Deno.symlinkSync("/nowhere", tree.at(`data/${i}`));
  const { notes } = await gather(tree, ["data"], "none");
  assertEquals([notes.length, notes.at(-1)?.path], [21, null]);
  assertEquals(notes.at(-1)?.message, "5 more links lead out of the inputs");
});

Deno.test("followed links are files under their own names, directories behind them too", async () => {
  using tree = makeTree({ "a/x.txt": "x", "b/c/y.txt": "y" });
  Deno.symlinkSync("../b", tree.at("a/b"));
  Deno.symlinkSync("../../a/x.txt", tree.at("b/c/up"));
  Deno.symlinkSync("a", tree.at("given"));
  const { materials, inputs, links } = await gather(tree, ["given"], "follow");
  assertEquals([inputs, links], [["given"], "follow"]);
  assertEquals(materials.map(({ name, kind }) => `${name} ${kind}`), [
    "given/b/c/up file",
    "given/b/c/y.txt file",
    "given/x.txt file",
  ]);
});

Deno.test("what kprov writes is left out or refused, whatever link leads to it", async () => {
  using tree = makeTree({ "data/a.txt": "", "data/runs/r.json": "", "other/r.json": "" });
  Deno.symlinkSync("data/runs", tree.at("out"));
  Deno.symlinkSync("../other", tree.at("data/link"));
  Deno.symlinkSync("data", tree.at("all"));
  for (
    const [links, out, names, exclude] of [
      ["none", "out", ["data/a.txt", "data/link"], [".git", "/data/runs", "left_out"]],
      ["none", "other", ["data/a.txt", "data/link", "data/runs/r.json"], [".git", "left_out"]],
      ["follow", "other", ["data/a.txt", "data/runs/r.json"], [".git", "/data/link", "left_out"]],
      ["follow", "out/new", ["data/a.txt", "data/link/r.json", "data/runs/r.json"], [
        ".git",
        "/data/runs/new",
        "left_out",
      ]],
    ] as const
  ) {
    const gathered = await gather(tree, ["data"], links, tree.at(out));
    assertEquals(gathered.materials.map(({ name }) => name), [...names], out);
    assertEquals(gathered.exclude, [...exclude], out);
  }
  for (const out of ["data", "all", "data/../data"]) {
    const error = await assertRejects(
      () => gather(tree, ["data"], "none", tree.at(out)),
      KprovError,
    );
    assertEquals([error.code, error.message.includes("kprov itself writes there")], [
      "usage",
      true,
    ]);
  }
});

const SWAPS: readonly (readonly [what: string, swap: (tree: TemporaryTree) => void])[] = [
  ["a link", (tree) => {
    Deno.removeSync(tree.at("a/link"));
    Deno.symlinkSync("../c/y.txt", tree.at("a/link"));
  }],
  ["a directory behind a link", (tree) => {
    Deno.renameSync(tree.at("b"), tree.at("moved"));
    Deno.symlinkSync("c", tree.at("b"));
  }],
  ["a link that vanishes", (tree) => Deno.removeSync(tree.at("a/link"))],
  ["a directory on the way", (tree) => {
    Deno.renameSync(tree.at("a"), tree.at("old"));
    Deno.symlinkSync("old", tree.at("a"));
  }],
];

for (const [what, swap] of SWAPS) {
  Deno.test(`what is read through links is refused where ${what} is swapped meanwhile`, () => {
    using tree = makeTree({ "a/x.txt": "x", "b/y.txt": "y", "c/y.txt": "z" });
    Deno.symlinkSync("../b/y.txt", tree.at("a/link"));
    const paths = new FollowedPaths({ given: tree.path, path: tree.path }, "input");
    assertEquals(paths.follow("a/link").path, tree.at("b/y.txt"));
    assertEquals(paths.follow("a/x.txt").path, tree.at("a/x.txt"));
    paths.checkUnchanged();
    swap(tree);
    const error = assertThrows(() => paths.checkUnchanged(), KprovError, "Cannot read input ");
    assertEquals(error.code, "data");
  });
}
