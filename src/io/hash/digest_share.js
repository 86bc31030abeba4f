// @ts-check
/**
 * Shares the digesting of files among threads. The main thread and every worker run this code, each
 * taking the next file from the memory that they share. It is JavaScript for the reason that
 * digest_file.js is.
 *
 * @module
 */

import { digestFile, PIECE } from "./digest_file.js";

/** @import { DigestAnswer, DigestJob, DigestOutcome, DigestTask, FaultyFile } from "./job.ts" */

/** What has come of a file, as `states` tells it: nothing yet, a digest of a file or of a link, ... */
export const STATE_FILE = 1, STATE_LINK = 2, STATE_LARGE = 3, STATE_FAULT = 4;

/** Where the next turn, the first faulty file, and the file that thread 0 reads stand in `control`. */
export const NEXT = 0, LIMIT = 1, CURRENT = 2;

/** In place of the file that a thread reads: it has not begun, is about to take one, found no more. */
export const NOT_BEGUN = -1, TAKING = -2, ENDED = -3;

/** Where a thread's files, bytes, and files left for later stand in its part of `done`. */
export const DONE_FILES = 0, DONE_BYTES = 1, DONE_LARGE = 2, DONE_LENGTH = 3;

/** So many names are encoded and decoded at once, which takes a fraction of what each takes alone. */
export const NAMES_IN_BLOCK = 256;

/**
 * Takes files of a job, one after another, until there are no more.
 *
 * @param {DigestTask} task The job, and which of its threads this is
 * @param {{ nameAt: (index: number) => string, onTick?: () => void }} help How a file is called, and
 * what is called again and again while it goes on
 * @returns {FaultyFile[]} The files that could not be digested
 */
export function digestShare({ job, thread }, { nameAt, onTick }) {
  const { control, order, turns } = job;
  const done = job.done.subarray(DONE_LENGTH * thread, DONE_LENGTH * (thread + 1));
  /** @type {FaultyFile[]} */
  const faults = [];
  const options = {
    largest: job.largest,
    /** @type {(bytes: number) => void} */
    onRead: (bytes) => {
      add(done, DONE_BYTES, bytes);
      onTick?.();
    },
  };
  for (;;) {
    // Whoever finds no turn left and then looks here knows whether this thread got one.
    Atomics.store(control, CURRENT + thread, TAKING);
    const turn = Atomics.add(control, NEXT, 1);
    if (turn >= turns) break;
    const index = order === null ? turn : order[turn] ?? 0;
    if (index > Atomics.load(control, LIMIT)) continue;
    Atomics.store(control, CURRENT + thread, index);
    const outcome = digestFile(job.prefix + nameAt(index), options);
    writeOutcome(job, index, outcome);
    add(done, outcome.state === "large" ? DONE_LARGE : DONE_FILES, 1);
    if (outcome.state === "fault") {
      faults.push({ index, fault: outcome });
      if (job.stopsAtFault) lowerLimit(control, index);
    } else if (outcome.state === "file" && outcome.size < PIECE) {
      add(done, DONE_BYTES, outcome.size);
    }
    onTick?.();
  }
  Atomics.store(control, CURRENT + thread, ENDED);
  return faults;
}

/** @type {(numbers: Float64Array, place: number, more: number) => void} */
function add(numbers, place, more) {
  numbers[place] = (numbers[place] ?? 0) + more;
}

/** @type {(control: Int32Array, index: number) => void} */
function lowerLimit(control, index) {
  for (let limit = Atomics.load(control, LIMIT); index < limit;) {
    limit = Atomics.compareExchange(control, LIMIT, limit, index);
  }
}

/** @type {(job: DigestJob, index: number, outcome: DigestOutcome) => void} */
function writeOutcome({ states, sizes, digests }, index, outcome) {
  if (outcome.state === "fault") {
    states[index] = STATE_FAULT;
    return;
  }
  sizes[index] = outcome.size;
  if (outcome.state === "large") {
    states[index] = STATE_LARGE;
    return;
  }
  for (let i = 0; i < 64; i++) digests[64 * index + i] = outcome.sha256.charCodeAt(i);
  states[index] = outcome.state === "file" ? STATE_FILE : STATE_LINK;
}

/**
 * Makes what reads a name out of shared memory. One block is kept, since threads take neighbours.
 *
 * @type {(job: DigestJob) => (index: number) => string}
 */
function readNames({ names, nameBlockEnds }) {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let kept = -1;
  /** @type {string[]} */
  let block = [];
  return (index) => {
    const wanted = Math.floor(index / NAMES_IN_BLOCK);
    if (wanted !== kept) {
      const start = wanted === 0 ? 0 : nameBlockEnds[wanted - 1];
      block = decoder.decode(names.subarray(start, nameBlockEnds[wanted])).split("\0");
      kept = wanted;
    }
    return block[index % NAMES_IN_BLOCK] ?? "";
  };
}

/**
 * What a worker does with a task.
 *
 * @param {{ readonly data: DigestTask }} event The message with the task
 */
export function answerTask({ data }) {
  const nameAt = readNames(data.job);
  /** @type {DigestAnswer} */
  let answer;
  try {
    answer = { faults: digestShare(data, { nameAt }), failure: null };
  } catch (error) {
    answer = { faults: [], failure: String(error) };
  }
  Reflect.apply(Reflect.get(globalThis, "postMessage"), globalThis, [answer]);
}
