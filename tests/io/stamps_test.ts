import type { RecordedFile } from "../../src/evidence/provenance.ts";
import { listStandingProducts } from "../../src/io/observe.ts";
import {
  compareWithStamps,
  findChangedTools,
  splitUntouched,
  stampBeforeCommand,
} from "../../src/io/stamps.ts";
import { gatherTool } from "../../src/io/tools.ts";
import { assertEquals } from "../assert.ts";
import { makeTree } from "../temporary_tree.ts";

function toFile(name: string, digit: string): RecordedFile {
  return { name, kind: "file", size: 3, sha256: digit.repeat(64) };
}

Deno.test("splitUntouched() goes by digests where stamps may not tell", async () => {
  using tree = makeTree({ "kept": "old", "written": "old", "clear": "old" });
  const root = { given: tree.path, path: tree.path };
  const standing = ["kept", "written", "clear"];
  const { products } = await stampBeforeCommand({ materials: [], tools: [], standing }, root);
  assertEquals([...products.values()].map(({ sha256 }) => sha256), [null, null, null]);
  // As where the clock that files are stamped with is ahead of this one.
  const unclear = new Map(
    [...products].map(([name, stamp]) =>
      [name, name === "clear" ? stamp : { ...stamp, sha256: "a".repeat(64) }] as const
    ),
  );
  const after = [toFile("kept", "a"), toFile("written", "b"), toFile("clear", "c")];
  const { made, untouched } = splitUntouched(
    [...after, toFile("new", "d")],
    compareWithStamps(unclear, root),
  );
  assertEquals(made.map(({ name }) => name), ["written", "new"]);
  assertEquals([...untouched], ["kept", "clear"]);
});

Deno.test("listStandingProducts() finds what may be taken for a product, and nothing excluded", () => {
  using tree = makeTree({ "out/deep/a": "", "out/b.tmp": "", "out/.git/c": "", "one": "" });
  Deno.symlinkSync("nowhere", tree.at("out/link"));
  const root = { given: tree.path, path: tree.path };
  const products = ["out", "one", "none"].map((name) => ({
    given: name,
    name,
    path: tree.at(name),
  }));
  const names = listStandingProducts(products, { root, exclude: ["*.tmp"], own: [] });
  assertEquals(names.sort(), ["one", "out/deep/a", "out/link"]);
});

Deno.test("findChangedTools() finds a tool that is gone, or something else that cannot be read", {
  ignore: Deno.build.os === "windows",
}, async () => {
  using tree = makeTree({
    "kept": "#!/bin/sh\n",
    "directory": "#!/bin/sh\n",
    "gone": "#!/bin/sh\n",
  });
  Deno.writeTextFileSync(tree.at("loop"), "#!/bin/sh\n");
  const names = ["directory", "gone", "kept", "loop"];
  for (const name of names) Deno.chmodSync(tree.at(name), 0o755);
  const root = { given: tree.path, path: tree.path };
  const tools = names.map((name) => gatherTool(`./${name}`, root)[0]);
  const { tools: stamps } = await stampBeforeCommand({ materials: [], tools }, root);
  for (const name of ["directory", "gone", "loop"]) Deno.removeSync(tree.at(name));
  Deno.mkdirSync(tree.at("directory"));
  Deno.symlinkSync("loop", tree.at("loop"));
  assertEquals(findChangedTools({ tools, stamps }, []).map(({ message }) => message), [
    '"./directory" cannot be read any more',
    '"./gone" is not there any more',
    '"./loop" cannot be read any more',
  ]);
});
