import { shellQuote } from "../../src/base/quote.ts";
import { COMMANDS } from "../../src/commands/main.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { whyNotTraced } from "../faults/strace.ts";
import { CLI, decode } from "../run_kprov.ts";
import { unless } from "../unless.ts";
import { PATH, ROWS, toFlags } from "./permission_rows.ts";
import { fillProject, PROJECT } from "./sample_project.ts";

/** Runs kprov on a terminal, where Deno would ask for what it may not do. */
async function runOnTerminal(
  words: readonly string[],
  cwd: string,
): Promise<{ readonly code: number; readonly shown: string }> {
  const { code, stdout } = await new Deno.Command("timeout", {
    args: ["60", "script", "--quiet", "--return", "--command", words.map(shellQuote).join(" ")]
      .concat("/dev/null"),
    cwd,
    env: { NO_COLOR: "1", PATH, DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
  }).output();
  const shown = decode(stdout);
  assert(!shown.includes("Deno requests"), shown);
  return { code, shown };
}

async function whyNoTerminal(): Promise<string | null> {
  if (Deno.build.os !== "linux") return `there is no such terminal on ${Deno.build.os}`;
  try {
    const args = ["--quiet", "--return", "--command", "exit 3", "/dev/null"];
    const { code } = await new Deno.Command("script", { args, stdin: "null" }).output();
    return code === 3 ? null : "script makes no terminal here";
  } catch {
    return "script is not installed";
  }
}

Deno.test("every command has a row, with the kinds of permissions that its help tells of", async () => {
  for (const { name, load } of COMMANDS) {
    const rows = ROWS.filter(({ command }) => command === name);
    assert(rows.length > 0, `${name} has no row`);
    const { permissions } = await load();
    for (const kind of ["read", "write", "run", "env"] as const) {
      const isUsed = rows.some((row) => row.permissions.some(([used]) => used === kind));
      const isTold = new RegExp(`--allow-${kind}\\b|\\b${kind} (and|access)`).test(permissions);
      // What a command only uses where it is granted: a variable, and guard's summary of a job.
      const isOptional = kind === "env" || (name === "guard" && kind === "write");
      assert(isUsed === isTold || isOptional, `${name}: ${kind}: ${permissions}`);
    }
    assertEquals(permissions === "none.", rows.every((row) => row.permissions.length === 0));
  }
});

const noTerminal = await whyNoTerminal();
const untraced = await whyNotTraced();
if (noTerminal === null) await fillProject();

for (const { command, args, permissions } of ROWS) {
  const name = `kprov ${args.join(" ")} takes ${toFlags(permissions).join(" ") || "no permission"}`;
  Deno.test(...unless(noTerminal, `${name}, and asks for none`), async () => {
    const start = [Deno.execPath(), "run", "--quiet"];
    for (const taken of permissions) {
      const rest = toFlags(permissions.filter((permission) => permission !== taken));
      const words = [...start, ...rest, CLI, ...args];
      const { code, shown } = await runOnTerminal(words, PROJECT.at("w"));
      assertEquals(code, 77, `${command} without ${taken.join("=")}: ${shown}`);
      assertStringIncludes(shown, "error: Cannot ");
      assertStringIncludes(shown, `run with --allow-${taken[0]}`);
    }
    const words = [...start, ...toFlags(permissions), "--deny-net", CLI, ...args];
    const trace = PROJECT.at("trace");
    const strace = ["strace", "-f", "-q", "--seccomp-bpf", "-e", "trace=%network", "-o", trace];
    const traced = untraced === null ? [...strace, ...words] : words;
    const { code, shown } = await runOnTerminal(traced, PROJECT.at("w"));
    assertEquals(code, 0, shown);
    if (untraced === null) assert(!Deno.readTextFileSync(trace).includes("AF_INET"), name);
  });
}
