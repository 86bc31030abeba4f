import type * as z from "zod/mini";
import { type Finding, makeFinding } from "../finding.ts";
import { JsonSplitter } from "../json_splitter.ts";
import { KprovError } from "../kprov_error.ts";
import { LimitError } from "../limit_error.ts";
import { listSchemaIssues } from "../schema_issue.ts";
import { type DocumentBytes, readText } from "./document_bytes.ts";
import { DocumentFaults } from "./document_faults.ts";
import { type ListPlan, ListReader } from "./document_list.ts";
import { DOCUMENT_LIMITS } from "./document_limits.ts";
import { readOutline } from "./document_outline.ts";
import type { DocumentName } from "./documents.ts";
import type { HumanReview } from "./human_review.ts";
import { LONGEST_ITEM, MOST_FILES, SHARD_HINT } from "./limits.ts";
import { humanReviewSchema } from "./parse_human_review.ts";
import { provenanceOutlineSchema } from "./parse_provenance.ts";
import { runSummarySchema } from "./parse_run_summary.ts";
import { toolchainSchema } from "./parse_toolchain.ts";
import type { Provenance } from "./provenance.ts";
import { PROVENANCE_LISTS } from "./provenance_lists.ts";
import type { RunSummary } from "./run_summary.ts";
import type { Toolchain } from "./toolchain.ts";

/** What each document of a run holds. */
export interface DocumentTypes {
  /** Who judged the run. */
  readonly "human_review.json": HumanReview;
  /** What went in and came out. */
  readonly "provenance.json": Provenance;
  /** The circumstances. */
  readonly "run_summary.json": RunSummary;
  /** What did it. */
  readonly "toolchain.json": Toolchain;
}

/** The schema of each document, less the items of its long lists. */
const OUTLINE_SCHEMAS: Readonly<Record<DocumentName, z.ZodMiniType>> = {
  "human_review.json": humanReviewSchema,
  "provenance.json": provenanceOutlineSchema,
  "run_summary.json": runSummarySchema,
  "toolchain.json": toolchainSchema,
};

const LISTS: Partial<Readonly<Record<DocumentName, readonly ListPlan[]>>> = {
  "provenance.json": PROVENANCE_LISTS,
};

/** A document that was read: its content where it fits the schema, and everything that is wrong with it. */
export interface ReadDocument<T> {
  /** The content, or null where it cannot be trusted to have its form. */
  readonly value: T | null;
  /** The digest of its bytes; null where it is malformed. */
  readonly sha256: string | null;
  /** What is wrong; none for a document as kprov writes it. */
  readonly findings: readonly Finding[];
}

/**
 * Reads one document of a run as if it came from an enemy: bounded in size and depth before it is
 * parsed, one reading only, strict schema, canonical bytes. Lists of files are read item by item, so
 * that neither the document nor any long part of it is ever held as text.
 *
 * @param name Which document
 * @param bytes Its bytes
 * @returns The content, and findings `document.malformed`, `document.schema` and
 * `document.not_canonical`
 */
export function readDocument<N extends DocumentName>(
  name: N,
  bytes: DocumentBytes,
): ReadDocument<DocumentTypes[N]> {
  try {
    return readWellFormed(name, bytes);
  } catch (error) {
    if (!(error instanceof KprovError) || error.code !== "data") throw error;
    const hint = error instanceof LimitError && name === "provenance.json" ? SHARD_HINT : null;
    return {
      value: null,
      sha256: null,
      findings: [makeFinding("document.malformed", error.message, { path: name, hint })],
    };
  }
}

function readWellFormed<N extends DocumentName>(
  name: N,
  bytes: DocumentBytes,
): ReadDocument<DocumentTypes[N]> {
  const limits = DOCUMENT_LIMITS[name];
  const faults = new DocumentFaults(name);
  const lists = new ListReader(LISTS[name] ?? [], faults);
  const splitter = new JsonSplitter(
    lists.plans.map(({ keys }) => keys),
    { ...limits, maxItem: LONGEST_ITEM, maxItems: MOST_FILES },
    (item) => lists.read(item),
  );
  const sha256 = readText(bytes, limits.maxBytes, (text) => splitter.write(text));
  const outline = readOutline(splitter.end(), faults);
  lists.mark(outline);
  faults.addIssues(listSchemaIssues(OUTLINE_SCHEMAS[name], outline), "");
  lists.fill(outline);
  // The schemas have just been held against it.
  const value = faults.fitsSchema ? outline as DocumentTypes[N] : null;
  return { value, sha256, findings: faults.list() };
}
