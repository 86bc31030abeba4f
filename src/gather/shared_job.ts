import type { WorkDone } from "../system/progress.ts";
import type { DigestJob } from "./digest_job.ts";
import {
  CURRENT,
  DONE_BYTES,
  DONE_FILES,
  DONE_LARGE,
  DONE_LENGTH,
  LIMIT,
  NAMES_IN_BLOCK,
  NOT_BEGUN,
  STATE_LARGE,
} from "./digest_share.js";

/** Files larger than this are handed out last, by their size. */
const LARGE = 64 * 2 ** 10;

/**
 * Lays out a job in memory that threads can share.
 *
 * @param directory The directory that the names are relative to, absolute
 * @param files How many files there are
 * @param options For how many threads, and whether nothing that comes behind a fault matters
 */
export function makeJob(
  directory: string,
  files: number,
  { threads, stopsAtFault }: { readonly threads: number; readonly stopsAtFault: boolean },
): DigestJob {
  return {
    prefix: /[\\/]$/.test(directory) ? directory : `${directory}/`,
    names: new Uint8Array(),
    nameBlockEnds: new Float64Array(),
    order: null,
    turns: files,
    // One thread reads everything in order: it has nothing to share out.
    largest: threads > 1 ? LARGE : Infinity,
    stopsAtFault,
    control: makeControl(threads, files),
    done: new Float64Array(new SharedArrayBuffer(8 * DONE_LENGTH * threads)),
    states: new Uint8Array(new SharedArrayBuffer(files)),
    sizes: new Float64Array(new SharedArrayBuffer(8 * files)),
    digests: new Uint8Array(new SharedArrayBuffer(64 * files)),
  };
}

function makeControl(threads: number, limit: number): Int32Array {
  const control = new Int32Array(new SharedArrayBuffer(4 * (CURRENT + threads)));
  control.fill(NOT_BEGUN, CURRENT);
  control[LIMIT] = limit;
  return control;
}

/**
 * Puts the names of files where other threads can read them.
 *
 * @param names The names, in order
 */
export function shareNames(names: readonly string[]): Pick<DigestJob, "names" | "nameBlockEnds"> {
  // Memory that nobody touches costs nothing, so there is room for the longest form of every name.
  const most = names.reduce((sum, name) => sum + 3 * name.length + 1, 0);
  const bytes = new Uint8Array(new SharedArrayBuffer(most));
  const blocks = Math.ceil(names.length / NAMES_IN_BLOCK);
  const ends = new Float64Array(new SharedArrayBuffer(8 * blocks));
  const encoder = new TextEncoder();
  let end = 0;
  for (let block = 0; block < blocks; block++) {
    const start = block * NAMES_IN_BLOCK;
    const text = names.slice(start, start + NAMES_IN_BLOCK).join("\0");
    end += encoder.encodeInto(text, bytes.subarray(end)).written;
    ends[block] = end;
  }
  return { names: bytes, nameBlockEnds: ends };
}

/**
 * Makes the job for the files that were left for later. It counts turns of its own, because a worker
 * may come to the first job only now.
 *
 * @param first The first job
 * @param order The files, in the order in which they are to be read
 */
export function makeSecondJob(first: DigestJob, order: Uint32Array): DigestJob {
  const threads = first.control.length - CURRENT;
  return {
    ...first,
    order,
    turns: order.length,
    largest: Infinity,
    control: makeControl(threads, Atomics.load(first.control, LIMIT)),
  };
}

/**
 * Finds the files that were left for later.
 *
 * @param job A job that is done
 * @returns Their places, the largest first to the power of two
 */
export function orderLargeFiles({ states, sizes }: DigestJob): Uint32Array {
  const bySize = new Map<number, number[]>();
  for (const [index, state] of states.entries()) {
    if (state !== STATE_LARGE) continue;
    const magnitude = Math.floor(Math.log2(sizes[index] ?? 0));
    const others = bySize.get(magnitude);
    if (others === undefined) bySize.set(magnitude, [index]);
    else others.push(index);
  }
  const magnitudes = [...bySize.keys()].sort((a, b) => b - a);
  const order = magnitudes.flatMap((magnitude) => bySize.get(magnitude) ?? []);
  const shared = new Uint32Array(new SharedArrayBuffer(4 * order.length));
  shared.set(order);
  return shared;
}

/**
 * Says how far a job is.
 *
 * @param job The job
 * @param totalBytes All bytes, where it is known how many
 */
export function describeWork({ done, states }: DigestJob, totalBytes: number | null): WorkDone {
  const sum = (place: number): number =>
    done.reduce((total, n, i) => i % DONE_LENGTH === place ? total + n : total, 0);
  return {
    files: sum(DONE_FILES),
    totalFiles: states.length,
    bytes: sum(DONE_BYTES),
    totalBytes,
    isMoreAhead: totalBytes === null && sum(DONE_LARGE) > 0,
  };
}
