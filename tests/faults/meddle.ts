/** What is called around each look at a path, and each listing of a directory. */
export interface Meddler {
  /** Called before it. */
  readonly before?: (path: string) => void;
  /** Called after it, also where it failed. */
  readonly after?: (path: string) => void;
  /** Whether nothing waits for its time to come, so that many disturbed runs take little. */
  readonly isHasty?: boolean;
}

/**
 * Changes the world between the looks of a run in this process, where strace would take a process for
 * each change.
 *
 * @param meddler What is called
 * @param run What is disturbed; it must do all on this thread
 */
export async function meddle<T>(meddler: Meddler, run: () => Promise<T>): Promise<T> {
  const { lstatSync, statSync, readDirSync } = Deno;
  const wrap = <A extends string | URL, R>(call: (path: A) => R): (path: A) => R => (path) => {
    meddler.before?.(String(path));
    try {
      return call(path);
    } finally {
      meddler.after?.(String(path));
    }
  };
  Object.assign(Deno, {
    lstatSync: wrap(lstatSync),
    statSync: wrap(statSync),
    // The directory is listed at once, and not when the names are asked for.
    readDirSync: wrap((path: string | URL) => [...readDirSync(path)]),
  });
  const { setTimeout } = globalThis;
  if (meddler.isHasty) {
    Object.assign(globalThis, { setTimeout: (run: () => void) => setTimeout(run, 0) });
  }
  try {
    return await run();
  } finally {
    Object.assign(Deno, { lstatSync, statSync, readDirSync });
    Object.assign(globalThis, { setTimeout });
  }
}
