import { type Finding, makeFinding, sortFindings } from "../base/finding.ts";
import { describeApprovals, isApproved } from "./decision.ts";
import type { LineageFile } from "./file_table.ts";
import type { Lineage, RunRecord } from "./lineage.ts";

/** How a file came to be; see {@linkcode traceFile}. */
export interface Trace {
  /** The file. */
  readonly file: LineageFile;
  /** The runs that made it, oldest first; none where no run did. */
  readonly madeBy: readonly number[];
  /** Every run on the way, the file's first, each once. */
  readonly runs: readonly number[];
  /** Where no run made the file: a run that took it in, and what else comes nearest by name. */
  readonly nearest: readonly NearestFile[];
}

/** What comes nearest to a file that no run made; see {@linkcode traceFile}. */
export interface NearestFile {
  /**
   * How near: a run took in this very file, a run made or took in another content under its name, or
   * under another name that ends alike.
   */
  readonly relation: "input" | "other_product" | "other_input" | "alike";
  /** The newest such run. */
  readonly run: number;
  /** The file that it names. */
  readonly file: LineageFile;
}

/**
 * Tells how a file came to be: every run that made it, by its content whatever its name, what those
 * took in, which runs made that, and so on, back to what no run made.
 *
 * @param lineage The runs; those that do not verify are followed too, and marked
 * @param file The file
 *
 * @example
 * ```ts
 * import { Lineage, sha256Hex, traceFile } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const file = { name: "model.bin", kind: "file", sha256: sha256Hex("model") } as const;
 * assertEquals(traceFile(new Lineage(), file), { file, madeBy: [], runs: [], nearest: [] });
 * ```
 */
export function traceFile(lineage: Lineage, file: LineageFile): Trace {
  const makers = new Set(lineage.findContent(file).flatMap((id) => lineage.makersOf(id)));
  const madeBy = [...makers].sort((a, b) => lineage.isBefore(a, b) ? -1 : 1);
  const runs = new Set(madeBy);
  const walk = lineage.walkBack();
  for (const run of runs) {
    for (const maker of walk(run)) runs.add(maker);
  }
  const nearest = madeBy.length > 0 ? [] : findNearest(lineage, file);
  return { file, madeBy, runs: [...runs], nearest };
}

function findNearest(lineage: Lineage, file: LineageFile): NearestFile[] {
  const contents = new Set(lineage.findContent(file));
  const nameId = lineage.findName(file.name);
  const lastPart = file.name.slice(file.name.lastIndexOf("/") + 1);
  const isAlike = new Map<number, boolean>();
  const found: (NearestFile | undefined)[] = [];
  const keep = (
    place: number,
    relation: NearestFile["relation"],
    run: number,
    id: number,
  ): void => {
    found[place] ??= { relation, run, file: lineage.fileOf(id) };
  };
  for (const run of lineage.order.toReversed()) {
    for (const role of ["products", "inputs"] as const) {
      for (const id of lineage.fileIds(run, role)) {
        const its = lineage.nameIdOf(id);
        if (contents.has(id)) keep(0, "input", run, id);
        else if (its === nameId && role === "products") keep(1, "other_product", run, id);
        else if (its === nameId) keep(2, "other_input", run, id);
        else if (remember(isAlike, its, () => `/${lineage.nameOf(its)}`.endsWith(`/${lastPart}`))) {
          keep(3, "alike", run, id);
        }
      }
    }
  }
  const [input, ...byName] = [0, 1, 2, 3].map((place) => found[place]);
  // What a run took in may be what another made, edited since: that is told too.
  const other = byName.find((nearest, place) => nearest !== undefined && (place === 0 || !input));
  return [input, other].filter((nearest) => nearest !== undefined);
}

function remember(known: Map<number, boolean>, key: number, ask: () => boolean): boolean {
  const answer = known.get(key) ?? ask();
  known.set(key, answer);
  return answer;
}

/** What is asked of every step on the way; see {@linkcode checkTrace}. */
export interface TraceDemands {
  /** How many people must approve of each run; 0 where nobody needs to. */
  readonly approvals: number;
  /** Tells whether a file may come from outside. */
  readonly isOrigin: (name: string) => boolean;
}

/**
 * Holds the way to a file against what is asked of it.
 *
 * @param lineage The runs
 * @param trace As {@linkcode traceFile} made it of them
 * @param demands What is asked
 * @returns Findings `trace.unknown`, `trace.not_verified`, `trace.not_completed`, `trace.not_approved` and
 * `trace.origin`, sorted
 *
 * @example A file that no run knows
 * ```ts
 * import { checkTrace, Lineage, sha256Hex, traceFile } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const lineage = new Lineage();
 * const trace = traceFile(lineage, { name: "a", kind: "file", sha256: sha256Hex("a") });
 * const findings = checkTrace(lineage, trace, { approvals: 1, isOrigin: () => true });
 * assertEquals(findings.map(({ code }) => code), ["trace.unknown"]);
 * ```
 */
export function checkTrace(lineage: Lineage, trace: Trace, demands: TraceDemands): Finding[] {
  const { file, madeBy, runs, nearest } = trace;
  const findings = runs.flatMap((run) => {
    const record = lineage.runs[run];
    return record === undefined ? [] : checkStep(record, demands);
  });
  const origins = new Set<string>();
  if (madeBy.length === 0) origins.add(file.name);
  for (const run of runs) {
    for (const id of lineage.fileIds(run, "inputs")) {
      if (!lineage.hasOrigin(run, id)) origins.add(lineage.nameOf(lineage.nameIdOf(id)));
    }
  }
  for (const name of origins) {
    if (demands.isOrigin(name)) continue;
    findings.push(makeFinding("trace.origin", "no run made it, and --origin does not name it", {
      path: name,
      hint: "--origin GLOB names the files that may come from outside",
    }));
  }
  if (madeBy.length === 0 && nearest[0]?.relation !== "input") {
    findings.push(makeFinding("trace.unknown", "no run knows this file", { path: file.name }));
  }
  return sortFindings(findings);
}

function checkStep(record: RunRecord, { approvals }: TraceDemands): Finding[] {
  const path = record.run;
  if (!record.verifies) {
    return [makeFinding("trace.not_verified", "the run does not verify", { path })];
  }
  const findings: Finding[] = [];
  if (record.outcome !== "completed") {
    const how = record.outcome === "command_failed" ? "failed" : "was not seen to end";
    findings.push(makeFinding("trace.not_completed", `the command of the run ${how}`, { path }));
  }
  if (approvals > 0 && !isApproved(record, approvals)) {
    findings.push(
      makeFinding("trace.not_approved", describeApprovals(record, approvals), { path }),
    );
  }
  return findings;
}
