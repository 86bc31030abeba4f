import text from "../../deno.lock" with { type: "text" };
import type { Runtime } from "../evidence/toolchain.ts";

/** Reads which runtime this is. */
export function gatherRuntime(): Runtime {
  const { deno, v8, typescript } = Deno.version;
  const { target, os, arch, standalone } = Deno.build;
  return { deno, v8, typescript, target, os, arch, standalone };
}

/** The text of the deno.lock that this kprov shipped with: a checkout's, JSR's or the binary's own. */
export const SHIPPED_LOCKFILE: string = text;
