import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { fromFileUrl } from "./paths.ts";
import { decode } from "./run_kprov.ts";
import { listNames, makeTree } from "./temporary_tree.ts";

const TOP = fromFileUrl(new URL("../", import.meta.url));

Deno.test({
  name: "the compiled binary does the main job with an empty environment in an empty directory",
  // Without DENORT_BIN the base binary is downloaded, which not every machine can.
  ignore: Deno.env.get("DENORT_BIN") === undefined,
  fn: async () => {
    using tree = makeTree({ "work/input.txt": "hello\n" });
    const policy = { schema: "kprovengine.policy.v1", runtime: { deno: ">=2.7.0" } };
    Deno.mkdirSync(tree.at("work/docs/governance"), { recursive: true });
    Deno.writeTextFileSync(tree.at("work/docs/governance/policy.json"), JSON.stringify(policy));
    const compiled = await new Deno.Command(Deno.execPath(), {
      args: ["compile", "--quiet", "--bundle", "--no-prompt", "--allow-read", "--allow-write"]
        .concat(["--output", tree.at("kprov"), `${TOP}/cli.ts`]),
    }).output();
    assert(compiled.success, decode(compiled.stderr));

    const { code, stdout, stderr } = await new Deno.Command(tree.at("kprov"), {
      args: ["input.txt"],
      cwd: tree.at("work"),
      clearEnv: true,
    }).output();
    assertEquals(decode(stderr), "");
    assertEquals(code, 0);
    assertStringIncludes(decode(stdout), "Evidence  sha256:");
    const [run = ""] = listNames(tree.at("work/runs"));
    const toolchain = JSON.parse(Deno.readTextFileSync(tree.at(`work/runs/${run}/toolchain.json`)));
    assertEquals(toolchain.standalone, true);
    assert(toolchain.lockfile.packages.length > 0);
  },
});
