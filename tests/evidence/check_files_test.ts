import {
  checkFiles,
  type ObservedFile,
  type RecordedFile,
  type RunFacts,
  shardOf,
} from "../../mod.ts";
import {
  checkKnownFiles,
  listClaims,
  listExpectedInputs,
  NewestWords,
} from "../../src/evidence/check_files.ts";
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

Deno.test("checkFiles() says what was expected, and what is there", PURE, () => {
  const tell = (data: RecordedFile, link?: RecordedFile): string[] => {
    const files = new Map([[DATA.name, read(data)]]);
    if (link !== undefined) files.set(LINK.name, read(link));
    const findings = checkFiles(makeRun(FACTS), { files, listed: [] });
    return findings.map(({ code, message, hint }) => `${code}: ${message} ${hint ?? ""}`.trim());
  };
  const other = digestOf("0");
  assertEquals(tell({ ...DATA, size: 2 }, LINK), [
    "file.changed: the input's content changed: expected 1 bytes, found 2",
  ]);
  // A file that is there, whatever is in it, shows that the root is the right one.
  assertEquals(tell({ ...DATA, sha256: other }), [
    `file.changed: the input's content changed: expected sha256:${DATA.sha256}, found sha256:${other}`,
    "file.missing: the input is not there any more",
  ]);
});

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

Deno.test("checkFiles() hints at a copy that changed the bytes of a name", PURE, () => {
  const composed = { ...DATA, name: "data/\u00e9.csv" };
  const hintOf = (listed: readonly string[]): boolean => {
    const run = makeRun({ ...FACTS, materials: [composed, LINK] });
    const findings = checkFiles(run, { files: new Map([[LINK.name, read(LINK)]]), listed });
    const missing = findings.find(({ code }) => code === "file.missing");
    assertEquals(missing?.path, composed.name);
    return missing?.hint?.includes("Unicode") === true;
  };
  assertEquals(hintOf(["data/e\u0301.csv"]), true);
  assertEquals(hintOf(["data/e.csv"]), false);
  assertEquals(hintOf(["data/e\u0302.csv"]), false);
  // A file that is there was not renamed by a copy.
  const changed = checkFiles(makeRun({ ...FACTS, materials: [composed, LINK] }), {
    files: new Map([
      [composed.name, read({ ...composed, sha256: digestOf("0") })],
      [LINK.name, read(LINK)],
    ]),
    listed: ["data/e\u0301.csv"],
  });
  assertEquals(changed.map(({ code, hint }) => [code, hint]), [
    ["file.unexpected", null],
    ["file.changed", null],
  ]);
});

Deno.test("listExpectedInputs() names the inputs, and no product", PURE, () => {
  assertEquals(
    listExpectedInputs(makeRun(IN_PLACE)).map(({ name, role }) => `${role} ${name}`),
    ["input data/a.csv", "input data/link"],
  );
});

const OLD = { ...DATA, role: "input" as const, run: "old" };
const NEW = { ...DATA, role: "product" as const, run: "new" };

Deno.test("NewestWords takes of each file what the newest run says", PURE, () => {
  const words = new NewestWords();
  assertEquals(words.take([NEW]), { current: [NEW], notes: [] });
  const link = { ...OLD, name: "data/link" };
  // The same content: the older run says nothing else, and does not count.
  assertEquals(words.take([OLD, link]), { current: [link], notes: [] });
  assertEquals([words.has("data/a.csv"), words.has("data/b.csv")], [true, false]);
});

for (
  const [what, other] of [
    ["another digest", { sha256: digestOf("0") }],
    ["another size", { size: 2 }],
    ["another kind", { kind: "symlink" as const }],
  ] as const
) {
  Deno.test(`NewestWords notes where an older run has ${what} of a file`, PURE, () => {
    const words = new NewestWords();
    words.take([NEW]);
    const { current, notes } = words.take([{ ...OLD, ...other }]);
    assertEquals(current, []);
    assertEquals(notes.map(({ code, path, level }) => [code, path, level]), [
      ["file.superseded", "data/a.csv", "note"],
    ]);
    assert(notes[0]?.message.includes('"new"'));
  });
}

Deno.test("NewestWords does not let an older run find a new file again", PURE, () => {
  const run = makeRun(FACTS);
  const files = new Map([[DATA.name, read(DATA)]]);
  const words = new NewestWords();
  words.addListed("new", checkFiles(run, { files, listed: ["data/new"] }));
  // What is missing was not found, and an older run may have it.
  assertEquals([words.has("data/new"), words.has("data/link")], [true, false]);
  const { current, notes } = words.take([{ ...OLD, name: "data/new" }]);
  assertEquals([current, notes.map(({ code }) => code)], [[], ["file.superseded"]]);
});
