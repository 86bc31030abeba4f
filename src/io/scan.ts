import { KprovError, type KprovErrorCode } from "../base/error.ts";
import { join } from "../base/std.ts";
import type { ContentHit } from "../guards/guard.ts";
import { type ContentScanner, createContentScanner } from "../guards/identity/scanner.ts";
import type { Policy } from "../guards/policy.ts";
import { BrokenWorker, Crew, type CrewCode, makeSharedWork } from "./crew.ts";
import { DirectoryListings } from "./path_watch.ts";
import { answerAs, type Help, type SharedWork, stopBehind, takeNext } from "./shared_work.js";
import { type ContentUse, scanPlain, scanTracked } from "./tracked_content.ts";

/**
 * From this many files on, a second thread saves enough of the time by the clock. Its start costs a third
 * of a second of a core, and two threads that open files wait for each other.
 */
const WORTH_A_WORKER = 40_000;

/** More threads than this wait for the disk. */
const MOST_THREADS = 8;

/** A chunk is this part of what is left: much at first, since neighbours share a directory. */
const PART = 16;

/** A chunk has no fewer files than these: few enough for all threads to end together. */
const FEWEST = 256;

const WORKER_NAME = "kprov scan";

/** Which files are to be searched, and for what. */
export interface ScanRequest {
  /** The repository, absolute. */
  readonly root: string;
  /** Whose identity section says what is searched for. */
  readonly policy: Policy;
  /** The files and links, sorted. */
  readonly paths: readonly string[];
  /** What it is only told of whether a file holds it. */
  readonly markers?: readonly string[];
  /** Whether the directories on the way to them are held against a later look, which then tells all. */
  readonly areDirectoriesHeld: boolean;
}

/** Files whose contents are to be searched, by one thread or by several; each piece is a chunk of them. */
interface ScanWork extends SharedWork, Omit<ScanRequest, "paths"> {
  /** How many files there are. */
  readonly files: number;
}

/** What became of a chunk. */
interface ChunkResult {
  /** Which one. */
  readonly chunk: number;
  /** What was found, in the order of the files. */
  readonly hits: readonly ContentHit[];
  /** Why it could not be searched; an error loses its class between threads, so its parts are kept. */
  readonly failure: {
    readonly code: KprovErrorCode;
    readonly message: string;
    readonly hint: string | null;
  } | null;
}

/** Files from one index up to another. */
interface Chunk {
  readonly start: number;
  readonly end: number;
}

/** What the threads that search run. */
export const SCAN_CODE: CrewCode<ScanWork, readonly ChunkResult[]> = {
  name: WORKER_NAME,
  url: new URL("./scan.ts", import.meta.url),
  start: () =>
    new Worker(new URL("./scan.ts", import.meta.url), { type: "module", name: WORKER_NAME }),
  doShare: scanShare,
};

/** Searches the contents of files on every core, where there are many and workers may be loaded. */
export class ParallelScan implements Disposable {
  readonly #crew: Crew<ScanWork, readonly ChunkResult[]>;

  /** @param code What its threads run */
  constructor(code: typeof SCAN_CODE = SCAN_CODE) {
    this.#crew = new Crew(code);
  }

  /**
   * Starts the threads that a number of files is worth, before it is known which files: a thread
   * takes as long to start as git's index to be read.
   *
   * @param files How many there will be, more or less
   */
  prepare(files: number): void {
    this.#crew.grow(countThreads(files) - 1);
  }

  /**
   * Searches.
   *
   * @param request Which files, and for what
   * @returns What was found, in the order of the files, whatever the number of threads
   * @throws {KprovError} Where a file cannot be read; of several, the first in order
   */
  async run({ paths, ...request }: ScanRequest): Promise<readonly ContentHit[]> {
    this.prepare(paths.length);
    const files = paths.length;
    const chunks = listChunks(files).length;
    const makeWork = (): ScanWork => ({
      ...makeSharedWork(chunks, this.#crew.workers + 1),
      ...request,
      files,
    });
    try {
      return joinShares(await this.#crew.work(makeWork(), paths));
    } catch (error) {
      if (!(error instanceof BrokenWorker)) throw error;
      // A thread died with files that it had taken: the work is done here, from the start.
      const nameAt = (index: number): string => paths[index]!;
      return joinShares([scanShare(makeWork(), { thread: 0, nameAt })]);
    }
  }

  /** Ends the threads. */
  [Symbol.dispose](): void {
    this.#crew[Symbol.dispose]();
  }
}

function countThreads(files: number): number {
  return files < WORTH_A_WORKER ? 1 : Math.min(navigator.hardwareConcurrency, MOST_THREADS);
}

function joinShares(shares: readonly (readonly ChunkResult[])[]): readonly ContentHit[] {
  const results = shares.flat().sort((a, b) => a.chunk - b.chunk);
  const failure = results.find((result) => result.failure !== null)?.failure;
  if (failure) {
    throw new KprovError(failure.code, failure.message, { hint: failure.hint ?? undefined });
  }
  return results.flatMap(({ hits }) => hits);
}

/** The chunks that threads take, the same on each of them. */
function listChunks(files: number): readonly Chunk[] {
  const chunks: Chunk[] = [];
  for (let start = 0; start < files;) {
    const end = Math.min(files, start + Math.max(FEWEST, Math.ceil((files - start) / PART)));
    chunks.push({ start, end });
    start = end;
  }
  return chunks;
}

/** Searches chunks of files, on this thread, until none is left. */
function scanShare(work: ScanWork, { thread, nameAt }: Help): readonly ChunkResult[] {
  const paths = Array.from({ length: work.files }, (_, i) => nameAt(i));
  const chunks = listChunks(paths.length);
  const scanChunk = prepareScan(work, paths);
  const results: ChunkResult[] = [];
  for (let i = takeNext(work, thread); i >= 0; i = takeNext(work, thread)) {
    try {
      results.push({ chunk: i, hits: scanChunk(chunks[i]!), failure: null });
    } catch (error) {
      if (!(error instanceof KprovError)) throw error;
      const { code, message, hint } = error;
      results.push({ chunk: i, hits: [], failure: { code, message, hint } });
      stopBehind(work, i);
    }
  }
  return results;
}

function prepareScan(
  { root, policy, markers, areDirectoriesHeld }: ScanWork,
  paths: readonly string[],
): (chunk: Chunk) => ContentHit[] {
  const base = join(root, "/");
  const listings = new DirectoryListings(base, paths);
  let path = "";
  let hits: ContentHit[] = [];
  const scanner = createContentScanner(policy, markers);
  const use = takeHits(scanner, () => path, (found) => addAll(hits, found));
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

answerAs(WORKER_NAME, scanShare);
