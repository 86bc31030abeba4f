import {
  buildEvidence,
  buildRunDocuments,
  DOCUMENT_NAMES,
  renderCanonicalJson,
  sha256Hex,
} from "../../mod.ts";
import { LazyList } from "../../src/base/canonical_json.ts";
import { KprovError } from "../../src/base/error.ts";
import { type DocumentMaker, makeDocuments } from "../../src/evidence/documents.ts";
import { Interruption } from "../../src/io/host.ts";
import { writeRunDirectory } from "../../src/io/run_directory.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../assert.ts";
import { SAMPLE_CIRCUMSTANCES, SAMPLE_FACTS } from "../sample_facts.ts";
import { listNames, makeTree } from "../temporary_tree.ts";

const AT = "2026-02-15T20:13:00Z";
const RUN_ID = "2026-02-15T20-13-00Z";

const CONTENT = { facts: SAMPLE_FACTS, circumstances: SAMPLE_CIRCUMSTANCES };

function make(runId: string): DocumentMaker<string> {
  return makeDocuments({ ...CONTENT, runId });
}

Deno.test("writeRunDirectory() writes the four documents and nothing else", async () => {
  using tree = makeTree();
  const out = tree.at("a/b/runs");
  const written = await writeRunDirectory({ out, createdAt: AT }, make);
  assertEquals(written.runId, RUN_ID);
  assertEquals(listNames(out), [RUN_ID]);
  assertEquals(listNames(written.path), [...DOCUMENT_NAMES]);
  const texts = buildRunDocuments(buildEvidence(SAMPLE_FACTS), SAMPLE_CIRCUMSTANCES, RUN_ID);
  for (const name of DOCUMENT_NAMES) {
    assertEquals(Deno.readTextFileSync(`${written.path}/${name}`), texts[name]);
  }
});

Deno.test("writeRunDirectory() never takes a name that is there, not even of an empty directory", async () => {
  using tree = makeTree();
  Deno.mkdirSync(tree.at(RUN_ID));
  Deno.writeTextFileSync(tree.at(`${RUN_ID}-2`), "a file");
  const written = await writeRunDirectory({ out: tree.path, createdAt: AT }, make);
  assertEquals(written.runId, `${RUN_ID}-3`);
  assertEquals(listNames(tree.at(RUN_ID)), []);
  const summary = Deno.readTextFileSync(`${written.path}/run_summary.json`);
  assertStringIncludes(summary, `"run_id": "${RUN_ID}-3"`);
});

Deno.test("writeRunDirectory() leaves a name to the writer that reserved it", async () => {
  using tree = makeTree();
  Deno.mkdirSync(tree.at(`.${RUN_ID}.tmp`));
  using directory = Deno.openSync(tree.at(`.${RUN_ID}.tmp`));
  await directory.lock(true);
  const written = await writeRunDirectory({ out: tree.path, createdAt: AT }, make);
  assertEquals(written.runId, `${RUN_ID}-2`);
});

Deno.test("writeRunDirectory() takes the name that a killed writer left, but for what kprov did not write", async () => {
  using tree = makeTree({ [`.${RUN_ID}.tmp/provenance.json`]: "{", [`.${RUN_ID}-2.tmp/mine`]: "" });
  const target = { out: tree.path, createdAt: AT };
  const names = [await writeRunDirectory(target, make), await writeRunDirectory(target, make)];
  assertEquals(names.map(({ runId }) => runId), [RUN_ID, `${RUN_ID}-3`]);
});

Deno.test("writeRunDirectory() sees a run that appears between its look and its reservation", async () => {
  using tree = makeTree();
  const original = Deno.mkdirSync;
  Deno.mkdirSync = (path, options): void => {
    original(path, options);
    if (String(path).endsWith(`.${RUN_ID}.tmp`)) original(tree.at(RUN_ID));
  };
  try {
    const written = await writeRunDirectory({ out: tree.path, createdAt: AT }, make);
    assertEquals(written.runId, `${RUN_ID}-2`);
  } finally {
    Deno.mkdirSync = original;
  }
  assertEquals(listNames(tree.path), [RUN_ID, `${RUN_ID}-2`]);
  assertEquals(listNames(tree.at(RUN_ID)), []);
});

Deno.test("writeRunDirectory() leaves nothing when the documents cannot be made", async () => {
  using tree = makeTree();
  const error = await assertRejects(
    () =>
      writeRunDirectory({ out: tree.path, createdAt: AT }, () => {
        throw new KprovError("fault", "no documents");
      }),
    KprovError,
  );
  assertEquals(error.code, "fault");
  assertEquals(listNames(tree.path), []);
});

Deno.test("writeRunDirectory() leaves nothing when a write fails in the middle", async () => {
  using tree = makeTree();
  const original = Deno.FsFile.prototype.syncSync;
  let calls = 0;
  Deno.FsFile.prototype.syncSync = function (): void {
    if (++calls === 3) throw Object.assign(new Error("disk"), { code: "EIO" });
    original.call(this);
  };
  try {
    const error = await assertRejects(
      () => writeRunDirectory({ out: tree.path, createdAt: AT }, make),
      KprovError,
      "the device failed",
    );
    assertEquals(error.code, "io");
  } finally {
    Deno.FsFile.prototype.syncSync = original;
  }
  assertEquals(listNames(tree.path), []);
});

Deno.test("writeRunDirectory() refuses a document beyond its limit, and leaves nothing", async () => {
  using tree = makeTree();
  const text = "\u{1F600}".repeat(2 ** 18);
  const error = await assertRejects(
    () =>
      writeRunDirectory({ out: tree.path, createdAt: AT }, function* () {
        yield { name: "toolchain.json", value: text };
        yield { name: "run_summary.json", value: text };
      }),
    KprovError,
    "Cannot write run_summary.json: it is larger than 1048576 bytes",
  );
  assertEquals(error.code, "data");
  assertStringIncludes(error.hint ?? "", "--shard");
  assertEquals(listNames(tree.path), []);
});

Deno.test("a signal stops writeRunDirectory() in the middle of a document, and nothing stays", {
  ignore: Deno.build.os === "windows",
}, async () => {
  using tree = makeTree();
  let made = 0;
  const items = new LazyList(50_000_000, () => ++made);
  const error = await assertRejects(
    () =>
      writeRunDirectory({ out: tree.path, createdAt: AT }, function* () {
        Deno.kill(Deno.pid, "SIGHUP");
        yield { name: "provenance.json", value: { items } };
      }),
    Interruption,
  );
  assertEquals(error.exitCode, 129);
  assert(made < items.length);
  assertEquals(listNames(tree.path), []);
});

Deno.test("writeRunDirectory() gives the digest of the bytes that it wrote", async () => {
  using tree = makeTree();
  // Longer than the buffer, and of characters that take one, two, three and four bytes.
  const texts = ["a", "\u00e9", "\uFF5E", "\u{1F600}"].map((text) => text.repeat(2 ** 17 + 1));
  for (const text of [...texts, texts.join("")]) {
    let digest = "";
    const { path } = await writeRunDirectory({ out: tree.path, createdAt: AT }, function* () {
      digest = yield { name: "toolchain.json", value: { text } };
    });
    const bytes = Deno.readFileSync(`${path}/toolchain.json`);
    assertEquals(digest, sha256Hex(bytes));
    assertEquals(new TextDecoder().decode(bytes), renderCanonicalJson({ text }));
  }
});

Deno.test({
  name: "writeRunDirectory() refuses a directory that it may not write to",
  // The superuser may write everywhere.
  ignore: Deno.build.os === "windows" || Deno.uid() === 0,
  fn: async () => {
    using tree = makeTree();
    Deno.chmodSync(tree.path, 0o555);
    const error = await assertRejects(
      () => writeRunDirectory({ out: tree.path, createdAt: AT }, make),
      KprovError,
    );
    Deno.chmodSync(tree.path, 0o755);
    assertEquals(error.code, "cannot_create");
  },
});
