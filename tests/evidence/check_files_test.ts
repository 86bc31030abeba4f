import {
  checkFiles,
  type ObservedFile,
  type RecordedFile,
  type RunFacts,
  shardOf,
} from "../../mod.ts";
import { checkKnownFiles, listClaims } from "../../src/evidence/check_files.ts";
import { assert, assertEquals } from "../assert.ts";
import { makeRun } from "../make_run.ts";
import { digestOf, SAMPLE_COMMAND_FACTS, SAMPLE_FACTS } from "../sample_facts.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const DATA: RecordedFile = { name: "data/a.csv", kind: "file", size: 1, sha256: digestOf("a") };
const LINK: RecordedFile = { name: "data/link", kind: "symlink", size: 1, sha256: digestOf("b") };

const FACTS: RunFacts = { ...SAMPLE_FACTS, inputs: ["data"], materials: [DATA, LINK] };

/** A command that changes its input in place, which is therefore a product too. */
const IN_PLACE: RunFacts = {
  ...SAMPLE_COMMAND_FACTS,
  ...FACTS,
  command: {
    argv: ["sort"],
    productPaths: ["data/a.csv"],
    products: [{ ...DATA, sha256: digestOf("c") }],
    exitCode: 0,
    signal: null,
    output: { stdout: digestOf("1"), stderr: digestOf("2") },
  },
};

const read = (file: RecordedFile): ObservedFile => ({ state: "read", file });

const CASES: readonly (readonly [
  what: string,
  data: ObservedFile,
  link: ObservedFile,
  codes: readonly string[],
])[] = [
  ["nothing where nothing changed", read(DATA), read(LINK), []],
  ["changed content", read({ ...DATA, sha256: digestOf("0") }), read(LINK), ["file.changed"]],
  ["a missing file", { state: "missing" }, read(LINK), ["file.missing"]],
  ["an unreadable file", { state: "unreadable", reason: "it is a FIFO" }, read(LINK), [
    "file.unreadable",
  ]],
  ["a file that became a link", read({ ...DATA, kind: "symlink" }), read(LINK), [
    "file.kind_changed",
  ]],
  ["a link that became a file", read(DATA), read({ ...LINK, kind: "file" }), ["file.kind_changed"]],
  ["another size, whatever the digest", read({ ...DATA, size: 2 }), read(LINK), ["file.changed"]],
  ["a link that leads elsewhere", read(DATA), read({ ...LINK, sha256: digestOf("0") }), [
    "file.link_changed",
  ]],
];

for (const [what, data, link, codes] of CASES) {
  Deno.test(`checkFiles() finds ${what}`, PURE, () => {
    const files = new Map([[DATA.name, data], [LINK.name, link]]);
    const findings = checkFiles(makeRun(FACTS), { files, listed: [DATA.name, LINK.name] });
    assertEquals(findings.map(({ code }) => code), [...codes]);
  });
}

Deno.test("checkFiles() finds a file that is new in a directory that was an input", PURE, () => {
  const files = new Map([[DATA.name, read(DATA)], [LINK.name, read(LINK)]]);
  const findings = checkFiles(makeRun(FACTS), { files, listed: ["data/new"] });
  assertEquals(findings.map(({ code, path }) => [code, path]), [["file.unexpected", "data/new"]]);
});

Deno.test(
  "checkFiles() finds a file that is new in a shard, and none of other shards",
  PURE,
  () => {
    const shard = { count: 2, index: shardOf(DATA.name, 2) };
    const run = makeRun({ ...FACTS, materials: [DATA], shard });
    const names = ["data/1", "data/2", "data/3", "data/4", "data/5", "data/6"];
    const files = new Map([[DATA.name, read(DATA)]]);
    const findings = checkFiles(run, { files, listed: [DATA.name, ...names] });
    const own = names.filter((name) => shardOf(name, 2) === shard.index);
    assertEquals(
      findings.map(({ code, path }) => [code, path]),
      own.map((name) => ["file.unexpected", name]),
    );
    assert(own.length > 0 && own.length < names.length);
  },
);

Deno.test("checkFiles() holds the kinds of products against what stands there", PURE, () => {
  const [command] = [IN_PLACE.command];
  assert(command !== undefined);
  const product: RecordedFile = { name: "out", kind: "symlink", size: 1, sha256: digestOf("c") };
  const made = { ...command, productPaths: ["out"], products: [product] };
  for (const exitCode of [0, 3, null]) {
    const argv = exitCode === null ? null : command.argv;
    const output = exitCode === null ? null : command.output;
    const run = makeRun({ ...IN_PLACE, command: { ...made, exitCode, argv, output } });
    const look = (found: RecordedFile): readonly string[] => {
      const all = [DATA, LINK, found].map((file) => [file.name, read(file)] as const);
      return checkFiles(run, { files: new Map(all), listed: [] }).map(({ code }) => code);
    };
    assertEquals(look(product), []);
    assertEquals(look({ ...product, kind: "file" }), ["file.kind_changed"]);
  }
});

Deno.test(
  "checkFiles() judges an input that the command was meant to change as the product",
  PURE,
  () => {
    const run = makeRun(IN_PLACE);
    const listed = [DATA.name, LINK.name];
    const after = new Map([[DATA.name, read({ ...DATA, sha256: digestOf("c") })], [
      LINK.name,
      read(LINK),
    ]]);
    assertEquals(checkFiles(run, { files: after, listed }), []);
    const before = new Map([[DATA.name, read(DATA)], [LINK.name, read(LINK)]]);
    assertEquals(checkFiles(run, { files: before, listed }).map(({ code }) => code), [
      "file.changed",
    ]);
  },
);

Deno.test(
  "checkKnownFiles() hints at the root only where all files of a run are looked at",
  PURE,
  () => {
    const run = makeRun(FACTS);
    const hintsOf = (names: readonly string[]): boolean => {
      const claims = listClaims(run);
      const expected = claims.files.filter(({ name }) => names.includes(name));
      const findings = checkKnownFiles(claims, expected, { files: new Map(), listed: [] });
      assertEquals(findings.length, names.length);
      return findings.some(({ hint }) => hint?.includes("--root"));
    };
    assertEquals([hintsOf([DATA.name, LINK.name]), hintsOf([DATA.name])], [true, false]);
  },
);
