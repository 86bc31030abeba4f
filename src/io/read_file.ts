import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  type Stats,
} from "node:fs";
import { KprovError, LimitError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import type { RecordedFile } from "../evidence/provenance.ts";
import { describeFileKind, digestFile } from "./hash/digest_file.js";
import type { DigestFault } from "./hash/job.ts";
import { describeSystemError, isMissing, systemCode, toKprovError } from "./os_error.ts";
import { permissionFlag, requirePermission } from "./permissions.ts";

/** What a file is for, as the messages name it. */
export type FileRole = "input" | "product" | "tool" | "file";

/** A file, as the messages name it. */
interface NamedFile {
  /** Where it is. */
  readonly path: string;
  /** What it is called in the evidence. */
  readonly name: string;
  /** What it is for. */
  readonly role: FileRole;
}

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
  const outcome = digestFile(path);
  if (outcome.state === "file" || outcome.state === "symlink") {
    return { name, kind: outcome.state, size: outcome.size, sha256: outcome.sha256 };
  }
  if (outcome.state === "fault") throw toFileError(outcome, { path, name, role });
  throw new KprovError("fault", `Cannot read ${role} ${quote(name)}: it was left for later`);
}

/**
 * Makes the error of a file that could not be digested.
 *
 * @param fault Why
 * @param file The file
 */
export function toFileError(fault: DigestFault, { path, name, role }: NamedFile): KprovError {
  const action = `Cannot read ${role} ${quote(name)}`;
  switch (fault.what) {
    case "changed":
      return new KprovError("data", `${action}: it changed while it was read`);
    case "kind":
      return new KprovError("data", `${action}: it is ${fault.kind}`);
    case "link_not_utf8":
      return new KprovError(
        "data",
        `Cannot record link ${quote(name)}: its target is not valid UTF-8`,
      );
    case "refused":
      return toKprovError(toError(fault), action, {
        missing: "data",
        refused: "io",
        flag: permissionFlag("read", path),
      });
  }
}

/** The error that a call threw, perhaps in another thread. */
function toError({ name, code, message }: DigestFault & { readonly what: "refused" }): Error {
  const known: Readonly<Record<string, new (message: string) => Error>> = { ...Deno.errors };
  const error = new (known[name] ?? Error)(message);
  return Object.assign(error, code === null ? {} : { code });
}

/**
 * Names the kind of something that is neither a regular file nor a link.
 *
 * @param stats As lstat returned it
 */
export function describeKind(stats: Stats): string {
  return describeFileKind({
    isDirectory: stats.isDirectory(),
    isFifo: stats.isFIFO(),
    isSocket: stats.isSocket(),
    isBlockDevice: stats.isBlockDevice(),
    isCharDevice: stats.isCharacterDevice(),
  });
}

/**
 * Reads a file that kprov wrote for itself. Links are not followed, and nothing but a regular file
 * is opened.
 *
 * @param path Where it is
 * @param role What it is, for the message
 * @param maxBytes No larger one is read
 * @throws {KprovError} `data` where it is missing, too large or no regular file, `io` where the
 * system refuses, `permission` where Deno does
 */
export function readWholeFile(path: string, role: string, maxBytes: number): Uint8Array {
  requirePermission("read", path);
  const refuse = (reason: string): KprovError =>
    new KprovError("data", `Cannot read ${role} ${quote(path)}: ${reason}`);
  try {
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) throw refuse("it is a symbolic link");
    if (!stats.isFile()) throw refuse(`it is ${describeKind(stats)}`);
    if (stats.size > maxBytes) throw refuse(`it is larger than ${maxBytes} bytes`);
    return Deno.readFileSync(path);
  } catch (error) {
    throw toKprovError(error, `Cannot read ${role} ${quote(path)}`, {
      missing: "data",
      refused: "io",
      flag: permissionFlag("read", path),
    });
  }
}

/** Large enough that the calls do not count, small enough for the cache. */
const PIECE = 256 * 1024;

/**
 * Reads a regular file piece by piece, once. It is opened when the first piece is asked for.
 *
 * @param path Where it is
 * @param before As lstat saw it; nothing else is read
 * @param maxBytes A larger one is not opened
 * @returns Pieces, each of which lasts until the next is asked for
 * @throws {KprovError} `data` with a reason such as `it changed while it was read`; `permission`
 * where Deno does not let it be read
 */
export function* readPieces(
  path: string,
  before: Stats,
  maxBytes: number,
): Generator<Uint8Array> {
  if (before.size > maxBytes) throw new LimitError(`it is larger than ${maxBytes} bytes`);
  const descriptor = explain(path, () => openSync(path, OPEN_FLAGS));
  try {
    const check = (): void =>
      explain(path, () => {
        if (!isSameFile(before, fstatSync(descriptor))) throw changed();
        if (!isSameFile(before, lstatSync(path))) throw changed();
      });
    check();
    const buffer = new Uint8Array(PIECE);
    let size = 0;
    // A file that grows as fast as it is read has no end.
    for (let n = 1; n > 0 && size <= before.size; size += n) {
      n = explain(path, () => readSync(descriptor, buffer));
      if (n > 0) yield buffer.subarray(0, n);
    }
    check();
  } finally {
    closeSync(descriptor);
  }
}

function explain<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof KprovError) throw error;
    if (error instanceof Deno.errors.NotCapable) {
      const flag = permissionFlag("read", path);
      throw toKprovError(error, `Cannot read ${quote(path)}`, { refused: "io", flag });
    }
    if (systemCode(error) === "ELOOP") throw changed();
    throw new KprovError(
      "data",
      isMissing(error)
        ? "it vanished while it was read"
        : `it cannot be read: ${describeSystemError(error)}`,
      { cause: error },
    );
  }
}

function changed(): KprovError {
  return new KprovError("data", "it changed while it was read");
}

function isSameFile(a: Stats, b: Stats): boolean {
  return b.isFile() && a.dev === b.dev && a.ino === b.ino && a.size === b.size &&
    a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs;
}

/**
 * How a file is opened after a look at it, with Node's call, because Deno's own takes no flags:
 * O_NOFOLLOW refuses a link that took the file's place in between, O_NONBLOCK keeps a FIFO that did
 * from hanging the open. Windows has neither. Deno may resolve a link itself before it opens it, so
 * whoever must not be led astray looks at the path once more.
 */
export const OPEN_FLAGS: number = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) |
  (constants.O_NONBLOCK ?? 0);
