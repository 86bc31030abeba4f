import { createContentScanner } from "../guards/content/content_scanner.ts";
import type { ContentHit, TrackedEntry } from "../guards/facts.ts";
import type { Policy } from "../guards/policy.ts";
import { readTracked } from "./tracked_content.ts";

/** Files whose contents are to be searched. */
export interface ScanTask {
  /** The repository, absolute. */
  readonly root: string;
  /** Whose identity section says what is searched for. */
  readonly policy: Policy;
  /** The files and links. */
  readonly entries: readonly TrackedEntry[];
}

/**
 * Searches the contents of files, on this thread.
 *
 * @param task Which files, and for what
 * @returns What was found, in the order of the files
 * @throws {KprovError} Where a file cannot be read
 */
export function scanContents({ root, policy, entries }: ScanTask): ContentHit[] {
  const scanner = createContentScanner(policy);
  const hits: ContentHit[] = [];
  for (const entry of entries) {
    readTracked(root, entry, {
      isKept: false,
      scan: (bytes) => addAll(hits, scanner.scan(entry.path, bytes)),
      scanPieces: (pieces) => {
        const scan = scanner.scanFile(entry.path);
        for (const piece of pieces) scan.push(piece);
        addAll(hits, scan.end());
      },
    });
  }
  return hits;
}

function addAll(hits: ContentHit[], found: readonly ContentHit[]): void {
  for (const hit of found) hits.push(hit);
}
