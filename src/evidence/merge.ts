import { renderCanonicalJson, sha256Hex } from "../base/canonical_json.ts";
import { type Finding, KprovError, makeFinding, sortFindings } from "../base/error.ts";
import { quote, shellQuotePath } from "../base/quote.ts";
import { KPROV_VERSION } from "../base/std.ts";
import {
  type ExternalParameters,
  findUnused,
  formatShard,
  listUnused,
  type RecordedFile,
  type Shard,
  toRecordedFile,
} from "./provenance.ts";
import { MOST_FILES, type Run } from "./documents.ts";
import { type Circumstances, joinSourceStates, type RunFacts, type Source } from "./run_summary.ts";
import { type Toolchain, toToolchainFacts } from "./toolchain.ts";

/** The circumstances that every shard of a run must share. */
export type SharedCircumstances = Pick<Circumstances, "runtime_policy" | "policy" | "source">;

/**
 * The facts that merging needs of a shard run; the run itself, several times as large, can be freed.
 */
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

type ShardHead = Omit<ShardRun, "materials">;

/** The facts of the run that the shards together make. */
export interface MergedRun {
  /** Its content. */
  readonly facts: RunFacts;
  /** Its circumstances, without the time and the permissions of writing it. */
  readonly circumstances: SharedCircumstances;
}

/** Whether a run is a shard of another. */
export function isShardRun({ documents }: Run): boolean {
  const { buildDefinition } = documents["provenance.json"].predicate;
  return buildDefinition.externalParameters.shard !== undefined;
}

/**
 * Takes from a shard run the facts that merging needs.
 *
 * @param path Where it is, for messages
 * @param run A run that verifies
 * @throws {KprovError} `data` where it is not a shard, or another version of kprov wrote it
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
  const head = readShardHead(path, run);
  if (head === null) {
    throw refuse(path, "it is not a shard", "kprov run INPUT... --shard I/N records shards");
  }
  const { kprov } = head.toolchain;
  if (kprov !== KPROV_VERSION) {
    throw refuse(path, `kprov ${kprov} wrote it, and this is kprov ${KPROV_VERSION}`);
  }
  const { resolvedDependencies } = run.documents["provenance.json"].predicate.buildDefinition;
  return { ...head, materials: resolvedDependencies.map(toRecordedFile) };
}

/** A shard run without its files; null where the run is no shard. */
function readShardHead(path: string, { documents }: Run): ShardHead | null {
  const { externalParameters: parameters } = documents["provenance.json"].predicate.buildDefinition;
  const { runtime_policy, policy, source } = documents["run_summary.json"];
  const { shard } = parameters;
  if (shard === undefined) return null;
  const circumstances = { runtime_policy, policy, source };
  return { path, shard, parameters, toolchain: documents["toolchain.json"], circumstances };
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
  const marked = shards.map(markShard);
  checkAlike(marked);
  const [again] = listDoubled(shards);
  if (again !== undefined) {
    throw refuse(again.path, again.reason, "name the runs to merge, each shard once");
  }
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
  of: (shard: ShardHead) => unknown,
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

/** A shard with the digests of what it must share with the others, in the order of {@linkcode COMMON}. */
interface MarkedShard extends Pick<ShardRun, "path" | "shard"> {
  readonly marks: readonly string[];
}

function markShard(head: ShardHead): MarkedShard {
  const marks = COMMON.map(([, of]) => sha256Hex(renderCanonicalJson(of(head))));
  return { path: head.path, shard: head.shard, marks };
}

/** A shard that does not fit, and why. */
interface Misfit {
  readonly path: string;
  /** To be read after "run X:". */
  readonly reason: string;
  readonly hint: string | null;
}

/** Why a shard is not one of the run of another one; null where it may be. */
function findDifference(shard: MarkedShard, first: MarkedShard): Misfit | null {
  const { path } = shard;
  const other = `run ${quote(first.path)}`;
  if (shard.shard.count !== first.shard.count) {
    const [its, of] = [formatShard(shard.shard), formatShard(first.shard)];
    return { path, reason: `it is shard ${its}, and ${other} is shard ${of}`, hint: null };
  }
  const different = COMMON.find((_, i) => shard.marks[i] !== first.marks[i]);
  if (different === undefined) return null;
  const [what, , isInDiff] = different;
  return {
    path,
    reason: `it differs from ${other} in the ${what}`,
    hint: isInDiff
      ? `kprov diff ${shellQuotePath(first.path)} ${shellQuotePath(path)} says how`
      : "run_summary.json of each names it",
  };
}

function checkAlike(shards: readonly MarkedShard[]): void {
  const [first] = shards;
  if (first === undefined) return;
  for (const shard of shards) {
    const misfit = findDifference(shard, first);
    if (misfit !== null) throw refuse(misfit.path, misfit.reason, misfit.hint ?? undefined);
  }
}

/** The runs whose shard an earlier one is already. */
function listDoubled(shards: readonly Pick<ShardRun, "path" | "shard">[]): Misfit[] {
  const seen = new Map<number, string>();
  const doubled: Misfit[] = [];
  for (const { path, shard } of shards) {
    const earlier = seen.get(shard.index);
    if (earlier === undefined) {
      seen.set(shard.index, path);
      continue;
    }
    const reason = `it is shard ${formatShard(shard)}, and so is run ${quote(earlier)}`;
    const hint = `kprov diff ${shellQuotePath(earlier)} ${
      shellQuotePath(path)
    } says how they differ`;
    doubled.push({ path, reason, hint });
  }
  return doubled;
}

/** A job that failed to start would else fill the terminal with its thousands of shards. */
const MOST_MISSING = 10;

/** Which shards are not there, in words; null where all are. */
function describeMissing(
  shards: readonly Pick<ShardRun, "shard">[],
  count: number,
): string | null {
  const present = new Set(shards.map(({ shard }) => shard.index));
  const missing = Array.from({ length: count }, (_, i) => i + 1).filter((i) => !present.has(i));
  if (missing.length === 0) return null;
  const shown = missing.slice(0, MOST_MISSING).join(", ");
  const more = missing.length > MOST_MISSING ? ` and ${missing.length - MOST_MISSING} more` : "";
  return `${shown}${more}`;
}

function checkComplete(shards: readonly ShardRun[], count: number): void {
  const missing = describeMissing(shards, count);
  if (missing === null) return;
  throw new KprovError(
    "data",
    `Cannot merge ${shards.length} of ${count} shards: missing ${missing}`,
  );
}

function checkSize(shards: readonly ShardRun[]): void {
  const count = shards.reduce((sum, { materials }) => sum + materials.length, 0);
  if (count <= MOST_FILES) return;
  throw new KprovError(
    "data",
    `Cannot merge ${shards.length} shards with ${count} inputs: a run holds at most ${MOST_FILES}`,
    { hint: "keep them as they are: kprov verify checks a directory of shards as one set" },
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

/** What shards are together. */
export interface ShardSetState {
  /** How many shards there must be. */
  readonly count: number;
  /** How many of those are there. */
  readonly present: number;
  /** What is wrong; none where each shard is there once, and all are of one run. */
  readonly findings: readonly Finding[];
}

/** Shards that have everything in common that shards of one run must have. */
interface Sisters {
  readonly shards: MarkedShard[];
  /** The inputs of which no file has been met yet. */
  unused: ReadonlySet<string>;
}

/** Whether runs are shards of one number and each is another one: no two can speak of one file. */
export function areDistinctShards(shards: readonly (Shard | null)[]): boolean {
  const [first] = shards;
  return new Set(shards.map((shard) => shard?.index)).size === shards.length &&
    shards.every((shard) => shard !== null && shard.count === first?.count);
}

/**
 * Holds shards against each other as {@linkcode mergeRuns} does, one after the other: of each only a few
 * digests are kept, so that their number of files does not matter. That no file is in two of them is
 * known of shards that verify.
 */
export class ShardSet {
  readonly #sisters = new Map<string, Sisters>();

  /**
   * Takes a run, if it is a shard.
   *
   * @param path Where it is, for messages
   * @param run A run that verifies; the last one that was made comes first
   */
  add(path: string, run: Run): void {
    const head = readShardHead(path, run);
    if (head === null) return;
    const shard = markShard(head);
    const key = [head.shard.count, ...shard.marks].join(" ");
    const sisters = this.#sisters.get(key) ??
      { shards: [], unused: new Set(head.parameters.inputs) };
    const { resolvedDependencies } = run.documents["provenance.json"].predicate.buildDefinition;
    sisters.shards.unshift(shard);
    sisters.unused = listUnused(
      sisters.unused,
      resolvedDependencies.values().map(({ name }) => name),
    );
    this.#sisters.set(key, sisters);
  }

  /**
   * Says whether the shards are one run. Those that most of them agree with are taken for the right ones.
   *
   * @returns The state, with findings `shards.missing`, `shards.doubled`, `shards.foreign` and
   * `shards.uncovered`, sorted; null where there is no shard
   */
  judge(): ShardSetState | null {
    const [main, ...others] = [...this.#sisters.values()].reverse()
      .sort((a, b) => b.shards.length - a.shards.length);
    const first = main?.shards[0];
    if (main === undefined || first === undefined) return null;
    const { count } = first.shard;
    const foreign = others.flatMap(({ shards }) => shards)
      .map((shard) => findDifference(shard, first)).filter((misfit) => misfit !== null);
    const missing = describeMissing(main.shards, count);
    const doubled = listDoubled(main.shards);
    const present = main.shards.length - doubled.length;
    const findings = [
      ...foreign.map((misfit) => describeMisfit("shards.foreign", misfit)),
      ...doubled.map((misfit) => describeMisfit("shards.doubled", misfit)),
      ...(missing === null ? listUncovered(main) : [
        makeFinding(
          "shards.missing",
          `${present} of ${count} shards are there: missing ${missing}`,
          {
            hint: "kprov verify RUN checks a shard by itself",
          },
        ),
      ]),
    ];
    return { count, present, findings: sortFindings(findings) };
  }
}

function describeMisfit(code: string, { path, reason, hint }: Misfit): Finding {
  return makeFinding(code, reason, { path, hint });
}

function listUncovered({ unused }: Sisters): Finding[] {
  const [first] = unused;
  if (first === undefined) return [];
  return [makeFinding("shards.uncovered", `the input ${quote(first)} has no file in any shard`)];
}
