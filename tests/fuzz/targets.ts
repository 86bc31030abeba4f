import { renderCanonicalJson } from "../../src/base/canonical_json.ts";
import { parseStrictJson, SMALL_JSON } from "../../src/base/strict_json.ts";
import { loadCommand, parseFlags } from "../../src/commands/command.ts";
import { COMMANDS } from "../../src/commands/main.ts";
import { readRun } from "../../src/evidence/verify.ts";
import { parseYamlFile } from "../../src/guards/actions/yaml.ts";
import { IDENTITY } from "../../src/guards/identity/identity.ts";
import { PARITY } from "../../src/guards/parity/parity.ts";
import { parsePolicy } from "../../src/guards/policy.ts";
import { RUNTIME } from "../../src/guards/runtime/runtime.ts";
import { parseIndex } from "../../src/io/git/index_file.ts";
import { assertEquals } from "../assert.ts";
import { buildIndex, join } from "../io/git/build_index.ts";
import { testdata } from "../paths.ts";
import { FOREIGN_TARGETS } from "./foreign_targets.ts";
import { DOCKER_WORDS, DOCKERFILE, JSON_WORDS, POLICY, WORKFLOW, YAML_WORDS } from "./seeds.ts";
import { decode, encode, expect, type FuzzTarget, makeFacts } from "./target.ts";

/** What an index starts with, and each of its entries of SHA-1 before the path, in bytes. */
const HEADER_LENGTH = 12, FIXED_LENGTH = 62;

const PATHS = ["a/b", "a/c", "d"];

/** The cached trees of those paths, none of which is known, and a part that no reader has to know. */
const EXTENSIONS = [
  ["TREE", encode("\0-1 1\na\0-1 0\n")],
  ["XXXX", encode("abc")],
] as const;

function roundTrip(input: Uint8Array): void {
  const value = parseStrictJson(input, SMALL_JSON);
  // A number that is not represented exactly is read, and refused where it would be written.
  expect(["fault"], () => {
    const text = renderCanonicalJson(value);
    assertEquals(parseStrictJson(encode(text), SMALL_JSON), value);
  });
}

function guardWorkflow(bytes: Uint8Array): void {
  const path = POLICY.parity.workflow;
  const policy = parsePolicy(POLICY, "the policy");
  const facts = makeFacts(path, bytes, {
    yaml: new Map([[path, parseYamlFile({ ok: true, bytes }, path)]]),
  });
  PARITY.check(facts, policy);
  RUNTIME.check(facts, policy);
}

function guardDockerfile(bytes: Uint8Array): void {
  const policy = parsePolicy(POLICY, "the policy");
  const facts = makeFacts("Dockerfile", bytes, {});
  IDENTITY.check(facts, policy);
  RUNTIME.check(facts, policy);
}

const GOLDEN = testdata("golden/command");
const DOCUMENTS = ["human_review.json", "provenance.json", "run_summary.json", "toolchain.json"];

function findGolden(): ReadonlyMap<string, Uint8Array> {
  return new Map(DOCUMENTS.map((name) => [name, Deno.readFileSync(`${GOLDEN}/${name}`)]));
}

const golden = findGolden();
const flags = await Promise.all(COMMANDS.map(loadCommand));

/** Everything that is fuzzed. */
export const TARGETS: readonly FuzzTarget[] = [
  {
    name: "canonical-json",
    seeds: [
      encode('{"a": [1, -2.5e-7, "\\u00e9\\ud83d\\ude00", null], "b": {"": true}}'),
      encode(JSON.stringify(POLICY)),
    ],
    words: JSON_WORDS,
    run: roundTrip,
    refusals: ["data"],
  },
  {
    name: "index",
    seeds: [
      ...[2, 3].map((version) => buildIndex({ version, entries: PATHS.map((path) => ({ path })) })),
      buildVersion4(PATHS),
      buildIndex({ entries: PATHS.map((path) => ({ path })), extensions: EXTENSIONS }),
    ],
    words: ["DIRC", "TREE", "link", "../", ".git/", "\0"],
    run: (input) => void parseIndex(zeroChecksum(input), "sha1"),
    refusals: ["data"],
  },
  {
    name: "policy",
    seeds: [encode(JSON.stringify(POLICY))],
    words: [...JSON_WORDS, "<=*", "||", "^", "~", ">=", "x", "**", "[a-", "/"],
    run: (input) => void parsePolicy(parseStrictJson(input, SMALL_JSON), "the policy"),
    refusals: ["data", "policy"],
  },
  {
    name: "workflow",
    seeds: [encode(WORKFLOW)],
    words: YAML_WORDS,
    run: guardWorkflow,
    refusals: [],
  },
  {
    name: "dockerfile",
    seeds: [encode(DOCKERFILE)],
    words: DOCKER_WORDS,
    run: guardDockerfile,
    refusals: [],
  },
  ...DOCUMENTS.map((document): FuzzTarget => ({
    name: `evidence-${document.replace(".json", "")}`,
    seeds: [golden.get(document) ?? new Uint8Array()],
    words: JSON_WORDS,
    run: (input) => void readRun({ name: null, files: new Map([...golden, [document, input]]) }),
    refusals: [],
  })),
  {
    name: "arguments",
    seeds: [
      encode("run\0a\0--out\0runs\0--at=2026-02-15T20:13:00Z\0--\0sh\0-c\0x"),
      encode("guard\0--format\0json"),
    ],
    words: ["\0", "--", "-", "=", "--no-", "--out", "--shard=1/8", "-h", "__proto__"],
    run: (input) => {
      const args = decode(input).split("\0");
      for (const command of flags) expect(["usage"], () => void parseFlags(args, command));
    },
    refusals: [],
  },
  ...FOREIGN_TARGETS,
];

/** The index of some paths in version 4, in which each path says what it drops of the one before. */
function buildVersion4(paths: readonly string[]): Uint8Array {
  const header = buildIndex({ version: 4, count: paths.length }).subarray(0, HEADER_LENGTH);
  const entries = paths.flatMap((path, i) => {
    const fixed = buildIndex({ version: 2, entries: [{ path }] });
    const dropped = paths[i - 1]?.length ?? 0;
    return [
      fixed.subarray(HEADER_LENGTH, HEADER_LENGTH + FIXED_LENGTH),
      Uint8Array.of(dropped),
      encode(`${path}\0`),
    ];
  });
  return join([header, ...entries, new Uint8Array(20)]);
}

/** Git leaves the checksum zero where it is told to, and else it would refuse nearly every change. */
function zeroChecksum(input: Uint8Array): Uint8Array {
  const bytes = input.slice();
  bytes.fill(0, Math.max(0, bytes.length - 20));
  return bytes;
}
