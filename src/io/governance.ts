import { lstatSync, type Stats, statSync } from "node:fs";
import { KprovError } from "../base/error.ts";
import { findJsonValue } from "../base/json_value.ts";
import { quote, showText } from "../base/quote.ts";
import { join } from "../base/std.ts";
import { parseStrictJson, SMALL_JSON } from "../base/strict_json.ts";
import { decodeText } from "../base/text.ts";
import type { IndexFault, TrackedEntry } from "../guards/guard.ts";
import {
  type GovernanceFacts,
  type LockedFile,
  type LockReading,
  parseGovernanceLock,
  type UnreadableGoverned,
  type VersionReading,
} from "../guards/lock/governance_lock.ts";
import { compileGoverned } from "../guards/lock/lock.ts";
import type { LockPolicy } from "../guards/policy.ts";
import { checkTrackedPath } from "./git/index_entries.ts";
import { type IsPlainDirectory, rememberDirectories } from "./observe.ts";
import { describeSystemError, isMissing, toKprovError } from "./os_error.ts";
import type { Root } from "./paths.ts";
import { permissionFlag, requirePermission } from "./permissions.ts";
import { describeKind, hashFile } from "./read_file.ts";

/** A small file: its bytes, or why there are none. */
type SmallFile =
  | { readonly state: "read"; readonly bytes: Uint8Array }
  | { readonly state: "missing" }
  | { readonly state: "invalid"; readonly reason: string };

/**
 * Reads what the lock guard judges: the governed files' digests, the lock, the base lock and the
 * version. No link below the root is followed.
 *
 * @param root The repository
 * @param policy The policy's `lock`
 * @param tracked What git tracks; where that is not known, nothing is governed
 * @param baseLockPath The file with the base branch's lock, or null where none was given
 * @throws {KprovError} `permission` where Deno does not let something be read, `policy` on a glob
 * that cannot be used; everything else that is wrong is part of the facts
 */
export function gatherGovernance(
  root: Root,
  policy: LockPolicy,
  tracked: readonly TrackedEntry[] | IndexFault,
  baseLockPath: string | null,
): GovernanceFacts {
  const isPlainDirectory = rememberDirectories(root);
  const readInside = (path: string): SmallFile => readBelow(root, path, isPlainDirectory);
  return {
    ...hashGoverned(root, policy, "code" in tracked ? [] : tracked, isPlainDirectory),
    lock: parseLock(readInside(policy.path)),
    baseLock: baseLockPath === null ? null : parseLock(readGiven(baseLockPath)),
    version: parseVersionFile(readInside(policy.version_from.path), policy.version_from.pointer),
  };
}

function hashGoverned(
  root: Root,
  policy: LockPolicy,
  tracked: readonly TrackedEntry[],
  isPlainDirectory: IsPlainDirectory,
): Pick<GovernanceFacts, "files" | "unreadable"> {
  const isGoverned = compileGoverned(policy);
  const files: LockedFile[] = [];
  const unreadable: UnreadableGoverned[] = [];
  for (const entry of tracked) {
    if (!isGoverned(entry.path)) continue;
    const outcome = hashEntry(root, entry, isPlainDirectory);
    if (outcome === null) continue;
    if ("sha256" in outcome) files.push(outcome);
    else unreadable.push(outcome);
  }
  return { files, unreadable };
}

/** The digest of a governed file; null where it is gone. */
function hashEntry(
  root: Root,
  { path, kind }: TrackedEntry,
  isPlainDirectory: IsPlainDirectory,
): LockedFile | UnreadableGoverned | null {
  if (kind === "submodule") return { path, reason: "it is a submodule" };
  if (!isPlainDirectory(directoryOf(path))) return null;
  try {
    const record = hashFile(join(root.path, path), path);
    // A link's digest is that of its target's name: it says nothing of what is read behind it.
    if (record.kind === "symlink") return { path, reason: "it is a symbolic link" };
    return { path, sha256: record.sha256 };
  } catch (error) {
    if (!(error instanceof KprovError) || error.code === "permission") throw error;
    if (isMissing(error.cause)) return null;
    return { path, reason: error.message.slice(error.message.lastIndexOf(": ") + 2) };
  }
}

function directoryOf(path: string): string {
  const end = path.lastIndexOf("/");
  return end < 0 ? "." : path.slice(0, end);
}

/** Reads a file that the policy names, relative to the root. */
function readBelow(root: Root, path: string, isPlainDirectory: IsPlainDirectory): SmallFile {
  try {
    checkTrackedPath(path);
  } catch (error) {
    if (!(error instanceof KprovError)) throw error;
    return { state: "invalid", reason: error.message };
  }
  if (!isPlainDirectory(directoryOf(path))) return { state: "missing" };
  return readRegularFile(join(root.path, path), path, lstatSync);
}

/** Reads a file that the command line names; a link there is the caller's own. */
function readGiven(path: string): SmallFile {
  requirePermission("read", path);
  return readRegularFile(path, path, statSync);
}

function describeLook(stats: Stats): string {
  return stats.isSymbolicLink() ? "a symbolic link" : describeKind(stats);
}

function readRegularFile(path: string, name: string, look: (path: string) => Stats): SmallFile {
  try {
    const stats = look(path);
    // A FIFO would hang the read.
    if (!stats.isFile()) return { state: "invalid", reason: `it is ${describeLook(stats)}` };
    if (stats.size > SMALL_JSON.maxBytes) {
      return { state: "invalid", reason: `it is larger than ${SMALL_JSON.maxBytes} bytes` };
    }
    return { state: "read", bytes: Deno.readFileSync(path) };
  } catch (error) {
    if (isMissing(error)) return { state: "missing" };
    if (error instanceof Deno.errors.NotCapable) {
      throw toKprovError(error, `Cannot read ${quote(name)}`, {
        refused: "io",
        flag: permissionFlag("read", path),
      });
    }
    return { state: "invalid", reason: describeSystemError(error) };
  }
}

function parseLock(file: SmallFile): LockReading {
  if (file.state !== "read") return file;
  try {
    return {
      state: "read",
      lock: parseGovernanceLock(parseStrictJson(file.bytes, SMALL_JSON)),
    };
  } catch (error) {
    if (!(error instanceof KprovError)) throw error;
    return { state: "invalid", reason: error.message };
  }
}

function parseVersionFile(file: SmallFile, pointer: string): VersionReading {
  if (file.state === "missing") return { fault: "the file does not exist" };
  if (file.state === "invalid") return { fault: file.reason };
  const decoded = decodeText(file.bytes);
  if (!decoded.ok) return { fault: decoded.reason };
  const value = findJsonValue(decoded.text, pointer);
  if (!value.ok) return { fault: value.reason };
  return value.text ?? { fault: `${showText(value.source)} is not a text` };
}
