import { isPermitted } from "./permissions.ts";
import {
  type Answer,
  CURRENT,
  type Help,
  LIMIT,
  NAMES_IN_BLOCK,
  NOT_BEGUN,
  type SharedNames,
  type SharedWork,
  type Task,
} from "./shared_work.js";

/** What a worker thread runs: one module that answers every message with a message. */
export interface WorkerCode {
  /** What the worker is called, by which its module knows that it is one. */
  readonly name: string;
  /** Where the module is. */
  readonly url: URL;
  /**
   * Starts it. The call `new Worker(new URL("./x.ts", import.meta.url))` stands where the module is
   * known, because that is the form in which `deno compile` finds what it has to take along.
   */
  readonly start: () => Worker;
  /** The same code as one text that imports only built-in modules, where it can be had so. */
  readonly script?: string;
}

/** What the threads of a crew do, each until nothing is left to take. */
export interface CrewCode<Work, Share> extends WorkerCode {
  /** A thread's share of the work. */
  readonly doShare: (work: Work, help: Help) => Share;
}

/** How a crew works. */
interface CrewOptions {
  /** Called again and again while it goes on. */
  readonly onTick?: () => void;
  /** Rejects where the work is to end at once; the main thread then leaves it to the workers. */
  readonly stopped?: Promise<never> | undefined;
}

/** A worker, with what it was given last. */
interface Member<Work extends SharedWork, Share> {
  readonly thread: WorkerThread<Task<Work>, Answer<Share>>;
  readonly number: number;
  /** What it answers; null where it died instead. */
  answer: Promise<Answer<Share> | null>;
}

/** How often it is looked how far the workers are, while the main thread waits for them. */
const TICK_MS = 100;

/**
 * The threads that share work on files: the main one, and workers where they pay. Where none can be
 * started, the main thread does it all.
 */
export class Crew<Work extends SharedWork, Share> implements Disposable {
  readonly #code: CrewCode<Work, Share>;
  readonly #members: Member<Work, Share>[] = [];
  #shared: { readonly of: readonly string[]; readonly names: SharedNames } | null = null;

  constructor(code: CrewCode<Work, Share>) {
    this.#code = code;
  }

  /** How many workers there are. */
  get workers(): number {
    return this.#members.length;
  }

  /** Starts workers until there are as many; there will be fewer where none can be started. */
  grow(workers: number): void {
    while (this.#members.length < workers) {
      const thread = startWorkerThread<Task<Work>, Answer<Share>>(this.#code);
      if (thread === null) return;
      const number = this.#members.length + 1;
      this.#members.push({ thread, number, answer: Promise.resolve(null) });
    }
  }

  /**
   * Does work, made for at least as many threads as there are, on every thread. Gives the share of
   * each that took part, in no order. Throws {@linkcode BrokenWorker} where a worker broke over a
   * piece that it had taken, and what `stopped` rejects with.
   */
  async work(work: Work, names: readonly string[], options: CrewOptions = {}): Promise<Share[]> {
    const { onTick, stopped } = options;
    for (const member of this.#members) {
      const { thread, number } = member;
      member.answer = thread.ask({ work, names: this.#share(names), thread: number });
    }
    if (stopped !== undefined) await waitFor(this.#members, onTick, stopped);
    const nameAt = (index: number): string => names[index] ?? "";
    const own = this.#code.doShare(work, { thread: 0, nameAt, ...(onTick && { onTick }) });
    // No turn is left: a worker that has not begun, or never will, gets none, and nobody waits for it.
    const begun = this.#members.filter(({ number }) => lookUp(work, number) !== NOT_BEGUN);
    const answers = await waitFor(begun, onTick);
    return [own, ...answers.map((answer, i) => takeShare(answer, lookUp(work, begun[i]!.number)))];
  }

  /** Names are put into shared memory once, and only where there is a worker to read them. */
  #share(names: readonly string[]): SharedNames {
    if (this.#shared?.of !== names) this.#shared = { of: names, names: shareNames(names) };
    return this.#shared.names;
  }

  /** Ends the workers. */
  [Symbol.dispose](): void {
    for (const { thread } of this.#members) thread[Symbol.dispose]();
  }
}

/** A worker broke, which is a fault in kprov or a lack of memory, and no fault of a file. */
export class BrokenWorker extends Error {
  /** What it was working on, or a negative number where it was between two pieces. */
  readonly piece: number;

  constructor(piece: number, reason: string) {
    super(reason);
    this.piece = piece;
  }
}

/** Makes what threads share of work, before any of it is done. */
export function makeSharedWork(pieces: number, threads: number): SharedWork {
  return { turns: pieces, order: null, control: makeControl(threads, pieces) };
}

/**
 * Makes the same for pieces that were left for later, in the order in which they are worked on.
 * Turns are counted anew, because a worker may come to the first work only now.
 */
export function makeLaterWork({ control }: SharedWork, pieces: readonly number[]): SharedWork {
  const order = new Uint32Array(new SharedArrayBuffer(4 * pieces.length));
  order.set(pieces);
  const limit = Atomics.load(control, LIMIT);
  return { turns: pieces.length, order, control: makeControl(control.length - CURRENT, limit) };
}

function makeControl(threads: number, limit: number): Int32Array {
  const control = new Int32Array(new SharedArrayBuffer(4 * (CURRENT + threads)));
  control.fill(NOT_BEGUN, CURRENT);
  control[LIMIT] = limit;
  return control;
}

function shareNames(names: readonly string[]): SharedNames {
  // Memory that nobody touches costs nothing, so there is room for the longest form of every name.
  const most = names.reduce((sum, name) => sum + 3 * name.length + 1, 0);
  const bytes = new Uint8Array(new SharedArrayBuffer(most));
  const blocks = Math.ceil(names.length / NAMES_IN_BLOCK);
  const blockEnds = new Float64Array(new SharedArrayBuffer(8 * blocks));
  const encoder = new TextEncoder();
  let end = 0;
  for (let block = 0; block < blocks; block++) {
    const start = block * NAMES_IN_BLOCK;
    const text = names.slice(start, start + NAMES_IN_BLOCK).join("\0");
    end += encoder.encodeInto(text, bytes.subarray(end)).written;
    blockEnds[block] = end;
  }
  return { bytes, blockEnds };
}

function lookUp({ control }: SharedWork, thread: number): number {
  return Atomics.load(control, CURRENT + thread);
}

function takeShare<Share>(answer: Answer<Share> | null, piece: number): Share {
  if (answer === null) throw new BrokenWorker(piece, "it died");
  if (answer.failure !== null) throw new BrokenWorker(piece, answer.failure);
  return answer.share;
}

async function waitFor<Work extends SharedWork, Share>(
  members: readonly Member<Work, Share>[],
  onTick: (() => void) | undefined,
  stopped?: Promise<never>,
): Promise<(Answer<Share> | null)[]> {
  const timer = onTick && setInterval(onTick, TICK_MS);
  try {
    const answers = Promise.all(members.map(({ answer }) => answer));
    return await (stopped === undefined ? answers : Promise.race([answers, stopped]));
  } finally {
    clearInterval(timer);
  }
}

/** A worker thread. It ends when it is disposed of, or with the process. */
interface WorkerThread<Task, Answer> extends Disposable {
  /**
   * Gives it a task that can be cloned; it does one after another, in order. The answer is null
   * where it died, or could not be loaded, instead of answering.
   */
  readonly ask: (task: Task) => Promise<Answer | null>;
}

/**
 * Starts a worker thread, null where none can be started, in the way that needs the least
 * permission: Deno loads a worker's module at run time, for which a narrow `--allow-read` does not
 * serve; a text needs none. A compiled binary knows its workers and takes no text.
 */
export function startWorkerThread<Task, Answer>(
  code: WorkerCode,
): WorkerThread<Task, Answer> | null {
  const worker = startWorker(code);
  if (worker === null) return null;
  const waiting: ((answer: Answer | null) => void)[] = [];
  let isDead = false;
  worker.onmessage = ({ data }: MessageEvent<Answer>) => waiting.shift()?.(data);
  worker.onerror = (event) => {
    event.preventDefault();
    isDead = true;
    for (const answer of waiting.splice(0)) answer(null);
  };
  return {
    ask: (task) => {
      if (isDead) return Promise.resolve(null);
      const { promise, resolve } = Promise.withResolvers<Answer | null>();
      waiting.push(resolve);
      worker.postMessage(task);
      return promise;
    },
    [Symbol.dispose]: () => worker.terminate(),
  };
}

function startWorker({ name, url, start, script }: WorkerCode): Worker | null {
  try {
    if (script !== undefined && !Deno.build.standalone) return startScript(script, name);
    return canLoad(url) ? start() : null;
  } catch {
    return null;
  }
}

function startScript(script: string, name: string): Worker {
  // The address stays valid: the worker loads it later, and it is one for each process.
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  return new Worker(url, { type: "module", name });
}

function canLoad(url: URL): boolean {
  if (url.protocol !== "file:" || Deno.build.standalone) return true;
  const path = decodeURIComponent(url.pathname);
  return isPermitted("read", Deno.build.os === "windows" ? path.slice(1) : path);
}
