/** Gives numbers from 0 up to, and without, a bound. */
export type Draw = (bound: number) => number;

/**
 * Makes a source of numbers that a seed decides (xorshift32).
 *
 * @param seed Any integer
 */
export function seedDraw(seed: number): Draw {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % Math.max(1, bound);
  };
}

/** Bytes that readers of binary formats count wrongly by. */
const EDGES: readonly number[] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];

/** Splices bytes into other ones. */
function splice(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array {
  const rest = bytes.subarray(Math.min(bytes.length, at + removed));
  const result = new Uint8Array(at + added.length + rest.length);
  result.set(bytes.subarray(0, at));
  result.set(added, at);
  result.set(rest, at + added.length);
  return result;
}

function cutPart(bytes: Uint8Array = new Uint8Array(), draw: Draw): Uint8Array {
  const start = draw(bytes.length);
  return bytes.subarray(start, start + 1 + draw(bytes.length - start));
}

/** What is put into changed bytes. */
export interface Ingredients {
  /** Words that mean something in the format. */
  readonly words: readonly string[];
  /** Other inputs, of which parts are taken. */
  readonly seeds: readonly Uint8Array[];
}

/**
 * Changes bytes in some small ways: flips, cuts, repeats, edges, words of the format, and parts of
 * other inputs.
 *
 * @param seed The bytes to start from
 * @param ingredients What is put into them
 * @param draw Decides
 */
export function mutateBytes(
  seed: Uint8Array,
  { words, seeds }: Ingredients,
  draw: Draw,
): Uint8Array {
  let bytes: Uint8Array = seed.slice();
  for (let times = 1 + draw(4); times > 0; times--) {
    const at = draw(bytes.length + 1);
    const length = draw(32);
    switch (draw(7)) {
      case 0:
        if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << draw(8));
        break;
      case 1:
        if (at < bytes.length) bytes[at] = EDGES[draw(EDGES.length)] ?? 0;
        break;
      case 2:
        bytes = splice(bytes, at, length, new Uint8Array());
        break;
      case 3:
        bytes = splice(bytes, at, 0, bytes.slice(at, at + length));
        break;
      case 4:
        bytes = bytes.slice(0, at);
        break;
      case 5:
        bytes = splice(bytes, at, length, cutPart(seeds[draw(seeds.length)], draw));
        break;
      default:
        bytes = splice(bytes, at, draw(8), new TextEncoder().encode(words[draw(words.length)]));
    }
  }
  return bytes;
}
