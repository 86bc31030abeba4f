import { stagePackage } from "../.github/release/stage_package.ts";
import { isDenoInRange } from "../src/base/std.ts";
import { sha256Hex } from "../src/base/canonical_json.ts";
import { SHIPPED_LOCKFILE } from "../src/commands/write_run.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "./assert.ts";
import { fromFileUrl } from "./paths.ts";
import { decode } from "./run_kprov.ts";
import { listBelow, listNames, makeTree } from "./temporary_tree.ts";

const TOP = fromFileUrl(new URL("../", import.meta.url));

/** Tries `deno publish`, as the release calls it. */
async function tryToPublish(cwd: string): Promise<{ success: boolean; text: string }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--no-check", "--dry-run"],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  return { success, text: decode(stdout) + decode(stderr) };
}

Deno.test({
  name: "the publish dry run passes, without slow types, and publishes what users need only",
  // Deno 2.8 runs text imports, but publishes none.
  ignore: !isDenoInRange(Deno.version.deno, ">=2.9.0"),
  fn: async () => {
    using tree = makeTree();
    await stagePackage(tree.path);
    const { success, text } = await tryToPublish(tree.path);
    assert(success, text);
    assertStringIncludes(text, "Checking for slow types");
    for (const path of ["bundle/mod.js", "bundle/LICENSES.txt", "mod.ts", "deno.lock"]) {
      assertStringIncludes(text, `/${path} (`);
    }
    assert(!/\/(tests|docs|\.github|\.ci)\//.test(text), text);

    const slow = "export const slow = (() => ({ a: 1 }))();\n";
    Deno.writeTextFileSync(tree.at("mod.ts"), slow, { append: true });
    assertEquals((await tryToPublish(tree.path)).success, false);
  },
});

Deno.test("a checkout itself cannot be published, because its libraries are not bundled in", async () => {
  const { success, text } = await tryToPublish(TOP);
  assertEquals(success, false);
  assertStringIncludes(text, "'publish' field is false");
});

Deno.test("the staged package is the same to the byte whenever and wherever it is made", async () => {
  using one = makeTree();
  using other = makeTree();
  await Promise.all([stagePackage(one.at("a")), stagePackage(other.at("deep/b"))]);
  const paths = listBelow(one.at("a"));
  assertEquals(listBelow(other.at("deep/b")), paths);
  for (const path of paths.filter((path) => !path.endsWith("/"))) {
    const bytes = Deno.readFileSync(one.at(`a/${path}`));
    assertEquals(sha256Hex(bytes), sha256Hex(Deno.readFileSync(other.at(`deep/b/${path}`))), path);
  }
});

Deno.test("the staged package carries the licence of every library that is bundled, and of no other", async () => {
  using tree = makeTree();
  await stagePackage(tree.path);
  const text = Deno.readTextFileSync(tree.at("bundle/LICENSES.txt"));
  const named = text.matchAll(/^(\S+@\d\S*)\n\n/gm);
  const ofTests = /^(ajv|fast-|json-schema-|require-|pure-rand)/;
  const locked: readonly string[] = Object.keys(JSON.parse(SHIPPED_LOCKFILE).npm);
  assertEquals(
    [...named].map(([, id]) => id),
    locked.filter((id) => !ofTests.test(id)),
  );
  assertEquals(listNames(tree.at("libraries")).some((name) => ofTests.test(name)), false);
});

Deno.test("nothing is staged over what is there", async () => {
  using tree = makeTree({ "a.txt": "" });
  await assertRejects(() => stagePackage(tree.path), Error, "is not empty");
  assertEquals(listNames(tree.path), ["a.txt"]);
});
