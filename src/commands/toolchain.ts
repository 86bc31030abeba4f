import lockfile from "../../deno.lock" with { type: "text" };
import { KprovError } from "../base/error.ts";
import { KPROV_VERSION } from "../base/semver.ts";
import {
  buildToolchain,
  parseLockfile,
  type Runtime,
  type ToolchainFacts,
} from "../evidence/toolchain.ts";
import { renderLogSafeJson } from "../show/text.ts";
import type { Command } from "./command.ts";

/** What every run records of kprov itself and its runtime. */
export function gatherToolchainFacts(): ToolchainFacts {
  return {
    kprov: KPROV_VERSION,
    runtime: gatherRuntime(),
    lockfile: parseLockfile(SHIPPED_LOCKFILE),
  };
}

/** `kprov toolchain`. */
export const TOOLCHAIN: Command = {
  name: "toolchain",
  summary: "Show the toolchain that this kprov records",
  usage: ["kprov toolchain"],
  description: [
    "Prints toolchain.json as a run on this machine would write it: kprov, Deno, V8 and TypeScript " +
    "versions, the target, and every package that the lockfile inside this kprov pins.",
  ],
  flags: [],
  permissions: "none.",
  examples: [["kprov toolchain", "Print the document"]],
  exitCodes: [[0, "printed"], [64, "the command line is wrong"]],
  execute: (flags, host) => {
    if (flags.positionals.length > 0 || flags.rest !== null) {
      throw new KprovError("usage", "Cannot use arguments: kprov toolchain takes none");
    }
    host.writeStdout(renderLogSafeJson(buildToolchain(gatherToolchainFacts())));
    return 0;
  },
};

/** Reads which runtime this is. */
function gatherRuntime(): Runtime {
  const { deno, v8, typescript } = Deno.version;
  const { target, os, arch, standalone } = Deno.build;
  return { deno, v8, typescript, target, os, arch, standalone };
}

/** The text of the deno.lock that this kprov shipped with: a checkout's, JSR's or the binary's own. */
export const SHIPPED_LOCKFILE: string = lockfile;
