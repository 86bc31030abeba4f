import type { DocumentName } from "./documents.ts";
import { type DocumentLimits, PROVENANCE_LIMITS } from "./limits.ts";

/** How large each document may be, whether it is written or read. */
export const DOCUMENT_LIMITS: Readonly<Record<DocumentName, DocumentLimits>> = {
  "human_review.json": { maxBytes: 16 * 2 ** 20, maxOutline: 16 * 2 ** 20, maxDepth: 16 },
  "provenance.json": PROVENANCE_LIMITS,
  "run_summary.json": { maxBytes: 2 ** 20, maxOutline: 2 ** 20, maxDepth: 16 },
  "toolchain.json": { maxBytes: 16 * 2 ** 20, maxOutline: 16 * 2 ** 20, maxDepth: 16 },
};
