import { compareUtf8 } from "../../compare_utf8.ts";
import type { TrackedEntry, TrackedKind } from "../../guards/facts.ts";
import { KprovError } from "../../kprov_error.ts";
import { quote } from "../../quote.ts";
import { checkTrackedPath } from "./tracked_path.ts";

/** One entry of an index file. */
export interface IndexEntry {
  /** The path; empty where a split index replaces an entry of its base. */
  readonly path: string;
  /** What git tracks there. A directory stands for everything in it. */
  readonly kind: TrackedKind | "directory";
  /** 0, or the stage of a conflict: 1 base, 2 ours, 3 theirs. */
  readonly stage: number;
}

/**
 * Holds the entries of a whole index against what git writes: good paths, in the order of their
 * bytes and then of their stages, each path either merged or in conflict.
 *
 * @param entries The entries, in the order of the file
 * @throws {KprovError} `data` on the first that differs
 */
export function checkEntries(entries: readonly IndexEntry[]): void {
  let previous: IndexEntry | null = null;
  for (const entry of entries) {
    if (entry.kind === "directory") throw refuseDirectory(entry);
    checkTrackedPath(entry.path);
    if (previous !== null) checkOrder(previous, entry);
    previous = entry;
  }
}

function refuseDirectory(entry: IndexEntry): KprovError {
  return new KprovError(
    "data",
    `it is a sparse index with collapsed directories, such as ${quote(entry.path)}; ` +
      "git sparse-checkout reapply --no-sparse-index expands it",
  );
}

function checkOrder(previous: IndexEntry, entry: IndexEntry): void {
  const order = compareUtf8(previous.path, entry.path);
  if (order < 0) return;
  if (order > 0) {
    throw new KprovError("data", `the path ${quote(entry.path)} is out of order`);
  }
  if (previous.stage === 0 || previous.stage >= entry.stage) {
    throw new KprovError(
      "data",
      `the path ${quote(entry.path)} has stages that exclude each other`,
    );
  }
}

/**
 * Makes the list of what git tracks below a directory.
 *
 * @param entries The checked entries of a whole index
 * @param prefix The directory, with a `/` at its end, or empty for all
 * @returns Each path once, relative to the directory
 */
export function toTrackedEntries(entries: readonly IndexEntry[], prefix: string): TrackedEntry[] {
  const tracked: TrackedEntry[] = [];
  let previous: string | null = null;
  for (const { path, kind } of entries) {
    if (path === previous || kind === "directory" || !path.startsWith(prefix)) continue;
    tracked.push({ path: path.slice(prefix.length), kind });
    previous = path;
  }
  return tracked;
}
