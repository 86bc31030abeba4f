import type { DocumentName } from "../../evidence/documents.ts";
import type { DocumentTypes } from "../../evidence/parse_document.ts";
import type { Provenance, ResourceDescriptor } from "../../evidence/provenance.ts";
import { type FileTotals, sumFiles } from "../../evidence/run_summary.ts";
import type { Run } from "../../evidence/run.ts";
import type { Finding } from "../../finding.ts";

/** A run as a page shows it: with what is wrong, and with those documents that can be read. */
export interface ReportedRun {
  /** The run directory's name. */
  readonly name: string;
  /** What verify finds, sorted; none where the run verifies. */
  readonly findings: readonly Finding[];
  /** The run, where all its documents have their form. */
  readonly run: Run | null;
  /** The documents that have their form. */
  readonly documents: Partial<DocumentTypes>;
  /** Digests of the bytes of the documents that are well-formed. */
  readonly digests: Partial<Readonly<Record<DocumentName, string>>>;
}

/** The inputs of a run, counted anew. */
export function totalInputs(provenance: Provenance): FileTotals {
  const { resolvedDependencies } = provenance.predicate.buildDefinition;
  return sumFiles(resolvedDependencies.map(({ annotations }) => annotations));
}

/**
 * The products of a run. Where a run has none, its subject is its inputs.
 *
 * @returns Null where only run_summary.json could tell, and it cannot be read
 */
export function listReportedProducts(
  { documents }: ReportedRun,
): readonly ResourceDescriptor[] | null {
  const provenance = documents["provenance.json"];
  if (provenance === undefined) return null;
  const { products } = provenance.predicate.buildDefinition.externalParameters;
  if (products === undefined) return [];
  const summary = documents["run_summary.json"];
  if (summary === undefined) return null;
  return summary.products.count === 0 ? [] : provenance.subject;
}
