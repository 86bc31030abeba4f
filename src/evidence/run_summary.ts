import { nameOutcome, type Outcome } from "./command.ts";
import type { ReviewStatus } from "./human_review.ts";
import { compareUtf8 } from "../base/text.ts";
import type { CommandFacts, RecordedFile, Shard } from "./provenance.ts";
import type { ToolchainFacts } from "./toolchain.ts";

/**
 * The name of a run directory, such as `2026-02-15T20-13-00Z-2`: the UTC second of the run, with `-`
 * for the `:` that some file systems refuse, and a number from the second run of that second on.
 */
export function formatRunId(createdAt: string, ordinal: number): string {
  const base = createdAt.replaceAll(":", "-");
  return ordinal === 1 ? base : `${base}-${ordinal}`;
}

/** What the name of a run directory looks like. */
const RUN_ID = /^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9]{2}Z)(?:-([0-9]+))?$/;

/** Whether a text has the form of a run directory's name. */
export function isRunId(text: string): boolean {
  return RUN_ID.test(text);
}

/**
 * Compares the names of run directories by the order in which the runs were made: by second, then by
 * number within it. A name of another form is put where its text sorts.
 */
export function compareRunIds(a: string, b: string): number {
  const [, secondA = a, ordinalA = "1"] = RUN_ID.exec(a) ?? [];
  const [, secondB = b, ordinalB = "1"] = RUN_ID.exec(b) ?? [];
  return compareUtf8(secondA, secondB) || Number(ordinalA) - Number(ordinalB);
}

/** Reads a UTC second as `2026-02-15T20:13:00Z`, from that or a run id's form; null if it is none. */
export function parseUtcSecond(text: string): string | null {
  const match = /^([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2})[:-]([0-9]{2})[:-]([0-9]{2})Z$/.exec(text);
  if (match === null) return null;
  const normal = `${match[1]}T${match[2]}:${match[3]}:${match[4]}Z`;
  const time = new Date(normal);
  const exists = !Number.isNaN(time.getTime()) && formatUtcSecond(time) === normal;
  return exists ? normal : null;
}

/** Writes a time in the years 0 to 9999 as its UTC second; the fraction is cut off. */
export function formatUtcSecond(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

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

/** The number of files and their total size. */
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
  /**
   * Whether the inputs are the same as in the commit: all of them, not all, or unknown.
   */
  readonly state: "committed" | "modified" | "unknown";
}

/** Joins what holds for several inputs; nothing after the first that is modified is asked for. */
export function joinSourceStates(states: Iterable<Source["state"]>): Source["state"] {
  let joined: Source["state"] = "committed";
  for (const state of states) {
    if (state === "modified") return state;
    if (state === "unknown") joined = state;
  }
  return joined;
}

/** Which versions of a runtime the policy allows, and which was found. */
export interface RuntimeCheck {
  /** Which runtime, as the policy names it; `deno` is the one that kprov runs on, or one of the command. */
  readonly runtime: string;
  /** The range of versions that is allowed. */
  readonly range: string;
  /** The version that was found; null where it is unknown. */
  readonly version: string | null;
  /** Whether it lies in the range. */
  readonly satisfied: boolean;
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
  /** How the command ended. */
  readonly outcome: Outcome;
  /** The exit code of the command, 0 without one; null where its end was not observed. */
  readonly exit_code: number | null;
  /** What went in. */
  readonly inputs: FileTotals;
  /** What came out, or what a failed command left of that. */
  readonly products: FileTotals;
  /** Digests of the documents that do not change after the run. */
  readonly documents: { readonly "provenance.json": string; readonly "toolchain.json": string };
  /** Each runtime that a range was required of, sorted: Deno always, and those of the command. */
  readonly runtime_policy: readonly RuntimeCheck[];
  /** The policy of the root, or null where it has none. */
  readonly policy: { readonly path: string; readonly sha256: string } | null;
  /** Where the inputs came from, or null where there is no git metadata. */
  readonly source: Source | null;
  /** The permissions that kprov ran with. */
  readonly permissions: Permissions;
  /**
   * Digests of the wrapped command's output; null without a command, and where it was not captured.
   */
  readonly command_output: { readonly stdout: string; readonly stderr: string } | null;
  /** What watched the command, and whether it saw everything; null where nothing did. */
  readonly observation: { readonly by: string; readonly complete: boolean } | null;
  /** Where the review stood when the run was made. */
  readonly review_status: ReviewStatus;
}

/** What {@linkcode buildRunSummary} needs to know beyond the evidence's facts. */
interface RunSummaryFacts extends Circumstances {
  /** The run directory's name. */
  readonly run_id: string;
  /** Digest of provenance.json. */
  readonly provenanceSha256: string;
  /** Digest of toolchain.json. */
  readonly toolchainSha256: string;
}

/** Makes the run_summary.json of a fresh run. */
export function buildRunSummary(
  { materials, command }: Pick<RunFacts, "materials" | "command">,
  facts: RunSummaryFacts,
): RunSummary {
  return {
    schema: "kprovengine.run_summary.v1",
    run_id: facts.run_id,
    created_at: facts.created_at,
    evidence_digest: facts.provenanceSha256,
    outcome: nameOutcome(command ?? null),
    exit_code: command === undefined ? 0 : command.exitCode,
    inputs: sumFiles(materials),
    products: sumFiles(command?.products ?? []),
    documents: {
      "provenance.json": facts.provenanceSha256,
      "toolchain.json": facts.toolchainSha256,
    },
    runtime_policy: sortChecks(facts.runtime_policy),
    policy: facts.policy,
    source: facts.source,
    permissions: facts.permissions,
    command_output: command?.output ?? null,
    observation: facts.observation,
    review_status: "PENDING",
  };
}

function sortChecks(checks: readonly RuntimeCheck[]): RuntimeCheck[] {
  return checks.toSorted((a, b) => compareUtf8(keyOfCheck(a), keyOfCheck(b)));
}

/** What the checks of runtimes are sorted and told apart by. */
export function keyOfCheck(
  { runtime, version }: Pick<RuntimeCheck, "runtime" | "version">,
): string {
  return `${runtime}\0${version ?? ""}`;
}

/** Counts files and adds up their sizes. */
export function sumFiles(files: readonly { readonly size: number }[]): FileTotals {
  return { count: files.length, bytes: files.reduce((sum, file) => sum + file.size, 0) };
}

/** Counts files that a statement describes, and adds up their sizes. */
export function sumDescriptors(
  files: readonly { readonly annotations: { readonly size: number } }[],
): FileTotals {
  return sumFiles(files.map(({ annotations }) => annotations));
}

/** Everything that the evidence of a run is made of. */
export interface RunFacts {
  /** The inputs as given, normalised. */
  readonly inputs: readonly string[];
  /** The globs of what was left out of directories. */
  readonly exclude: readonly string[];
  /** Whether the inputs were read through links. */
  readonly links?: "follow";
  /** The files that went in. */
  readonly materials: readonly RecordedFile[];
  /** The command, where the run was made around one. */
  readonly command?: EndedCommand;
  /** The part of the inputs that the materials are, where they are not all. */
  readonly shard?: Shard;
  /** kprov, its runtime, its lockfile and the tools. */
  readonly toolchain: ToolchainFacts;
}

/** The command that a run was made around, and how it ended. */
export interface EndedCommand extends CommandFacts {
  /** Digests of its output; null where somebody else ran it, or its output was not captured. */
  readonly output: { readonly stdout: string; readonly stderr: string } | null;
}

/** What only the summary records: the circumstances of the run. */
export type Circumstances = Pick<
  RunSummary,
  "created_at" | "runtime_policy" | "policy" | "source" | "permissions" | "observation"
>;
