import { DOCUMENT_NAMES, readRun } from "../../mod.ts";
import { gatherRun, glanceAtShard } from "../../src/io/run_files.ts";
import { assert, assertEquals } from "../assert.ts";
import { testdata } from "../paths.ts";
import { makeTree } from "../temporary_tree.ts";

const RUN_ID = "2026-02-15T20-13-00Z";

/** Copies a run that verifies. */
function copyRun(directory: string): string {
  const path = `${directory}/${RUN_ID}`;
  Deno.mkdirSync(path);
  for (const name of DOCUMENT_NAMES) {
    Deno.copyFileSync(testdata(`golden/files/${name}`), `${path}/${name}`);
  }
  return path;
}

function list(path: string, change: () => void): readonly string[] {
  const gathered = gatherRun(path);
  change();
  const { run, findings } = readRun(gathered);
  assertEquals(gathered.faults, []);
  assertEquals(run === null, findings.length > 0);
  return findings.map(({ path, code, message }) => `${path}: ${code}: ${message}`);
}

Deno.test("gatherRun() opens documents when they are read, and closes them", () => {
  using tree = makeTree();
  const path = copyRun(tree.path);
  for (let i = 0; i < 3; i++) assertEquals(list(path, () => {}), []);
  const { files } = gatherRun(path);
  const [first] = files.get("provenance.json") ?? [];
  assert(first instanceof Uint8Array);
});

const CHANGES: readonly (readonly [string, (file: string) => void, string])[] = [
  ["became larger", (file) => Deno.writeTextFileSync(file, "\n", { append: true }), "changed"],
  ["was replaced by an equal one", (file) => {
    Deno.copyFileSync(file, `${file}.tmp`);
    Deno.renameSync(`${file}.tmp`, file);
  }, "changed"],
  ["vanished", (file) => Deno.removeSync(file), "vanished"],
];

for (const [what, change, word] of CHANGES) {
  Deno.test(`gatherRun() finds a document that ${what} before it was read`, () => {
    using tree = makeTree();
    const path = copyRun(tree.path);
    assertEquals(list(path, () => change(`${path}/provenance.json`)), [
      `provenance.json: document.malformed: it ${word} while it was read`,
    ]);
  });
}

Deno.test({
  name: "gatherRun() follows no link that took a document's place",
  ignore: Deno.build.os === "windows",
  fn: () => {
    using tree = makeTree();
    const path = copyRun(tree.path);
    const file = `${path}/provenance.json`;
    const findings = list(path, () => {
      Deno.renameSync(file, tree.at("kept"));
      Deno.symlinkSync(tree.at("kept"), file);
    });
    assertEquals(findings, ["provenance.json: document.malformed: it changed while it was read"]);
  },
});

Deno.test("gatherRun() finds a document that grows while it is read", () => {
  using tree = makeTree();
  const path = copyRun(tree.path);
  const gathered = gatherRun(path);
  const bytes = gathered.files.get("run_summary.json") ?? [];
  function* growing(): Generator<Uint8Array> {
    for (const piece of bytes) {
      assert(piece instanceof Uint8Array);
      yield piece;
      Deno.writeTextFileSync(`${path}/run_summary.json`, " ", { append: true });
    }
  }
  const files = new Map([...gathered.files, ["run_summary.json", growing()]]);
  const { findings } = readRun({ ...gathered, files });
  assertEquals(findings.map(({ message }) => message), ["it changed while it was read"]);
});

Deno.test("gatherRun() refuses a document beyond its limit without reading it", () => {
  using tree = makeTree();
  const path = copyRun(tree.path);
  // Nothing is written: the file has a hole.
  Deno.truncateSync(`${path}/provenance.json`, 2 ** 31 + 1);
  const { findings } = readRun(gatherRun(path));
  assertEquals(
    findings.map(({ code, message, hint }) => [code, message, hint]),
    [[
      "document.malformed",
      "it is larger than 2147483648 bytes",
      "record the inputs in several runs, with --shard I/N",
    ]],
  );
});

Deno.test("glanceAtShard() sees the shard of a run in the first piece of its provenance alone", () => {
  using tree = makeTree({ "none/notes.txt": "" });
  const shard = testdata("golden/shard");
  const { shard: recorded } = JSON.parse(Deno.readTextFileSync(`${shard}/provenance.json`))
    .predicate.buildDefinition.externalParameters;
  assert(recorded.count > 0);
  assertEquals(glanceAtShard(shard), recorded);
  assertEquals(glanceAtShard(testdata("golden/files")), null);
  assertEquals(glanceAtShard(tree.at("none")), null);
});
