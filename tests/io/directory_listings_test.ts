import fc from "fast-check";
import { compareUtf8 } from "../../src/base/text.ts";
import { DirectoryListings } from "../../src/io/path_watch.ts";
import { assert, assertEquals } from "../assert.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";

const DIRECTORIES = ["", "a/", "a/b/", "a/b/c/", "a-b/", "linked/", "linked/below/"];

/** Twelve files in each directory; `linked/` has a link beside them. */
function makeDirectories(): TemporaryTree & { readonly paths: readonly string[] } {
  const paths = DIRECTORIES.flatMap((directory) =>
    Array.from({ length: 12 }, (_, i) => `${directory}${i}`)
  );
  const tree = makeTree(Object.fromEntries(paths.map((path) => [path, ""])));
  Deno.symlinkSync("0", tree.at("linked/link"));
  return { ...tree, paths: paths.sort(compareUtf8) };
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

Deno.test("DirectoryListings tells directories with links from those without", () => {
  using tree = makeDirectories();
  const listings = new DirectoryListings(`${tree.path}/`, tree.paths);
  const plain = new Set(
    tree.paths.filter((_, i) => listings.isPlainAround(i)).map(directoryOf),
  );
  assertEquals([...plain].sort(), ["", "a-b/", "a/", "a/b/", "a/b/c/", "linked/below/"]);
});

Deno.test("DirectoryListings never calls a directory plain that is not, whatever is asked", () => {
  using tree = makeDirectories();
  fc.assert(fc.property(fc.subarray([...tree.paths]), (paths) => {
    const listings = new DirectoryListings(`${tree.path}/`, paths);
    for (const [i, path] of paths.entries()) {
      const isPlain = listings.isPlainAround(i);
      const isLinked = directoryOf(path) === "linked/";
      assert(!(isPlain && isLinked), path);
      // Where enough files follow below it, it was worth a listing at the latest here.
      const first = paths.findIndex((other) => directoryOf(other) === directoryOf(path));
      const isWorthIt = paths[first + 8]?.startsWith(directoryOf(path)) === true;
      assertEquals(isPlain, isWorthIt && !isLinked, path);
    }
  }));
});

Deno.test("DirectoryListings calls nothing plain that it cannot list", () => {
  const paths = Array.from({ length: 12 }, (_, i) => `gone/${i}`);
  assert(!new DirectoryListings("/nowhere/", paths).isPlainAround(0));
});

Deno.test({
  name: "DirectoryListings tells that a directory above a listed one was away for a while",
  ignore: Deno.build.os === "windows",
  fn: () => {
    using tree = makeDirectories();
    const listings = new DirectoryListings(`${tree.path}/`, tree.paths);
    const below = tree.paths.findIndex((path) => directoryOf(path) === "a/b/c/");
    assert(listings.isPlainAround(below));
    assert(listings.areUnchanged());
    assert(listings.isPlainAround(below));
    Deno.renameSync(tree.at("a/b"), tree.at("away"));
    Deno.renameSync(tree.at("away"), tree.at("a/b"));
    assert(!listings.areUnchanged());
  },
});
