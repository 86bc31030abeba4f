import type { Runtime } from "../evidence/toolchain.ts";

/** Reads which runtime this is. */
export function gatherRuntime(): Runtime {
  const { deno, v8, typescript } = Deno.version;
  const { target, os, arch, standalone } = Deno.build;
  return { deno, v8, typescript, target, os, arch, standalone };
}
