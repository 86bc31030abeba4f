import { renderCanonicalJson, sha256Hex } from "../base/canonical_json.ts";
import { KprovError } from "../base/error.ts";
import { isRecord } from "../base/strict_json.ts";
import { compareUtf8 } from "../base/text.ts";

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
 * A runtime that a wrapped command ran on: an interpreter, with what is installed for it.
 *
 * @example Python in an environment with one package from PyPI and one that is edited in place
 * ```ts
 * import { type RecordedRuntime, sha256Hex } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const python: RecordedRuntime = {
 *   name: "python",
 *   version: "3.12.1",
 *   implementation: "cpython",
 *   sha256: sha256Hex("the bytes of the interpreter"),
 *   packages: [
 *     { name: "pandas", version: "2.1.1", sha256: sha256Hex("the rows of its RECORD") },
 *     { name: "pipeline", version: "0.1.0", editable: true },
 *   ],
 * };
 * assertEquals(python.packages?.map(({ name }) => name), ["pandas", "pipeline"]);
 * ```
 */
export interface RecordedRuntime {
  /** What it is: `python`, `node`, `deno`, `r`, `java`, `ruby`, `perl`, `julia`, `go`, `bash`, … */
  readonly name: string;
  /** Its version, as it reports it; null where it is unknown. */
  readonly version: string | null;
  /** Which implementation of the language, such as `cpython` or `pypy`; null where it is unknown. */
  readonly implementation: string | null;
  /** Digest of the real executable, behind shims and links. */
  readonly sha256: string;
  /** The packages where it looks for them, sorted; null where they are unknown or left out. */
  readonly packages: readonly RecordedPackage[] | null;
  /** True where the packages were left out on request; else absent. */
  readonly packages_omitted?: true;
}

/** A package that is installed for a runtime. */
export interface RecordedPackage {
  /** Its name, normalised as its registry does. */
  readonly name: string;
  /** Its version; null where it is unknown. */
  readonly version: string | null;
  /** What installed it, where that is not the runtime's usual package manager, such as `conda`. */
  readonly manager?: string;
  /** Digest of its installed files, independent of where the environment is. */
  readonly sha256?: string;
  /** As its registry states it, such as `sha512-<base64>`. */
  readonly integrity?: string;
  /** Where it came from, if not from a registry. */
  readonly source?: PackageSource;
  /** True where it is installed in place, so that the version says little about its content. */
  readonly editable?: true;
}

/** The origin of a package that is not from a registry; at least one of the fields is there. */
export interface PackageSource {
  /** A URL without credentials; never a path of the machine. */
  readonly url?: string;
  /** The commit, of a version control system. */
  readonly commit?: string;
  /** Digest of the archive, such as `sha256:<hex>`. */
  readonly archive?: string;
}

/**
 * toolchain.json: the tools that made the evidence, and those that made the products.
 *
 * @example
 * ```ts
 * import { parseToolchain, sha256Hex, type Toolchain } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const sha256 = sha256Hex("the bytes of the shell");
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
 *   tools: [{ name: "bash", sha256 }],
 *   runtimes: [{ name: "bash", version: "5.2.15", implementation: null, sha256, packages: [] }],
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
  /** The executables used, where the run was made around a command. */
  readonly tools?: readonly RecordedTool[];
  /** The runtimes among them, with their packages. */
  readonly runtimes?: readonly RecordedRuntime[];
}

/** What toolchain.json is made of. */
export interface ToolchainFacts extends Omit<Toolchain, "schema" | keyof Runtime> {
  /** The runtime that kprov ran on. */
  readonly runtime: Runtime;
}

/** Makes toolchain.json; the order of the tools, the runtimes and their packages does not matter. */
export function buildToolchain(facts: ToolchainFacts): Toolchain {
  const { kprov, lockfile, tools, runtimes } = facts;
  // One by one, so that nothing else of a runtime comes into the document.
  const { deno, v8, typescript, target, os, arch, standalone } = facts.runtime;
  const runtime = { deno, v8, typescript, target, os, arch, standalone };
  const keyOfTool = ({ name, sha256 }: RecordedTool): string => `${name}\0${sha256}`;
  return {
    schema: "kprovengine.toolchain.v1",
    kprov,
    ...runtime,
    lockfile,
    ...(tools === undefined ? {} : { tools: sortByKey(tools, keyOfTool) }),
    ...(runtimes === undefined ? {} : { runtimes: sortRuntimes(runtimes) }),
  };
}

function sortRuntimes(runtimes: readonly RecordedRuntime[]): RecordedRuntime[] {
  const sorted = runtimes.map((it) =>
    it.packages === null ? it : { ...it, packages: sortByKey(it.packages, keyOf) }
  );
  return sortByKey(sorted, keyOf);
}

/** Sorts, and leaves each key once. */
function sortByKey<T>(items: readonly T[], toKey: (item: T) => string): T[] {
  const byKey = new Map(items.map((item) => [toKey(item), item]));
  return [...byKey].sort(([a], [b]) => compareUtf8(a, b)).map(([, item]) => item);
}

/** The name, the version and all else by which runtimes and packages are sorted and told apart. */
export function keyOf(item: RecordedRuntime | RecordedPackage): string {
  return `${item.name}\0${item.version ?? ""}\0${renderCanonicalJson(item)}`;
}

/** Finds the facts that a toolchain.json was made of. */
export function toToolchainFacts(toolchain: Toolchain): ToolchainFacts {
  const { schema: _, deno, v8, typescript, target, os, arch, standalone, ...facts } = toolchain;
  return { ...facts, runtime: { deno, v8, typescript, target, os, arch, standalone } };
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
  const root = parseJson(text);
  if (!isRecord(root)) throw refuse("it is not a JSON object");
  if (root["version"] !== "4" && root["version"] !== "5") {
    throw refuse('its version is neither "4" nor "5"');
  }
  const packages = ["jsr", "npm"].flatMap((registry) => listPackages(root[registry]));
  packages.sort((a, b) => compareUtf8(a.name, b.name) || compareUtf8(a.version, b.version));
  return { sha256: sha256Hex(text), packages };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refuse("it is not JSON", cause);
  }
}

function refuse(reason: string, cause?: unknown): KprovError {
  return new KprovError("data", `Cannot parse the lockfile: ${reason}`, { cause });
}

function listPackages(section: unknown): LockedPackage[] {
  if (section === undefined) return [];
  if (!isRecord(section)) throw refuse("a section is no object");
  return Object.entries(section).map(([key, entry]) => {
    const at = key.indexOf("@", 1);
    const integrity = isRecord(entry) ? entry["integrity"] : undefined;
    if (at < 1 || typeof integrity !== "string") {
      throw refuse(`the entry ${JSON.stringify(key)} pins nothing`);
    }
    return { name: key.slice(0, at), version: key.slice(at + 1), integrity };
  });
}
