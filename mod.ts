/**
 * kprov makes deterministic evidence of what a pipeline did. As a library it is the pure core:
 * functions that need no permission. Started directly, this module is the command line:
 *
 * ```sh
 * deno run --allow-read --allow-write jsr:@kprov/cli input.txt --out runs/
 * ```
 *
 * @example Make the documents of a run from facts
 * ```ts
 * import { buildEvidence, sha256Hex } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const evidence = buildEvidence({
 *   inputs: ["input.txt"],
 *   exclude: [],
 *   materials: [{ name: "input.txt", kind: "file", size: 5, sha256: sha256Hex("hello") }],
 *   toolchain: {
 *     kprov: "1.0.0",
 *     runtime: {
 *       deno: "2.9.6",
 *       v8: "15.0",
 *       typescript: "6.0.3",
 *       target: "x86_64-unknown-linux-gnu",
 *       os: "linux",
 *       arch: "x86_64",
 *       standalone: false,
 *     },
 *     lockfile: { sha256: sha256Hex(""), packages: [] },
 *   },
 * });
 * assertEquals(evidence.digest, sha256Hex(evidence.documents["provenance.json"]));
 * ```
 *
 * @module
 */
export { renderCanonicalJson } from "./src/canonical_json.ts";
export { compareUtf8 } from "./src/compare_utf8.ts";
export {
  buildEvidence,
  buildRunDocuments,
  type Circumstances,
  DOCUMENT_NAMES,
  type DocumentName,
  type EndedCommand,
  type Evidence,
  type RunDocuments,
  type RunFacts,
} from "./src/evidence/documents.ts";
export {
  type HumanReview,
  parseHumanReview,
  type ReviewDecision,
  type ReviewStatus,
} from "./src/evidence/human_review.ts";
export {
  type LockedPackage,
  parseLockfile,
  type RecordedLockfile,
} from "./src/evidence/lockfile.ts";
export { describeNameFault } from "./src/evidence/name.ts";
export {
  type CommandFacts,
  type DigestSet,
  type ExternalParameters,
  type FileKind,
  type Material,
  parseProvenance,
  type Provenance,
  type RecordedFile,
  type ResourceDescriptor,
  type ToolchainDescriptor,
} from "./src/evidence/provenance.ts";
export {
  type FileTotals,
  type Outcome,
  parseRunSummary,
  type Permissions,
  type PermissionState,
  type RunSummary,
  type Source,
} from "./src/evidence/run_summary.ts";
export {
  parseToolchain,
  type RecordedTool,
  type Runtime,
  type Toolchain,
  type ToolchainFacts,
} from "./src/evidence/toolchain.ts";
export { KprovError, type KprovErrorCode, type KprovErrorOptions } from "./src/kprov_error.ts";
export { sha256Hex } from "./src/sha256.ts";

// A dynamic import: a module graph that loops back here would wait for itself forever.
if (import.meta.main) {
  const { main } = await import("./src/commands/main.ts");
  const { PROCESS_HOST } = await import("./src/system/host.ts");
  Deno.exit(await main(Deno.args, PROCESS_HOST));
}
