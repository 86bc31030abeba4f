import { KprovError } from "../base/error.ts";
import type { ContentHit } from "../guards/guard.ts";
import type { Policy } from "../guards/policy.ts";
import { scanContents, type ScanShare, type ScanTask } from "./scan.ts";
import type { ScanAnswer } from "./scan_worker.ts";
import { startWorkerThread, type WorkerCode, type WorkerThread } from "./worker.ts";

/** From this many files on, a second thread saves more than its start costs. */
const WORTH_A_WORKER = 5000;

/** More threads than this wait for the disk. */
const MOST_THREADS = 8;

/** Which files are to be searched, and for what. */
export interface ScanRequest {
  /** The repository, absolute. */
  readonly root: string;
  /** Whose identity section says what is searched for. */
  readonly policy: Policy;
  /** The files and links, sorted. */
  readonly paths: readonly string[];
}

/** A thread beside this one. */
export type ScanThread = WorkerThread<ScanTask, ScanAnswer>;

const WORKER: WorkerCode = {
  url: new URL("./scan_worker.ts", import.meta.url),
  start: () => new Worker(new URL("./scan_worker.ts", import.meta.url), { type: "module" }),
};

function startScanThread(): ScanThread | null {
  return startWorkerThread(WORKER);
}

/**
 * Searches the contents of files on every core, where there are many and workers may be loaded. The
 * threads share the files out as they go, so that none waits for another.
 */
export class ParallelScan implements Disposable {
  readonly #start: () => ScanThread | null;
  #threads: readonly ScanThread[] | null = null;

  /** @param start Starts a thread, where one can be had */
  constructor(start: () => ScanThread | null = startScanThread) {
    this.#start = start;
  }

  /**
   * Starts the threads that a number of files is worth, before it is known which files: a thread
   * takes as long to start as git's index to be read.
   *
   * @param files How many there will be, more or less
   */
  prepare(files: number): void {
    this.#threads ??= Array.from(
      { length: countThreads(files) - 1 },
      this.#start,
    ).filter((thread) => thread !== null);
  }

  /**
   * Searches.
   *
   * @param request Which files, and for what
   * @returns What was found, in the order of the files, whatever the number of threads
   * @throws {KprovError} Where a file cannot be read; of several, the first in order
   */
  async run({ root, policy, paths }: ScanRequest): Promise<readonly ContentHit[]> {
    this.prepare(paths.length);
    const next = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const task = { root, policy, paths: paths.join("\0"), next };
    const answers = (this.#threads ?? []).map((thread) => thread.ask(task));
    // The threads are at work; this one is busy until nothing is left to take.
    const own = scanContents(task);
    const others = (await Promise.all(answers)).filter((answer) => answer !== null).map(toShare);
    if (isWhole([own, ...others], paths.length)) return joinShares([own, ...others]);
    // A thread died with files that it had taken: the work is done here, from the start.
    Atomics.store(next, 0, 0);
    return joinShares([scanContents(task)]);
  }

  /** Ends the threads. */
  [Symbol.dispose](): void {
    for (const thread of this.#threads ?? []) thread[Symbol.dispose]();
  }
}

function countThreads(files: number): number {
  return files < WORTH_A_WORKER ? 1 : Math.min(navigator.hardwareConcurrency, MOST_THREADS);
}

function toShare({ files, found, failure }: ScanAnswer): ScanShare {
  if (failure === null) return { files, found, failure };
  const { start, code, message, hint } = failure;
  return {
    files,
    found,
    failure: { start, error: new KprovError(code, message, { hint: hint ?? undefined }) },
  };
}

/** A failure stops all threads, so that not every file is searched then. */
function isWhole(shares: readonly ScanShare[], files: number): boolean {
  const searched = shares.reduce((sum, share) => sum + share.files, 0);
  return searched === files || shares.some(({ failure }) => failure !== null);
}

function joinShares(shares: readonly ScanShare[]): readonly ContentHit[] {
  const [failure] = shares.flatMap(({ failure }) => failure ?? [])
    .sort((a, b) => a.start - b.start);
  if (failure !== undefined) throw failure.error;
  return shares.flatMap(({ found }) => found).sort((a, b) => a.start - b.start)
    .flatMap(({ hits }) => hits);
}
