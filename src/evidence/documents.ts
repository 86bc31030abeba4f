import { renderCanonicalJson, renderCanonicalPart } from "../base/canonical_json.ts";
import { KprovError } from "../base/error.ts";
import { sha256Hex } from "../base/sha256.ts";
import { buildHumanReview } from "./human_review.ts";
import { buildProvenance, type ProvenanceDraft } from "./provenance.ts";
import { checkFileCount, type DocumentName, PROVENANCE_LIMITS } from "./run.ts";
import { buildRunSummary, type Circumstances, type RunFacts } from "./run_summary.ts";
import { buildToolchain } from "./toolchain.ts";

/** Characters of provenance.json that are neither parameters nor in a list of files, and some more. */
const ROOM_FOR_THE_REST = 4096;

/** The text of each document of a run, as {@linkcode buildRunDocuments} makes them. */
export type RunDocuments = Readonly<Record<DocumentName, string>>;

/**
 * The part of a run's evidence that depends on nothing but its content, as
 * {@linkcode buildEvidence} makes it.
 */
export interface Evidence {
  /** What the evidence was made of. */
  readonly facts: RunFacts;
  /** The documents that equal runs share to the byte. */
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

/**
 * Puts one document where the run goes, in canonical form, and returns the digest of its bytes.
 * Each stands before the next is made, since later documents name earlier ones.
 */
export type PutDocument = (name: DocumentName, value: unknown) => string;

/**
 * Makes the four documents of a run, each as soon as it can be, without holding any of them as text.
 *
 * @param content What they are made of
 * @param put Takes them
 * @returns The evidence digest
 * @throws {KprovError} `data` where the run is larger than is supported, `fault` where a fact cannot
 * be represented exactly, and what `put` throws
 */
export function putDocuments(
  { facts, circumstances, runId }: RunContent,
  put: PutDocument,
): string {
  const { toolchain, provenance } = putEvidence(facts, put);
  put(
    "run_summary.json",
    buildRunSummary(facts, {
      ...circumstances,
      run_id: runId,
      provenanceSha256: provenance,
      toolchainSha256: toolchain,
    }),
  );
  return provenance;
}

interface EvidenceDigests {
  readonly toolchain: string;
  readonly provenance: string;
}

function putEvidence(facts: RunFacts, put: PutDocument): EvidenceDigests {
  checkFileCount(facts.materials.length, "inputs");
  checkFileCount(facts.command?.products.length ?? 0, "products");
  const toolchain = put("toolchain.json", buildToolchain(facts.toolchain));
  const draft = buildProvenance({
    ...facts,
    kprov: facts.toolchain.kprov,
    toolchainSha256: toolchain,
  });
  checkParameters(draft);
  const provenance = put("provenance.json", draft);
  put("human_review.json", buildHumanReview(provenance));
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
 * Makes the documents that are the same to the byte for the same content: provenance.json,
 * toolchain.json and human_review.json.
 *
 * @param facts What went in, what ran, what came out; lists in any order
 * @returns The documents' text and the evidence digest
 * @throws {KprovError} `data` where the run is larger than is supported, `fault` where a fact cannot
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
  const { provenance } = putEvidence(facts, (name, value) => {
    const text = renderCanonicalJson(value);
    if (name !== "run_summary.json") documents[name] = text;
    return sha256Hex(text);
  });
  return { facts, digest: provenance, documents };
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
 * @example The module's own example makes the evidence
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
