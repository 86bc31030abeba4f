import { sha256Hex } from "../base/sha256.ts";

/** The most shards that a run is split into. */
export const MOST_SHARDS = 65_536;

/** A part of a run's inputs: those whose names hash into it. */
export interface Shard {
  /** How many shards there are, from 1 to 65536. */
  readonly count: number;
  /** Which one it is, from 1 to the count. */
  readonly index: number;
}

/**
 * Tells which shard an input belongs to: the first 48 bits of the SHA-256 of its name in UTF-8, as a
 * big-endian number, modulo the number of shards; 0 is the last shard.
 *
 * @param name The input's name
 * @param count How many shards there are, from 1
 * @returns From 1 to the count
 *
 * @example
 * ```ts
 * import { shardOf } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(shardOf("data/input.csv", 1), 1);
 * assertEquals(["a", "b", "c", "d"].map((name) => shardOf(name, 3)), [3, 3, 2, 2]);
 * ```
 */
export function shardOf(name: string, count: number): number {
  const number = Number.parseInt(sha256Hex(name).slice(0, 12), 16);
  return number % count || count;
}

/**
 * Tells whether an input belongs to a shard.
 *
 * @param name The input's name
 * @param shard The shard; everything belongs to a run that is none
 */
export function isInShard(name: string, shard: Shard | null): boolean {
  return shard === null || shardOf(name, shard.count) === shard.index;
}

/**
 * Reads a shard as `--shard` takes it, `I/N`. I runs from 0 to N, and 0 and N are the same shard, so
 * that counters that start at 0 serve as well as those that start at 1.
 *
 * @param text The candidate
 * @returns The shard, or null where it is none
 */
export function parseShard(text: string): Shard | null {
  const match = /^([0-9]{1,5})\/([0-9]{1,5})$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  return index <= count && count >= 1 && count <= MOST_SHARDS
    ? { count, index: index || count }
    : null;
}

/**
 * Writes a shard as `--shard` takes it.
 *
 * @param shard The shard
 */
export function formatShard({ count, index }: Shard): string {
  return `${index}/${count}`;
}
