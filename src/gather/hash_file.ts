import {
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  type Stats,
} from "node:fs";
import type { RecordedFile } from "../evidence/provenance.ts";
import { createSha256, sha256Hex } from "../sha256.ts";
import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import { toKprovError } from "../system/os_error.ts";
import { permissionFlag } from "../system/permissions.ts";
import { OPEN_FLAGS } from "./open_flags.ts";

// One buffer for every file: large enough to run at the speed of the digest, small enough for the cache.
const buffer = new Uint8Array(128 * 1024);

/** What a file is for, as the messages name it. */
export type FileRole = "input" | "product" | "tool";

/**
 * Reads one file or link and digests it: a file's bytes, a link's target text. Nothing but a
 * regular file is ever opened, and nothing is followed.
 *
 * @param path Where it is
 * @param name What it is called in the evidence
 * @param role What it is for, for the message
 * @returns Its record
 * @throws {KprovError} `data` where it is missing, of another kind, or changes while it is read;
 * `io` where the system refuses; `permission` where Deno does
 */
export function hashFile(path: string, name: string, role: FileRole = "input"): RecordedFile {
  try {
    const before = lstatSync(path);
    if (before.isSymbolicLink()) return recordLink(path, name);
    if (!before.isFile()) throw refuse(role, name, `it is ${describeKind(before)}`);
    return { name, kind: "file", ...digestRegularFile(path, before, role, name) };
  } catch (error) {
    throw toKprovError(error, `Cannot read ${role} ${quote(name)}`, {
      missing: "data",
      refused: "io",
      flag: permissionFlag("read", path),
    });
  }
}

function digestRegularFile(
  path: string,
  before: Stats,
  role: FileRole,
  name: string,
): { readonly size: number; readonly sha256: string } {
  const changed = (): KprovError => refuse(role, name, "it changed while it was read");
  const descriptor = openUnchanged(path, changed);
  try {
    if (!isSameFile(before, fstatSync(descriptor))) throw changed();
    const hash = createSha256();
    let size = 0;
    for (let n = readSync(descriptor, buffer); n > 0; n = readSync(descriptor, buffer)) {
      hash.update(n === buffer.length ? buffer : buffer.subarray(0, n));
      size += n;
    }
    const isUnchanged = size === before.size && isSameFile(before, fstatSync(descriptor)) &&
      isSameFile(before, lstatSync(path));
    if (!isUnchanged) throw changed();
    return { size, sha256: hash.digest("hex") };
  } finally {
    closeSync(descriptor);
  }
}

function openUnchanged(path: string, changed: () => KprovError): number {
  try {
    return openSync(path, OPEN_FLAGS);
  } catch (error) {
    // A link where lstat saw a file: it was swapped in between.
    if (error instanceof Error && "code" in error && error.code === "ELOOP") throw changed();
    throw error;
  }
}

/** Whether two looks at a path saw the same file with the same content, as far as the system tells. */
function isSameFile(a: Stats, b: Stats): boolean {
  return b.isFile() && a.dev === b.dev && a.ino === b.ino && a.size === b.size &&
    a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs;
}

function recordLink(path: string, name: string): RecordedFile {
  const target = readlinkSync(path);
  if (target.includes("\uFFFD")) {
    throw new KprovError(
      "data",
      `Cannot record link ${quote(name)}: its target is not valid UTF-8`,
    );
  }
  return {
    name,
    kind: "symlink",
    size: new TextEncoder().encode(target).length,
    sha256: sha256Hex(target),
  };
}

/**
 * Names the kind of something that is neither a regular file nor a link.
 *
 * @param stats As lstat returned it
 */
export function describeKind(stats: Stats): string {
  if (stats.isDirectory()) return "a directory";
  if (stats.isFIFO()) return "a FIFO";
  if (stats.isSocket()) return "a socket";
  return stats.isBlockDevice() || stats.isCharacterDevice() ? "a device" : "not a regular file";
}

function refuse(role: FileRole, name: string, reason: string): KprovError {
  return new KprovError("data", `Cannot read ${role} ${quote(name)}: ${reason}`);
}
