import { KprovError } from "../kprov_error.ts";
import type { Effort, WorkDone } from "../system/progress.ts";
import type { WorkerCode } from "../system/worker_thread.ts";
import { escapeText, quote } from "../quote.ts";
import { BrokenWorker, DIGEST_WORKER, DigestCrew } from "./digest_crew.ts";
import type { DigestFault, DigestJob, FaultyFile } from "./digest_job.ts";
import { describeWork, makeJob, makeSecondJob, orderLargeFiles, shareNames } from "./shared_job.ts";

/** From what amount of work on another thread is worth its start. */
export interface CrewPlan {
  /** As many small files. */
  readonly filesPerThread: number;
  /** As many bytes of large files. */
  readonly bytesPerThread: number;
  /** What a worker runs. */
  readonly worker: WorkerCode;
}

/** A worker takes about 20 ms to start, in which a thread reads 500 small files or 32 MB of a large one. */
const PLAN: CrewPlan = {
  filesPerThread: 2000,
  bytesPerThread: 64 * 2 ** 20,
  worker: DIGEST_WORKER,
};

/** The files to digest. */
export interface FileList {
  /** The directory that the names are relative to, absolute. */
  readonly directory: string;
  /** Their names, in POSIX form. */
  readonly names: readonly string[];
}

/** How files are digested. */
export interface DigestPlan extends Partial<CrewPlan> {
  /** How much of the machine it may take. */
  readonly effort: Effort;
  /** Whether nothing that comes behind a fault matters. */
  readonly stopsAtFault: boolean;
}

/** What came of digesting files. */
export interface DigestedFiles {
  /** The job with the digests. */
  readonly job: DigestJob;
  /** Why some files have none, by their places. */
  readonly faults: ReadonlyMap<number, DigestFault>;
}

/**
 * Digests files on as many threads as they are worth. Small files are handed out first, one by one in
 * their order, then large ones, the largest first: two large files go to two threads, whatever stands
 * between them.
 *
 * @param files The files
 * @param plan How
 * @throws {KprovError} `fault` where a worker broke
 */
export async function digestFiles(
  { directory, names }: FileList,
  { effort, stopsAtFault, ...changes }: DigestPlan,
): Promise<DigestedFiles> {
  const plan: CrewPlan = { ...PLAN, ...changes };
  const { stopped } = effort;
  // A main thread that must hear of a signal does not read, so that it takes one thread more.
  const fewest = stopped === undefined || names.length === 0 ? 0 : 1;
  const threads = Math.max(1, Math.min(effort.jobs, names.length)) + fewest;
  using crew = new DigestCrew(plan.worker);
  let job = makeJob(directory, names.length, { threads, stopsAtFault });
  const grow = (workers: number): void => {
    crew.grow(Math.min(threads - 1, Math.floor(workers) + fewest));
    if (crew.workers > 0 && job.names.length === 0) job = { ...job, ...shareNames(names) };
  };
  const work = async (totalBytes: number | null): Promise<FaultyFile[]> => {
    const describe = (): WorkDone => describeWork(job, totalBytes);
    const onTick = (): void => effort.progress?.tick(describe);
    return await crew.work(job, { nameAt: (index) => names[index] ?? "", onTick, stopped });
  };
  try {
    grow(names.length / plan.filesPerThread);
    const faults = await work(null);
    const large = orderLargeFiles(job);
    if (large.length > 0) {
      const bytes = large.reduce((sum, index) => sum + (job.sizes[index] ?? 0), 0);
      grow(Math.min(large.length - 1, bytes / plan.bytesPerThread));
      job = makeSecondJob(job, large);
      faults.push(...await work(job.sizes.reduce((sum, size) => sum + size, 0)));
    }
    return { job, faults: new Map(faults.map(({ index, fault }) => [index, fault])) };
  } catch (error) {
    throw error instanceof BrokenWorker ? describeBroken(error, names) : error;
  } finally {
    effort.progress?.end();
  }
}

function describeBroken({ index, message }: BrokenWorker, names: readonly string[]): KprovError {
  const name = names[index];
  const place = name === undefined ? "between two files" : `while it read ${quote(name)}`;
  return new KprovError("fault", `kprov failed in a worker ${place}: ${escapeText(message)}`, {
    hint: "--jobs 1 does without workers",
  });
}
