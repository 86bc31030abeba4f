import type { GovernanceLock, LockedFile } from "../governance_lock.ts";

/** A governed file whose content could not be taken exactly. */
export interface UnreadableGoverned {
  /** The file. */
  readonly path: string;
  /** Why, without a final period, already safe to show. */
  readonly reason: string;
}

/** A lock as it was found. */
export type LockReading =
  | { readonly state: "missing" }
  | {
    readonly state: "invalid";
    /** Why it cannot be used, without a final period, already safe to show. */
    readonly reason: string;
  }
  | { readonly state: "read"; readonly lock: GovernanceLock };

/** The project's version as its file has it, or why it has none. */
export type VersionReading = string | {
  /** Without a final period, already safe to show. */
  readonly fault: string;
};

/** What the lock guard knows of a repository. */
export interface GovernanceFacts {
  /** Every governed file that is there, with the digest of its bytes. */
  readonly files: readonly LockedFile[];
  /** The governed files that are there and could not be read exactly. */
  readonly unreadable: readonly UnreadableGoverned[];
  /** The lock of the working tree. */
  readonly lock: LockReading;
  /** The lock as the base branch has it; null where none was given. */
  readonly baseLock: LockReading | null;
  /** The project's version. */
  readonly version: VersionReading;
}
