import { main } from "../../src/commands/main.ts";
import { PROCESS_HOST } from "../../src/io/host.ts";
import type { Ended } from "../run_kprov.ts";

/**
 * Calls kprov's command line in this process, for what a test has to know between its processes.
 *
 * @param args The arguments; every path absolute
 */
export async function callKprov(args: readonly string[]): Promise<Ended> {
  let [stdout, stderr] = ["", ""];
  const code = await main(args, {
    ...PROCESS_HOST,
    writeStdout: (text) => void (stdout += text),
    writeStderr: (text) => void (stderr += text),
  });
  return { code, stdout, stderr };
}
