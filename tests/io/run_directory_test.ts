import {
  buildEvidence,
  buildRunDocuments,
  DOCUMENT_NAMES,
  renderCanonicalJson,
  sha256Hex,
} from "../../mod.ts";
import { KprovError } from "../../src/base/error.ts";
import { type PutDocument, putDocuments } from "../../src/evidence/documents.ts";
import { writeRunDirectory } from "../../src/io/run_directory.ts";
import { assertEquals, assertStringIncludes, assertThrows } from "../assert.ts";
import { SAMPLE_CIRCUMSTANCES, SAMPLE_FACTS } from "../sample_facts.ts";
import { listNames, makeTree } from "../temporary_tree.ts";

const AT = "2026-02-15T20:13:00Z";
const RUN_ID = "2026-02-15T20-13-00Z";

const CONTENT = { facts: SAMPLE_FACTS, circumstances: SAMPLE_CIRCUMSTANCES };

function put(runId: string, put: PutDocument): void {
  putDocuments({ ...CONTENT, runId }, put);
}

Deno.test("writeRunDirectory() writes the four documents and nothing else", () => {
  using tree = makeTree();
  const out = tree.at("a/b/runs");
  const written = writeRunDirectory({ out, createdAt: AT }, put);
  assertEquals(written.runId, RUN_ID);
  assertEquals(listNames(out), [RUN_ID]);
  assertEquals(listNames(written.path), [...DOCUMENT_NAMES]);
  const texts = buildRunDocuments(buildEvidence(SAMPLE_FACTS), SAMPLE_CIRCUMSTANCES, RUN_ID);
  for (const name of DOCUMENT_NAMES) {
    assertEquals(Deno.readTextFileSync(`${written.path}/${name}`), texts[name]);
  }
});

Deno.test("writeRunDirectory() never takes a name that is there, not even of an empty directory", () => {
  using tree = makeTree();
  Deno.mkdirSync(tree.at(RUN_ID));
  Deno.writeTextFileSync(tree.at(`${RUN_ID}-2`), "a file");
  const written = writeRunDirectory({ out: tree.path, createdAt: AT }, put);
  assertEquals(written.runId, `${RUN_ID}-3`);
  assertEquals(listNames(tree.at(RUN_ID)), []);
  const summary = Deno.readTextFileSync(`${written.path}/run_summary.json`);
  assertStringIncludes(summary, `"run_id": "${RUN_ID}-3"`);
});

Deno.test("writeRunDirectory() leaves a name to the writer that reserved it", () => {
  using tree = makeTree();
  Deno.mkdirSync(tree.at(`.${RUN_ID}.tmp`));
  const written = writeRunDirectory({ out: tree.path, createdAt: AT }, put);
  assertEquals(written.runId, `${RUN_ID}-2`);
});

Deno.test("writeRunDirectory() sees a run that appears between its look and its reservation", () => {
  using tree = makeTree();
  const original = Deno.mkdirSync;
  Deno.mkdirSync = (path, options): void => {
    original(path, options);
    if (String(path).endsWith(`.${RUN_ID}.tmp`)) original(tree.at(RUN_ID));
  };
  try {
    const written = writeRunDirectory({ out: tree.path, createdAt: AT }, put);
    assertEquals(written.runId, `${RUN_ID}-2`);
  } finally {
    Deno.mkdirSync = original;
  }
  assertEquals(listNames(tree.path), [RUN_ID, `${RUN_ID}-2`]);
  assertEquals(listNames(tree.at(RUN_ID)), []);
});

Deno.test("writeRunDirectory() leaves nothing when the documents cannot be made", () => {
  using tree = makeTree();
  const error = assertThrows(
    () =>
      writeRunDirectory({ out: tree.path, createdAt: AT }, () => {
        throw new KprovError("fault", "no documents");
      }),
    KprovError,
  );
  assertEquals(error.code, "fault");
  assertEquals(listNames(tree.path), []);
});

Deno.test("writeRunDirectory() leaves nothing when a write fails in the middle", () => {
  using tree = makeTree();
  const original = Deno.FsFile.prototype.syncSync;
  let calls = 0;
  Deno.FsFile.prototype.syncSync = function (): void {
    if (++calls === 3) throw Object.assign(new Error("disk"), { code: "EIO" });
    original.call(this);
  };
  try {
    const error = assertThrows(
      () => writeRunDirectory({ out: tree.path, createdAt: AT }, put),
      KprovError,
      "the device failed",
    );
    assertEquals(error.code, "io");
  } finally {
    Deno.FsFile.prototype.syncSync = original;
  }
  assertEquals(listNames(tree.path), []);
});

Deno.test("writeRunDirectory() refuses a document beyond its limit, and leaves nothing", () => {
  using tree = makeTree();
  const text = "\u{1F600}".repeat(2 ** 18);
  const error = assertThrows(
    () =>
      writeRunDirectory({ out: tree.path, createdAt: AT }, (_, put) => {
        put("toolchain.json", text);
        put("run_summary.json", text);
      }),
    KprovError,
    "Cannot write run_summary.json: it is larger than 1048576 bytes",
  );
  assertEquals(error.code, "data");
  assertStringIncludes(error.hint ?? "", "--shard");
  assertEquals(listNames(tree.path), []);
});

Deno.test("writeRunDirectory() gives the digest of the bytes that it wrote", () => {
  using tree = makeTree();
  // Longer than the buffer, and of characters that take one, two, three and four bytes.
  const texts = ["a", "\u00e9", "\uFF5E", "\u{1F600}"].map((text) => text.repeat(2 ** 17 + 1));
  for (const text of [...texts, texts.join("")]) {
    let digest = "";
    const { path } = writeRunDirectory({ out: tree.path, createdAt: AT }, (_, put) => {
      digest = put("toolchain.json", { text });
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
  fn: () => {
    using tree = makeTree();
    Deno.chmodSync(tree.path, 0o555);
    const error = assertThrows(
      () => writeRunDirectory({ out: tree.path, createdAt: AT }, put),
      KprovError,
    );
    Deno.chmodSync(tree.path, 0o755);
    assertEquals(error.code, "cannot_create");
  },
});
