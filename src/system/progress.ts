/** How far some work on files is. */
export interface WorkDone {
  /** The files that are done. */
  readonly files: number;
  /** All files. */
  readonly totalFiles: number;
  /** The bytes that are read. */
  readonly bytes: number;
  /** All bytes, where it is known how many. */
  readonly totalBytes: number | null;
  /** Whether files were left for later that take longer than those that are read now. */
  readonly isMoreAhead: boolean;
}

/** What is told how far the work is, again and again. */
export interface Progress {
  /**
   * Tells it.
   *
   * @param describe Says how far the work is; called only where that is shown
   */
  readonly tick: (describe: () => WorkDone) => void;
  /** Ends what is shown: the work is done, or failed. */
  readonly end: () => void;
}

/** How much of the machine reading may take, and who is told how far it is. */
export interface Effort {
  /** The most threads that read. */
  readonly jobs: number;
  /** Who is told; null where nobody looks. */
  readonly progress: Progress | null;
}

/** One thread, and nobody looks. */
export const LEAST_EFFORT: Effort = { jobs: 1, progress: null };
