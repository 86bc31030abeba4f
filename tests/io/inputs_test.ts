import { KprovError } from "../../src/base/error.ts";
import { shardOf } from "../../src/evidence/provenance.ts";
import { gatherInputs } from "../../src/io/inputs.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";

const COUNT = 3;

/** What each shard of the inputs has, and what it says. */
function gatherShards(tree: TemporaryTree, inputs: readonly string[], count = COUNT) {
  const root = { given: tree.path, path: tree.path };
  const shards = Array.from({ length: count }, (_, i) => ({ index: i + 1, count }));
  return shards.map((shard) => () =>
    gatherInputs({
      inputs: inputs.map((name) => tree.at(name)),
      exclude: [],
      links: "none",
      root,
      own: [],
      shard,
      effort: { jobs: 1, progress: null },
    })
  );
}

Deno.test("each shard reads the names that are its own, and together they read all", async () => {
  const names = Array.from({ length: 30 }, (_, i) => `data/${i % 4}/${i}`);
  using tree = makeTree(Object.fromEntries(names.map((name) => [name, ""])));
  for (const inputs of [["data"], names]) {
    const found: string[] = [];
    for (const [i, gather] of gatherShards(tree, inputs).entries()) {
      const { materials } = await gather();
      assert(materials.every(({ name }) => shardOf(name, COUNT) === i + 1));
      found.push(...materials.map(({ name }) => name));
    }
    assertEquals(found.sort(), names.sort());
  }
});

Deno.test("a shard without any file is none the worse, but a directory without any is refused", async () => {
  using tree = makeTree({ "data/a": "" });
  Deno.mkdirSync(tree.at("empty"));
  const sizes = await Promise.all(
    gatherShards(tree, ["data"]).map(async (gather) => (await gather()).materials.length),
  );
  assertEquals(sizes.sort(), [0, 0, 1]);
  for (const gather of gatherShards(tree, ["data", "empty"])) {
    await assertRejects(gather, KprovError, "it has no file, or all of them are excluded");
  }
});

Deno.test("every shard refuses a file that is given twice, whichever it belongs to", async () => {
  using tree = makeTree({ "data/a": "", "data/in/b": "" });
  for (const inputs of [["data", "data/in"], ["data", "data/in/b"], [".", "data"]]) {
    for (const gather of gatherShards(tree, inputs)) {
      await assertRejects(gather, KprovError, "it is already part of input");
    }
  }
});

Deno.test("a shard notes a link as the whole run does: what another shard has is recorded", async () => {
  const targets = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`data/${i}`, ""]));
  using tree = makeTree({ ...targets, "outside": "" });
  for (const target of Object.keys(targets)) {
    Deno.symlinkSync(target.slice(5), tree.at(`${target}.near`));
  }
  Deno.symlinkSync("../outside", tree.at("data/far"));
  const notes = await Promise.all(
    gatherShards(tree, ["data"]).map(async (gather) => (await gather()).notes),
  );
  assertEquals(notes.flat().map(({ code, path }) => [code, path]), [["link.outside", "data/far"]]);
});

Deno.test("every shard notes two names that look the same, whichever they belong to", async () => {
  using tree = makeTree({ "data/caf\u00e9": "", "data/cafe\u0301": "", "data/a": "" });
  for (const gather of gatherShards(tree, ["data"], 5)) {
    const { notes } = await gather();
    assertEquals(notes.map(({ code, path }) => [code, path]), [["input.twin", "data/caf\u00e9"]]);
  }
});
