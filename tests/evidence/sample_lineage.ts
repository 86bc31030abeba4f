import {
  type FileDescriptor,
  Lineage,
  type LineageFile,
  type RunRecord,
  sha256Hex,
} from "../../mod.ts";
import { formatRunId, formatUtcSecond } from "../../src/evidence/run_summary.ts";

/** A run of a sample pipeline: names of files with their contents. */
export interface SampleRun {
  /** Its id; the time is taken from it. */
  readonly id?: string;
  /** The directory of runs that it is in. */
  readonly directory?: string;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly products?: Readonly<Record<string, string>>;
  readonly record?: Partial<RunRecord>;
}

/**
 * Joins sample runs. Without ids they follow each other, a minute apart.
 *
 * @param runs In any order
 */
export function makeLineage(runs: readonly SampleRun[]): Lineage {
  const lineage = new Lineage();
  for (const [i, run] of runs.entries()) {
    const id = run.id ?? formatRunId(formatUtcSecond(new Date(Date.UTC(2026, 1, 15, 10, i))), 1);
    const [inputs, products] = [list(run.inputs), list(run.products)];
    lineage.add({
      run: `${run.directory ?? "runs"}/${id}`,
      runId: id,
      createdAt: id.replace(/T(..)-(..)-(..)Z.*/, "T$1:$2:$3Z"),
      verifies: true,
      outcome: "completed",
      exitCode: 0,
      review: "PENDING",
      approvals: 0,
      reviewers: [],
      command: ["make"],
      evidenceDigest: null,
      toolchain: {},
      given: { inputs: Object.keys(run.inputs ?? {}), exclude: [] },
      inputs: { count: inputs.length, bytes: 0 },
      products: { count: products.length, bytes: 0 },
      ...run.record,
    }, { inputs, products });
  }
  return lineage;
}

function list(files: Readonly<Record<string, string>> = {}): FileDescriptor[] {
  return Object.entries(files).map(([name, content]) => ({
    name,
    digest: { sha256: sha256Hex(content) },
    annotations: { kind: "file", size: content.length },
  }));
}

/** A file as lineage names it. */
export function fileOf(name: string, content: string): LineageFile {
  return { name, kind: "file", sha256: sha256Hex(content) };
}
