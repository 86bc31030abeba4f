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

/** Receives the progress of the work. */
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

/** How much of the machine reading may take, and who receives the progress. */
export interface Effort {
  /** The most threads that read. */
  readonly jobs: number;
  /** Gets the progress; null where nobody watches. */
  readonly progress: Progress | null;
  /**
   * Rejects where the reading is to end at once. Workers do all of it then, where there are any, so
   * that the main thread is free to hear of that.
   */
  readonly stopped?: Promise<never>;
}

/** How many documents there are, and how large they are together, where that is known. */
export interface DocumentTotals {
  /** Their number. */
  readonly documents: number;
  /** Their bytes, or null. */
  readonly bytes: number | null;
}

/** Tells how far the reading or writing of documents is, one after another, until it is disposed of. */
export class DocumentMeter implements Disposable {
  readonly #progress: Progress | null;
  readonly #totals: DocumentTotals;
  #documents = 0;
  #bytes = 0;

  /**
   * Begins.
   *
   * @param progress Gets the progress; null where nobody watches
   * @param totals What there is to do
   */
  constructor(progress: Progress | null, totals: DocumentTotals) {
    this.#progress = progress;
    this.#totals = totals;
  }

  /**
   * Counts a part of a document.
   *
   * @param bytes Its length
   */
  add(bytes: number): void {
    this.#bytes += bytes;
    this.#progress?.tick(() => ({
      files: this.#documents,
      totalFiles: this.#totals.documents,
      bytes: this.#bytes,
      totalBytes: this.#totals.bytes,
      isMoreAhead: true,
    }));
  }

  /** Counts a document that is done. */
  endDocument(): void {
    this.#documents++;
  }

  /** Ends what is shown. */
  [Symbol.dispose](): void {
    this.#progress?.end();
  }
}
