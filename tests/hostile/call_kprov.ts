import { main } from "../../src/commands/main.ts";
import type { Host } from "../../src/io/host.ts";
import { assert } from "../assert.ts";
import type { Ended } from "../run_kprov.ts";
import { findUnsafe } from "../unsafe_output.ts";

/** The code of a fault in kprov: an error that nobody foresaw. */
const FAULT = 70;

/**
 * Runs kprov in this process, which is fast enough for thousands of calls.
 *
 * @param args Its arguments
 */
export async function callKprov(args: readonly string[]): Promise<Ended> {
  let stdout = "";
  let stderr = "";
  const host: Host = {
    writeStdout: (text) => stdout += text,
    writeStderr: (text) => stderr += text,
    isColored: false,
    isMessageColored: false,
    messageWidth: () => null,
    passOn: () => Promise.resolve(),
    now: () => new Date("2026-02-16T00:00:00Z"),
    readEnv: () => null,
  };
  const code = await main(args, host);
  return { code, stdout, stderr };
}

/**
 * Fails unless kprov ended with a verdict: findings, or one line that says what is wrong; never a
 * fault, a stack trace, or bytes that a terminal acts on.
 *
 * @param ended How it ended
 * @param what What was done, for the message
 */
export function assertVerdict({ code, stdout, stderr }: Ended, what: string): void {
  const demand = (condition: boolean, seen: string): void =>
    assert(condition, `${what}: exit code ${code}: ${JSON.stringify(seen).slice(0, 300)}`);
  demand(code !== FAULT, stderr);
  demand(stderr === "" || /^error: [^\n]+\n(hint: [^\n]+\n)?$/.test(stderr), stderr);
  demand(stderr !== "" || stdout !== "" || code === 0, "nothing is said");
  for (const line of `${stdout}${stderr}`.split("\n")) {
    // An annotation is a command itself; nothing in it may be another one.
    const unsafe = findUnsafe(line.replace(/^::(?:error|notice) (?=[^:]*::)/, ""));
    demand(unsafe === null, line);
    demand(!/^\s+at .*:[0-9]+:[0-9]+\)?$/.test(line), line);
  }
}
