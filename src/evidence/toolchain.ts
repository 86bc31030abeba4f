import type { RecordedLockfile } from "./lockfile.ts";

/** The runtime that made a run. */
export interface Runtime {
  /** Deno's version, such as `2.9.6`. */
  readonly deno: string;
  /** V8's version. */
  readonly v8: string;
  /** TypeScript's version. */
  readonly typescript: string;
  /** Target triple, such as `x86_64-unknown-linux-gnu`. */
  readonly target: string;
  /** Operating system, such as `linux`. */
  readonly os: string;
  /** Processor architecture, such as `x86_64`. */
  readonly arch: string;
  /** Whether kprov ran as a compiled binary. */
  readonly standalone: boolean;
}

/** An executable that a wrapped command used. */
export interface RecordedTool {
  /** The name it was called by. */
  readonly name: string;
  /** Digest of the executable's bytes. */
  readonly sha256: string;
}

/**
 * toolchain.json: which tools made the evidence.
 *
 * @example
 * ```ts
 * import { parseToolchain, sha256Hex, type Toolchain } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const toolchain: Toolchain = {
 *   schema: "kprovengine.toolchain.v1",
 *   kprov: "1.0.0",
 *   deno: "2.9.6",
 *   v8: "15.0",
 *   typescript: "6.0.3",
 *   target: "x86_64-unknown-linux-gnu",
 *   os: "linux",
 *   arch: "x86_64",
 *   standalone: false,
 *   lockfile: { sha256: sha256Hex(""), packages: [] },
 *   tools: [{ name: "sh", sha256: sha256Hex("the bytes of the shell") }],
 * };
 * assertEquals(parseToolchain(toolchain), toolchain);
 * ```
 */
export interface Toolchain extends Runtime {
  /** The document's schema. */
  readonly schema: "kprovengine.toolchain.v1";
  /** kprov's own version. */
  readonly kprov: string;
  /** The deno.lock that shipped with this kprov. */
  readonly lockfile: RecordedLockfile;
  /** The executables used, where the run wrapped a command. */
  readonly tools?: readonly RecordedTool[];
}

/** What toolchain.json is made of. */
export interface ToolchainFacts {
  /** kprov's own version. */
  readonly kprov: string;
  /** The runtime it ran on. */
  readonly runtime: Runtime;
  /** The lockfile that it shipped with. */
  readonly lockfile: RecordedLockfile;
  /** The executables used, where the run wrapped a command. */
  readonly tools?: readonly RecordedTool[];
}

/**
 * Makes toolchain.json.
 *
 * @param facts The runtime, the lockfile and the tools
 * @returns The document
 */
export function buildToolchain(facts: ToolchainFacts): Toolchain {
  const { deno, v8, typescript, target, os, arch, standalone } = facts.runtime;
  return {
    schema: "kprovengine.toolchain.v1",
    kprov: facts.kprov,
    deno,
    v8,
    typescript,
    target,
    os,
    arch,
    standalone,
    lockfile: facts.lockfile,
    ...(facts.tools === undefined ? {} : { tools: facts.tools }),
  };
}

/**
 * Finds the facts that a toolchain.json was made of.
 *
 * @param toolchain The document
 */
export function toToolchainFacts(toolchain: Toolchain): ToolchainFacts {
  const { schema: _, kprov, lockfile, tools, ...runtime } = toolchain;
  return { kprov, runtime, lockfile, ...(tools === undefined ? {} : { tools }) };
}
