import { KprovError } from "../../mod.ts";
import {
  copyIntoScratch,
  makeDirectoryAbove,
  makeScratchDirectory,
  refuseLinksOut,
} from "../../src/io/atomic_file.ts";
import { assertEquals, assertRejects, assertThrows } from "../assert.ts";
import { listNames, makeTree } from "../temporary_tree.ts";

const POSIX: Pick<Deno.TestDefinition, "ignore"> = { ignore: Deno.build.os === "windows" };

/** Links by their names, and those of them that lead out. */
const LINKS: readonly (readonly [
  what: string,
  links: Readonly<Record<string, string>>,
  out: readonly string[],
])[] = [
  ["to a neighbour", { a: "dir/file", "dir/b": "../dir/file" }, []],
  ["to the scratch directory itself", { a: ".", "dir/b": "..", c: "dir/../a/a" }, []],
  ["to what is not there yet", { a: "later/file", b: "dir/later/../../later" }, []],
  ["by an absolute path", { a: "/etc/hostname" }, ["a"]],
  ["by the absolute path of the root", { a: "/" }, ["a"]],
  ["upwards", { a: "..", "dir/b": "../..", "dir/c": "../../kprov" }, ["a", "dir/b", "dir/c"]],
  ["upwards from what is not there yet", { a: "later/../../x" }, ["a"]],
  ["through another one", { a: "dir/up/..", "dir/up": ".." }, ["a"]],
  ["through others in turn", { a: "b/x", b: "c", c: "d/../..", d: "dir" }, ["a", "b", "c"]],
  ["through a link that leads out", { a: "b/file", b: "/etc" }, ["a", "b"]],
  ["in a circle", { a: "b", b: "a", c: "c" }, ["a", "b", "c"]],
];

for (const [what, links, out] of LINKS) {
  Deno.test(`links ${what} ${out.length === 0 ? "may stay" : "are refused"}`, POSIX, () => {
    using tree = makeTree();
    using scratch = makeScratchDirectory(tree.path);
    Deno.mkdirSync(`${scratch.path}/dir`);
    Deno.writeTextFileSync(`${scratch.path}/dir/file`, "x");
    for (const [name, target] of Object.entries(links)) {
      Deno.symlinkSync(target, `${scratch.path}/${name}`);
    }
    const isRefused = (name: string): boolean => {
      try {
        refuseLinksOut(scratch, [name]);
        return false;
      } catch (error) {
        return error instanceof KprovError && error.code === "data";
      }
    };
    assertEquals(Object.keys(links).filter(isRefused), [...out]);
  });
}

Deno.test(
  "nothing is made behind a link in a scratch directory, or through one",
  POSIX,
  async () => {
    using tree = makeTree({ "victim/file": "kept", "source": "evil" });
    Deno.mkdirSync(tree.at("tmp"));
    using scratch = makeScratchDirectory(tree.at("tmp"));
    Deno.symlinkSync(tree.at("victim"), `${scratch.path}/a`);
    Deno.symlinkSync(tree.at("victim/file"), `${scratch.path}/b`);
    const refusal = (name: string, link: string): string =>
      `Cannot make "${name}" in the scratch copy: "${link}" is a link`;

    assertThrows(() => makeDirectoryAbove(scratch, "a/b/c"), KprovError, refusal("a/b/c", "a"));
    for (const [name, link] of [["a/file", "a"], ["a/new/file", "a"], ["b", "b"]] as const) {
      await assertRejects(
        () => copyIntoScratch(scratch, { name, kind: "file", source: tree.at("source") }),
        KprovError,
        refusal(name, link),
      );
    }
    assertEquals(listNames(tree.at("victim")), ["file"]);
    assertEquals(Deno.readTextFileSync(tree.at("victim/file")), "kept");
  },
);
