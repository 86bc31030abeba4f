/**
 * kprov makes deterministic evidence of what a pipeline did. As a library it is pure functions that
 * need no permission. By task:
 *
 * - **make evidence**: `buildEvidence`, `buildRunDocuments`
 * - **read and verify it**: `readRun`, `verifyRun`; one document alone: `parseProvenance`,
 *   `parseToolchain`, `parseHumanReview`, `parseRunSummary`
 * - **compare it with files on disk**: `checkFiles`
 * - **compare**: `diffRuns`
 * - **review**: `recordDecision`
 * - **connect many runs**: `describeRun`, `Lineage`
 * - **find what is stale**: `planStatus`, `judgePipeline`, `explainProduct`; by the evidence alone:
 *   `assumeDisk`, `compareEnvironments`
 * - **trace a file**: `traceFile`, `checkTrace`
 * - **spread a run over machines**: `shardOf`, `readShardRun`, `mergeRuns`
 * - **use the ground rules**: `renderCanonicalJson`, `sha256Hex`, `compareUtf8`, `describeNameFault`,
 *   `parseLockfile`
 * - **handle what goes wrong**: `Finding` for a negative answer, `KprovError` for an unmet precondition
 *
 * The guards are an entry of their own, `@kprov/cli/guards`. Started directly, this module is the
 * command line:
 *
 * ```sh
 * deno run --no-config --no-lock --allow-read --allow-write jsr:@kprov/cli input.txt --out runs/
 * ```
 *
 * @example Make the documents of a run, verify them, and compare two runs, all in memory
 * ```ts
 * import { buildEvidence, buildRunDocuments, diffRuns, readRun, sha256Hex } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const runtime = {
 *   deno: "2.9.6",
 *   v8: "15.0",
 *   typescript: "6.0.3",
 *   target: "x86_64-unknown-linux-gnu",
 *   os: "linux",
 *   arch: "x86_64",
 *   standalone: false,
 * };
 * const lockfile = { sha256: sha256Hex(""), packages: [] };
 * const permissions = {
 *   read: "granted",
 *   write: "granted",
 *   run: "denied",
 *   net: "denied",
 *   env: "denied",
 * } as const;
 *
 * function record(content: string) {
 *   const evidence = buildEvidence({
 *     inputs: ["input.txt"],
 *     exclude: [],
 *     materials: [{ name: "input.txt", kind: "file", size: 5, sha256: sha256Hex(content) }],
 *     toolchain: { kprov: "1.0.0", runtime, lockfile },
 *   });
 *   const circumstances = {
 *     created_at: "2026-02-15T20:13:00Z",
 *     runtime_policy: [
 *       { runtime: "deno", range: ">=2.8.2 <2.10.0", version: "2.9.6", satisfied: true },
 *     ],
 *     policy: null,
 *     source: null,
 *     permissions,
 *     observation: null,
 *   };
 *   return buildRunDocuments(evidence, circumstances, "2026-02-15T20-13-00Z");
 * }
 *
 * function read(content: string) {
 *   const documents = Object.entries(record(content));
 *   const files = documents.map(([name, text]) => [name, new TextEncoder().encode(text)] as const);
 *   return readRun({ name: "2026-02-15T20-13-00Z", files: new Map(files) });
 * }
 *
 * const [one, other] = [read("hello"), read("world")];
 * assertEquals(one.findings, []);
 * if (one.run === null || other.run === null) throw new Error("a document is missing");
 * assertEquals(diffRuns(one.run, one.run), []);
 * assertEquals(diffRuns(one.run, other.run).map(({ kind, name }) => [kind, name]), [
 *   ["input", "input.txt"],
 * ]);
 * ```
 *
 * @module
 */
export { renderCanonicalJson } from "./src/base/canonical_json.ts";
export { KprovError, type KprovErrorCode, type KprovErrorOptions } from "./src/base/error.ts";
export type { Finding, FindingLevel } from "./src/base/error.ts";
export { sha256Hex } from "./src/base/canonical_json.ts";
export { compareUtf8 } from "./src/base/text.ts";
export { checkFiles, type Observation, type ObservedFile } from "./src/evidence/check_files.ts";
export { describeNameFault } from "./src/evidence/check_names.ts";
export type { CommandEnd, EndDescriptor, Outcome } from "./src/evidence/command.ts";
export { type Change, CHANGE_KINDS, type ChangeKind, diffRuns } from "./src/evidence/diff.ts";
export {
  buildEvidence,
  buildRunDocuments,
  DOCUMENT_NAMES,
  type DocumentBytes,
  type DocumentName,
  type DocumentTypes,
  type Evidence,
  type Run,
  type RunDocuments,
  type RunFiles,
} from "./src/evidence/documents.ts";
export type {
  HumanReview,
  ReviewDecision,
  ReviewMeaning,
  ReviewStatus,
} from "./src/evidence/human_review.ts";
export {
  checkTrace,
  Lineage,
  type LineageInput,
  type NearestFile,
  type Trace,
  type TraceDemands,
  traceFile,
} from "./src/evidence/lineage.ts";
export type { LineageFile } from "./src/evidence/file_table.ts";
export { describeRun, type RunFileLists, type RunRecord } from "./src/evidence/lineage_records.ts";
export {
  type MergedRun,
  mergeRuns,
  readShardRun,
  type ShardRun,
  type SharedCircumstances,
} from "./src/evidence/merge.ts";
export { compareEnvironments, type EnvironmentCause } from "./src/evidence/diff.ts";
export {
  assumeDisk,
  type Cause,
  type ExplainedProduct,
  explainProduct,
  judgePipeline,
  type MakerTie,
  type PipelineDisk,
  type PipelineStatus,
  type PlannedProduct,
  planStatus,
  type ProductState,
  type ProductStatus,
  type StatusPlan,
} from "./src/evidence/pipeline_status.ts";
export {
  type CommandFacts,
  type DigestSet,
  type ExternalParameters,
  type FileDescriptor,
  type FileKind,
  type InputsDescriptor,
  type InputsDigest,
  type Provenance,
  type RecordedCommand,
  type RecordedFile,
  type RecordedStdin,
  type Shard,
  shardOf,
  type ToolchainDescriptor,
} from "./src/evidence/provenance.ts";
export { parseProvenance } from "./src/evidence/provenance_schema.ts";
export type {
  Circumstances,
  EndedCommand,
  FileTotals,
  Permissions,
  PermissionState,
  RunFacts,
  RunSummary,
  RuntimeCheck,
  Source,
} from "./src/evidence/run_summary.ts";
export {
  parseHumanReview,
  parseRunSummary,
  parseToolchain,
  recordDecision,
} from "./src/evidence/schemas.ts";
export {
  type LockedPackage,
  type PackageSource,
  parseLockfile,
  type RecordedLockfile,
  type RecordedPackage,
  type RecordedRuntime,
  type RecordedTool,
  type Runtime,
  type Toolchain,
  type ToolchainFacts,
} from "./src/evidence/toolchain.ts";
export { readRun, type RunReading, verifyRun } from "./src/evidence/verify.ts";

// A dynamic import: a module graph that loops back here would wait for itself forever.
if (import.meta.main) {
  const { main } = await import("./src/commands/main.ts");
  const { PROCESS_HOST } = await import("./src/io/host.ts");
  Deno.exit(await main(Deno.args, PROCESS_HOST));
}
