// @ts-check
/**
 * Work that threads share: numbered pieces, such as files, of which each thread takes the next until
 * none is left. The main thread and every worker run this code. It is JavaScript and imports nothing
 * of kprov for the reason that regular_file.js is.
 *
 * @module
 */

/** Where the next turn, the first piece that failed, and what thread 0 works on stand in `control`. */
export const NEXT = 0, LIMIT = 1, CURRENT = 2;

/** In place of the piece that a thread works on: it has not begun, is about to take one, found no more. */
export const NOT_BEGUN = -1, TAKING = -2, ENDED = -3;

/** So many names are encoded and decoded at once, which takes a fraction of what each takes alone. */
export const NAMES_IN_BLOCK = 256;

/** After so many ticks a worker lets go of what is not in use. */
const TICKS = 2 ** 16;

/**
 * What threads have in common of a piece of work. Its arrays lie in shared memory.
 *
 * @typedef {object} SharedWork
 * @property {number} turns How many pieces are worked on
 * @property {Uint32Array | null} order Which ones, in this order; null for the first ones
 * @property {Int32Array} control The next turn, the first failure, and for each thread its piece
 */

/**
 * The names of files in shared memory.
 *
 * @typedef {object} SharedNames
 * @property {Uint8Array} bytes In UTF-8, in blocks, with a NUL between those of one block
 * @property {Float64Array} blockEnds Where each block ends
 */

/**
 * What a thread works with.
 *
 * @typedef {object} Help
 * @property {number} thread Which of the threads it is; 0 is the main one
 * @property {(index: number) => string} nameAt How a file is called
 * @property {() => void} [onTick] Called again and again while it goes on
 */

/**
 * What a worker is given.
 *
 * @template {SharedWork} Work
 * @typedef {{ readonly work: Work, readonly names: SharedNames, readonly thread: number }} Task
 */

/**
 * What a worker answers: its share of the work, or what broke it.
 *
 * @template Share
 * @typedef {{ readonly share: Share, readonly failure: null } | { readonly failure: string }} Answer
 */

/**
 * Takes the next piece that none of the threads has taken.
 *
 * @param {SharedWork} work The work
 * @param {number} thread Which of its threads this is
 * @returns {number} The piece, or a negative number where none is left
 */
export function takeNext({ control, order, turns }, thread) {
  for (;;) {
    // Whoever finds no turn left and then looks here knows whether this thread got one.
    Atomics.store(control, CURRENT + thread, TAKING);
    const turn = Atomics.add(control, NEXT, 1);
    if (turn >= turns) break;
    const piece = order === null ? turn : order[turn] ?? 0;
    if (piece > Atomics.load(control, LIMIT)) continue;
    Atomics.store(control, CURRENT + thread, piece);
    return piece;
  }
  Atomics.store(control, CURRENT + thread, ENDED);
  return ENDED;
}

/**
 * Keeps all threads from taking what comes behind a piece that failed.
 *
 * @param {SharedWork} work The work
 * @param {number} piece The piece
 */
export function stopBehind({ control }, piece) {
  for (let limit = Atomics.load(control, LIMIT); piece < limit;) {
    limit = Atomics.compareExchange(control, LIMIT, limit, piece);
  }
}

/**
 * Makes the module that calls this a worker's, where it was started as that worker. Anywhere else it
 * does nothing.
 *
 * @template {SharedWork} Work
 * @template Share
 * @param {string} name What the worker is called
 * @param {(work: Work, help: Help) => Share} doShare Works until nothing is left to take
 */
export function answerAs(name, doShare) {
  if (Reflect.get(globalThis, "name") !== name) return;
  /** @type {(event: { readonly data: Task<Work> }) => void} */
  const onmessage = ({ data: { work, names, thread } }) => {
    /** @type {Answer<Share>} */
    let answer;
    let ticks = 0;
    const onTick = () => {
      if (++ticks % TICKS === 0) collectGarbage();
    };
    try {
      answer = {
        share: doShare(work, { thread, nameAt: readNames(names), onTick }),
        failure: null,
      };
    } catch (error) {
      answer = { failure: String(error) };
    }
    Reflect.apply(Reflect.get(globalThis, "postMessage"), globalThis, [answer]);
  };
  Object.assign(globalThis, { onmessage });
}

/**
 * Frees what this thread does not use any more. By itself V8 waits until its heap is several times as large
 * as what lives in it, and it does not count what Node keeps outside of it for each digest.
 */
export function collectGarbage() {
  // Asked for here, because few need them, and loading them takes 20 ms.
  /** @type {(name: string) => any} */
  const load = Reflect.get(globalThis, "process").getBuiltinModule;
  load("node:v8").setFlagsFromString("--expose-gc");
  const collect = load("node:vm").runInNewContext("gc");
  if (typeof collect === "function") collect();
}

/**
 * Makes what reads a name out of shared memory. One block is kept, since threads take neighbours.
 *
 * @type {(names: SharedNames) => (index: number) => string}
 */
function readNames({ bytes, blockEnds }) {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let kept = -1;
  /** @type {string[]} */
  let block = [];
  return (index) => {
    const wanted = Math.floor(index / NAMES_IN_BLOCK);
    if (wanted !== kept) {
      const start = wanted === 0 ? 0 : blockEnds[wanted - 1];
      block = decoder.decode(bytes.subarray(start, blockEnds[wanted])).split("\0");
      kept = wanted;
    }
    return block[index % NAMES_IN_BLOCK] ?? "";
  };
}
