import fc from "fast-check";
import {
  buildEvidence,
  buildRunDocuments,
  type Finding,
  KprovError,
  verifyRun,
} from "../../mod.ts";
import { KPROV_VERSION } from "../../src/base/std.ts";
import {
  parseRecordState,
  type RecordState,
  renderRecordState,
} from "../../src/evidence/schemas.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { SAMPLE_CIRCUMSTANCES, SAMPLE_FACTS } from "../sample_facts.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const STATE: RecordState = {
  inputs: SAMPLE_FACTS.inputs,
  exclude: SAMPLE_FACTS.exclude,
  materials: SAMPLE_FACTS.materials,
  stamps: {
    files: SAMPLE_FACTS.materials.map((_, i) => `${i}.1795757264766.1795757264000`),
    directories: [{ name: "data", stamp: "1.0.1795757264000" }],
  },
  globs: ["*.tmp"],
  started: "2026-11-27T05:27:44Z",
  source: { repository: "https://example.org/a/b", commit: "0".repeat(40), state: "unknown" },
  kprov: "1.0.0",
};

const BYTES = new TextEncoder().encode(renderRecordState(STATE));

Deno.test("parseRecordState() undoes renderRecordState()", PURE, () => {
  assertEquals(parseRecordState(BYTES), STATE);
  const sha256 = "ab".repeat(32);
  const packages = [{ name: "pandas", version: "2.1.1", sha256 }];
  const known = { name: "python", version: "3.12.1", implementation: "cpython", sha256, packages };
  const named = { ...STATE, tools: [{ name: "python3", sha256 }], runtimes: [known] };
  assertEquals(parseRecordState(new TextEncoder().encode(renderRecordState(named))), named);
  const files = [
    { name: "out/a", stamp: "3.7.1795757264766.1795757264000", sha256: null },
    { name: "out/b", stamp: "3.8.1795757264766.1795757264000", sha256 },
  ];
  const standing = { ...STATE, products: { paths: ["out"], files } };
  assertEquals(parseRecordState(new TextEncoder().encode(renderRecordState(standing))), standing);
  const bare = { ...STATE, source: null, exclude: [] };
  assertEquals(parseRecordState(new TextEncoder().encode(renderRecordState(bare))), bare);
});

Deno.test("parseRecordState() refuses a state with any flipped bit", PURE, () => {
  fc.assert(
    fc.property(fc.nat({ max: BYTES.length - 1 }), fc.nat({ max: 7 }), (index, bit) => {
      const flipped = Uint8Array.from(BYTES);
      flipped[index] = (flipped[index] ?? 0) ^ (1 << bit);
      const error = assertThrows(() => parseRecordState(flipped), KprovError);
      assertEquals(error.code, "data");
    }),
    { numRuns: 2000 },
  );
});

const ODD: readonly (readonly [string, unknown, string])[] = [
  ["no input", { ...STATE, inputs: [] }, "at /state/inputs"],
  ["no file", { ...STATE, materials: [] }, "at /state/materials"],
  ["an absolute name", { ...STATE, inputs: ["/etc"] }, "at /state/inputs/0"],
  [
    "a file without a stamp",
    { ...STATE, stamps: { ...STATE.stamps, files: STATE.stamps.files.slice(1) } },
    "at /state/stamps/files: expected a stamp for each file",
  ],
  [
    "a stamp of another form",
    { ...STATE, stamps: { ...STATE.stamps, directories: [{ name: "data", stamp: "1.2" }] } },
    "at /state/stamps/directories/0/stamp",
  ],
  ["a key too many", { ...STATE, more: 1 }, "at /state/more: unknown key"],
];

const [FIRST, ...OTHERS] = STATE.materials;
const TOOL = { name: "sort", sha256: "ab".repeat(32) };

/** What has the form of a state, and of which no run is made that verifies. */
const UNFIT: readonly (readonly [string, Partial<RecordState>, string])[] = [
  [
    "a file twice",
    { materials: [FIRST, FIRST, ...OTHERS.slice(1)].filter((file) => file !== undefined) },
    "twice",
  ],
  ["an input twice", { inputs: [...STATE.inputs, ...STATE.inputs] }, "twice"],
  ["an input without a file", { inputs: [...STATE.inputs, "other"] }, "has no file"],
  ["two programs of a name", { tools: [TOOL, { ...TOOL, sha256: "cd".repeat(32) }] }, "twice"],
  ["an exclusion that cannot be used", { exclude: ["["] }, "cannot be used"],
];

for (const [what, part, message] of UNFIT) {
  Deno.test(`parseRecordState() refuses a state with ${what}`, PURE, () => {
    const bytes = new TextEncoder().encode(renderRecordState({ ...STATE, ...part }));
    assertThrows(() => parseRecordState(bytes), KprovError, message);
  });
}

Deno.test("a state that is read gives a run that verifies, whatever stands in it", PURE, () => {
  const name = fc.constantFrom("a", "a/b", "a/b/c", "a-b", "b", "data/x", "b/a");
  const states = fc.record({
    inputs: fc.array(fc.oneof(name, fc.constant(".")), { minLength: 1, maxLength: 3 }),
    exclude: fc.array(fc.constantFrom("*.tmp", ".git", "[", "!a", "a/"), { maxLength: 3 }),
    names: fc.array(name, { minLength: 1, maxLength: 4 }),
    tools: fc.array(
      fc.record({
        name: fc.constantFrom("sort", "sh"),
        sha256: fc.constantFrom("ab".repeat(32), "cd".repeat(32)),
      }),
      { maxLength: 3 },
    ),
  });
  let read = 0;
  fc.assert(
    fc.property(states, ({ names, tools, ...lists }) => {
      const materials = names.map((
        name,
      ) => ({ name, kind: "file", size: 1, sha256: "ef".repeat(32) } as const));
      const stamps = { files: names.map(() => "1.1795757264766.1795757264000"), directories: [] };
      const text = renderRecordState({ ...STATE, ...lists, materials, stamps, tools });
      let state: RecordState;
      try {
        state = parseRecordState(new TextEncoder().encode(text));
      } catch {
        return;
      }
      read++;
      assertEquals(verifyState(state), []);
    }),
    { numRuns: 3000 },
  );
  assert(read > 100, `${read} states were read`);
});

function verifyState({ inputs, exclude, materials, tools = [] }: RecordState): readonly Finding[] {
  const toolchain = { ...SAMPLE_FACTS.toolchain, kprov: KPROV_VERSION, tools };
  const command = {
    exitCode: 0,
    signal: null,
    argv: null,
    products: [],
    productPaths: ["made"],
    output: null,
  };
  const facts = { inputs, exclude, materials, toolchain, command };
  const documents = buildRunDocuments(
    buildEvidence(facts),
    SAMPLE_CIRCUMSTANCES,
    "2026-02-15T20-13-00Z",
  );
  const encoder = new TextEncoder();
  const files = new Map(
    Object.entries(documents).map(([name, text]) => [name, encoder.encode(text)]),
  );
  return verifyRun({ name: null, files });
}

for (const [what, state, message] of ODD) {
  Deno.test(`parseRecordState() refuses a state with ${what}`, PURE, () => {
    const text = JSON.stringify({
      schema: "kprovengine.record_state.v1",
      sha256: "0".repeat(64),
      state,
    });
    assertThrows(() => parseRecordState(new TextEncoder().encode(text)), KprovError, message);
  });
}

Deno.test(
  "parseRecordState() refuses a state of another digest, and one of another form",
  PURE,
  () => {
    const text = renderRecordState(STATE);
    const refused = (changed: string): string =>
      assertThrows(() => parseRecordState(new TextEncoder().encode(changed)), KprovError).message;
    assertEquals(
      refused(renderRecordState({ ...STATE, kprov: "1.0.1" }).replace("1.0.1", "1.0.2")),
      "its digest is not that of its content",
    );
    assertEquals(refused(text.replaceAll("  ", " ")), "it is not in canonical form");
    assertEquals(refused(`${text}\n`), "it is not in canonical form");
  },
);
