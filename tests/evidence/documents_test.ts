import fc from "fast-check";
import {
  buildEvidence,
  buildRunDocuments,
  DOCUMENT_NAMES,
  type EndedCommand,
  KprovError,
  parseHumanReview,
  parseProvenance,
  parseRunSummary,
  parseToolchain,
  type Provenance,
  renderCanonicalJson,
  type RunDocuments,
  type RunFacts,
  sha256Hex,
} from "../../mod.ts";
import { makeDocuments, MOST_FILES } from "../../src/evidence/documents.ts";
import { readDocument } from "../../src/evidence/read_document.ts";
import { buildToolchain, parseLockfile, toToolchainFacts } from "../../src/evidence/toolchain.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { testdata } from "../paths.ts";
import {
  digestOf,
  GOLDEN_FACTS,
  SAMPLE_CIRCUMSTANCES,
  SAMPLE_COMMAND_FACTS,
  SAMPLE_FACTS,
  SAMPLE_FAILED_FACTS,
  SAMPLE_SHARD_FACTS,
} from "../sample_facts.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };
const RUN_ID = "2026-02-15T20-13-00Z";

function build(facts: RunFacts): RunDocuments {
  return buildRunDocuments(buildEvidence(facts), SAMPLE_CIRCUMSTANCES, RUN_ID);
}

for (const [name, facts] of Object.entries(GOLDEN_FACTS)) {
  Deno.test(`the documents of a run of ${name} are the golden ones to the byte`, () => {
    const documents = build(facts);
    for (const document of DOCUMENT_NAMES) {
      const golden = Deno.readFileSync(testdata(`golden/${name}/${document}`));
      assertEquals(new TextEncoder().encode(documents[document]), golden, document);
    }
  });
}

Deno.test(
  "makeDocuments() makes what buildRunDocuments() returns, each before what names it",
  PURE,
  () => {
    for (const facts of [SAMPLE_FACTS, SAMPLE_COMMAND_FACTS]) {
      const made: Record<string, string> = {};
      const maker = makeDocuments({ facts, circumstances: SAMPLE_CIRCUMSTANCES, runId: RUN_ID });
      let step = maker.next();
      while (!step.done) {
        const { name, value } = step.value;
        step = maker.next(sha256Hex(made[name] = renderCanonicalJson(value)));
      }
      assertEquals(made, { ...build(facts) });
      assertEquals(step.value, buildEvidence(facts).digest);
      assertEquals(Object.keys(made), [
        "toolchain.json",
        "provenance.json",
        "human_review.json",
        "run_summary.json",
      ]);
    }
  },
);

Deno.test(
  "buildEvidence() refuses more files than are supported, and names the limit",
  PURE,
  () => {
    const [material] = SAMPLE_FACTS.materials;
    assert(material !== undefined);
    const tooMany = new Array<typeof material>(MOST_FILES + 1).fill(material);
    const { command } = SAMPLE_COMMAND_FACTS;
    assert(command !== undefined);
    for (
      const [what, facts] of [
        ["inputs", { ...SAMPLE_FACTS, materials: tooMany }],
        ["products", { ...SAMPLE_FACTS, command: { ...command, products: tooMany } }],
      ] as const
    ) {
      const error = assertThrows(() => buildEvidence(facts), KprovError);
      assertEquals(
        error.message,
        `Cannot record ${MOST_FILES + 1} ${what}: a run holds at most ${MOST_FILES}`,
      );
      assertEquals([error.code, error.hint?.includes("--shard")], ["data", true]);
    }
  },
);

Deno.test(
  "buildEvidence() refuses parameters that a reader would refuse, and no others",
  PURE,
  () => {
    const record = (count: number): RunFacts => ({
      ...SAMPLE_FACTS,
      inputs: Array.from({ length: count }, (_, i) => `data/${i}/`.padEnd(2000, "a")),
      materials: [],
    });
    const error = assertThrows(() => buildEvidence(record(8400)), KprovError);
    assertEquals(error.code, "data");
    assertEquals(error.message.includes(" characters, at most 16773120 are supported"), true);
    const text = buildEvidence(record(8300)).documents["provenance.json"];
    const { findings } = readDocument("provenance.json", new TextEncoder().encode(text));
    assertEquals(findings.filter(({ code }) => code === "document.malformed"), []);
  },
);

Deno.test("buildEvidence() does not depend on the order of its facts", PURE, () => {
  const expected = build(SAMPLE_FACTS);
  const shuffled = <T>(items: readonly T[]): fc.Arbitrary<T[]> =>
    fc.shuffledSubarray([...items], { minLength: items.length });
  fc.assert(fc.property(
    shuffled(SAMPLE_FACTS.materials),
    shuffled(SAMPLE_FACTS.inputs),
    shuffled(SAMPLE_FACTS.exclude),
    (materials, inputs, exclude) => {
      assertEquals(build({ ...SAMPLE_FACTS, materials, inputs, exclude }), expected);
    },
  ));
});

Deno.test(
  "buildEvidence() leaves the summary's circumstances out of the evidence digest",
  PURE,
  () => {
    const evidence = buildEvidence(SAMPLE_FACTS);
    const one = buildRunDocuments(evidence, SAMPLE_CIRCUMSTANCES, RUN_ID);
    const other = buildRunDocuments(
      evidence,
      { ...SAMPLE_CIRCUMSTANCES, created_at: "2027-01-01T00:00:00Z", source: null, policy: null },
      "2027-01-01T00-00-00Z",
    );
    assertEquals({ ...other, "run_summary.json": "" }, { ...one, "run_summary.json": "" });
  },
);

Deno.test("each parser undoes the rendering of its document", PURE, () => {
  const documents = build(SAMPLE_COMMAND_FACTS);
  const parsers = {
    "human_review.json": parseHumanReview,
    "provenance.json": parseProvenance,
    "run_summary.json": parseRunSummary,
    "toolchain.json": parseToolchain,
  };
  for (const name of DOCUMENT_NAMES) {
    const parsed = parsers[name](JSON.parse(documents[name]));
    assertEquals(renderCanonicalJson(parsed), documents[name], name);
  }
});

Deno.test("the documents are bound to each other by their digests", PURE, () => {
  const documents = build(SAMPLE_FACTS);
  const evidenceDigest = sha256Hex(documents["provenance.json"]);
  const toolchainDigest = sha256Hex(documents["toolchain.json"]);
  const provenance = parseProvenance(JSON.parse(documents["provenance.json"]));
  const summary = parseRunSummary(JSON.parse(documents["run_summary.json"]));
  assertEquals(
    provenance.predicate.runDetails.builder.builderDependencies[0].digest.sha256,
    toolchainDigest,
  );
  assertEquals(
    parseHumanReview(JSON.parse(documents["human_review.json"])).evidence_digest,
    evidenceDigest,
  );
  assertEquals(summary.documents, {
    "provenance.json": evidenceDigest,
    "toolchain.json": toolchainDigest,
  });
});

function parse(facts: RunFacts, change: Partial<Provenance> = {}): Provenance {
  return parseProvenance({ ...JSON.parse(build(facts)["provenance.json"]), ...change });
}

/** The facts of a run of a command, with another end or other products. */
function withCommand(change: Partial<EndedCommand>): RunFacts {
  const { command } = SAMPLE_COMMAND_FACTS;
  assert(command !== undefined);
  return { ...SAMPLE_COMMAND_FACTS, command: { ...command, ...change } };
}

const SUBJECTS: readonly (readonly [string, RunFacts, subject: "products" | "inputs"])[] = [
  ["without a command", SAMPLE_FACTS, "inputs"],
  ["of a shard", SAMPLE_SHARD_FACTS, "inputs"],
  ["of a command that succeeded", SAMPLE_COMMAND_FACTS, "products"],
  ["of a command that nobody saw end", withCommand({ argv: null, exitCode: null }), "products"],
  ["of a command that failed", SAMPLE_FAILED_FACTS, "inputs"],
  ["of a command that a signal ended", withCommand({ exitCode: 143, signal: "SIGTERM" }), "inputs"],
  ["of a command without products", withCommand({ products: [] }), "inputs"],
];

for (const [what, facts, expected] of SUBJECTS) {
  Deno.test(`the subject of a run ${what} is its ${expected}`, PURE, () => {
    const { subject, predicate } = parse(facts);
    assertEquals(
      subject.map(({ name }) => name),
      expected === "inputs" ? ["inputs"] : ["out/clean.csv", "out/latest"],
    );
    const { byproducts } = predicate.runDetails;
    const left = (byproducts ?? []).map(({ name }) => name);
    const isLeft = expected === "inputs" && (facts.command?.products.length ?? 0) > 0;
    assertEquals(left, [
      ...(facts.command === undefined ? [] : ["outcome"]),
      ...(isLeft ? ["out/clean.csv", "out/latest"] : []),
    ]);
  });
}

Deno.test("runs that ended in other ways are other evidence", PURE, () => {
  const ends = [
    { exitCode: 0, signal: null },
    { exitCode: 1, signal: null },
    { exitCode: 143, signal: null },
    { exitCode: 143, signal: "SIGTERM" },
    { exitCode: null, signal: null },
  ];
  const digests = ends.map((end) => buildEvidence(withCommand({ ...end, products: [] })).digest);
  assertEquals(new Set(digests).size, ends.length);
});

Deno.test("a product of the name inputs is told from the inputs", PURE, () => {
  const product = { name: "inputs", kind: "file", size: 1, sha256: digestOf("7") } as const;
  const { subject } = parse(withCommand({ productPaths: ["inputs"], products: [product] }));
  assertEquals<unknown>(subject, [{
    annotations: { kind: "file", size: 1 },
    digest: { sha256: digestOf("7") },
    name: "inputs",
  }]);
});

Deno.test("parseProvenance() takes an empty list of inputs from a shard alone", PURE, () => {
  const empty = parse({ ...SAMPLE_SHARD_FACTS, materials: [] });
  assertEquals<unknown>(empty.subject[0]?.digest, {
    dirHash: sha256Hex(""),
    sha256: sha256Hex(""),
  });
  assertThrows(() => parse(SAMPLE_FACTS, { subject: [] }), KprovError, "at /subject");
  assertThrows(
    () => parse({ ...SAMPLE_COMMAND_FACTS, materials: [] }),
    KprovError,
    "at /predicate/buildDefinition/resolvedDependencies",
  );
});

Deno.test("buildToolchain() sorts tools, runtimes and packages, and names each once", PURE, () => {
  const { tools = [], runtimes = [] } = SAMPLE_COMMAND_FACTS.toolchain;
  const mixed = runtimes.map((runtime) => ({
    ...runtime,
    packages: runtime.packages === null
      ? null
      : [...runtime.packages.toReversed(), ...runtime.packages],
  }));
  const toolchain = {
    ...SAMPLE_COMMAND_FACTS.toolchain,
    tools: tools.toReversed(),
    runtimes: [...mixed.toReversed(), ...mixed],
  };
  assertEquals(buildToolchain(toolchain), buildToolchain(SAMPLE_COMMAND_FACTS.toolchain));
});

Deno.test("toToolchainFacts() undoes buildToolchain(), tools and runtimes included", PURE, () => {
  for (const { toolchain } of [SAMPLE_FACTS, SAMPLE_COMMAND_FACTS]) {
    const built = buildToolchain(toolchain);
    assertEquals(buildToolchain(toToolchainFacts(built)), built);
    assertEquals("tools" in built, "tools" in toolchain);
  }
});

Deno.test("parseLockfile() refuses what is no lockfile, and what pins nothing", PURE, () => {
  const refused = (text: string): string => {
    const error = assertThrows(() => parseLockfile(text), KprovError);
    assertEquals(error.code, "data");
    return error.message.replace("Cannot parse the lockfile: ", "");
  };
  const neither = 'its version is neither "4" nor "5"';
  assertEquals(["{", "[]", "{}", '{"version": "3"}'].map(refused), [
    "it is not JSON",
    "it is not a JSON object",
    neither,
    neither,
  ]);
  assertEquals(refused('{"version": "4", "npm": []}'), "a section is no object");
  for (const key of ["zod", "@std/a", "@1.0.0"]) {
    const npm = { [key]: { integrity: "sha512-aa" } };
    assertEquals(
      refused(JSON.stringify({ version: "5", npm })),
      `the entry ${JSON.stringify(key)} pins nothing`,
    );
  }
  assertEquals(refused('{"version": "5", "npm": {"a@1": {}}}'), 'the entry "a@1" pins nothing');
  assertEquals(parseLockfile('{"version": "4"}').packages, []);
});
