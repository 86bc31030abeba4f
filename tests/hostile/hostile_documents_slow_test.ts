import { assertEquals, assertStringIncludes } from "../assert.ts";
import { RUN_ID } from "../make_run.ts";
import { runKprov } from "../run_kprov.ts";
import { makeGenuineTree } from "./forged_run.ts";

Deno.test("kprov verify reads a document of 1 GiB to its end without holding it", async () => {
  using tree = makeGenuineTree();
  const run = tree.at(`hostile/${RUN_ID}`);
  Deno.truncateSync(`${run}/provenance.json`, 2 ** 30);
  // A sixth of the document: a process that holds it, or a quarter of it, dies.
  const { code, stdout, stderr } = await runKprov(["verify", run], {
    cwd: tree.path,
    permissions: ["--allow-read", "--v8-flags=--max-old-space-size=160"],
  });
  assertEquals({ code, stderr }, { code: 1, stderr: "" });
  assertStringIncludes(stdout, "characters outside of its lists of files");
});
