import { closeSync, fstatSync, lstatSync, openSync, readSync, type Stats } from "node:fs";
import { KprovError } from "../kprov_error.ts";
import { LimitError } from "../limit_error.ts";
import { quote } from "../quote.ts";
import { describeSystemError, isMissing, systemCode, toKprovError } from "../system/os_error.ts";
import { permissionFlag } from "../system/permissions.ts";
import { OPEN_FLAGS } from "./open_flags.ts";

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
