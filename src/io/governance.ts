import { KprovError } from "../base/error.ts";
import { findJsonValue, findTomlValues, parseToml } from "../base/located_values.ts";
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
import { hashFile } from "./hash/hash_files.ts";
import { DirectoriesBelow, directoryOf } from "./path_watch.ts";
import { describeLinkBelow, type Root } from "./paths.ts";
import { isMissing, requirePermission } from "./permissions.ts";
import { readFile } from "./read_file.ts";

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
  const readInside = (path: string): SmallFile => readBelow(root, path);
  return {
    ...hashGoverned(root, policy, "code" in tracked ? [] : tracked),
    lock: parseLock(readInside(policy.path)),
    baseLock: baseLockPath === null ? null : parseLock(readGiven(baseLockPath, root)),
    version: parseVersionFile(readInside(policy.version_from.path), policy.version_from),
  };
}

function hashGoverned(
  root: Root,
  policy: LockPolicy,
  tracked: readonly TrackedEntry[],
): Pick<GovernanceFacts, "files" | "unreadable"> {
  const directories = new DirectoriesBelow(root.path);
  const isGoverned = compileGoverned(policy);
  const files: LockedFile[] = [];
  const unreadable: UnreadableGoverned[] = [];
  for (const entry of tracked) {
    if (!isGoverned(entry.path)) continue;
    const outcome = hashEntry(root, entry, directories);
    if (outcome === null) continue;
    if ("sha256" in outcome) files.push(outcome);
    else unreadable.push(outcome);
  }
  const isInPlace = ({ path }: LockedFile): boolean => directories.isUnchanged(directoryOf(path));
  const { kept = [], swapped = [] } = Object.groupBy(
    files,
    (file) => isInPlace(file) ? "kept" : "swapped",
  );
  for (const { path } of swapped) unreadable.push({ path, reason: SWAPPED });
  return { files: kept, unreadable };
}

/** The digest of a governed file; null where it is gone. */
function hashEntry(
  root: Root,
  { path, kind }: TrackedEntry,
  directories: DirectoriesBelow,
): LockedFile | UnreadableGoverned | null {
  if (kind === "submodule") return { path, reason: "it is a submodule" };
  const link = directories.describeLink(path);
  if (link !== null) return { path, reason: link };
  if (directories.findObstacle(directoryOf(path)) !== null) return null;
  try {
    const record = hashFile(join(root.path, path), path);
    // A link's digest is that of its target's name: it says nothing of what is read behind it.
    if (record.kind === "symlink") return { path, reason: "it is a symbolic link" };
    return { path, sha256: record.sha256 };
  } catch (error) {
    if (!(error instanceof KprovError) || error.code === "permission") throw error;
    if (isMissing(error.cause)) return null;
    return { path, reason: error.reason ?? error.message };
  }
}

const SWAPPED = "a directory on the way to it changed meanwhile";

/** Reads a file that the policy names, relative to the root. */
function readBelow(root: Root, path: string): SmallFile {
  try {
    checkTrackedPath(path);
  } catch (error) {
    if (!(error instanceof KprovError)) throw error;
    return { state: "invalid", reason: error.message };
  }
  const directories = new DirectoriesBelow(root.path);
  const link = directories.describeLink(path);
  if (link !== null) return { state: "invalid", reason: link };
  const file = readSmallFile(join(root.path, path), path, false);
  return directories.isUnchanged(directoryOf(path)) ? file : { state: "invalid", reason: SWAPPED };
}

/** Reads a file that the command line names; a link outside of the root is the caller's own. */
function readGiven(path: string, root: Root): SmallFile {
  requirePermission("read", path);
  const link = describeLinkBelow(path, root);
  if (link !== null) return { state: "invalid", reason: link };
  return readSmallFile(path, path, true);
}

function readSmallFile(path: string, name: string, follows: boolean): SmallFile {
  const action = `Cannot read ${quote(name)}`;
  const file = readFile(path, { action, maxBytes: SMALL_JSON.maxBytes, follows });
  if (file.state === "read") return file;
  return file.state === "missing"
    ? { state: "missing" }
    : { state: "invalid", reason: file.reason };
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

/** A TOML file is told by its name; what has no pointer is a plain text. */
function parseVersionFile(
  file: SmallFile,
  { path, pointer }: LockPolicy["version_from"],
): VersionReading {
  if (file.state === "missing") return { fault: "the file does not exist" };
  if (file.state === "invalid") return { fault: file.reason };
  const decoded = decodeText(file.bytes);
  if (!decoded.ok) return { fault: decoded.reason };
  if (pointer === undefined) return readPlainVersion(decoded.text);
  if (/\.toml$/i.test(path)) return readTomlVersion(decoded.text, pointer);
  const value = findJsonValue(decoded.text, pointer);
  if (!value.ok) return { fault: value.reason };
  return value.text ?? { fault: `${showText(value.source)} is not a text` };
}

/** The only line that is not empty. */
function readPlainVersion(text: string): VersionReading {
  const lines = text.split(/\r\n|\n|\r/).map((line) => line.trim()).filter((line) => line !== "");
  const [line] = lines;
  if (line === undefined) return { fault: "it is empty" };
  return lines.length === 1
    ? line
    : { fault: "it has more than one line, and no pointer says where" };
}

function readTomlVersion(text: string, pointer: string): VersionReading {
  try {
    const keys = pointer.split("/").slice(1)
      .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
    const [found] = keys.includes("*") ? [] : findTomlValues(parseToml(text), keys);
    if (found === undefined) return { fault: "it has no such value" };
    return typeof found.value === "string" ? found.value : { fault: "it is not a text" };
  } catch (error) {
    if (!(error instanceof KprovError) || error.code !== "data") throw error;
    return { fault: error.message };
  }
}
