/**
 * The worker that searches the contents of tracked files: it gets one task, answers with what it
 * found or with the error that stopped it, and is ended by the one who started it.
 *
 * @module
 */
import type { ContentHit } from "../guards/facts.ts";
import { KprovError, type KprovErrorCode } from "../kprov_error.ts";
import { scanContents, type ScanTask } from "./scan_contents.ts";

/** What a worker answers. */
export type ScanAnswer =
  | { readonly ok: true; readonly hits: readonly ContentHit[] }
  | {
    readonly ok: false;
    readonly code: KprovErrorCode;
    readonly message: string;
    readonly hint: string | null;
  };

/** The worker's own scope, which the compiler's settings for programs do not describe. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<ScanTask>) => void) | null;
  postMessage: (answer: ScanAnswer) => void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = ({ data }) => {
  try {
    scope.postMessage({ ok: true, hits: scanContents(data) });
  } catch (error) {
    // An error loses its class on the way, so its parts are sent.
    const { code, message, hint } = error instanceof KprovError
      ? error
      : new KprovError("fault", `kprov failed in a worker: ${String(error)}`);
    scope.postMessage({ ok: false, code, message, hint });
  }
};
