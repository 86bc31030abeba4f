import type { Outcome } from "./command.ts";
import { countApprovals, listDecisions, type ReviewStatus } from "./human_review.ts";
import { type ExternalParameters, type FileDescriptor, listProducts } from "./provenance.ts";
import { type FileTotals, sumDescriptors } from "./run_summary.ts";
import type { Toolchain } from "./toolchain.ts";
import type { RunReading } from "./verify.ts";

/** The facts that {@linkcode Lineage} keeps about a run, besides its files. */
export interface RunRecord {
  /** What it is called: its path. */
  readonly run: string;
  /** Its id; the last part of the path where the documents do not verify. */
  readonly runId: string;
  /** When it was made, as a UTC second; empty where the documents do not say it. */
  readonly createdAt: string;
  /** Whether its documents verify. */
  readonly verifies: boolean;
  /** How its command ended; null where the documents do not verify. */
  readonly outcome: Outcome | null;
  /** The exit code of its command; null where the documents do not verify, or its end was not observed. */
  readonly exitCode: number | null;
  /** Where its review stands; null where the documents do not verify. */
  readonly review: ReviewStatus | null;
  /** How many people approve it. */
  readonly approvals: number;
  /** Everyone who decided about it. */
  readonly reviewers: readonly string[];
  /** Its command; null where kprov started none. */
  readonly command: readonly string[] | null;
  /** Digest of its provenance.json; null where that is missing or malformed. */
  readonly evidenceDigest: string | null;
  /** What its command ran on. */
  readonly toolchain: Pick<Toolchain, "tools" | "runtimes">;
  /** The inputs as given, the globs of what was left out, and whether links were followed. */
  readonly given: Pick<ExternalParameters, "inputs" | "exclude" | "links">;
  /** What went in. */
  readonly inputs: FileTotals;
  /** What came out. */
  readonly products: FileTotals;
}

/** The files of a run. */
export interface RunFileLists {
  /** What went in. */
  readonly inputs: readonly FileDescriptor[];
  /** What came out. */
  readonly products: readonly FileDescriptor[];
}

/**
 * Takes from a run the facts that lineage needs; the run itself, many times as large, can then be
 * freed. For a run that does not verify, its outcome and its review are left out.
 *
 * @param path Where it is
 * @param reading What was read of its documents
 * @returns What is kept, and its files
 *
 * @example A directory without documents is a run that does not verify
 * ```ts
 * import { describeRun, Lineage, readRun } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const lineage = new Lineage();
 * const reading = readRun({ name: "2026-02-15T20-13-00Z", files: new Map() });
 * const { record, files } = describeRun("runs/2026-02-15T20-13-00Z", reading);
 * lineage.add(record, files);
 * assertEquals(lineage.runs.map(({ run, verifies }) => [run, verifies]), [
 *   ["runs/2026-02-15T20-13-00Z", false],
 * ]);
 * ```
 */
export function describeRun(
  path: string,
  reading: Pick<RunReading, "documents" | "digests" | "findings">,
): { readonly record: RunRecord; readonly files: RunFileLists } {
  const { documents, digests, findings } = reading;
  const provenance = documents["provenance.json"];
  const definition = provenance?.predicate.buildDefinition;
  const files = {
    inputs: definition?.resolvedDependencies ?? [],
    products: provenance === undefined ? [] : listProducts(provenance),
  };
  const { tools, runtimes } = documents["toolchain.json"] ?? {};
  const summary = documents["run_summary.json"];
  const record = {
    run: path,
    // By the documents' word, one that does not verify could pass for another.
    runId: (findings.length === 0 ? summary?.run_id : null) ?? path.split(/[\\/]/).at(-1) ?? path,
    createdAt: summary?.created_at ?? "",
    ...describeVerdict(documents, findings.length === 0),
    command: definition?.externalParameters.command?.argv ?? null,
    evidenceDigest: digests["provenance.json"] ?? null,
    toolchain: {
      ...(tools === undefined ? {} : { tools }),
      ...(runtimes === undefined ? {} : { runtimes }),
    },
    given: describeGiven(definition?.externalParameters),
    inputs: sumDescriptors(files.inputs),
    products: sumDescriptors(files.products),
  };
  return { record, files };
}

function describeGiven(parameters: ExternalParameters | undefined): RunRecord["given"] {
  const { inputs = [], exclude = [], links } = parameters ?? {};
  return { inputs, exclude, ...(links === undefined ? {} : { links }) };
}

type Verdict = "verifies" | "outcome" | "exitCode" | "review" | "approvals" | "reviewers";

function describeVerdict(
  documents: RunReading["documents"],
  verifies: boolean,
): Pick<RunRecord, Verdict> {
  const summary = documents["run_summary.json"];
  const review = documents["human_review.json"];
  if (!verifies || summary === undefined || review === undefined) {
    const none = { outcome: null, exitCode: null, review: null, approvals: 0, reviewers: [] };
    return { verifies: false, ...none };
  }
  return {
    verifies,
    outcome: summary.outcome,
    exitCode: summary.exit_code,
    review: review.status,
    approvals: countApprovals(review),
    reviewers: [...new Set(listDecisions(review).map(({ reviewer }) => reviewer))],
  };
}
