import type * as z from "zod/mini";
import { renderCanonicalJson } from "../canonical_json.ts";
import { type Finding, makeFinding } from "../finding.ts";
import { KprovError } from "../kprov_error.ts";
import { listSchemaIssues } from "../schema_issue.ts";
import { parseStrictJson } from "../strict_json.ts";
import type { DocumentName } from "./documents.ts";
import { type HumanReview, humanReviewSchema } from "./human_review.ts";
import { type DocumentLimits, PROVENANCE_LIMITS } from "./limits.ts";
import { type Provenance, provenanceSchema } from "./provenance.ts";
import { type RunSummary, runSummarySchema } from "./run_summary.ts";
import { type Toolchain, toolchainSchema } from "./toolchain.ts";

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

/** How large each document may be, whether it is written or read. */
export const DOCUMENT_LIMITS: Readonly<Record<DocumentName, DocumentLimits>> = {
  "human_review.json": { maxBytes: 16 * 2 ** 20, maxOutline: 16 * 2 ** 20, maxDepth: 16 },
  "provenance.json": PROVENANCE_LIMITS,
  "run_summary.json": { maxBytes: 2 ** 20, maxOutline: 2 ** 20, maxDepth: 16 },
  "toolchain.json": { maxBytes: 16 * 2 ** 20, maxOutline: 16 * 2 ** 20, maxDepth: 16 },
};

/** A run of a broken document would else print a finding for each of a million entries. */
const MOST_ISSUES = 100;

const SCHEMAS: { readonly [N in DocumentName]: z.ZodMiniType<DocumentTypes[N]> } = {
  "human_review.json": humanReviewSchema,
  "provenance.json": provenanceSchema,
  "run_summary.json": runSummarySchema,
  "toolchain.json": toolchainSchema,
};

/** A document that was read: its content where it fits the schema, and everything that is wrong with it. */
export interface ReadDocument<T> {
  /** The content, or null where it cannot be trusted to have its form. */
  readonly value: T | null;
  /** What is wrong; none for a document as kprov writes it. */
  readonly findings: readonly Finding[];
}

/**
 * Reads one document of a run as if it came from an enemy: bounded in size and depth before it is
 * parsed, one reading only, strict schema, canonical bytes.
 *
 * @param name Which document
 * @param bytes Its bytes
 * @returns The content, and findings `document.malformed`, `document.schema` and
 * `document.not_canonical`
 */
export function readDocument<N extends DocumentName>(
  name: N,
  bytes: Uint8Array,
): ReadDocument<DocumentTypes[N]> {
  const parsed = tryParse(name, bytes);
  if (!parsed.ok) return { value: null, findings: [parsed.finding] };
  const issues = listSchemaIssues(SCHEMAS[name], parsed.value);
  const findings = issues.slice(0, MOST_ISSUES).map(({ pointer, message }) =>
    makeFinding("document.schema", `${pointer === "" ? "the document" : pointer}: ${message}`, {
      path: name,
    })
  );
  if (issues.length > MOST_ISSUES) {
    findings.push(
      makeFinding("document.schema", `${issues.length - MOST_ISSUES} more places differ`, {
        path: name,
      }),
    );
  }
  findings.push(...checkCanonical(name, bytes, parsed.value));
  // The schema has just been held against it.
  const value = issues.length === 0 ? parsed.value as DocumentTypes[N] : null;
  return { value, findings };
}

type Parsed = { readonly ok: true; readonly value: unknown } | {
  readonly ok: false;
  readonly finding: Finding;
};

function tryParse(name: DocumentName, bytes: Uint8Array): Parsed {
  try {
    return { ok: true, value: parseStrictJson(bytes, DOCUMENT_LIMITS[name]) };
  } catch (error) {
    if (!(error instanceof KprovError)) throw error;
    return { ok: false, finding: makeFinding("document.malformed", error.message, { path: name }) };
  }
}

function checkCanonical(name: DocumentName, bytes: Uint8Array, value: unknown): Finding[] {
  try {
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    const canonical = renderCanonicalJson(value);
    if (text === canonical) return [];
    const line = findFirstDifference(text, canonical);
    return [makeFinding("document.not_canonical", "it is not in canonical form from this line on", {
      path: name,
      line,
      hint: "its bytes were changed after kprov wrote it",
    })];
  } catch (error) {
    if (!(error instanceof KprovError)) throw error;
    return [makeFinding("document.not_canonical", error.message, { path: name })];
  }
}

/** The line, from 1, in which two different texts first differ. */
function findFirstDifference(a: string, b: string): number {
  let line = 1;
  for (let i = 0; i < Math.min(a.length, b.length) && a[i] === b[i]; i++) {
    if (a[i] === "\n") line++;
  }
  return line;
}
