/**
 * The worker that searches the contents of tracked files beside the main thread: it gets a task,
 * answers with its share of the work, and is ended by the one who started it.
 *
 * @module
 */

import type { KprovErrorCode } from "../base/error.ts";
import { type ChunkHits, scanContents, type ScanTask } from "./scan.ts";

/** What a worker answers: its share; an error loses its class on the way, so its parts are sent. */
export interface ScanAnswer {
  /** How many files it took. */
  readonly files: number;
  /** What it found, where it found something. */
  readonly found: readonly ChunkHits[];
  /** Which files could not be searched, and why. */
  readonly failure: {
    readonly start: number;
    readonly code: KprovErrorCode;
    readonly message: string;
    readonly hint: string | null;
  } | null;
}

/** The worker's own scope, which the compiler's settings for programs do not describe. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<ScanTask>) => void) | null;
  postMessage: (answer: ScanAnswer) => void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = ({ data }) => {
  const { failure, ...share } = scanContents(data);
  if (failure === null) return scope.postMessage({ ...share, failure });
  const { start, error: { code, message, hint } } = failure;
  scope.postMessage({ ...share, failure: { start, code, message, hint } });
};
