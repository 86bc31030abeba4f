import { assert, assertEquals, assertStringIncludes } from "./assert.ts";
import { fromFileUrl } from "./paths.ts";
import { decode, type Ended } from "./run_kprov.ts";
import { installKprov } from "./run_script.ts";
import { makeTree } from "./temporary_tree.ts";

const TOP = fromFileUrl(new URL("../", import.meta.url)).replace(/\/$/, "");

async function isInstalled(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}

Deno.test({
  name: "pre-commit runs the guards as a hook, and stops a commit that breaks a rule",
  ignore: Deno.build.os === "windows" || !await isInstalled("pre-commit"),
  fn: async () => {
    const policy = { schema: "kprovengine.policy.v1", artifacts: {} };
    using tree = makeTree({ "docs/governance/policy.json": JSON.stringify(policy) });
    using bin = makeTree();
    installKprov(bin.path);
    const run = async (...command: readonly [string, ...string[]]): Promise<Ended> => {
      const [program, ...args] = command;
      const { code, stdout, stderr } = await new Deno.Command(program, {
        args,
        cwd: tree.path,
        env: {
          PATH: `${bin.path}:${Deno.env.get("PATH") ?? ""}`,
          PRE_COMMIT_HOME: bin.at("home"),
          GIT_CONFIG_GLOBAL: "/dev/null",
          GIT_CONFIG_SYSTEM: "/dev/null",
        },
      }).output();
      return { code, stdout: decode(stdout), stderr: decode(stderr) };
    };
    assertEquals((await run("git", "init", "--quiet")).code, 0);
    assertEquals((await run("git", "add", "-A")).code, 0);
    const clean = await run("pre-commit", "try-repo", TOP, "kprov-guard");
    assertEquals(clean.code, 0, clean.stdout + clean.stderr);
    assertStringIncludes(clean.stdout, "Passed");

    Deno.mkdirSync(tree.at("runs"));
    Deno.writeTextFileSync(tree.at("runs/a.json"), "{}");
    assertEquals((await run("git", "add", "-A")).code, 0);
    const broken = await run("pre-commit", "try-repo", TOP, "kprov-guard");
    assert(broken.code !== 0);
    assertStringIncludes(broken.stdout, "artifacts.tracked");
  },
});
