import { KprovError } from "../kprov_error.ts";
import { compareUtf8 } from "../compare_utf8.ts";
import { sha256Hex } from "../sha256.ts";

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
