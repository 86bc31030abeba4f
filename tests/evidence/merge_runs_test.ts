import fc from "fast-check";
import {
  buildEvidence,
  type Circumstances,
  KprovError,
  type MergedRun,
  mergeRuns,
  readShardRun,
  type RecordedFile,
  type RunFacts,
  type Shard,
  type ShardRun,
} from "../../mod.ts";
import { KPROV_VERSION } from "../../src/base/std.ts";
import { isShardRun, ShardSet } from "../../src/evidence/merge.ts";
import { isInShard } from "../../src/evidence/provenance.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { makeRun } from "../make_run.ts";
import {
  digestOf,
  SAMPLE_CIRCUMSTANCES,
  SAMPLE_COMMAND_FACTS,
  SAMPLE_FACTS,
} from "../sample_facts.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const WHOLE: RunFacts = {
  ...SAMPLE_FACTS,
  inputs: ["README.md", "data"],
  toolchain: { ...SAMPLE_FACTS.toolchain, kprov: KPROV_VERSION },
};

/** The facts of one shard of a run. */
function splitFacts(whole: RunFacts, shard: Shard): RunFacts {
  const materials = whole.materials.filter(({ name }) => isInShard(name, shard));
  return { ...whole, materials, shard };
}

function makeShard(
  index: number,
  count: number,
  facts: RunFacts = WHOLE,
  circumstances: Circumstances = SAMPLE_CIRCUMSTANCES,
): ShardRun {
  const run = makeRun(splitFacts(facts, { count, index }), circumstances);
  return readShardRun(`runs/${index}`, run);
}

function makeShards(count: number, facts: RunFacts = WHOLE): ShardRun[] {
  return Array.from({ length: count }, (_, i) => makeShard(i + 1, count, facts));
}

const FILES: fc.Arbitrary<RecordedFile[]> = fc.uniqueArray(
  fc.record({
    name: fc.string({ unit: "grapheme", minLength: 1 })
      .filter((text) => !/[/\\\0\uFFFD]/.test(text) && !/^\.\.?$/.test(text))
      .map((text) => `data/${text}`),
    kind: fc.constantFrom("file" as const, "symlink" as const),
    size: fc.nat(),
    sha256: fc.constantFrom(digestOf("1"), digestOf("2")),
  }),
  { minLength: 1, maxLength: 30, selector: ({ name }) => name },
);

Deno.test("the shards of a run merge into that run to the byte, in whatever order", PURE, () => {
  const readme: RecordedFile = { name: "README.md", kind: "file", size: 1, sha256: digestOf("3") };
  const cases = fc.tuple(FILES, fc.integer({ min: 1, max: 12 })).chain(([files, count]) =>
    fc.record({
      facts: fc.constant<RunFacts>({ ...WHOLE, materials: [readme, ...files] }),
      indexes: fc.shuffledSubarray(Array.from({ length: count }, (_, i) => i + 1), {
        minLength: count,
      }),
    })
  );
  fc.assert(fc.property(cases, ({ facts, indexes }) => {
    const merged = mergeRuns(indexes.map((index) => makeShard(index, indexes.length, facts)));
    assertEquals(buildEvidence(merged.facts).documents, buildEvidence(facts).documents);
    const { runtime_policy, policy, source } = SAMPLE_CIRCUMSTANCES;
    assertEquals(merged.circumstances, { runtime_policy, policy, source });
  }));
});

Deno.test("a run that is one shard merges into the run without it", PURE, () => {
  const merged = mergeRuns(makeShards(1));
  assertEquals(buildEvidence(merged.facts).documents, buildEvidence(WHOLE).documents);
});

const SOURCE = SAMPLE_CIRCUMSTANCES.source;
assert(SOURCE !== null);

const STATES = [
  ["committed", "committed", "committed"],
  ["committed", "modified", "modified"],
  ["unknown", "modified", "modified"],
  ["committed", "unknown", "unknown"],
] as const;

for (const [first, second, joined] of STATES) {
  Deno.test(`mergeRuns() makes ${joined} of sources that are ${first} and ${second}`, PURE, () => {
    const shards = [first, second].map((state, i) =>
      makeShard(i + 1, 2, WHOLE, { ...SAMPLE_CIRCUMSTANCES, source: { ...SOURCE, state } })
    );
    for (const order of [shards, shards.toReversed()]) {
      assertEquals(mergeRuns(order).circumstances.source, { ...SOURCE, state: joined });
    }
  });
}

/** A run that differs in its facts or circumstances, with what is said of it. */
const FOREIGN: readonly (readonly [
  what: string,
  facts: Partial<RunFacts>,
  circumstances: Partial<Circumstances>,
])[] = [
  ["inputs", { inputs: ["README.md", "data", "docs"] }, {}],
  ["exclusions", { exclude: ["*.tmp"] }, {}],
  ["toolchain", {
    toolchain: { ...WHOLE.toolchain, runtime: { ...WHOLE.toolchain.runtime, deno: "2.9.5" } },
  }, {}],
  ["policy", {}, { policy: null }],
  ["runtime policy", {}, {
    runtime_policy: [
      { runtime: "deno", range: ">=2.9.0", version: "2.9.6", satisfied: true },
    ],
  }],
  ["source repository", {}, {
    source: { ...SOURCE, repository: null },
  }],
  ["source commit", {}, {
    source: { ...SOURCE, commit: "f".repeat(40) },
  }],
];

for (const [what, facts, circumstances] of FOREIGN) {
  Deno.test(`mergeRuns() refuses a shard that differs from the first in the ${what}`, PURE, () => {
    const foreign = makeShard(2, 2, { ...WHOLE, ...facts }, {
      ...SAMPLE_CIRCUMSTANCES,
      ...circumstances,
    });
    assertRefused(
      () => mergeRuns([makeShard(1, 2), foreign]),
      `Cannot merge run "runs/2": it differs from run "runs/1" in the ${what}`,
    );
  });
}

const [one, two, three] = makeShards(3);
if (one === undefined || two === undefined || three === undefined) throw new Error("no shards");

const REFUSED: readonly (readonly [what: string, shards: readonly ShardRun[], message: string])[] =
  [
    ["no shard at all", [], "Cannot merge: there is no shard"],
    ["a missing shard", [three, one], "Cannot merge 2 of 3 shards: missing 2"],
    [
      "a shard of another count",
      [one, two, makeShard(3, 4)],
      'Cannot merge run "runs/3": it is shard 3/4, and run "runs/1" is shard 1/3',
    ],
    [
      "a doubled shard",
      [one, two, three, { ...two, path: "runs/two" }],
      'Cannot merge run "runs/two": it is shard 2/3, and so is run "runs/2"',
    ],
    [
      "thousands of missing shards in one line",
      [makeShard(2, 65536)],
      "Cannot merge 1 of 65536 shards: missing 1, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 65525 more",
    ],
    [
      "more files than a run may hold",
      [one, two, { ...three, materials: Array(2_000_000).fill(WHOLE.materials[0]) }],
      "Cannot merge 3 shards with 2000004 inputs: a run holds at most 2000000",
    ],
    [
      "an input without a file in any shard",
      makeShards(3, { ...WHOLE, inputs: ["README.md", "data", "docs"] }),
      'Cannot merge: input "docs" has no file in any shard',
    ],
  ];

for (const [what, shards, message] of REFUSED) {
  Deno.test(`mergeRuns() refuses ${what}`, PURE, () => {
    assertRefused(() => mergeRuns(shards), message);
  });
}

Deno.test("readShardRun() refuses a run that is no shard, with a command or without", PURE, () => {
  const command = { ...SAMPLE_COMMAND_FACTS, inputs: WHOLE.inputs };
  for (const facts of [WHOLE, command]) {
    assertRefused(
      () => readShardRun("runs/a", makeRun(facts)),
      'Cannot merge run "runs/a": it is not a shard',
    );
  }
});

Deno.test("readShardRun() refuses a shard that another version of kprov wrote", PURE, () => {
  const other = { ...WHOLE, toolchain: { ...WHOLE.toolchain, kprov: "0.0.1" } };
  assertRefused(
    () => makeShard(1, 2, other),
    `Cannot merge run "runs/1": kprov 0.0.1 wrote it, and this is kprov ${KPROV_VERSION}`,
  );
});

function assertRefused(merge: () => MergedRun | ShardRun, message: string): void {
  const error = assertThrows(merge, KprovError);
  assertEquals([error.code, error.message], ["data", message]);
}

/** What a set of shards is, where the first one given was made last. */
function judge(
  shards: readonly (readonly [path: string, facts: RunFacts])[],
): readonly (readonly [number, number] | string)[] {
  const set = new ShardSet();
  for (const [path, facts] of shards) set.add(path, makeRun(facts));
  const state = set.judge();
  if (state === null) return [];
  return [
    [state.present, state.count],
    ...state.findings.map(({ code, path, message }) => `${path} ${code}: ${message}`),
  ];
}

Deno.test("ShardSet tells what is missing, doubled, foreign or uncovered", PURE, () => {
  const part = (index: number, count = 3, facts = WHOLE): RunFacts =>
    splitFacts(facts, { count, index });
  const whole = [["c", part(3)], ["b", part(2)], ["a", part(1)]] as const;
  const cases: readonly (readonly [Parameters<typeof judge>[0], ReturnType<typeof judge>])[] = [
    [[], []],
    [[["a", WHOLE]], []],
    [whole, [[3, 3]]],
    [[["d", WHOLE], ...whole], [[3, 3]]],
    [whole.slice(1), [[2, 3], "null shards.missing: 2 of 3 shards are there: missing 3"]],
    [[["d", part(2)], ...whole], [
      [3, 3],
      'd shards.doubled: it is shard 2/3, and so is run "b"',
    ]],
    [[["d", part(2)], ["c", part(2)], ["a", part(1)]], [
      [2, 3],
      "null shards.missing: 2 of 3 shards are there: missing 3",
      'd shards.doubled: it is shard 2/3, and so is run "c"',
    ]],
    [[["d", part(1, 2)], ...whole], [
      [3, 3],
      'd shards.foreign: it is shard 1/2, and run "a" is shard 1/3',
    ]],
    // The foreign one is the oldest, and alone with what it says.
    [[...whole, ["0", part(1, 3, { ...WHOLE, exclude: ["*.tmp"] })]], [
      [3, 3],
      '0 shards.foreign: it differs from run "a" in the exclusions',
    ]],
    [
      ["c", "b", "a"].map((
        path,
        i,
      ) => [path, part(3 - i, 3, { ...WHOLE, inputs: ["README.md", "data", "late"] })]),
      [
        [3, 3],
        'null shards.uncovered: the input "late" has no file in any shard',
      ],
    ],
  ];
  for (const [shards, expected] of cases) assertEquals(judge(shards), expected);
});

Deno.test("mergeRuns() keeps whether the shards were read through links", PURE, () => {
  assertEquals(mergeRuns(makeShards(2, { ...WHOLE, links: "follow" })).facts.links, "follow");
  assertEquals("links" in mergeRuns(makeShards(2)).facts, false);
});

Deno.test("isShardRun() tells a shard from the whole", PURE, () => {
  assertEquals(isShardRun(makeRun(splitFacts(WHOLE, { count: 2, index: 1 }))), true);
  assertEquals(isShardRun(makeRun(WHOLE)), false);
});
