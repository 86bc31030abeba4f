import { KprovError } from "../base/error.ts";
import { join } from "../base/std.ts";
import type { ContentHit } from "../guards/guard.ts";
import { type ContentScanner, createContentScanner } from "../guards/identity/scanner.ts";
import type { Policy } from "../guards/policy.ts";
import { type ContentUse, DirectoryListings, scanPlain, scanTracked } from "./tracked_content.ts";

/** Files whose contents are to be searched, by one thread or by several that share the task. */
export interface ScanTask {
  /** The repository, absolute. */
  readonly root: string;
  /** Whose identity section says what is searched for. */
  readonly policy: Policy;
  /** The files and links, sorted, with a NUL between them: one text crosses to a thread fast. */
  readonly paths: string;
  /** Whether the directories on the way to them are held against a later look, which then tells all. */
  readonly areDirectoriesHeld: boolean;
  /** In shared memory, the index of the next file that no thread has taken yet. */
  readonly next: Int32Array;
}

/** What was found in files that one thread took together. */
export interface ChunkHits {
  /** The index of the first of them. */
  readonly start: number;
  /** In the order of the files. */
  readonly hits: readonly ContentHit[];
}

/** Why files could not be searched. */
interface ChunkFailure {
  /** The index of the first of those that were taken together. */
  readonly start: number;
  /** What was thrown. */
  readonly error: KprovError;
}

/** What one thread did. */
export interface ScanShare {
  /** How many files it took. */
  readonly files: number;
  /** What it found, where it found something. */
  readonly found: readonly ChunkHits[];
  /** The first failure; it took no further files. */
  readonly failure: ChunkFailure | null;
}

/** Files from one index up to another. */
interface Chunk {
  readonly start: number;
  readonly end: number;
}

/** A thread takes this part of what is left: much at first, since neighbours share a directory. */
const PART = 16;

/** It takes no fewer files than these: few enough for all threads to end together. */
const FEWEST = 256;

/**
 * Searches the contents of files, on this thread: takes some of them after the other until none is
 * left.
 *
 * @param task Which files, and for what
 * @returns What this thread did
 */
export function scanContents(task: ScanTask): ScanShare {
  const listed = splitPaths(task.paths);
  const { next } = task;
  const scanChunk = prepareScan(task, listed);
  const found: ChunkHits[] = [];
  let files = 0;
  for (;;) {
    const chunk = takeChunk(next, listed.length);
    if (chunk === null) return { files, found, failure: null };
    const { start, end } = chunk;
    files += end - start;
    try {
      const hits = scanChunk(chunk);
      if (hits.length > 0) found.push({ start, hits });
    } catch (error) {
      if (!(error instanceof KprovError)) throw error;
      // Nobody need take more; the files before these are taken, and are searched to their end.
      Atomics.store(next, 0, listed.length);
      return { files, found, failure: { start, error } };
    }
  }
}

function takeChunk(next: Int32Array, count: number): Chunk | null {
  for (;;) {
    const start = Atomics.load(next, 0);
    if (start >= count) return null;
    const end = Math.min(count, start + Math.max(FEWEST, Math.ceil((count - start) / PART)));
    if (Atomics.compareExchange(next, 0, start, end) === start) return { start, end };
  }
}

function splitPaths(paths: string): readonly string[] {
  return paths === "" ? [] : paths.split("\0");
}

function prepareScan(
  { root, policy, areDirectoriesHeld }: ScanTask,
  paths: readonly string[],
): (chunk: Chunk) => ContentHit[] {
  const base = join(root, "/");
  const listings = new DirectoryListings(base, paths);
  let path = "";
  let hits: ContentHit[] = [];
  const use = takeHits(createContentScanner(policy), () => path, (found) => addAll(hits, found));
  const scanAll = ({ start, end }: Chunk, isPlain: (index: number) => boolean): void => {
    hits = [];
    for (let i = start; i < end; i++) {
      path = paths[i]!;
      if (isPlain(i)) scanPlain(base + path, path, use);
      else scanTracked(base + path, path, use, areDirectoriesHeld);
    }
  };
  return (chunk) => {
    scanAll(chunk, (i) => areDirectoriesHeld && listings.isPlainAround(i));
    // What a listing said does not hold any more: each file is looked at.
    if (!listings.areUnchanged()) scanAll(chunk, () => false);
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
