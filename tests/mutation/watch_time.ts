/**
 * Ends the process whose worker it is at a time of its processor's clock: the main thread cannot do so in
 * a loop without an end, and the clock on the wall would tell how busy the machine is.
 *
 * @module
 */

import process from "node:process";

globalThis.addEventListener("message", (event) => {
  const deadline: Float64Array = event instanceof MessageEvent ? event.data : new Float64Array(1);
  setInterval(() => {
    const { user, system } = process.cpuUsage();
    if ((user + system) / 1000 > (deadline[0] ?? Infinity)) Deno.kill(Deno.pid, "SIGKILL");
  }, 100);
});
