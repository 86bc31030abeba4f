import { decode } from "./run_kprov.ts";

/** The numbers of signals. */
const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** Waits. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Waits until something is so, for a minute at most.
 *
 * @param what What is waited for, for the message
 * @param isTrue Whether it is so
 */
export async function waitUntil(what: string, isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 2400; i++) {
    if (isTrue()) return;
    await sleep(25);
  }
  throw new Error(`${what} did not come`);
}

/**
 * Waits until a process takes a signal itself; where that is not shown, for half a second.
 *
 * @param child The process
 * @param signal The signal
 */
export async function waitUntilTaken(
  child: Deno.ChildProcess,
  signal: keyof typeof NUMBERS,
): Promise<void> {
  if (Deno.build.os !== "linux") return await sleep(500);
  const args = ["-c", `sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$0/status"`, `${child.pid}`];
  await waitUntil(`a listener for ${signal}`, () => {
    const { stdout } = new Deno.Command("sh", { args, stderr: "null" }).outputSync();
    return (BigInt(`0x0${decode(stdout).trim()}`) >> BigInt(NUMBERS[signal] - 1) & 1n) === 1n;
  });
}
