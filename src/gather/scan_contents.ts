import { type ContentScanner, createContentScanner } from "../guards/content/content_scanner.ts";
import type { ContentHit } from "../guards/facts.ts";
import type { Policy } from "../guards/policy.ts";
import { KprovError } from "../kprov_error.ts";
import { join } from "../std.ts";
import { DirectoryListings } from "./directory_listings.ts";
import { type ContentUse, scanPlain, scanTracked } from "./tracked_content.ts";

/** Files whose contents are to be searched, by one thread or by several that share the task. */
export interface ScanTask {
  /** The repository, absolute. */
  readonly root: string;
  /** Whose identity section says what is searched for. */
  readonly policy: Policy;
  /** The files and links, sorted, with a NUL between them: one text crosses to a thread fast. */
  readonly paths: string;
  /** In shared memory, the number of the next chunk that no thread has taken yet. */
  readonly next: Int32Array;
}

/** What was found in one chunk. */
export interface ChunkHits {
  /** Its number. */
  readonly chunk: number;
  /** In the order of the files. */
  readonly hits: readonly ContentHit[];
}

/** Why a chunk could not be searched. */
export interface ChunkFailure {
  /** Its number. */
  readonly chunk: number;
  /** What was thrown. */
  readonly error: KprovError;
}

/** What one thread did. */
export interface ScanShare {
  /** How many chunks it searched, the one that failed included. */
  readonly chunks: number;
  /** The chunks with hits. */
  readonly found: readonly ChunkHits[];
  /** The first failure; it took no further chunk. */
  readonly failure: ChunkFailure | null;
}

/** So many files are a chunk: few enough to end together, enough to make taking one cheap. */
const CHUNK = 256;

/** How many chunks a number of files makes. */
export function countChunks(files: number): number {
  return Math.ceil(files / CHUNK);
}

/**
 * Searches the contents of files, on this thread: takes chunk after chunk until none is left.
 *
 * @param task Which files, and for what
 * @returns What this thread did
 */
export function scanContents({ root, policy, paths, next }: ScanTask): ScanShare {
  const listed = splitPaths(paths);
  const scanChunk = prepareScan(root, policy, listed);
  const count = countChunks(listed.length);
  const found: ChunkHits[] = [];
  for (let chunks = 1;; chunks++) {
    const chunk = Atomics.add(next, 0, 1);
    if (chunk >= count) return { chunks: chunks - 1, found, failure: null };
    try {
      const hits = scanChunk(chunk);
      if (hits.length > 0) found.push({ chunk, hits });
    } catch (error) {
      if (!(error instanceof KprovError)) throw error;
      // No thread need take another chunk; those before this one are taken, and are finished.
      Atomics.store(next, 0, count);
      return { chunks, found, failure: { chunk, error } };
    }
  }
}

function splitPaths(paths: string): readonly string[] {
  return paths === "" ? [] : paths.split("\0");
}

function prepareScan(
  root: string,
  policy: Policy,
  paths: readonly string[],
): (chunk: number) => ContentHit[] {
  const base = join(root, "/");
  const listings = new DirectoryListings(base, paths);
  let path = "";
  let hits: ContentHit[] = [];
  const use = takeHits(createContentScanner(policy), () => path, (found) => addAll(hits, found));
  return (chunk) => {
    hits = [];
    const end = Math.min(paths.length, (chunk + 1) * CHUNK);
    for (let i = chunk * CHUNK; i < end; i++) {
      path = paths[i]!;
      if (listings.isPlainAround(i)) scanPlain(base + path, path, use);
      else scanTracked(base + path, path, use);
    }
    return hits;
  };
}

/** One for all files: on many small ones, what is made for each is a good part of the time. */
function takeHits(
  scanner: ContentScanner,
  path: () => string,
  take: (hits: readonly ContentHit[]) => void,
): ContentUse {
  return {
    scan: (bytes) => take(scanner.scan(path(), bytes)),
    scanPieces: (pieces) => {
      const scan = scanner.scanFile(path());
      for (const piece of pieces) scan.push(piece);
      take(scan.end());
    },
  };
}

function addAll(hits: ContentHit[], found: readonly ContentHit[]): void {
  for (const hit of found) hits.push(hit);
}
