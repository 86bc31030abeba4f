import { KprovError } from "../../src/base/error.ts";
import { sha256Hex } from "../../src/base/canonical_json.ts";
import { mutateBytes, seedDraw } from "./mutate_bytes.ts";
import type { FuzzTarget } from "./target.ts";

/** An input that kprov does not stand. */
export interface Crash {
  /** The target's name. */
  readonly target: string;
  /** The input. */
  readonly input: Uint8Array;
  /** What came of it. */
  readonly error: unknown;
}

/** What came of fuzzing one target. */
export interface FuzzResult {
  /** How many inputs were tried. */
  readonly tries: number;
  /** The first that failed, or null. */
  readonly crash: Crash | null;
}

/**
 * Tries changes of a target's seeds until one fails or it is enough.
 *
 * @param target What is fuzzed
 * @param seed Decides which changes, so that a failure can be had again
 * @param isEnough Is asked before each try
 */
export function fuzz(
  target: FuzzTarget,
  seed: number,
  isEnough: (tries: number) => boolean,
): FuzzResult {
  const draw = seedDraw(seed);
  let tries = 0;
  for (; !isEnough(tries); tries++) {
    const start = target.seeds[draw(target.seeds.length)] ?? new Uint8Array();
    const crash = tryInput(target, mutateBytes(start, target, draw));
    if (crash !== null) return { tries: tries + 1, crash };
  }
  return { tries, crash: null };
}

/**
 * Tries one input as it is.
 *
 * @param target What takes it
 * @param input The input
 * @returns Null where it was taken or refused as it should be
 */
export function tryInput(target: FuzzTarget, input: Uint8Array): Crash | null {
  try {
    target.run(input);
    return null;
  } catch (error) {
    if (error instanceof KprovError && target.refusals.includes(error.code)) return null;
    return { target: target.name, input, error };
  }
}

/** The name of the file that keeps a failing input. */
export function nameCrash({ target, input }: Crash): string {
  return `${target}-${sha256Hex(input).slice(0, 16)}`;
}
