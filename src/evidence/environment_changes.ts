import { renderCanonicalJson } from "../base/canonical_json.ts";
import { diffRuntimes } from "./diff.ts";
import type { Lineage } from "./lineage.ts";
import type { RunRecord } from "./lineage_records.ts";
import type { Cause } from "./pipeline_status.ts";
import type { RecordedRuntime, RecordedTool } from "./toolchain.ts";

/**
 * Tells in what the tools, runtimes and packages of runs are not what newer runs found, by the evidence
 * alone. A tool is known by the name that commands call it by, a runtime by its own name and those of
 * the tools that it is. Where the newest run found again what one before had found, environments stand
 * side by side, and neither is the older one.
 *
 * @param lineage Runs that verify
 * @returns Gives what changed since a run
 *
 * @example Nothing was run, and so nothing changed
 * ```ts
 * import { compareEnvironments, Lineage } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(compareEnvironments(new Lineage())(0), []);
 * ```
 */
export function compareEnvironments(
  lineage: Lineage,
): (run: number) => readonly EnvironmentCause[] {
  const sightings = new Map<string, Sighting>();
  const partsOf = rememberParts();
  for (const run of lineage.order) {
    for (const part of partsOf(lineage.runs[run])) note(sightings, part, run);
  }
  const answers = new Map<number, readonly EnvironmentCause[]>();
  return (run) => {
    const known = answers.get(run);
    if (known !== undefined) return known;
    const causes = partsOf(lineage.runs[run]).flatMap((part) => {
      const seen = sightings.get(part.key);
      const newest = seen?.newest;
      if (newest === undefined || newest.value === part.value) return [];
      const first = seen?.firstSeen.get(newest.value) ?? run;
      return lineage.isBefore(run, first) ? compareParts(part, newest) : [];
    });
    answers.set(run, causes);
    return causes;
  };
}

/** What changed in the environment of a run; see {@linkcode compareEnvironments}. */
export interface EnvironmentCause extends Cause {
  /** The digest of the runtime that it belongs to, as the run records it; null of a mere tool. */
  readonly runtime: string | null;
}

/** A tool or a runtime of a run. */
interface Part {
  /** What it is known by from run to run. */
  readonly key: string;
  /** Everything that is recorded of it. */
  readonly value: string;
  /** What it is a cause as. */
  readonly cause: Cause;
  /** The runtime, with its packages; null where it is a mere tool. */
  readonly runtime: RecordedRuntime | null;
}

/** What runs found under one key. */
interface Sighting {
  /** What the newest of them found. */
  newest: Part;
  /** The first run that found each value. */
  readonly firstSeen: Map<string, number>;
}

/** Thousands of runs share one toolchain, with hundreds of packages: each is taken apart once. */
function rememberParts(): (record: RunRecord | undefined) => readonly Part[] {
  const known = new Map<RunRecord["toolchain"], readonly Part[]>();
  return (record) => {
    if (record === undefined) return [];
    const parts = known.get(record.toolchain) ?? listParts(record.toolchain);
    known.set(record.toolchain, parts);
    return parts;
  };
}

function listParts({ tools = [], runtimes = [] }: RunRecord["toolchain"]): Part[] {
  const own = new Set(runtimes.map(({ sha256 }) => sha256));
  return [
    ...tools.filter(({ sha256 }) => !own.has(sha256)).map(({ name, sha256 }): Part => ({
      key: `tool\0${name}`,
      value: sha256,
      cause: { kind: "tool", name },
      runtime: null,
    })),
    ...runtimes.map((runtime): Part => ({
      key: ["runtime", runtime.name, ...nameProgram(runtime, tools)].join("\0"),
      value: renderCanonicalJson(runtime),
      cause: { kind: "runtime", name: runtime.name },
      runtime,
    })),
  ];
}

/** The tools that a runtime is; behind shims, where none has its digest, all of them. */
function nameProgram({ sha256 }: RecordedRuntime, tools: readonly RecordedTool[]): string[] {
  const same = tools.filter((tool) => tool.sha256 === sha256);
  return (same.length > 0 ? same : tools).map(({ name }) => name);
}

function note(sightings: Map<string, Sighting>, part: Part, run: number): void {
  const seen = sightings.get(part.key);
  if (seen === undefined) {
    sightings.set(part.key, { newest: part, firstSeen: new Map([[part.value, run]]) });
    return;
  }
  seen.newest = part;
  if (!seen.firstSeen.has(part.value)) seen.firstSeen.set(part.value, run);
}

function compareParts({ runtime, cause }: Part, newest: Part): readonly EnvironmentCause[] {
  return runtime === null || newest.runtime === null
    ? [{ ...cause, runtime: null }]
    : compareRuntime(runtime, newest.runtime)
      .map((change) => ({ ...change, runtime: runtime.sha256 }));
}

/**
 * Holds a runtime with its packages against what was recorded of it.
 *
 * @param recorded What a run records
 * @param found What is there
 * @returns The runtime itself, and every package that is there otherwise, only then or only now. Where
 * the packages of one are not known, they are not compared
 */
export function compareRuntime(recorded: RecordedRuntime, found: RecordedRuntime): Cause[] {
  const isKnown = recorded.packages !== null && found.packages !== null;
  const [before, after] = [recorded, found].map(({ packages_omitted: _, ...runtime }) =>
    isKnown ? runtime : { ...runtime, packages: null }
  );
  return diffRuntimes(
    { runtimes: before === undefined ? [] : [before] },
    { runtimes: after === undefined ? [] : [after] },
  ).map(({ kind, name }): Cause => ({ kind: kind === "package" ? "package" : "runtime", name }));
}

/**
 * Holds the tools at hand against those that a run's command used.
 *
 * @param recorded What the run records
 * @param found The tools at hand, each name once
 * @returns What changed; a tool that is a runtime is named as one
 */
export function compareTools(
  { tools = [], runtimes = [] }: RunRecord["toolchain"],
  found: readonly RecordedTool[],
): Cause[] {
  const now = new Map(found.map(({ name, sha256 }) => [name, sha256]));
  const known = new Set(tools.map(({ name }) => name));
  const changed = tools.filter(({ name, sha256 }) => now.get(name) !== sha256);
  const causes = changed.map(({ name, sha256 }): Cause => {
    const runtime = runtimes.find((candidate) => candidate.sha256 === sha256);
    return runtime === undefined ? { kind: "tool", name } : { kind: "runtime", name: runtime.name };
  });
  const added = found.filter(({ name }) => !known.has(name));
  return [...causes, ...added.map(({ name }): Cause => ({ kind: "tool", name }))];
}
