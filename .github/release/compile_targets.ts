/**
 * Compiles both binaries for every system that a release serves, with the very commands of the tasks
 * `compile` and `compile:run`: `deno task compile:targets [TARGET...]`.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };

const TARGETS: readonly string[] = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
  "aarch64-pc-windows-msvc",
];

/** The flags of a task between `deno compile` and `--output`. */
function flagsOf(task: "compile" | "compile:run"): readonly string[] {
  const match = /^deno compile (.+) --output \S+ cli\.ts$/.exec(config.tasks[task].command);
  if (match?.[1] === undefined) throw new Error(`task ${task} has another form`);
  return match[1].split(" ");
}

async function compile(binary: string, flags: readonly string[], target: string): Promise<void> {
  const suffix = target.includes("windows") ? ".exe" : "";
  const name = `${binary}-${config.version}-${target}${suffix}`;
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["compile", "--frozen", ...flags]
      .concat(["--target", target, "--output", `dist/${name}`, "cli.ts"]),
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`cannot compile ${name}`);
}

for (const target of Deno.args.length > 0 ? Deno.args : TARGETS) {
  await compile("kprov", flagsOf("compile"), target);
  await compile("kprov-run", flagsOf("compile:run"), target);
}
