import { assert, assertEquals, assertMatch, assertStringIncludes } from "./assert.ts";
import { parseGuide } from "./guide.ts";
import { fromFileUrl } from "./paths.ts";
import { installPythonTools, succeeds } from "./python_tools.ts";
import { decode, type Ended } from "./run_kprov.ts";
import { installBoth } from "./run_script.ts";
import { makeTree } from "./temporary_tree.ts";
import { unless } from "./unless.ts";

const TOP = fromFileUrl(new URL("../", import.meta.url)).replace(/\/$/, "");

/** The release that is known to start these hooks. */
const PRE_COMMIT = "pre-commit==4.3.0";

const tools = Deno.build.os === "windows" ? null : await installPythonTools(PRE_COMMIT);
globalThis.addEventListener("unload", () => tools?.[Symbol.dispose]());
const noPreCommit = tools === null ? `${PRE_COMMIT} is missing here` : null;
const noShell = Deno.build.os === "windows" ? "there are no hooks of sh on Windows" : null;
const noNpx = noPreCommit ?? (await succeeds("npx", ["--version"]) ? null : "npx is missing here");

/** Both ways to have the hooks: with the commands installed, and with npm alone. */
const HOOKS: readonly (readonly [what: string, suffix: string, missing: string | null])[] = [
  ["with the commands installed", "", noPreCommit],
  ["with npm alone", "-npm", noNpx],
];

Deno.test(
  ...unless(noShell, "the hook of docs/ci.md checks what git commits, and no other staged file"),
  async () => {
    const { files } = parseGuide(Deno.readTextFileSync(`${TOP}/docs/ci.md`));
    const policy = JSON.stringify({ schema: "kprovengine.policy.v1", artifacts: {} });
    using tree = makeTree({ "docs/governance/policy.json": policy, "a.txt": "a\n" });
    using bin = makeTree();
    installBoth(bin.path);
    const git = async (...args: readonly string[]): Promise<number> => {
      const { code } = await new Deno.Command("git", {
        args: ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", ...args],
        cwd: tree.path,
        env: {
          PATH: `${bin.path}:${Deno.env.get("PATH") ?? ""}`,
          GIT_CONFIG_GLOBAL: "/dev/null",
          GIT_CONFIG_SYSTEM: "/dev/null",
        },
      }).output();
      return code;
    };
    assertEquals(await git("init", "--quiet"), 0);
    Deno.mkdirSync(tree.at(".git/hooks"), { recursive: true });
    Deno.writeTextFileSync(tree.at(".git/hooks/pre-commit"), files["pre-commit"] ?? "");
    Deno.chmodSync(tree.at(".git/hooks/pre-commit"), 0o755);
    await git("add", "-A");
    assertEquals(await git("commit", "--quiet", "-m", "clean"), 0);
    Deno.writeTextFileSync(tree.at("b.orig"), "b\n");
    Deno.writeTextFileSync(tree.at("a.txt"), "changed\n");
    await git("add", "b.orig");
    assertEquals(await git("commit", "--quiet", "-m", "a.txt alone", "a.txt"), 0);
    assertEquals(await git("commit", "--quiet", "-m", "all that is staged"), 1);
  },
);

for (const [what, suffix, missing] of HOOKS) {
  Deno.test(
    ...unless(missing, `pre-commit runs the guards and the preflight as hooks, ${what}`),
    async () => {
      const preflight = { steps: [["git", "--version"]] };
      const policy = { schema: "kprovengine.policy.v1", artifacts: {}, preflight };
      using tree = makeTree({ "docs/governance/policy.json": JSON.stringify(policy) });
      using bin = makeTree();
      if (suffix === "") installBoth(bin.path);
      const run = async (program: string, ...args: readonly string[]): Promise<Ended> => {
        const { code, stdout, stderr } = await new Deno.Command(program, {
          args: [...args],
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
      const preCommit = (...args: readonly string[]): Promise<Ended> =>
        run(`${tools?.bin}/pre-commit`, "try-repo", TOP, ...args);
      assertEquals((await run("git", "init", "--quiet")).code, 0);
      assertEquals((await run("git", "add", "-A")).code, 0);
      const clean = await preCommit(`kprov-guard${suffix}`);
      assertEquals(clean.code, 0, clean.stdout + clean.stderr);
      assertStringIncludes(clean.stdout, "Passed");
      const push = await preCommit(
        ...[`kprov-preflight${suffix}`, "--hook-stage", "pre-push", "--verbose"],
      );
      assertEquals(push.code, 0, push.stdout + push.stderr);
      assertMatch(push.stdout, /^git version/m);

      Deno.mkdirSync(tree.at("runs"));
      Deno.writeTextFileSync(tree.at("runs/a.json"), "{}");
      assertEquals((await run("git", "add", "-A")).code, 0);
      const broken = await preCommit(`kprov-guard${suffix}`);
      assert(broken.code !== 0);
      assertStringIncludes(broken.stdout, "artifacts.tracked");
    },
  );
}
