import { SUPPORTED_DENO } from "../../src/base/std.ts";
import { assertEquals } from "../assert.ts";
import { CLI, decode, type Ended, NARROW } from "../run_kprov.ts";
import { listNames, makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { unless } from "../unless.ts";

/** The last Deno that is too old; its directory listings leave out names. */
const TOO_OLD = "2.8.1";

const HINT = "hint: npx -y deno@VERSION runs any version of Deno from npm; " +
  "deno upgrade VERSION installs one\n";

async function npx(args: readonly string[], cwd?: string): Promise<Ended> {
  const command = new Deno.Command("npx", { args: [...args], ...cwd === undefined ? {} : { cwd } });
  const { code, stdout, stderr } = await command.output();
  // npm has things of its own to say of its configuration.
  const said = decode(stderr).split("\n").filter((line) => !line.startsWith("npm ")).join("\n");
  return { code, stdout: decode(stdout), stderr: said };
}

async function whyNotOld(): Promise<string | null> {
  if (Deno.build.os === "windows") return "npx is a script on Windows";
  try {
    const { code } = await npx(["-y", `deno@${TOO_OLD}`, "--version"]);
    return code === 0 ? null : `npx cannot get Deno ${TOO_OLD}`;
  } catch {
    return "npx is not installed";
  }
}

const reason = await whyNotOld();

function runOld(tree: TemporaryTree, input: string): Promise<Ended> {
  const args = ["-y", `deno@${TOO_OLD}`, "run", "--quiet", "--no-prompt", ...NARROW, CLI, input];
  return npx(args, tree.path);
}

Deno.test(
  ...unless(reason, "Deno 2.8.1 is refused with the range and how to get another"),
  async () => {
    using tree = makeTree({ "input.txt": "" });
    assertEquals(await runOld(tree, "input.txt"), {
      code: 1,
      stdout: "",
      stderr: `error: Cannot run on Deno 2.8.1: the supported range is ${SUPPORTED_DENO}\n${HINT}`,
    });
    assertEquals(listNames(tree.path), ["input.txt"]);
  },
);

Deno.test(
  ...unless(reason, "Deno 2.8.1 records a file, but no directory, where the policy admits it"),
  async () => {
    const policy = { schema: "kprovengine.policy.v1", runtime: { deno: ">=2.8.0" } };
    using tree = makeTree({
      "data/input.txt": "",
      "docs/governance/policy.json": JSON.stringify(policy),
    });
    assertEquals((await runOld(tree, "data")).code, 1);
    assertEquals(listNames(tree.at("runs")), []);
    assertEquals((await runOld(tree, "data/input.txt")).code, 0);
  },
);
