import { renderCanonicalJson } from "../base/canonical_json.ts";
import { KprovError } from "../base/error.ts";
import { quote, shellQuote } from "../base/quote.ts";
import { KPROV_VERSION } from "../base/semver.ts";
import { findUnused } from "./check_names.ts";
import {
  type ExternalParameters,
  type FileDescriptor,
  formatShard,
  type RecordedFile,
  type Shard,
} from "./provenance.ts";
import { MOST_FILES, type Run } from "./documents.ts";
import { type Circumstances, joinSourceStates, type RunFacts, type Source } from "./run_summary.ts";
import { type Toolchain, toToolchainFacts } from "./toolchain.ts";

/** The circumstances that every shard of a run must share. */
export type SharedCircumstances = Pick<Circumstances, "runtime_policy" | "policy" | "source">;

/** What merging needs of a shard run; the run itself, several times as large, can be let go. */
export interface ShardRun {
  /** Where it is, for messages. */
  readonly path: string;
  /** Which shard it is. */
  readonly shard: Shard;
  /** What the run was asked to do. */
  readonly parameters: ExternalParameters;
  /** The files of the shard. */
  readonly materials: readonly RecordedFile[];
  /** What made it. */
  readonly toolchain: Toolchain;
  /** The circumstances. */
  readonly circumstances: SharedCircumstances;
}

/** What the run of all shards is made of. */
export interface MergedRun {
  /** Its content. */
  readonly facts: RunFacts;
  /** Its circumstances, but for when and with which permissions it is written. */
  readonly circumstances: SharedCircumstances;
}

/** Whether a run is a shard of another. */
export function isShardRun({ documents }: Run): boolean {
  const { buildDefinition } = documents["provenance.json"].predicate;
  return buildDefinition.externalParameters.shard !== undefined;
}

/**
 * Takes from a shard run what merging needs.
 *
 * @param path Where it is, for messages
 * @param run A run that verifies
 * @throws {KprovError} `data` where it is no shard, or another version of kprov wrote it
 *
 * @example
 * ```ts
 * import { mergeRuns, readShardRun, type Run } from "@kprov/cli";
 *
 * function countFiles(runs: ReadonlyMap<string, Run>): number {
 *   const shards = [...runs].map(([path, run]) => readShardRun(path, run));
 *   return mergeRuns(shards).facts.materials.length;
 * }
 * ```
 */
export function readShardRun(path: string, run: Run): ShardRun {
  const { externalParameters: parameters, resolvedDependencies } =
    run.documents["provenance.json"].predicate.buildDefinition;
  const toolchain = run.documents["toolchain.json"];
  const { runtime_policy, policy, source } = run.documents["run_summary.json"];
  const { shard } = parameters;
  if (shard === undefined) {
    throw refuse(path, "it is no shard", "kprov run INPUT... --shard I/N records shards");
  }
  if (toolchain.kprov !== KPROV_VERSION) {
    throw refuse(path, `kprov ${toolchain.kprov} wrote it, and this is kprov ${KPROV_VERSION}`);
  }
  return {
    path,
    shard,
    parameters,
    materials: resolvedDependencies.map(toRecordedFile),
    toolchain,
    circumstances: { runtime_policy, policy, source },
  };
}

function toRecordedFile({ name, digest, annotations }: FileDescriptor): RecordedFile {
  return { name, kind: annotations.kind, size: annotations.size, sha256: digest.sha256 };
}

/**
 * Joins shards into the run that one machine would have written.
 *
 * 1. Every shard was made of the same inputs and exclusions, by the same toolchain, of the same
 *    source, under the same policy.
 * 2. Each of the N shards is there, once.
 * 3. Together they hold no more files than a run may.
 * 4. Every input that was given has a file.
 *
 * @param shards Shards of runs that verify, in any order
 * @returns What the whole run is made of
 * @throws {KprovError} `data` with the cause and the run
 *
 * @example
 * ```ts
 * import { mergeRuns, sha256Hex, type ShardRun, type Toolchain } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const toolchain: Toolchain = {
 *   schema: "kprovengine.toolchain.v1",
 *   kprov: "1.0.0",
 *   deno: "2.9.6",
 *   v8: "15.0",
 *   typescript: "6.0.3",
 *   target: "x86_64-unknown-linux-gnu",
 *   os: "linux",
 *   arch: "x86_64",
 *   standalone: false,
 *   lockfile: { sha256: sha256Hex(""), packages: [] },
 * };
 * const shards = ["b", "c"].map((name, i): ShardRun => ({
 *   path: `runs/${i}`,
 *   shard: { count: 2, index: i + 1 },
 *   parameters: { inputs: ["b", "c"], exclude: [], shard: { count: 2, index: i + 1 } },
 *   materials: [{ name, kind: "file", size: 1, sha256: sha256Hex(name) }],
 *   toolchain,
 *   circumstances: {
 *     runtime_policy: [
 *       { runtime: "deno", range: ">=2.8.2 <2.10.0", version: "2.9.6", satisfied: true },
 *     ],
 *     policy: null,
 *     source: null,
 *   },
 * }));
 * assertEquals(mergeRuns(shards).facts.materials.map(({ name }) => name), ["b", "c"]);
 * ```
 */
export function mergeRuns(shards: readonly ShardRun[]): MergedRun {
  const [first] = shards;
  if (first === undefined) throw new KprovError("data", "Cannot merge: there is no shard");
  for (const shard of shards) checkAlike(shard, first);
  checkOnce(shards);
  checkComplete(shards, first.shard.count);
  checkSize(shards);
  checkInputs(shards, first.parameters.inputs);
  const { inputs, exclude, links } = first.parameters;
  return {
    facts: {
      inputs,
      exclude,
      ...(links === undefined ? {} : { links }),
      materials: shards.flatMap(({ materials }) => materials),
      toolchain: toToolchainFacts(first.toolchain),
    },
    circumstances: { ...first.circumstances, source: joinSources(shards, first) },
  };
}

/** Each shard looked at its own files, of one commit. */
function joinSources(shards: readonly ShardRun[], first: ShardRun): Source | null {
  const { source } = first.circumstances;
  if (source === null) return null;
  const states = shards.map(({ circumstances }) => circumstances.source?.state ?? "unknown");
  return { ...source, state: joinSourceStates(states) };
}

/** What shards of one run have in common, and whether `kprov diff` tells in what it differs. */
const COMMON: readonly (readonly [
  what: string,
  of: (shard: ShardRun) => unknown,
  isInDiff: boolean,
])[] = [
  ["inputs", ({ parameters }) => parameters.inputs, true],
  ["exclusions", ({ parameters }) => parameters.exclude, true],
  ["reading of links", ({ parameters }) => parameters.links ?? null, true],
  ["toolchain", ({ toolchain }) => toolchain, true],
  ["policy", ({ circumstances }) => circumstances.policy, true],
  ["runtime policy", ({ circumstances }) => circumstances.runtime_policy, true],
  ["source repository", ({ circumstances }) => circumstances.source?.repository ?? null, false],
  ["source commit", ({ circumstances }) => circumstances.source?.commit ?? null, false],
];

function checkAlike(shard: ShardRun, first: ShardRun): void {
  const other = `run ${quote(first.path)}`;
  if (shard.shard.count !== first.shard.count) {
    const [its, of] = [formatShard(shard.shard), formatShard(first.shard)];
    throw refuse(shard.path, `it is shard ${its}, and ${other} is shard ${of}`);
  }
  for (const [what, of, isInDiff] of COMMON) {
    if (renderCanonicalJson(of(shard)) === renderCanonicalJson(of(first))) continue;
    throw refuse(
      shard.path,
      `it differs from ${other} in the ${what}`,
      isInDiff
        ? `kprov diff ${shellQuote(first.path)} ${shellQuote(shard.path)} tells how`
        : "run_summary.json of each names it",
    );
  }
}

function checkOnce(shards: readonly ShardRun[]): void {
  const seen = new Map<number, ShardRun>();
  for (const shard of shards) {
    const { path, shard: { index } } = shard;
    const earlier = seen.get(index);
    if (earlier !== undefined) {
      throw refuse(
        path,
        `it is shard ${formatShard(shard.shard)}, and so is run ${quote(earlier.path)}`,
        "name the runs to merge, each shard once",
      );
    }
    seen.set(index, shard);
  }
}

/** A job that failed to start would else fill the terminal with its thousands of shards. */
const MOST_MISSING = 10;

function checkComplete(shards: readonly ShardRun[], count: number): void {
  const present = new Set(shards.map(({ shard }) => shard.index));
  const missing = Array.from({ length: count }, (_, i) => i + 1).filter((i) => !present.has(i));
  if (missing.length === 0) return;
  const shown = missing.slice(0, MOST_MISSING).join(", ");
  const more = missing.length > MOST_MISSING ? ` and ${missing.length - MOST_MISSING} more` : "";
  throw new KprovError(
    "data",
    `Cannot merge ${shards.length} of ${count} shards: missing ${shown}${more}`,
  );
}

function checkSize(shards: readonly ShardRun[]): void {
  const count = shards.reduce((sum, { materials }) => sum + materials.length, 0);
  if (count <= MOST_FILES) return;
  throw new KprovError(
    "data",
    `Cannot merge ${shards.length} shards with ${count} inputs: a run holds at most ${MOST_FILES}`,
    { hint: "keep them as they are: each verifies by itself" },
  );
}

function checkInputs(shards: readonly ShardRun[], given: readonly string[]): void {
  const unused = findUnused(given, listNames(shards));
  if (unused === null) return;
  throw new KprovError("data", `Cannot merge: input ${quote(unused)} has no file in any shard`, {
    hint: "it changed while the shards were recorded",
  });
}

function* listNames(shards: readonly ShardRun[]): Generator<string> {
  for (const { materials } of shards) {
    for (const { name } of materials) yield name;
  }
}

function refuse(path: string, reason: string, hint?: string): KprovError {
  return new KprovError("data", `Cannot merge run ${quote(path)}: ${reason}`, { hint });
}
