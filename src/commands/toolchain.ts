import lockfile from "../../deno.lock" with { type: "text" };
import { KprovError } from "../base/error.ts";
import { KPROV_VERSION } from "../base/semver.ts";
import {
  buildToolchain,
  parseLockfile,
  type Runtime,
  type ToolchainFacts,
} from "../evidence/toolchain.ts";
import type { Host } from "../io/host.ts";
import { resolveRoot } from "../io/paths.ts";
import { renderLogSafeJson } from "../show/text.ts";
import { type Command, EXITS, type ParsedFlags, readArgv } from "./command.ts";
import { NO_PACKAGES_FLAG, refuseFlags, ROOT_FLAG, TOOL_FLAG } from "./flags.ts";
import type { CommandToolchain } from "./runtimes.ts";

/**
 * What every run records of kprov itself and its runtime.
 *
 * @param command What the command runs on, where there is one
 */
export function gatherToolchainFacts(
  command: Pick<CommandToolchain, "tools" | "runtimes"> | null = null,
): ToolchainFacts {
  return {
    kprov: KPROV_VERSION,
    runtime: gatherRuntime(),
    lockfile: parseLockfile(SHIPPED_LOCKFILE),
    ...(command === null ? {} : {
      tools: command.tools.map(({ name, sha256 }) => ({ name, sha256 })),
      runtimes: command.runtimes.map(({ recorded }) => recorded),
    }),
  };
}

/** `kprov toolchain`. */
export const TOOLCHAIN: Command = {
  usage: [
    "kprov toolchain",
    "kprov toolchain [--root DIR] [--tool NAME]... [--no-packages] -- COMMAND ARG...",
  ],
  description: [
    "Prints toolchain.json as a run on this machine would write it: kprov, Deno, V8 and TypeScript " +
    "versions, the target, and every package that the lockfile inside this kprov pins.",
    "With -- COMMAND, also what kprov run would record of it: its programs by digest, and the runtimes " +
    "among them with their versions and packages. The command is not run; its runtimes are started only " +
    "to tell about themselves. The policy is not asked.",
  ],
  flags: [
    { ...ROOT_FLAG, summary: "Where the command would run (default: the working directory)" },
    TOOL_FLAG,
    NO_PACKAGES_FLAG,
  ],
  permissions:
    "none; for -- COMMAND --allow-read=DIR, --allow-run=COMMAND and read access to its file, and to the real " +
    "executable of a runtime. --tool NAME takes what it takes for kprov run.",
  examples: [
    ["kprov toolchain", "Print what kprov records of itself"],
    ["kprov toolchain -- python3", "See which Python a run would record (--allow-run=python3)"],
  ],
  exitCodes: [
    [0, "printed"],
    EXITS.usage,
    [65, "a tool is missing, or its interpreter cannot be told"],
    EXITS.reading,
    EXITS.permission,
    EXITS.notStarted,
    EXITS.notFound,
  ],
  execute: toolchain,
};

async function toolchain(flags: ParsedFlags, host: Host): Promise<number> {
  if (flags.positionals.length > 0) {
    throw new KprovError("usage", "Cannot use arguments: kprov toolchain takes none", {
      hint: "a command goes behind --",
    });
  }
  if (flags.rest === null) {
    refuseFlags(flags, ["root", "tool", "no-packages"], "it takes a command, behind --");
    host.writeStdout(renderLogSafeJson(buildToolchain(gatherToolchainFacts())));
    return 0;
  }
  const { gatherCommandToolchain } = await import("./runtimes.ts");
  const { reportFindings } = await import("./write_run.ts");
  const argv = readArgv(flags.rest);
  const root = resolveRoot(flags.value("root") ?? ".");
  const tools = flags.values("tool");
  const wantsPackages = !flags.has("no-packages");
  const command = await gatherCommandToolchain({ argv, tools, wantsPackages }, root);
  reportFindings(command.notes, host);
  host.writeStdout(renderLogSafeJson(buildToolchain(gatherToolchainFacts(command))));
  return 0;
}

/** Reads which runtime this is. */
function gatherRuntime(): Runtime {
  const { deno, v8, typescript } = Deno.version;
  const { target, os, arch, standalone } = Deno.build;
  return { deno, v8, typescript, target, os, arch, standalone };
}

/** The text of the deno.lock that this kprov shipped with: a checkout's, JSR's or the binary's own. */
export const SHIPPED_LOCKFILE: string = lockfile;
