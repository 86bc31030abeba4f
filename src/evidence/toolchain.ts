import { KprovError } from "../base/error.ts";
import { sha256Hex } from "../base/sha256.ts";
import { compareUtf8 } from "../base/utf8_order.ts";

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

/** A package that a lockfile pins. */
export interface LockedPackage {
  /** Such as `zod` or `@std/path`. */
  readonly name: string;
  /** The version, with the peers it was resolved with where the lockfile names them. */
  readonly version: string;
  /** As the registry states it: `sha512-<base64>` for npm, hex digits for JSR. */
  readonly integrity: string;
}

/** A lockfile as toolchain.json records it. */
export interface RecordedLockfile {
  /** Digest of the lockfile's bytes. */
  readonly sha256: string;
  /** Everything that it pins, sorted by name and version. */
  readonly packages: readonly LockedPackage[];
}

/**
 * Reads the packages that a deno.lock (version 4 or 5) pins.
 *
 * @param text The lockfile's text
 * @returns Its digest and its packages
 * @throws {KprovError} `data` where it is not such a lockfile
 *
 * @example
 * ```ts
 * import { parseLockfile } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const { packages } = parseLockfile('{"version": "5", "npm": {"zod@4.6.7": {"integrity": "sha512-aa"}}}');
 * assertEquals(packages, [{ name: "zod", version: "4.6.7", integrity: "sha512-aa" }]);
 * ```
 */
export function parseLockfile(text: string): RecordedLockfile {
  const root = parseRecord(text);
  if (root["version"] !== "4" && root["version"] !== "5") {
    throw new KprovError("data", 'Cannot parse the lockfile: its version is neither "4" nor "5"');
  }
  const packages = ["jsr", "npm"].flatMap((registry) => listPackages(root[registry]));
  packages.sort((a, b) => compareUtf8(a.name, b.name) || compareUtf8(a.version, b.version));
  return { sha256: sha256Hex(text), packages };
}

function parseRecord(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch (cause) {
    throw new KprovError("data", "Cannot parse the lockfile: it is not JSON", { cause });
  }
  throw new KprovError("data", "Cannot parse the lockfile: it is not a JSON object");
}

function listPackages(section: unknown): LockedPackage[] {
  if (section === undefined) return [];
  if (!isRecord(section)) {
    throw new KprovError("data", "Cannot parse the lockfile: a section is no object");
  }
  return Object.entries(section).map(([key, entry]) => {
    const at = key.indexOf("@", 1);
    const integrity = isRecord(entry) ? entry["integrity"] : undefined;
    if (at < 1 || typeof integrity !== "string") {
      throw new KprovError(
        "data",
        `Cannot parse the lockfile: the entry ${JSON.stringify(key)} pins nothing`,
      );
    }
    return { name: key.slice(0, at), version: key.slice(at + 1), integrity };
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
