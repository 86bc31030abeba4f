import { buildEvidence, buildRunDocuments } from "../../mod.ts";
import { KPROV_VERSION } from "../../src/base/std.ts";
import { assertEquals } from "../assert.ts";
import { RUN_ID } from "../make_run.ts";
import { runKprov, WIDE } from "../run_kprov.ts";
import { SAMPLE_CIRCUMSTANCES, SAMPLE_FACTS } from "../sample_facts.ts";
import { listNames, makeTree } from "../temporary_tree.ts";

Deno.test("kprov merge refuses a Deno outside the range of the shards, and writes nothing", async () => {
  const { toolchain } = SAMPLE_FACTS;
  const runtime = { ...toolchain.runtime, deno: "3.1.0" };
  const evidence = buildEvidence({
    ...SAMPLE_FACTS,
    toolchain: { ...toolchain, kprov: KPROV_VERSION, runtime },
    shard: { count: 1, index: 1 },
  });
  const circumstances = {
    ...SAMPLE_CIRCUMSTANCES,
    runtime_policy: [
      { runtime: "deno", range: ">=3.0.0 <4.0.0", version: "3.1.0", satisfied: true },
    ],
  };
  const documents = Object.entries(buildRunDocuments(evidence, circumstances, RUN_ID));
  using tree = makeTree(
    Object.fromEntries(documents.map(([name, text]) => [`runs/${RUN_ID}/${name}`, text])),
  );
  const ended = await runKprov(["merge", "runs", "--out", "merged"], {
    cwd: tree.path,
    permissions: WIDE,
  });
  const message =
    `Cannot run on Deno ${Deno.version.deno}: the range of the shards is >=3.0.0 <4.0.0`;
  assertEquals([ended.code, ended.stdout], [1, ""]);
  assertEquals(ended.stderr.split("\n")[0], `error: ${message}`);
  assertEquals(listNames(tree.at("merged")), []);
});
