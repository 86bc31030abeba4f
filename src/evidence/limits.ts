import { KprovError } from "../kprov_error.ts";

/** How large a document may be. */
export interface DocumentLimits {
  /** Most bytes. */
  readonly maxBytes: number;
  /** Most characters outside of the lists of files, which are read item by item. */
  readonly maxOutline: number;
  /** Deepest nesting of objects and arrays. */
  readonly maxDepth: number;
}

/** How large provenance.json may be, whether it is written or read. */
export const PROVENANCE_LIMITS: DocumentLimits = {
  maxBytes: 2 * 2 ** 30,
  maxOutline: 16 * 2 ** 20,
  maxDepth: 16,
};

/** Most inputs of a run, and most products: what fits into the memory that a process is given. */
export const MOST_FILES = 2_000_000;

/** Longest text of one item in a list of files; the longest path of a system takes a fraction. */
export const LONGEST_ITEM = 2 ** 20;

/** What to do about a run that is too large. */
export const SHARD_HINT = "record the inputs in several runs, with --shard I/N";

/**
 * Refuses a run of more files than are supported.
 *
 * @param count How many
 * @param what What they are
 * @throws {KprovError} `data`
 */
export function checkFileCount(count: number, what: "inputs" | "products"): void {
  if (count <= MOST_FILES) return;
  throw new KprovError(
    "data",
    `Cannot record ${count} ${what}: a run holds at most ${MOST_FILES}`,
    { hint: SHARD_HINT },
  );
}
