import read from "../regular_file.js" with { type: "text" };
import { startWorkerThread, type WorkerCode, type WorkerThread } from "../worker.ts";
import file from "./digest_file.js" with { type: "text" };
import share from "./digest_share.js" with { type: "text" };
import { CURRENT, digestShare, NOT_BEGUN } from "./digest_share.js";
import type { DigestAnswer, DigestJob, DigestTask, FaultyFile } from "./job.ts";

/**
 * The worker that digests files, as a text that imports nothing but built-in modules. Its types are
 * checked where it stands as modules and not again for every worker, so what names their module,
 * which Deno 2.8 would look for beside the text, is not part of it.
 */
export const DIGEST_SCRIPT: string = [
  "// @ts-nocheck",
  ...[read, file, share].map((text) =>
    text.replace(/^(?:\/\/ @ts-check|import [^;]*"\.\.?\/[^"]*";|\/\*\* @import .*)$/gm, "")
  ),
  "globalThis.onmessage = answerTask;\n",
].join("\n");

/** How often it is looked how far the workers are, while the main thread waits for them. */
const TICK_MS = 100;

/** The worker that digests files. */
export const DIGEST_WORKER: WorkerCode = {
  url: new URL("./digest_worker.ts", import.meta.url),
  start: () => new Worker(new URL("./digest_worker.ts", import.meta.url), { type: "module" }),
  script: DIGEST_SCRIPT,
};

/** The main thread's part of a job. */
interface MainPart {
  /** How a file is called. */
  readonly nameAt: (index: number) => string;
  /** Called again and again while it goes on. */
  readonly onTick: () => void;
  /** Rejects where the work is to end at once; the main thread then leaves it to the workers. */
  readonly stopped?: Promise<never> | undefined;
}

/** A worker, with what it has answered so far. */
interface Member {
  readonly thread: WorkerThread<DigestTask, DigestAnswer>;
  readonly number: number;
  readonly faults: FaultyFile[];
  failure: string | null;
  /** Settles when it has answered what it was given last. */
  idle: Promise<void>;
}

/** The threads that share the reading of files: the main one, and workers where they pay. */
export class DigestCrew implements Disposable {
  readonly #code: WorkerCode;
  readonly #members: Member[] = [];

  /**
   * Makes a crew of the main thread alone.
   *
   * @param code What a worker runs
   */
  constructor(code: WorkerCode) {
    this.#code = code;
  }

  /** How many workers there are. */
  get workers(): number {
    return this.#members.length;
  }

  /**
   * Starts workers until there are as many.
   *
   * @param workers How many; there will be fewer where none can be started
   */
  grow(workers: number): void {
    while (this.#members.length < workers) {
      const thread = startWorkerThread<DigestTask, DigestAnswer>(this.#code);
      if (thread === null) return;
      const number = this.#members.length + 1;
      this.#members.push({ thread, number, faults: [], failure: null, idle: Promise.resolve() });
    }
  }

  /**
   * Does a job on every thread.
   *
   * @param job The job
   * @param part The main thread's part of it
   * @returns The files that could not be digested, in no order
   * @throws {BrokenWorker} Where a worker died over a file
   * @throws What `part.stopped` rejects with
   */
  async work(job: DigestJob, part: MainPart): Promise<FaultyFile[]> {
    for (const member of this.#members) {
      member.idle = give(member, { job, thread: member.number });
    }
    if (part.stopped !== undefined) {
      await waitFor(this.#members, part.onTick, part.stopped);
    }
    const faults = digestShare({ job, thread: 0 }, part);
    // No turn is left: a worker that has not begun, or never will, gets none, and nobody waits for it.
    const begun = this.#members.filter(({ number }) => lookUp(job, number) !== NOT_BEGUN);
    await waitFor(begun, part.onTick);
    for (const { number, failure } of begun) {
      if (failure !== null) throw new BrokenWorker(lookUp(job, number), failure);
    }
    return [faults, ...begun.map((member) => member.faults.splice(0))].flat();
  }

  /** Ends the workers. */
  [Symbol.dispose](): void {
    for (const { thread } of this.#members) thread[Symbol.dispose]();
  }
}

/** A worker broke, which is a fault in kprov or a lack of memory, and no fault of a file. */
export class BrokenWorker extends Error {
  /** The file that it was reading, or a negative number where it was between two. */
  readonly index: number;

  /**
   * Makes one.
   *
   * @param index The file
   * @param reason What broke it
   */
  constructor(index: number, reason: string) {
    super(reason);
    this.index = index;
  }
}

function lookUp(job: DigestJob, number: number): number {
  return Atomics.load(job.control, CURRENT + number);
}

async function give(member: Member, task: DigestTask): Promise<void> {
  const answer = await member.thread.ask(task);
  member.failure ??= answer === null ? "it died" : answer.failure;
  for (const fault of answer?.faults ?? []) member.faults.push(fault);
}

async function waitFor(
  members: readonly Member[],
  onTick: () => void,
  stopped?: Promise<never>,
): Promise<void> {
  const timer = setInterval(onTick, TICK_MS);
  try {
    const idle = Promise.all(members.map((member) => member.idle));
    await (stopped === undefined ? idle : Promise.race([idle, stopped]));
  } finally {
    clearInterval(timer);
  }
}
