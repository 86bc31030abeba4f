import * as z from "zod/mini";
import { quote, showText } from "../../base/quote.ts";
import { parseWithSchema } from "../../base/strict_json.ts";
import { createSha256 } from "../../base/canonical_json.ts";
import { parseVersion, type SemVer } from "../../base/std.ts";
import { compareUtf8 } from "../../base/text.ts";

/** A governed file as a lock holds it. */
export interface LockedFile {
  /** Its path, with `/` between the parts. */
  readonly path: string;
  /** Digest of its bytes. */
  readonly sha256: string;
}

/** governance.lock.json: the governed files as they were at a major version. */
export interface GovernanceLock {
  /** The document's schema. */
  readonly schema: "kprovengine.governance_lock.v1";
  /** The major version for which the lock was written. */
  readonly major: number;
  /** Every governed file, sorted by path. */
  readonly files: readonly LockedFile[];
  /** One digest over all files: that of the lines `<sha256>  <path>`, each ended by LF. */
  readonly sha256: string;
}

const sha256Schema = z.string().check(
  z.regex(/^[0-9a-f]{64}$/, { error: "expected 64 lowercase hex digits" }),
);

/** The schema of governance.lock.json. */
export const governanceLockSchema: z.ZodMiniType<GovernanceLock> = z.strictObject({
  schema: z.literal("kprovengine.governance_lock.v1"),
  major: z.int().check(z.nonnegative()),
  files: z.array(z.strictObject({ path: z.string().check(z.minLength(1)), sha256: sha256Schema })),
  sha256: sha256Schema,
});

/**
 * Holds a value against the schema of a governance lock.
 *
 * @param value Such as `JSON.parse` returns it
 * @returns The value, typed
 * @throws {KprovError} `policy` naming the first place that differs
 */
export function parseGovernanceLock(value: unknown): GovernanceLock {
  return parseWithSchema(governanceLockSchema, value, "the governance lock", "policy");
}

/** A governed file whose content could not be taken exactly. */
export interface UnreadableGoverned {
  /** The file. */
  readonly path: string;
  /** Why, without a final period, already safe to show. */
  readonly reason: string;
}

/** A lock as it was found. */
export type LockReading =
  | { readonly state: "missing" }
  | {
    readonly state: "invalid";
    /** Why it cannot be used, without a final period, already safe to show. */
    readonly reason: string;
  }
  | { readonly state: "read"; readonly lock: GovernanceLock };

/** The project's version as its file has it, or why it has none. */
export type VersionReading = string | {
  /** Without a final period, already safe to show. */
  readonly fault: string;
};

/** What the lock guard knows of a repository. */
export interface GovernanceFacts {
  /** Every governed file that is there, with the digest of its bytes. */
  readonly files: readonly LockedFile[];
  /** The governed files that exist and could not be read exactly. */
  readonly unreadable: readonly UnreadableGoverned[];
  /** The lock of the working tree. */
  readonly lock: LockReading;
  /** The lock as the base branch has it; null where none was given. */
  readonly baseLock: LockReading | null;
  /** The project's version. */
  readonly version: VersionReading;
}

/**
 * Makes the lock of governed files.
 *
 * @param files The files in any order
 * @param major The major version at which it is taken
 */
export function buildGovernanceLock(files: readonly LockedFile[], major: number): GovernanceLock {
  const sorted = files
    .map(({ path, sha256 }) => ({ path, sha256 }))
    .sort((a, b) => compareUtf8(a.path, b.path));
  return {
    schema: "kprovengine.governance_lock.v1",
    major,
    files: sorted,
    sha256: digestFiles(sorted),
  };
}

/** The digest over all files, as `sha256sum` would list them. */
function digestFiles(files: readonly LockedFile[]): string {
  const hash = createSha256();
  for (const { path, sha256 } of files) hash.update(`${sha256}  ${path}\n`);
  return hash.digest("hex");
}

/**
 * Tells what is wrong with a lock that fits its schema: whether it is one that
 * {@linkcode buildGovernanceLock} makes.
 *
 * @param lock The lock
 * @returns Why it cannot be used, without a final period, or null
 */
export function describeLockFault(lock: GovernanceLock): string | null {
  const { files } = lock;
  for (const [index, { path }] of files.entries()) {
    const before = files[index - 1]?.path;
    if (before === undefined || compareUtf8(before, path) < 0) continue;
    const name = quote(path);
    return before === path ? `it holds ${name} twice` : `its files are not sorted at ${name}`;
  }
  return digestFiles(files) === lock.sha256 ? null : "its sha256 is not that of its files";
}

/** What became of a governed file since a lock was taken. */
export interface GovernedChange {
  /** The file. */
  readonly path: string;
  /** What became of it. */
  readonly change: "added" | "removed" | "changed";
}

/**
 * Lists how governed files differ from those of a lock.
 *
 * @param locked The files of the lock
 * @param current The files that are there
 * @returns Sorted by path
 */
export function compareLockedFiles(
  locked: readonly LockedFile[],
  current: readonly LockedFile[],
): GovernedChange[] {
  const before = toMap(locked);
  const after = toMap(current);
  return [...new Set([...before.keys(), ...after.keys()])].sort(compareUtf8).flatMap((path) => {
    const change = describeChange(before.get(path), after.get(path));
    return change === null ? [] : [{ path, change }];
  });
}

function toMap(files: readonly LockedFile[]): Map<string, string> {
  return new Map(files.map(({ path, sha256 }) => [path, sha256]));
}

function describeChange(
  before: string | undefined,
  after: string | undefined,
): GovernedChange["change"] | null {
  if (before === after) return null;
  if (before === undefined) return "added";
  return after === undefined ? "removed" : "changed";
}

/** The project's version, or why it is unknown. */
export type ProjectVersion =
  | {
    readonly ok: true;
    /** As it is written. */
    readonly text: string;
    readonly major: number;
    /** Before a release, the rules may still change. */
    readonly isPrerelease: boolean;
  }
  | { readonly ok: false; readonly reason: string };

/**
 * Parses the project's version (semver.org 2.0.0).
 *
 * @param reading The version as its file has it
 */
export function parseProjectVersion(reading: VersionReading): ProjectVersion {
  if (typeof reading !== "string") return { ok: false, reason: reading.fault };
  const version = parseOrNull(reading) ?? parsePythonRelease(reading);
  if (version === null || !Number.isSafeInteger(version.major)) {
    return { ok: false, reason: `${showText(reading)} is not a version such as 1.0.0` };
  }
  const isPrerelease = (version.prerelease?.length ?? 0) > 0;
  return { ok: true, text: reading, major: version.major, isPrerelease };
}

/** A version of PEP 440 without an epoch, as far as the lock asks: `2.0rc1`, `2024.1.post1`, `0.4.dev0`. */
const PYTHON_RELEASE =
  /^v?(\d+)(?:\.\d+)*([-_.]?(?:alpha|beta|preview|pre|rc|a|b|c)[-_.]?\d*)?(?:[-_.]?(?:post|rev|r)[-_.]?\d*)?([-_.]?dev[-_.]?\d*)?(?:\+[a-z\d._-]+)?$/i;

function parsePythonRelease(text: string): Pick<SemVer, "major" | "prerelease"> | null {
  const [match, major, before, developed] = PYTHON_RELEASE.exec(text) ?? [];
  if (match === undefined) return null;
  return { major: Number(major), prerelease: [before, developed].filter((it) => it !== undefined) };
}

function parseOrNull(text: string): SemVer | null {
  try {
    return parseVersion(text);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return null;
  }
}
