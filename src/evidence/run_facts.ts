import type { CommandFacts, RecordedFile } from "./provenance.ts";
import type { RunSummary } from "./run_summary.ts";
import type { Shard } from "./shard.ts";
import type { ToolchainFacts } from "./toolchain.ts";

/** Everything that the evidence of a run is made of, as {@linkcode buildEvidence} takes it. */
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

/**
 * The command that a run was made around, and how it ended.
 *
 * @example
 * ```ts
 * import { type EndedCommand, sha256Hex } from "@kprov/cli";
 * import { assert } from "@std/assert";
 *
 * const command: EndedCommand = {
 *   argv: ["sh", "clean.sh"],
 *   env: ["LANG"],
 *   productPaths: ["out"],
 *   products: [{ name: "out/a.csv", kind: "file", size: 5, sha256: sha256Hex("hello") }],
 *   exitCode: 0,
 *   output: { stdout: sha256Hex("1 file\n"), stderr: sha256Hex("") },
 * };
 * assert(command.products.every(({ name }) => name.startsWith("out/")));
 * ```
 */
export interface EndedCommand extends CommandFacts {
  /** The command's exit code; 0 where somebody else ran it. */
  readonly exitCode: number;
  /** Digests of what it printed; null where somebody else ran it. */
  readonly output: { readonly stdout: string; readonly stderr: string } | null;
}

/**
 * What only the summary records: the circumstances of the run.
 *
 * @example Times are UTC seconds
 * ```ts
 * import type { Circumstances } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const circumstances: Circumstances = {
 *   created_at: new Date(Date.UTC(2026, 1, 15, 20, 13)).toISOString().replace(".000", ""),
 *   runtime_policy: { range: ">=2.8.2 <2.10.0", satisfied: true },
 *   policy: null,
 *   source: { repository: "https://example.org/acme/etl", commit: "0123456789".repeat(4) },
 *   permissions: { read: "partial", write: "partial", run: "denied", net: "denied", env: "denied" },
 * };
 * assertEquals(circumstances.created_at, "2026-02-15T20:13:00Z");
 * ```
 */
export type Circumstances = Pick<
  RunSummary,
  "created_at" | "runtime_policy" | "policy" | "source" | "permissions"
>;
