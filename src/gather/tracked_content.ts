import type { FileContent, TrackedEntry } from "../guards/facts.ts";
import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import { join } from "../std.ts";
import { isMissing, toKprovError } from "../system/os_error.ts";
import { permissionFlag } from "../system/permissions.ts";

/** What a guard may ask for whole; a file that people write is smaller. */
const LARGEST_WHOLE = 16 * 2 ** 20;

/** Files up to this size are read at once, larger ones in pieces of it. */
const PIECE = 4 * 2 ** 20;

// One buffer for every file: on a repository of many small ones, new memory for each is a third of
// the time.
const buffer = new Uint8Array(PIECE);

/** What becomes of a file's bytes while they are read. */
export interface ContentUse {
  /** Whether the file is kept whole. */
  readonly isKept: boolean;
  /** Takes a file that is read at once. */
  readonly scan?: (bytes: Uint8Array) => void;
  /** Takes a larger file piece by piece; the piece is overwritten afterwards. */
  readonly scanPieces?: (pieces: Iterable<Uint8Array>) => void;
}

/**
 * Reads what stands in the working tree at a tracked path, once, whatever the number of guards that
 * look at it. A link is read as its target's text, as git stores it, and never followed.
 *
 * @param root The repository, absolute
 * @param entry The tracked path
 * @param use What becomes of the bytes
 * @returns The file whole where it is kept, else null
 * @throws {KprovError} `data` where it is missing or neither file nor link, `io` where the system
 * refuses, `permission` where Deno does: a guard that cannot see a file does not pass it
 */
export function readTracked(
  root: string,
  entry: TrackedEntry,
  use: ContentUse,
): FileContent | null {
  const path = join(root, entry.path);
  try {
    const stats = Deno.lstatSync(path);
    if (stats.isSymlink) return useBytes(new TextEncoder().encode(Deno.readLinkSync(path)), use);
    if (!stats.isFile) throw refuse(entry, "it is neither a file nor a link");
    using file = Deno.openSync(path);
    if (stats.size <= PIECE) return useBytes(readPiece(file, stats.size), use);
    use.scanPieces?.(readPieces(file));
    return use.isKept ? readWhole(path, stats.size) : null;
  } catch (error) {
    if (isMissing(error)) {
      throw refuse(entry, "git tracks it, and it is not there", error);
    }
    throw toKprovError(error, `Cannot read tracked file ${quote(entry.path)}`, {
      refused: "io",
      flag: permissionFlag("read", path),
    });
  }
}

function useBytes(bytes: Uint8Array, use: ContentUse): FileContent | null {
  use.scan?.(bytes);
  return use.isKept ? { ok: true, bytes: bytes.slice() } : null;
}

function* readPieces(file: Deno.FsFile): Generator<Uint8Array> {
  for (let piece = readPiece(file); piece.length > 0; piece = readPiece(file)) yield piece;
}

/** Reads on until there is as much as wanted or the file ends. */
function readPiece(file: Deno.FsFile, wanted = PIECE): Uint8Array {
  let length = 0;
  while (length < wanted) {
    const n = file.readSync(buffer.subarray(length, wanted));
    if (n === null) break;
    length += n;
  }
  return buffer.subarray(0, length);
}

function readWhole(path: string, size: number): FileContent {
  return size > LARGEST_WHOLE
    ? { ok: false, reason: `it is larger than ${LARGEST_WHOLE} bytes` }
    : { ok: true, bytes: Deno.readFileSync(path) };
}

function refuse(entry: TrackedEntry, reason: string, cause?: unknown): KprovError {
  return new KprovError("data", `Cannot read tracked file ${quote(entry.path)}: ${reason}`, {
    hint: "restore it, or take it out of git's index",
    cause,
  });
}
