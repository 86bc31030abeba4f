import fc from "fast-check";
import {
  buildEvidence,
  buildRunDocuments,
  type Finding,
  KprovError,
  renderCanonicalJson,
  sha256Hex,
} from "../../mod.ts";
import { listSchemaIssues, parseStrictJson } from "../../src/base/strict_json.ts";
import { provenanceSchema } from "../../src/evidence/provenance_schema.ts";
import { readDocument } from "../../src/evidence/read_document.ts";
import { LONGEST_ITEM, PROVENANCE_LIMITS } from "../../src/evidence/documents.ts";
import { assert, assertEquals } from "../assert.ts";
import {
  SAMPLE_CIRCUMSTANCES,
  SAMPLE_COMMAND_FACTS,
  SAMPLE_FACTS,
  SAMPLE_FAILED_FACTS,
  SAMPLE_SHARD_FACTS,
} from "../sample_facts.ts";
import { isDocument, TAMPERED } from "./tampered_runs.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };
const RUN_ID = "2026-02-15T20-13-00Z";

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function buildProvenance(facts: typeof SAMPLE_FACTS): Uint8Array {
  const documents = buildRunDocuments(buildEvidence(facts), SAMPLE_CIRCUMSTANCES, RUN_ID);
  return encode(documents["provenance.json"]);
}

const PROVENANCES = [SAMPLE_FACTS, SAMPLE_COMMAND_FACTS, SAMPLE_FAILED_FACTS, SAMPLE_SHARD_FACTS]
  .map(buildProvenance);

/** Gives the same piece of memory again and again, as a file that is read does. */
function* inPieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  const buffer = new Uint8Array(size);
  for (let i = 0; i < bytes.length; i += size) {
    const piece = bytes.subarray(i, i + size);
    buffer.fill(0);
    buffer.set(piece);
    yield buffer.subarray(0, piece.length);
  }
}

/** What stands for a document that is read as a whole: the rules, without the splitting. */
function readWhole(bytes: Uint8Array): { readonly form: unknown; readonly line: number | null } {
  const value = parseStrictJson(bytes, PROVENANCE_LIMITS);
  const form = listSchemaIssues(provenanceSchema, value)
    .map(({ pointer, message }) => `${pointer || "the document"}: ${message}`);
  const text = new TextDecoder().decode(bytes);
  const canonical = renderCanonicalJson(value);
  let i = 0;
  while (i < text.length && text[i] === canonical[i]) i++;
  const isEqual = text === canonical;
  return { form: normalise(form), line: isEqual ? null : text.slice(0, i).split("\n").length };
}

/** The same answer, read from the findings of `readDocument()`. */
function describe(findings: readonly Finding[]): ReturnType<typeof readWhole> {
  const form = findings.filter(({ code }) => code === "document.schema")
    .map(({ message }) => message);
  const line = findings.find(({ code }) => code === "document.not_canonical")?.line ?? null;
  return { form: normalise(form), line };
}

/** That a list is empty is asked of the whole only where all else has its form. */
function normalise(form: readonly string[]): readonly string[] {
  const others = form.filter((message) => !message.includes(": expected at least one "));
  return others.length > 0 ? others.sort() : form;
}

function isRefused(action: () => void): boolean {
  try {
    action();
    return false;
  } catch (error) {
    assert(error instanceof KprovError, String(error));
    return true;
  }
}

/** Bytes that mean something to JSON, to UTF-8 or to the schema. */
const BYTES = [...encode('{}[],:"\\ \n\r\t019-.eEuntfals/'), 0x00, 0x80, 0xc3, 0xed, 0xf0, 0xff];

const edits = fc.array(
  fc.record({
    at: fc.nat(),
    remove: fc.constantFrom(0, 0, 1, 1, 2, 20),
    insert: fc.array(fc.constantFrom(...BYTES), { maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 2 },
);

const changed = fc.tuple(fc.constantFrom(...PROVENANCES), edits).map(([bytes, list]) =>
  list.reduce((all, { at, remove, insert }) => {
    const start = at % all.length;
    return Uint8Array.from([...all.subarray(0, start), ...insert, ...all.subarray(start + remove)]);
  }, bytes)
);

Deno.test(
  "readDocument() finds in a document read item by item what it would find in the whole",
  PURE,
  () => {
    fc.assert(
      fc.property(changed, (bytes) => {
        const { findings } = readDocument("provenance.json", bytes);
        const isMalformed = findings.some(({ code }) => code === "document.malformed");
        const isRefusedWhole = isRefused(() => readWhole(bytes));
        // A value without canonical form is refused as a finding of its own, which has no line.
        const isWithoutForm = findings.some(({ code, line }) =>
          code === "document.not_canonical" && line === null
        );
        assertEquals(isMalformed || isWithoutForm, isRefusedWhole);
        if (!isRefusedWhole) assertEquals(describe(findings), readWhole(bytes));
      }),
      { numRuns: 1500 },
    );
  },
);

Deno.test("readDocument() reads the same, however the bytes are parted", PURE, () => {
  const whole = fc.oneof(fc.constantFrom(...PROVENANCES), changed);
  fc.assert(
    fc.property(whole, fc.integer({ min: 1, max: 80 }), (bytes, size) => {
      assertEquals(
        readDocument("provenance.json", inPieces(bytes, size)),
        readDocument("provenance.json", bytes),
      );
    }),
    { numRuns: 500 },
  );
});

for (const { name: what, files } of TAMPERED) {
  Deno.test(`readDocument() reads the same of a run with ${what}, byte by byte`, PURE, () => {
    for (const [name, bytes] of files) {
      if (!isDocument(name)) continue;
      assertEquals(readDocument(name, inPieces(bytes, 1)), readDocument(name, bytes), name);
    }
  });
}

Deno.test("readDocument() counts the places of a list that it does not name", PURE, () => {
  const { name: _, ...unnamed } = SAMPLE_FACTS.materials[0] ?? { name: "" };
  const bytes = encode(renderCanonicalJson({
    predicate: {
      buildDefinition: { resolvedDependencies: Array.from({ length: 150 }, () => unnamed) },
    },
  }));
  const { value, findings } = readDocument("provenance.json", bytes);
  assertEquals(value, null);
  const messages = findings.map(({ message }) => message);
  assertEquals(messages.length, 101);
  const [more = ""] = messages.filter((message) => message.endsWith(" more places differ"));
  assert(Number(more.split(" ", 1)[0]) > 50, more);
});

Deno.test("readDocument() names the document where all of it is wrong", PURE, () => {
  const { findings } = readDocument("toolchain.json", encode("[]\n"));
  assertEquals(findings.map(({ message }) => message.split(":", 1)[0]), ["the document"]);
});

Deno.test("readDocument() proposes shards for provenance that is too large alone", PURE, () => {
  const firstOf = (name: "provenance.json" | "run_summary.json", length: number) => {
    const [finding] = readDocument(name, encode(`"${"a".repeat(length)}`)).findings;
    return [finding?.code, finding?.hint?.includes("--shard") ?? false];
  };
  const [code, length] = ["document.malformed", PROVENANCE_LIMITS.maxOutline];
  assertEquals(firstOf("provenance.json", length), [code, true]);
  assertEquals(firstOf("provenance.json", 1), [code, false]);
  assertEquals(firstOf("run_summary.json", length), [code, false]);
});

Deno.test("readDocument() tells the old form whatever the order of its keys", PURE, () => {
  const text = '{"runtime_policy": {"satisfied": true, "range": "*"}}';
  const { findings } = readDocument("run_summary.json", encode(text));
  assertEquals(findings.map(({ code }) => code), ["document.old_form"]);
});

Deno.test("readDocument() digests what it reads", PURE, () => {
  for (const bytes of PROVENANCES) {
    assertEquals(readDocument("provenance.json", inPieces(bytes, 7)).sha256, sha256Hex(bytes));
  }
});

Deno.test(
  "readDocument() tells what a reader of the file throws, and passes on what is no datum",
  PURE,
  () => {
    function* failing(error: Error): Generator<Uint8Array> {
      yield encode("{");
      throw error;
    }
    const changed = new KprovError("data", "it changed while it was read");
    assertEquals(
      readDocument("toolchain.json", failing(changed)).findings.map(({ code, message }) => [
        code,
        message,
      ]),
      [["document.malformed", "it changed while it was read"]],
    );
    const refused = new KprovError("permission", "no");
    try {
      readDocument("toolchain.json", failing(refused));
      assert(false, "it was swallowed");
    } catch (error) {
      assert(error === refused);
    }
  },
);

const HEAD =
  '{\n  "predicate": {\n    "buildDefinition": {\n      "resolvedDependencies": [\n        ';

/** Text without an end, as far as a reader asks for it. */
function* endless(head: string, text: string, most: number): Generator<Uint8Array> {
  const piece = encode(text.repeat(Math.ceil(2 ** 18 / text.length)));
  yield encode(head);
  for (let size = 0; size < most; size += piece.length) yield piece;
}

const OUTLINE_LIMIT =
  `it has more than ${PROVENANCE_LIMITS.maxOutline} characters outside of its lists of files`;
const ITEM_LIMIT = `it has more than ${LONGEST_ITEM} characters in one item of a list`;

const HOSTILE: readonly (readonly [string, string, string, string])[] = [
  ["a string without an end", '{"a": "', "aaaaaaaa", OUTLINE_LIMIT],
  ["a key without an end", '{"', "aaaaaaaa", OUTLINE_LIMIT],
  ["white space without an end", "", "\n \t ", OUTLINE_LIMIT],
  ["keys without an end", "{", '"a":1,', OUTLINE_LIMIT],
  ["an item without an end", `${HEAD}{"name": "`, "aaaaaaaa", ITEM_LIMIT],
  ["white space in a list without an end", HEAD, "        ", ITEM_LIMIT],
  ["brackets without an end", "", "[", "it is nested deeper than 16"],
  ["brackets in a list without an end", HEAD, "[", "it is nested deeper than 16"],
  ["colons without an end", "", ":", OUTLINE_LIMIT],
  ["closing brackets without an end", "", "]}", OUTLINE_LIMIT],
  ["commas in a list", HEAD, ",", "it is not JSON"],
];

for (const [what, head, text, message] of HOSTILE) {
  Deno.test(`readDocument() refuses ${what}`, PURE, () => {
    const bytes = endless(head, text, PROVENANCE_LIMITS.maxOutline + 2 ** 20);
    const { value, findings } = readDocument("provenance.json", bytes);
    assertEquals(value, null);
    assertEquals(findings.map(({ code, message }) => [code, message]), [[
      "document.malformed",
      message,
    ]]);
    if (message.startsWith("it has more than")) assert(findings[0]?.hint?.includes("--shard"));
  });
}

Deno.test("readDocument() stops at the limit of bytes, whatever comes", PURE, () => {
  let pieces = 0;
  function* tooMuch(): Generator<Uint8Array> {
    const piece = new Uint8Array(64 * 1024).fill(0x20);
    for (; pieces < 100; pieces++) yield piece;
  }
  const { findings } = readDocument("run_summary.json", tooMuch());
  assertEquals(findings.map(({ message }) => message), ["it is larger than 1048576 bytes"]);
  assertEquals(pieces, 16);
});
