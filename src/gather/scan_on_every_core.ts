import type { ContentHit } from "../guards/facts.ts";
import { KprovError } from "../kprov_error.ts";
import { startWorkerThread, type WorkerCode } from "../system/worker_thread.ts";
import { scanContents, type ScanTask } from "./scan_contents.ts";
import type { ScanAnswer } from "./scan_worker.ts";

/** From this many files on, a second thread saves more than its start costs. */
const WORTH_A_WORKER = 5000;

/** More threads than this wait for the disk. */
const MOST_THREADS = 8;

/**
 * Searches the contents of files on every core, where there are many and workers may be loaded.
 *
 * @param task Which files, and for what
 * @returns What was found, in the order of the files, whatever the number of threads
 * @throws {KprovError} Where a file cannot be read; of several, the first in order
 */
export async function scanOnEveryCore(task: ScanTask): Promise<readonly ContentHit[]> {
  const threads = countThreads(task.entries.length);
  const size = Math.ceil(task.entries.length / threads);
  const shares = Array.from({ length: threads }, (_, i) => ({
    ...task,
    entries: task.entries.slice(i * size, (i + 1) * size),
  }));
  const [own, ...others] = shares;
  // The workers start first; this thread is busy until its own share is done.
  const answers = others.map(scanInWorker);
  const answer = own === undefined ? { ok: true, hits: [] } as const : answerHere(own);
  return [answer, ...await Promise.all(answers)].flatMap(takeHits);
}

function countThreads(files: number): number {
  return files < WORTH_A_WORKER ? 1 : Math.min(navigator.hardwareConcurrency, MOST_THREADS);
}

/**
 * Nobody calls it. From JSR, Deno fetches before the start what an import names and nothing that only
 * `new Worker` names, which would be fetched, or not be had, in the middle of the work.
 */
export function nameWorkerModule(): Promise<unknown> {
  return import("./scan_worker.ts");
}

const WORKER: WorkerCode = {
  url: new URL("./scan_worker.ts", import.meta.url),
  start: () => new Worker(new URL("./scan_worker.ts", import.meta.url), { type: "module" }),
};

async function scanInWorker(task: ScanTask): Promise<ScanAnswer> {
  using thread = startWorkerThread<ScanTask, ScanAnswer>(WORKER);
  // Where no worker can be had, the work is done here.
  return await thread?.ask(task) ?? answerHere(task);
}

function answerHere(task: ScanTask): ScanAnswer {
  try {
    return { ok: true, hits: scanContents(task) };
  } catch (error) {
    if (!(error instanceof KprovError)) throw error;
    return { ok: false, code: error.code, message: error.message, hint: error.hint };
  }
}

function takeHits(answer: ScanAnswer): readonly ContentHit[] {
  if (answer.ok) return answer.hits;
  throw new KprovError(answer.code, answer.message, { hint: answer.hint ?? undefined });
}
