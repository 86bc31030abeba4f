import { CLI, decode, type Ended, WIDE } from "../run_kprov.ts";

/**
 * Runs kprov behind a line of shell, for what only a shell can set up.
 *
 * @param line The line, which ends in kprov: `"$@"`
 * @param cwd The working directory
 * @param args The arguments of kprov
 * @param env Variables to set
 */
export async function runInShell(
  line: string,
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", line, "sh", Deno.execPath(), "run", "--quiet", "--no-prompt", ...WIDE, CLI]
      .concat(args),
    cwd,
    env: { NO_COLOR: "1", TZ: "UTC", ...env },
    stdin: "null",
  }).output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}
