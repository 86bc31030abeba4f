import fc from "fast-check";
import { areDistinctShards } from "../../src/evidence/merge.ts";
import { formatShard, isInShard, parseShard, shardOf } from "../../src/evidence/provenance.ts";
import { assert, assertEquals } from "../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const PARSED: readonly (readonly [text: string, normal: string | null])[] = [
  ["1/1", "1/1"],
  ["0/1", "1/1"],
  ["3/8", "3/8"],
  ["0/8", "8/8"],
  ["8/8", "8/8"],
  ["03/08", "3/8"],
  ["65536/65536", "65536/65536"],
  ["9/8", null],
  ["0/0", null],
  ["1/0", null],
  ["1/65537", null],
  ["1/100000", null],
  ["-1/8", null],
  ["+1/8", null],
  ["1.0/8", null],
  ["1e0/8", null],
  ["0x1/8", null],
  ["1/8/8", null],
  ["1", null],
  ["1/", null],
  ["/8", null],
  [" 1/8", null],
  ["1/8\n", null],
  ["\u0661/8", null],
  ["", null],
];

for (const [text, normal] of PARSED) {
  Deno.test(`parseShard() makes ${normal} of ${JSON.stringify(text)}`, PURE, () => {
    const shard = parseShard(text);
    assertEquals(shard === null ? null : formatShard(shard), normal);
  });
}

/** Computed by another program: the first 12 digits of `printf %s NAME | sha256sum`, modulo COUNT. */
const SHARDS: readonly (readonly [name: string, count: number, index: number])[] = [
  ["a", 1, 1],
  ["a", 8, 3],
  ["a", 65536, 51739],
  ["data/input.csv", 2, 2],
  ["data/input.csv", 8, 8],
  ["data/input.csv", 65536, 54472],
  ["data/\u{1F600}.csv", 8, 7],
  ["data/\uFF5E.csv", 65536, 46410],
];

for (const [name, count, index] of SHARDS) {
  Deno.test(`shardOf() places ${JSON.stringify(name)} in shard ${index} of ${count}`, PURE, () => {
    assertEquals(shardOf(name, count), index);
  });
}

Deno.test("every name belongs to exactly one of N shards", PURE, () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 99 }), (name, count) => {
      const shards = Array.from({ length: count }, (_, i) => parseShard(`${i}/${count}`));
      assertEquals(shards.filter((shard) => isInShard(name, shard)).length, 1);
      assert(shardOf(name, count) >= 1 && shardOf(name, count) <= count);
    }),
  );
});

const SETS: readonly (readonly [shards: readonly (string | null)[], areDistinct: boolean])[] = [
  [[], true],
  [["1/3", "3/3"], true],
  [["1/3", "1/3"], false],
  [["1/3", "2/4"], false],
  [["1/3", null], false],
  [[null], false],
];

for (const [shards, areDistinct] of SETS) {
  Deno.test(`areDistinctShards() says ${areDistinct} of ${JSON.stringify(shards)}`, PURE, () => {
    const parsed = shards.map((text) => text === null ? null : parseShard(text));
    assertEquals(areDistinctShards(parsed), areDistinct);
  });
}
