import { fstatSync, readSync } from "node:fs";
import { KprovError } from "../base/error.ts";
import { createSha256 } from "../base/sha256.ts";
import type { RecordedStdin } from "../evidence/provenance.ts";
import { describeSystemError } from "./permissions.ts";

/** How much is read at once. */
const PIECE = 64 * 1024;

/**
 * Tells where data on standard input comes from, which a command inherits.
 *
 * @returns Such as `a pipe`; null where it is a terminal, /dev/null, an empty file or closed
 */
export function describeStdin(): "a pipe" | "a file" | null {
  try {
    const stats = fstatSync(0);
    // A program that starts kprov may give it one end of a connection in place of a pipe.
    if (stats.isFIFO() || stats.isSocket()) return "a pipe";
    return stats.isFile() && stats.size > 0 ? "a file" : null;
  } catch {
    return null;
  }
}

/** A regular file on standard input, as it was read. */
interface StdinFile extends RecordedStdin {
  /** Whether it is no longer what it was. */
  readonly hasChanged: () => boolean;
}

/**
 * Digests the regular file on standard input, from its beginning, wherever the next read begins: that
 * stays as it is, so that the command reads what it would without kprov.
 *
 * @returns The file; null where it changes while it is read
 * @throws {KprovError} `io` where it cannot be read
 */
export function digestStdin(): StdinFile | null {
  const before = stampStdin();
  // Times come in whole seconds, so a change within the second of the last one does not show.
  const isClear = before.changed < 1000 * Math.floor(Date.now() / 1000);
  const recorded = readFromStart();
  const isSame = (): boolean => {
    const { key } = stampStdin();
    return key === before.key && (isClear || readFromStart().sha256 === recorded.sha256);
  };
  if (stampStdin().key !== before.key || recorded.size !== before.size) return null;
  return { ...recorded, hasChanged: () => !isSame() };
}

function stampStdin(): { readonly key: string; readonly size: number; readonly changed: number } {
  const { ino, size, mtimeMs, ctimeMs } = fstatSync(0);
  return { key: [ino, size, mtimeMs, ctimeMs].join(" "), size, changed: ctimeMs };
}

function readFromStart(): RecordedStdin {
  const hash = createSha256();
  const buffer = new Uint8Array(PIECE);
  let size = 0;
  try {
    for (let n = -1; n !== 0; size += n) {
      n = readSync(0, buffer, 0, buffer.length, size);
      hash.update(buffer.subarray(0, n));
    }
  } catch (error) {
    throw refuseRead(error);
  }
  return { sha256: hash.digest("hex"), size };
}

/**
 * Reads standard input piece by piece, each when it is asked for. One that does not block, as others who
 * share it may have set it, is waited for by Deno.
 */
export function streamStdin(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const piece = new Uint8Array(PIECE);
      const length = await Deno.stdin.read(piece).catch((error) => {
        throw refuseRead(error);
      });
      if (length === null) controller.close();
      else controller.enqueue(piece.subarray(0, length));
    },
  }, { highWaterMark: 0 });
}

function refuseRead(cause: unknown): KprovError {
  const reason = describeSystemError(cause);
  return new KprovError("io", `Cannot read standard input: ${reason}`, { cause });
}
