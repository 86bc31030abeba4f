import type * as z from "zod/mini";
import { renderCanonicalJson } from "../base/canonical_json.ts";
import { KprovError, LimitError } from "../base/error.ts";
import { type Finding, makeFinding } from "../base/finding.ts";
import { type JsonOutline, JsonSplitter } from "../base/strict_json.ts";
import { listSchemaIssues } from "../base/schema.ts";
import { humanReviewSchema } from "./decision.ts";
import {
  countLines,
  DocumentFaults,
  type ListPlan,
  ListReader,
  readPart,
} from "./document_items.ts";
import { PROVENANCE_LISTS, provenanceOutlineSchema } from "./provenance_schema.ts";
import {
  DOCUMENT_LIMITS,
  type DocumentBytes,
  type DocumentName,
  type DocumentTypes,
  LONGEST_ITEM,
  MOST_FILES,
  readText,
  SHARD_HINT,
} from "./run.ts";
import { runSummarySchema, toolchainSchema } from "./schemas.ts";

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
interface ReadDocument<T> {
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
 * @returns The content, and findings `document.malformed`, `document.old_form`, `document.schema`
 * and `document.not_canonical`
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
  if (isOfOldForm(name, outline)) return { value: null, sha256, findings: [makeOldForm(name)] };
  lists.mark(outline);
  faults.addIssues(listSchemaIssues(OUTLINE_SCHEMAS[name], outline), "");
  lists.fill(outline);
  // The schemas have just been held against it.
  const value = faults.fitsSchema ? outline as DocumentTypes[N] : null;
  return { value, sha256, findings: faults.list() };
}

/**
 * Reads what a document holds outside of its long lists.
 *
 * @param outline Its text; the lists are empty
 * @param faults Takes what is wrong
 * @returns The value
 * @throws {KprovError} `data` where it is malformed
 */
function readOutline({ text, cuts }: JsonOutline, faults: DocumentFaults): unknown {
  const { value, difference, refusal } = readPart(text, renderCanonicalJson);
  if (refusal !== null) faults.addRefusal(refusal);
  if (difference !== null) {
    const cut = cuts.filter(({ offset }) => offset < difference);
    const linesCut = cut.reduce((sum, { lines }) => sum + lines, 0);
    faults.addDifference(1 + countLines(text, difference) + linesCut);
  }
  return value;
}

/** The last version whose documents had another form under the same schema ids. */
const OLD_VERSION = "1.0.0-rc.1";

/** Where a document of the old form has which keys and no others; toolchain.json stayed as it was. */
const OLD_KEYS: Partial<Readonly<Record<DocumentName, readonly [path: string[], keys: string]>>> = {
  "human_review.json": [[], "evidence_digest,history,note,reviewed_at,reviewer,schema,status"],
  "provenance.json": [["predicate", "runDetails"], "builder"],
  "run_summary.json": [["runtime_policy"], "range,satisfied"],
};

function isOfOldForm(name: DocumentName, outline: unknown): boolean {
  const old = OLD_KEYS[name];
  if (old === undefined) return false;
  const [path, keys] = old;
  let place = outline;
  for (const key of path) place = isRecord(place) && Object.hasOwn(place, key) ? place[key] : null;
  return isRecord(place) && Object.keys(place).sort().join() === keys;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function makeOldForm(path: DocumentName): Finding {
  return makeFinding(
    "document.old_form",
    `it has the form of kprov ${OLD_VERSION}, which this version does not read`,
    { path, hint: `kprov ${OLD_VERSION} reads it; to compare the run, record it again` },
  );
}
