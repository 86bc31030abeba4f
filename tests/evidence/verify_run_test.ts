import fc from "fast-check";
import {
  DOCUMENT_NAMES,
  type EndedCommand,
  type Finding,
  recordDecision,
  type ReviewDecision,
  type Run,
  type RunFacts,
  type RuntimeCheck,
  shardOf,
  verifyRun,
} from "../../mod.ts";
import { KPROV_VERSION } from "../../src/base/std.ts";
import { isInShard } from "../../src/evidence/provenance.ts";
import { checkRequirements } from "../../src/evidence/verify.ts";
import { assert, assertEquals } from "../assert.ts";
import { makeRun, makeRunFiles, RUN_ID } from "../make_run.ts";
import { testdata } from "../paths.ts";
import { SAMPLE_CIRCUMSTANCES, SAMPLE_COMMAND_FACTS, SAMPLE_FACTS } from "../sample_facts.ts";
import { TAMPERED } from "./tampered_runs.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

/** A run in which nothing stands that follows from nothing else, so that no byte of it is free. */
const BOUND_CIRCUMSTANCES = { ...SAMPLE_CIRCUMSTANCES, policy: null, source: null };

function codesOf(findings: readonly Finding[]): string[] {
  return [...new Set(findings.map(({ code }) => code))].sort();
}

function withCommand(change: Partial<EndedCommand>): RunFacts {
  const { command } = SAMPLE_COMMAND_FACTS;
  assert(command !== undefined);
  return { ...SAMPLE_COMMAND_FACTS, command: { ...command, ...change } };
}

for (
  const [what, facts] of [
    ["files", SAMPLE_FACTS],
    ["a command", SAMPLE_COMMAND_FACTS],
    ["a command whose output went elsewhere", withCommand({ output: null })],
    ["a command that failed", withCommand({ exitCode: 3 })],
    ["a command that failed and left nothing", withCommand({ exitCode: 3, products: [] })],
    ["a command that a signal ended", withCommand({ exitCode: 143, signal: "SIGTERM" })],
    ["a command that made nothing", withCommand({ products: [] })],
  ] as const
) {
  Deno.test(`verifyRun() finds nothing in a run of ${what}`, PURE, () => {
    const covered = { ...facts, inputs: ["README.md", "data"] };
    assertEquals(verifyRun(makeRunFiles(covered)), []);
  });
}

Deno.test("verifyRun() finds nothing in a run around somebody else's command", PURE, () => {
  const { command: ended } = SAMPLE_COMMAND_FACTS;
  assert(ended !== undefined);
  const inputs = ["README.md", "data"];
  for (const exitCode of [0, 3, null]) {
    const command = { ...ended, argv: null, exitCode, output: null };
    assertEquals(verifyRun(makeRunFiles({ ...SAMPLE_FACTS, inputs, command })), []);
    const none = { ...command, products: [] };
    assertEquals(verifyRun(makeRunFiles({ ...SAMPLE_FACTS, inputs, command: none })), []);
  }
});

const ODD_COMMANDS: readonly (readonly [string, Partial<EndedCommand>, string])[] = [
  ["output without a command", { argv: null, exitCode: 0 }, "summary.mismatch"],
  ["a command of its own that it did not see end", { exitCode: null }, "summary.mismatch"],
  ["a signal that no exit code tells of", { exitCode: 0, signal: "SIGTERM" }, "document.schema"],
  ["an exit code of no system", { exitCode: 2 ** 32 }, "document.schema"],
  ["a product that was not asked for", { productPaths: ["elsewhere"] }, "names.uncovered"],
  ["no command at all", { argv: [] }, "document.schema"],
  ["a variable twice", { env: ["A", "A"] }, "names.duplicate"],
  ["a variable with a value", { env: ["A=1"] }, "document.schema"],
  ["a variable without a name", { env: [""] }, "document.schema"],
];

for (const [what, change, code] of ODD_COMMANDS) {
  Deno.test(`verifyRun() finds ${what}`, PURE, () => {
    const { command: ended } = SAMPLE_COMMAND_FACTS;
    assert(ended !== undefined);
    const facts = { ...SAMPLE_COMMAND_FACTS, inputs: ["README.md", "data"] };
    assertEquals(verifyRun(makeRunFiles({ ...facts, command: { ...ended, env: ["A", "B"] } })), []);
    assertEquals(codesOf(verifyRun(makeRunFiles({ ...facts, command: { ...ended, ...change } }))), [
      code,
    ]);
  });
}

const COVERED: RunFacts = { ...SAMPLE_FACTS, inputs: ["README.md", "data"] };

Deno.test("verifyRun() finds nothing in a shard, though an input has no file in it", PURE, () => {
  for (const index of [1, 2, 3]) {
    const shard = { count: 3, index };
    const materials = COVERED.materials.filter(({ name }) => isInShard(name, shard));
    assertEquals(verifyRun(makeRunFiles({ ...COVERED, materials, shard })), []);
  }
  assertEquals(
    verifyRun(makeRunFiles({ ...COVERED, materials: [], shard: { count: 9, index: 1 } })),
    [],
  );
});

const [firstMaterial] = COVERED.materials;
assert(firstMaterial !== undefined);
const OWN_SHARD = { count: 3, index: shardOf(firstMaterial.name, 3) };
const ONE_FILE: RunFacts = { ...COVERED, materials: [firstMaterial], shard: OWN_SHARD };

const ODD_SHARDS: readonly (readonly [string, RunFacts, readonly string[]])[] = [
  ["a shard past the last", { ...ONE_FILE, shard: { count: 3, index: 4 } }, ["document.schema"]],
  ["a shard before the first", { ...ONE_FILE, shard: { count: 3, index: 0 } }, ["document.schema"]],
  ["half a shard", { ...ONE_FILE, shard: { count: 3, index: 1.5 } }, ["document.schema"]],
  ["too many shards", { ...ONE_FILE, shard: { count: 65537, index: 1 } }, ["document.schema"]],
  ["no input without a shard", { ...COVERED, materials: [] }, ["document.schema"]],
  [
    "a shard of a run around a command",
    { ...SAMPLE_COMMAND_FACTS, inputs: COVERED.inputs, shard: { count: 1, index: 1 } },
    ["document.schema"],
  ],
  [
    "a file of another shard",
    { ...ONE_FILE, shard: { count: 3, index: OWN_SHARD.index % 3 + 1 } },
    ["names.other_shard"],
  ],
  [
    "a file of a shard that lies in no input",
    { ...ONE_FILE, inputs: ["elsewhere"] },
    ["names.uncovered"],
  ],
];

for (const [what, facts, codes] of ODD_SHARDS) {
  Deno.test(`verifyRun() finds ${what}`, PURE, () => {
    assertEquals(codesOf(verifyRun(makeRunFiles(facts))), [...codes]);
  });
}

for (const { name, files, codes } of TAMPERED) {
  Deno.test(`verifyRun() finds ${name}, and nothing else`, PURE, () => {
    assertEquals(codesOf(verifyRun({ name: RUN_ID, files })), [...codes]);
  });
}

Deno.test("verifyRun() tells documents of kprov 1.0.0-rc.1 by their form", () => {
  const directory = testdata(`old/${RUN_ID}`);
  const files = new Map(
    DOCUMENT_NAMES.map((name) => [name, Deno.readFileSync(`${directory}/${name}`)]),
  );
  const findings = verifyRun({ name: RUN_ID, files });
  assertEquals(findings.map(({ path, code }) => [path, code]), [
    ["human_review.json", "document.old_form"],
    ["provenance.json", "document.old_form"],
    ["run_summary.json", "document.old_form"],
  ]);
});

Deno.test("verifyRun() finds any flipped bit of any document", PURE, () => {
  const facts = { ...SAMPLE_FACTS, toolchain: { ...SAMPLE_FACTS.toolchain, kprov: KPROV_VERSION } };
  const run = makeRunFiles(facts, BOUND_CIRCUMSTANCES);
  assertEquals(verifyRun(run), []);
  const flips = fc.constantFrom(...DOCUMENT_NAMES).chain((name) =>
    fc.tuple(
      fc.constant(name),
      fc.nat({ max: (run.files.get(name)?.length ?? 1) - 1 }),
      fc.nat({ max: 7 }),
    )
  );
  fc.assert(
    fc.property(flips, ([name, index, bit]) => {
      const bytes = Uint8Array.from(run.files.get(name) ?? []);
      bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
      const flipped = { name: RUN_ID, files: new Map([...run.files, [name, bytes]]) };
      assert(verifyRun(flipped).length > 0, `${name}, byte ${index}, bit ${bit}`);
    }),
    { numRuns: 600 },
  );
});

Deno.test("verifyRun() reports everything that is wrong, sorted", PURE, () => {
  const findings = verifyRun({
    name: null,
    files: new Map([["b", new Uint8Array()], ["a", new Uint8Array()]]),
  });
  assertEquals(findings.map(({ path }) => path), ["a", "b", ...DOCUMENT_NAMES]);
});

Deno.test("verifyRun() bounds the findings of a document that is wrong everywhere", PURE, () => {
  const toolchain = {
    schema: "kprovengine.toolchain.v1",
    ...Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, 1])),
  };
  const files = new Map([["toolchain.json", new TextEncoder().encode(JSON.stringify(toolchain))]]);
  const findings = verifyRun({ name: null, files });
  assert(findings.length < 120);
});

const BY_ADA = { reviewer: "Ada", reviewed_at: "2026-02-15T20:14:00Z", meaning: null, note: null };

/** A run that verifies, but for its end and its review. */
function withEnd(facts: RunFacts, decisions: readonly ReviewDecision[]): Run {
  const { documents, ...run } = makeRun(facts);
  const at = documents["run_summary.json"].created_at;
  const review = decisions.reduce(
    (before, decision) => recordDecision(before, decision, at),
    documents["human_review.json"],
  );
  return { ...run, documents: { ...documents, "human_review.json": review } };
}

const APPROVED = { ...BY_ADA, status: "APPROVED" } as const;
const REJECTED = { ...BY_ADA, status: "REJECTED" } as const;
const UNSEEN: RunFacts = withCommand({ argv: null, exitCode: null, output: null });

const REQUIREMENTS: readonly (readonly [
  what: string,
  run: readonly [RunFacts, ...ReviewDecision[]],
  asked: readonly [isCompleted: boolean, approvals: number],
  expected: readonly string[],
])[] = [
  ["nothing where nothing is asked", [withCommand({ exitCode: 3 })], [false, 0], []],
  ["nothing where the command ended with 0", [SAMPLE_COMMAND_FACTS], [true, 0], []],
  ["a command that failed", [withCommand({ exitCode: 3 })], [true, 0], [
    "run.not_completed the command failed with exit code 3",
  ]],
  ["a command whose end nobody saw", [UNSEEN], [true, 0], [
    "run.not_completed the end of the command was not observed",
  ]],
  ["a run that nobody reviewed", [SAMPLE_FACTS], [true, 1], [
    "run.not_approved nobody has reviewed the run",
  ]],
  ["a run that is rejected, after an approval too", [SAMPLE_FACTS, APPROVED, REJECTED], [true, 1], [
    "run.not_approved the run is rejected",
  ]],
  ["one approval where two are asked", [SAMPLE_FACTS, APPROVED, APPROVED], [true, 2], [
    "run.not_approved it has 1 of 2 approvals",
  ]],
  ["nothing where as many approved", [SAMPLE_FACTS, APPROVED, { ...APPROVED, reviewer: "B" }], [
    true,
    2,
  ], []],
];

for (const [what, [facts, ...decisions], [isCompleted, approvals], expected] of REQUIREMENTS) {
  Deno.test(`checkRequirements() finds ${what}`, PURE, () => {
    const findings = checkRequirements(withEnd(facts, decisions), { isCompleted, approvals });
    assertEquals(findings.map(({ code, message }) => `${code} ${message}`), [...expected]);
    // A rejection is not to be reviewed away.
    for (const { code, message, hint } of findings) {
      const isOpen = code === "run.not_approved" && !message.endsWith("is rejected");
      assertEquals(hint, isOpen ? "kprov review RUN --approve --reviewer NAME" : null);
    }
  });
}

Deno.test("verifyRun() takes the range of another kprov as it stands", PURE, () => {
  const runtime_policy = [{ ...DENO, range: "2.9.x" }];
  const circumstances = { ...SAMPLE_CIRCUMSTANCES, policy: null, runtime_policy };
  assertEquals(verifyRun(makeRunFiles(COVERED, circumstances)), []);
});

const DENO = { runtime: "deno", range: ">=2.8.2 <2.10.0", version: "2.9.6", satisfied: true };
const PYTHON = { runtime: "python", range: ">=3.11", version: "3.12.1", satisfied: true };
const NODE = { runtime: "node", range: ">=20", version: null, satisfied: false };

/** What a summary says of the runtimes, and where that cannot be: a run of this kprov has no policy. */
const RUNTIME_CHECKS: readonly (readonly [
  what: string,
  checks: readonly RuntimeCheck[],
  places: readonly string[],
  isOwn?: boolean,
])[] = [
  ["what the toolchain records", [DENO, PYTHON, NODE], []],
  ["a recorded runtime that is out of range", [DENO, { ...PYTHON, satisfied: false }], []],
  ["no Deno", [PYTHON], ["/runtime_policy"]],
  ["a version that nobody used", [DENO, { ...PYTHON, version: "3.12.2" }], [
    "/runtime_policy/1/version",
  ]],
  ["a runtime that nobody used", [DENO, { ...PYTHON, runtime: "perl" }], [
    "/runtime_policy/1/version",
  ]],
  ["an unknown version that is in range", [DENO, { ...NODE, satisfied: true }], [
    "/runtime_policy/1/satisfied",
  ]],
  ["a Deno out of range that is in range", [{ ...DENO, range: "<2.9.0" }], [
    "/runtime_policy/0/satisfied",
  ]],
  ["a policy's range of Deno", [{ ...DENO, range: "2.9.x" }, { ...PYTHON, range: "*" }], []],
  ["the range that this kprov runs on", [DENO, { ...PYTHON, range: "*" }], [], true],
  ["a range that this kprov does not run on", [{ ...DENO, range: "2.9.x" }], [
    "/runtime_policy/0/range",
  ], true],
];

for (const [what, checks, places, isOwn = false] of RUNTIME_CHECKS) {
  Deno.test(`verifyRun() judges a summary with ${what}`, PURE, () => {
    const { toolchain } = SAMPLE_COMMAND_FACTS;
    const facts: RunFacts = {
      ...SAMPLE_COMMAND_FACTS,
      inputs: ["README.md", "data"],
      toolchain: isOwn ? { ...toolchain, kprov: KPROV_VERSION } : toolchain,
    };
    const policy = isOwn ? null : SAMPLE_CIRCUMSTANCES.policy;
    const circumstances = { ...SAMPLE_CIRCUMSTANCES, policy, runtime_policy: checks };
    const findings = verifyRun(makeRunFiles(facts, circumstances));
    assertEquals(findings.map(({ code, message }) => `${code} ${message.split(" ", 1)[0]}`), [
      ...places.map((place) => `summary.mismatch ${place}`),
    ]);
  });
}
