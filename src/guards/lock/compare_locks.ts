import { compareUtf8 } from "../../compare_utf8.ts";
import type { LockedFile } from "../governance_lock.ts";

/** What became of a governed file since a lock was taken. */
export interface GovernedChange {
  /** The file. */
  readonly path: string;
  /** What became of it. */
  readonly change: "added" | "removed" | "changed";
}

/**
 * Lists how governed files differ from those of a lock.
 *
 * @param locked The files of the lock
 * @param current The files that are there
 * @returns Sorted by path
 */
export function compareLockedFiles(
  locked: readonly LockedFile[],
  current: readonly LockedFile[],
): GovernedChange[] {
  const before = toMap(locked);
  const after = toMap(current);
  return [...new Set([...before.keys(), ...after.keys()])].sort(compareUtf8).flatMap((path) => {
    const change = describeChange(before.get(path), after.get(path));
    return change === null ? [] : [{ path, change }];
  });
}

function toMap(files: readonly LockedFile[]): Map<string, string> {
  return new Map(files.map(({ path, sha256 }) => [path, sha256]));
}

function describeChange(
  before: string | undefined,
  after: string | undefined,
): GovernedChange["change"] | null {
  if (before === after) return null;
  if (before === undefined) return "added";
  return after === undefined ? "removed" : "changed";
}
