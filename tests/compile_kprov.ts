import config from "../deno.json" with { type: "json" };
import { fromFileUrl } from "./paths.ts";
import { decode } from "./run_kprov.ts";
import { makeTree } from "./temporary_tree.ts";

const TOP = fromFileUrl(new URL("../", import.meta.url));

/** What tells whether this Deno can compile here, or why not. */
const PROBE = 'console.log("it runs")';

/** Longer than any download of the base binary that succeeds. */
const PATIENCE_MS = 120_000;

/**
 * Compiles a binary as its task does, but for where it goes.
 *
 * @param task Of deno.json
 * @param output The binary
 */
export async function compileKprov(task: "compile" | "compile:run", output: string): Promise<void> {
  const [program, ...args] = config.tasks[task].command.split(" ");
  const at = args.indexOf("--output");
  if (program !== "deno" || at < 0) throw new Error(`task ${task} has another form`);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args.slice(0, at), "--quiet", "--output", output, ...args.slice(at + 2)],
    cwd: TOP,
  }).output();
  if (!success) throw new Error(decode(stderr));
}

/**
 * Finds out why this Deno cannot make a binary that runs: the base binary is downloaded where
 * DENORT_BIN names none, which not every machine can, and only one of its own age fits a compiler.
 *
 * @returns The reason, or null where it can
 */
export async function whyNotCompiled(): Promise<string | null> {
  using tree = makeTree({ "probe.ts": PROBE });
  const binary = tree.at(Deno.build.os === "windows" ? "probe.exe" : "probe");
  const compiled = await tryCommand(Deno.execPath(), [
    ...["compile", "--quiet", "--no-config", "--output", binary, tree.at("probe.ts")],
  ]);
  const given = Deno.env.get("DENORT_BIN") !== undefined;
  if (!compiled) return given ? "DENORT_BIN does not serve" : "no DENORT_BIN and no download";
  return await tryCommand(binary, []) ? null : "DENORT_BIN does not fit this Deno";
}

async function tryCommand(command: string, args: readonly string[]): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    return (await new Deno.Command(command, { args: [...args], signal }).output()).success;
  } catch {
    return false;
  }
}
