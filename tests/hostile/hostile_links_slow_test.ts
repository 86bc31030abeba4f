import { buildEvidence, buildRunDocuments, sha256Hex } from "../../mod.ts";
import { KPROV_VERSION } from "../../src/base/std.ts";
import { assertEquals, assertMatch } from "../assert.ts";
import { callKprov } from "../faults/call_kprov.ts";
import { RUN_ID } from "../make_run.ts";
import { SAMPLE_CIRCUMSTANCES, SAMPLE_COMMAND_FACTS } from "../sample_facts.ts";
import { listNames, makeTree, type TemporaryTree } from "../temporary_tree.ts";

const POSIX: Pick<Deno.TestDefinition, "ignore"> = { ignore: Deno.build.os === "windows" };

const SHELL = "/bin/sh";

/** A forged run whose input is a link to the victim's directory, and that link itself. */
function plantRun(tree: TemporaryTree, link: string, target: string, product: string): string {
  const run = tree.at(`root/runs/${RUN_ID}`);
  Deno.mkdirSync(run, { recursive: true });
  Deno.symlinkSync(target, tree.at(`root/${link}`));
  const material = {
    name: link,
    kind: "symlink",
    size: new TextEncoder().encode(target).length,
    sha256: sha256Hex(target),
  } as const;
  const command = {
    output: SAMPLE_COMMAND_FACTS.command?.output ?? null,
    argv: [SHELL, "-c", `echo evil > ${product}`] as const,
    env: [],
    productPaths: [product],
    products: [{ ...material, name: product }],
    exitCode: 0,
    signal: null,
  };
  const toolchain = {
    ...SAMPLE_COMMAND_FACTS.toolchain,
    kprov: KPROV_VERSION,
    tools: [{ name: "sh", sha256: sha256Hex(Deno.readFileSync(SHELL)) }],
  };
  const facts = {
    ...SAMPLE_COMMAND_FACTS,
    inputs: [link],
    exclude: [],
    materials: [material],
    toolchain,
    command,
  };
  const documents = buildRunDocuments(buildEvidence(facts), SAMPLE_CIRCUMSTANCES, RUN_ID);
  for (const [name, text] of Object.entries(documents)) {
    Deno.writeTextFileSync(`${run}/${name}`, text);
  }
  return run;
}

for (const product of ["a", "a/b", "a/b/c"]) {
  Deno.test(`reproduce makes nothing behind a link, for a product ${product}`, POSIX, async () => {
    using tree = makeTree({ "victim/kept": "kept" });
    const target = product === "a" ? tree.at("victim/kept") : tree.at("victim");
    const run = plantRun(tree, "a", target, product);
    const ended = await callKprov(["reproduce", run, "--root", tree.at("root")]);
    assertMatch(
      ended.stderr,
      /^error: Cannot reproduce run "[^"]+": its product "a[^"]*" [^\n]+\nhint: /,
    );
    assertEquals([ended.code, ended.stdout], [65, ""]);
    assertEquals(listNames(tree.at("victim")), ["kept"]);
    assertEquals(Deno.readTextFileSync(tree.at("victim/kept")), "kept");
  });
}
