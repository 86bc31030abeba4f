import { isPermitted } from "./permissions.ts";

/** What a worker thread runs: one module that answers every message with a message. */
export interface WorkerCode {
  /** Where the module is. */
  readonly url: URL;
  /**
   * Starts it. The call `new Worker(new URL("../system/x.ts", import.meta.url))` stands where the module is
   * known, because that is the form in which `deno compile` finds what it has to take along.
   */
  readonly start: () => Worker;
  /** The same code as one text of JavaScript that imports nothing but built-in modules, where it can be had so. */
  readonly script?: string;
}

/** A worker thread. It ends when it is disposed of, or with the process. */
export interface WorkerThread<Task, Answer> extends Disposable {
  /**
   * Gives it a task. It does one after another, in the order in which they are given.
   *
   * @param task Anything that can be cloned
   * @returns Its answer; null where it died, or could not be loaded, instead of answering
   */
  readonly ask: (task: Task) => Promise<Answer | null>;
}

/**
 * Starts a worker thread, in the way that needs the least permission: Deno loads a worker's module at
 * run time, for which a narrow `--allow-read` does not serve; a text needs none. A compiled binary
 * knows its workers and takes no text.
 *
 * @param code What it runs
 * @returns The thread, or null where none can be started
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

function startWorker({ url, start, script }: WorkerCode): Worker | null {
  try {
    if (script !== undefined && !Deno.build.standalone) return startScript(script);
    return canLoad(url) ? start() : null;
  } catch {
    return null;
  }
}

function startScript(script: string): Worker {
  // The address stays valid: the worker loads it later, and it is one for each process.
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  return new Worker(url, { type: "module" });
}

function canLoad(url: URL): boolean {
  if (url.protocol !== "file:" || Deno.build.standalone) return true;
  const path = decodeURIComponent(url.pathname);
  return isPermitted("read", Deno.build.os === "windows" ? path.slice(1) : path);
}
