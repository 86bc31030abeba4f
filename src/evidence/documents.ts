import {
  createSha256,
  renderCanonicalJson,
  renderCanonicalPart,
  sha256Hex,
} from "../base/canonical_json.ts";
import { KprovError, LimitError } from "../base/error.ts";
import { buildHumanReview, type HumanReview } from "./human_review.ts";
import { buildProvenance, type Provenance, type ProvenanceDraft } from "./provenance.ts";
import {
  buildRunSummary,
  type Circumstances,
  type RunFacts,
  type RunSummary,
} from "./run_summary.ts";
import { buildToolchain, type Toolchain } from "./toolchain.ts";

/** The documents of a run, in the order in which they are listed and written. */
export const DOCUMENT_NAMES = [
  "human_review.json",
  "provenance.json",
  "run_summary.json",
  "toolchain.json",
] as const;

/** The name of one document of a run. */
export type DocumentName = typeof DOCUMENT_NAMES[number];

/** How large a document may be. */
interface DocumentLimits {
  /** Most bytes. */
  readonly maxBytes: number;
  /** Most characters outside of the lists of files, which are read item by item. */
  readonly maxOutline: number;
  /** Deepest nesting of objects and arrays. */
  readonly maxDepth: number;
}

/** How large provenance.json may be, whether it is written or read. */
export const PROVENANCE_LIMITS: DocumentLimits = {
  maxBytes: 2 * 2 ** 30,
  maxOutline: 16 * 2 ** 20,
  maxDepth: 16,
};

/** Most inputs of a run, and most products: what fits into the memory that a process is given. */
export const MOST_FILES = 2_000_000;

/** Longest text of one item in a list of files; the longest path of a system takes a fraction. */
export const LONGEST_ITEM = 2 ** 20;

/** What to do about a run that is too large. */
export const SHARD_HINT = "record the inputs in several runs, with --shard I/N";

/**
 * Refuses a run of more files than are supported.
 *
 * @param count How many
 * @param what What they are
 * @throws {KprovError} `data`
 */
export function checkFileCount(count: number, what: "inputs" | "products"): void {
  if (count <= MOST_FILES) return;
  throw new KprovError(
    "data",
    `Cannot record ${count} ${what}: a run holds at most ${MOST_FILES}`,
    { hint: SHARD_HINT },
  );
}

/** What each document of a run holds. */
export interface DocumentTypes {
  /** Who judged the run. */
  readonly "human_review.json": HumanReview;
  /** What went in and came out. */
  readonly "provenance.json": Provenance;
  /** The circumstances. */
  readonly "run_summary.json": RunSummary;
  /** The tools. */
  readonly "toolchain.json": Toolchain;
}

/** A run directory with the bytes of its files. */
export interface RunFiles {
  /** The directory's name, which is the run's id; null where it is not known. */
  readonly name: string | null;
  /** The bytes of every file in it, by name; each file is read at most once. */
  readonly files: ReadonlyMap<string, DocumentBytes>;
}

/** The four documents of a run, parsed, with the digests of their bytes. */
export interface Run {
  /** What each document holds. */
  readonly documents: DocumentTypes;
  /** Digest of each document's bytes. */
  readonly digests: Readonly<Record<DocumentName, string>>;
}

/** How large each document may be, whether it is written or read. */
export const DOCUMENT_LIMITS: Readonly<Record<DocumentName, DocumentLimits>> = {
  "human_review.json": { maxBytes: 16 * 2 ** 20, maxOutline: 16 * 2 ** 20, maxDepth: 16 },
  "provenance.json": PROVENANCE_LIMITS,
  "run_summary.json": { maxBytes: 2 ** 20, maxOutline: 2 ** 20, maxDepth: 16 },
  "toolchain.json": { maxBytes: 16 * 2 ** 20, maxOutline: 16 * 2 ** 20, maxDepth: 16 },
};

/**
 * The bytes of a document: whole, or in pieces. They are read once, and each piece is valid until the
 * next one is read.
 *
 * @example Where a document is cut makes no difference
 * ```ts
 * import { type DocumentBytes, readRun } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * function digest(bytes: DocumentBytes): string | undefined {
 *   const files = new Map([["toolchain.json", bytes]]);
 *   return readRun({ name: null, files }).digests["toolchain.json"];
 * }
 *
 * const whole = new TextEncoder().encode("{}\n");
 * assertEquals(digest([whole.subarray(0, 1), whole.subarray(1)]), digest(whole));
 * ```
 */
export type DocumentBytes = Uint8Array | Iterable<Uint8Array>;

/**
 * Decodes and digests the bytes of a document in one pass. What is wrong is reported in this order,
 * wherever it stands and however the bytes come: too many of them, a byte order mark, invalid UTF-8,
 * and what the taker of the text refuses.
 *
 * @param bytes The bytes
 * @param maxBytes No more of them are read
 * @param take Is called with the text, in parts that may end anywhere
 * @returns The digest of the bytes
 * @throws {KprovError} `data`; the message is a reason such as `it is not valid UTF-8`
 */
export function readText(
  bytes: DocumentBytes,
  maxBytes: number,
  take: (text: string) => void,
): string {
  const hash = createSha256();
  const decoder = new Utf8Decoder();
  const guard = new FirstFault();
  let size = 0;
  for (const piece of bytes instanceof Uint8Array ? partBytes(bytes) : bytes) {
    size += piece.length;
    if (size > maxBytes) throw new LimitError(`it is larger than ${maxBytes} bytes`);
    hash.update(piece);
    const text = decoder.decode(piece);
    guard.run(() => take(text));
  }
  decoder.end();
  guard.end();
  return hash.digest("hex");
}

/** Most bytes that are decoded at once: what is made of them should stay in the cache. */
const PIECE = 256 * 1024;

function* partBytes(bytes: Uint8Array): Generator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += PIECE) yield bytes.subarray(i, i + PIECE);
}

/** The first bytes one by one, as many as a byte order mark has, and the others. */
function partStart(bytes: Uint8Array): Uint8Array[] {
  return [0, 1, 2, 3]
    .map((i) => bytes.subarray(i, i < 3 ? i + 1 : bytes.length))
    .filter(({ length }) => length > 0);
}

/** Strict UTF-8, in pieces; a fault is thrown in the end, and nothing comes out behind it. */
class Utf8Decoder {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #fault = new FirstFault();
  #isAtStart = true;

  decode(piece?: Uint8Array): string {
    let text = "";
    // The first character comes alone, so that no fault behind it is found before it is looked at.
    for (const part of this.#isAtStart && piece !== undefined ? partStart(piece) : [piece]) {
      this.#fault.run(() => text += this.#decode(part));
    }
    return text;
  }

  end(): void {
    this.decode();
    this.#fault.end();
  }

  #decode(piece?: Uint8Array): string {
    try {
      const text = this.#decoder.decode(piece, { stream: piece !== undefined });
      if (!this.#isAtStart || text === "") return text;
      this.#isAtStart = false;
      if (!text.startsWith("\uFEFF")) return text;
    } catch (cause) {
      throw new KprovError("data", "it is not valid UTF-8", { cause });
    }
    throw new KprovError("data", "it starts with a byte order mark");
  }
}

/** Does things until one of them finds a fault in the data, which it holds until the end. */
class FirstFault {
  #fault: KprovError | null = null;

  run(action: () => void): void {
    if (this.#fault !== null) return;
    try {
      action();
    } catch (error) {
      if (!(error instanceof KprovError) || error.code !== "data") throw error;
      this.#fault = error;
    }
  }

  end(): void {
    if (this.#fault !== null) throw this.#fault;
  }
}

/** Characters of provenance.json that are neither parameters nor in a list of files, and some more. */
const ROOM_FOR_THE_REST = 4096;

/** The text of each document of a run. */
export type RunDocuments = Readonly<Record<DocumentName, string>>;

/** The part of a run's evidence that depends on its content alone. */
export interface Evidence {
  /** What the evidence was made of. */
  readonly facts: RunFacts;
  /** The documents that are the same, to the byte, for equal runs. */
  readonly documents: Omit<RunDocuments, "run_summary.json">;
  /** Digest of provenance.json: the evidence digest. */
  readonly digest: string;
}

/** Everything that the documents of a run are made of. */
interface RunContent {
  /** What the evidence is made of. */
  readonly facts: RunFacts;
  /** When and under which conditions the run was made. */
  readonly circumstances: Circumstances;
  /** The run directory's name. */
  readonly runId: string;
}

/** A document that is to be written, in canonical form. */
export interface MadeDocument {
  /** Its name. */
  readonly name: DocumentName;
  /** What it holds. */
  readonly value: unknown;
}

/**
 * Makes documents, each as soon as it can be, without holding any of them as text. Whoever takes one
 * answers with the digest of its bytes, since later documents name earlier ones.
 */
export type DocumentMaker<T> = Generator<MadeDocument, T, string>;

/**
 * Makes the four documents of a run.
 *
 * @param content What they are made of
 * @returns The evidence digest
 * @throws {KprovError} `data` where the run is larger than the limits, `fault` where a fact cannot
 * be represented exactly
 */
export function* makeDocuments(
  { facts, circumstances, runId }: RunContent,
): DocumentMaker<string> {
  const { toolchain, provenance } = yield* makeEvidence(facts);
  const value = buildRunSummary(facts, {
    ...circumstances,
    run_id: runId,
    provenanceSha256: provenance,
    toolchainSha256: toolchain,
  });
  yield { name: "run_summary.json", value };
  return provenance;
}

interface EvidenceDigests {
  readonly toolchain: string;
  readonly provenance: string;
}

function* makeEvidence(facts: RunFacts): DocumentMaker<EvidenceDigests> {
  checkFileCount(facts.materials.length, "inputs");
  checkFileCount(facts.command?.products.length ?? 0, "products");
  const toolchain = yield { name: "toolchain.json", value: buildToolchain(facts.toolchain) };
  const draft = buildProvenance({
    ...facts,
    kprov: facts.toolchain.kprov,
    toolchainSha256: toolchain,
  });
  checkParameters(draft);
  const provenance = yield { name: "provenance.json", value: draft };
  yield { name: "human_review.json", value: buildHumanReview(provenance) };
  return { toolchain, provenance };
}

/** What stands outside of the lists of files is read as a whole, so it has a limit of its own. */
function checkParameters({ predicate }: ProvenanceDraft): void {
  const { externalParameters } = predicate.buildDefinition;
  const { length } = renderCanonicalPart(externalParameters, "      ");
  if (length <= PROVENANCE_LIMITS.maxOutline - ROOM_FOR_THE_REST) return;
  throw new KprovError(
    "data",
    `Cannot record the inputs as given: with the command they take ${length} characters, at most ` +
      `${PROVENANCE_LIMITS.maxOutline - ROOM_FOR_THE_REST} are supported`,
    { hint: "name directories instead of the files in them" },
  );
}

/**
 * Makes the documents that depend on content alone: provenance.json, toolchain.json and
 * human_review.json. The same facts give the same bytes.
 *
 * @param facts What went in, what ran, what came out; lists in any order
 * @returns The documents' text and the evidence digest
 * @throws {KprovError} `data` where the run is larger than the limits, `fault` where a fact cannot
 * be represented exactly
 *
 * @example Two orders of the same facts are the same evidence
 * ```ts
 * import { buildEvidence, type RecordedFile, type RunFacts, sha256Hex } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const toolchain: RunFacts["toolchain"] = {
 *   kprov: "1.0.0",
 *   runtime: {
 *     deno: "2.9.6",
 *     v8: "15.0",
 *     typescript: "6.0.3",
 *     target: "x86_64-unknown-linux-gnu",
 *     os: "linux",
 *     arch: "x86_64",
 *     standalone: false,
 *   },
 *   lockfile: { sha256: sha256Hex(""), packages: [] },
 * };
 * const materials = ["a", "b"].map((name): RecordedFile => (
 *   { name, kind: "file", size: 1, sha256: sha256Hex(name) }
 * ));
 * const digestOf = (files: readonly RecordedFile[]) =>
 *   buildEvidence({ inputs: ["a", "b"], exclude: [], materials: files, toolchain }).digest;
 *
 * assertEquals(digestOf(materials), digestOf(materials.toReversed()));
 * ```
 */
export function buildEvidence(facts: RunFacts): Evidence {
  const documents = { "human_review.json": "", "provenance.json": "", "toolchain.json": "" };
  const maker = makeEvidence(facts);
  let step = maker.next();
  while (!step.done) {
    const { name, value } = step.value;
    const text = renderCanonicalJson(value);
    if (name !== "run_summary.json") documents[name] = text;
    step = maker.next(sha256Hex(text));
  }
  return { facts, digest: step.value.provenance, documents };
}

/**
 * Completes the documents of a run with its run_summary.json.
 *
 * @param evidence As `buildEvidence()` returns it
 * @param circumstances When and under which conditions the run was made
 * @param runId The run directory's name
 * @returns The text of all four documents
 * @throws {KprovError} `fault` where a fact cannot be represented exactly
 *
 * @example Complete the evidence that the example of the module makes
 * ```ts
 * import { buildRunDocuments, type Circumstances, type Evidence } from "@kprov/cli";
 *
 * function complete(evidence: Evidence, circumstances: Circumstances): string {
 *   const documents = buildRunDocuments(evidence, circumstances, "2026-02-15T20-13-00Z");
 *   return documents["run_summary.json"];
 * }
 * ```
 */
export function buildRunDocuments(
  evidence: Evidence,
  circumstances: Circumstances,
  runId: string,
): RunDocuments {
  const { facts, documents, digest } = evidence;
  const summary = buildRunSummary(facts, {
    ...circumstances,
    run_id: runId,
    provenanceSha256: digest,
    toolchainSha256: sha256Hex(documents["toolchain.json"]),
  });
  return { ...documents, "run_summary.json": renderCanonicalJson(summary) };
}
