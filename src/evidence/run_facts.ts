import type { CommandFacts, RecordedFile } from "./provenance.ts";
import type { RunSummary } from "./run_summary.ts";
import type { Shard } from "./shard.ts";
import type { ToolchainFacts } from "./toolchain.ts";

/** Everything that the evidence of a run is made of. */
export interface RunFacts {
  /** The inputs as given, normalised. */
  readonly inputs: readonly string[];
  /** The globs of what was left out of directory inputs. */
  readonly exclude: readonly string[];
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
  /** The command's exit code; 0 where somebody else ran it. */
  readonly exitCode: number;
  /** Digests of what it printed; null where somebody else ran it. */
  readonly output: { readonly stdout: string; readonly stderr: string } | null;
}

/** What only the summary records: the circumstances of the run. */
export type Circumstances = Pick<
  RunSummary,
  "created_at" | "runtime_policy" | "policy" | "source" | "permissions"
>;
