import type { ReviewStatus } from "./human_review.ts";
import type { RecordedFile } from "./provenance.ts";

/** How the wrapped command ended; a run without one completes. */
export type Outcome = "completed" | "command_failed";

/** What a permission of Deno was while kprov ran. */
export type PermissionState = "granted" | "partial" | "denied";

/** The permissions that kprov ran with. */
export interface Permissions {
  /** Reading files. */
  readonly read: PermissionState;
  /** Writing files. */
  readonly write: PermissionState;
  /** Starting programs. */
  readonly run: PermissionState;
  /** Using the network; kprov never asks for it. */
  readonly net: PermissionState;
  /** Reading environment variables. */
  readonly env: PermissionState;
}

/** How many files, of how many bytes together. */
export interface FileTotals {
  /** Number of files and links. */
  readonly count: number;
  /** Sum of their sizes in bytes. */
  readonly bytes: number;
}

/** Where the inputs came from, as the git metadata around them says. */
export interface Source {
  /** URL of the remote `origin` without credentials; null where there is none to record. */
  readonly repository: string | null;
  /** The commit that is checked out, in hex; null before the first commit. */
  readonly commit: string | null;
}

/** run_summary.json: what happened, in short. */
export interface RunSummary {
  /** The document's schema. */
  readonly schema: "kprovengine.run_summary.v1";
  /** The run directory's name. */
  readonly run_id: string;
  /** When the run was made, as a UTC second. */
  readonly created_at: string;
  /** Digest of provenance.json. */
  readonly evidence_digest: string;
  /** How the wrapped command ended. */
  readonly outcome: Outcome;
  /** The exit code of the run. */
  readonly exit_code: number;
  /** What went in. */
  readonly inputs: FileTotals;
  /** What came out. */
  readonly products: FileTotals;
  /** Digests of the documents that do not change after the run. */
  readonly documents: { readonly "provenance.json": string; readonly "toolchain.json": string };
  /** The range of Deno versions in force, and whether the runtime lay inside it. */
  readonly runtime_policy: { readonly range: string; readonly satisfied: boolean };
  /** The policy in force, or null where the root has none. */
  readonly policy: { readonly path: string; readonly sha256: string } | null;
  /** Where the inputs came from, or null where there is no git metadata. */
  readonly source: Source | null;
  /** The permissions that kprov ran with. */
  readonly permissions: Permissions;
  /** Digests of what the wrapped command printed, or null without one. */
  readonly command_output: { readonly stdout: string; readonly stderr: string } | null;
  /** Where the review stood when the run was made. */
  readonly review_status: ReviewStatus;
}

/** What {@linkcode buildRunSummary} needs to know beyond the other documents. */
export interface RunSummaryFacts extends
  Pick<
    RunSummary,
    | "run_id"
    | "created_at"
    | "outcome"
    | "exit_code"
    | "runtime_policy"
    | "policy"
    | "source"
    | "permissions"
  > {
  /** The files that went in. */
  readonly materials: readonly RecordedFile[];
  /** The files that came out. */
  readonly products: readonly RecordedFile[];
  /** Digest of provenance.json. */
  readonly provenanceSha256: string;
  /** Digest of toolchain.json. */
  readonly toolchainSha256: string;
  /** Digests of what the wrapped command printed, or null without one. */
  readonly command_output: RunSummary["command_output"];
}

/**
 * Makes the run_summary.json of a fresh run.
 *
 * @param facts What happened, and the digests of the other documents
 * @returns The document
 */
export function buildRunSummary(facts: RunSummaryFacts): RunSummary {
  return {
    schema: "kprovengine.run_summary.v1",
    run_id: facts.run_id,
    created_at: facts.created_at,
    evidence_digest: facts.provenanceSha256,
    outcome: facts.outcome,
    exit_code: facts.exit_code,
    inputs: sumFiles(facts.materials),
    products: sumFiles(facts.products),
    documents: {
      "provenance.json": facts.provenanceSha256,
      "toolchain.json": facts.toolchainSha256,
    },
    runtime_policy: facts.runtime_policy,
    policy: facts.policy,
    source: facts.source,
    permissions: facts.permissions,
    command_output: facts.command_output,
    review_status: "PENDING",
  };
}

/**
 * Counts files and adds up their sizes.
 *
 * @param files Files with their sizes in bytes
 * @returns The totals
 */
export function sumFiles(files: readonly { readonly size: number }[]): FileTotals {
  return { count: files.length, bytes: files.reduce((sum, file) => sum + file.size, 0) };
}
