import { type Finding, makeFinding, sortFindings } from "../base/error.ts";
import { compareUtf8 } from "../base/text.ts";
import { describeApprovals, isApproved } from "./human_review.ts";
import { FileTable, type LineageFile } from "./file_table.ts";
import type { RunFileLists, RunRecord } from "./lineage_records.ts";
import type { FileDescriptor } from "./provenance.ts";
import { compareRunIds } from "./run_summary.ts";

/**
 * Many runs, connected by their files: a file with the same name and content connects the run that made
 * it to the runs that read it. Each file is stored once, as a number, so ten thousand runs of a
 * thousand files take a few hundred MiB.
 *
 * @example Which run made the input of another
 * ```ts
 * import { type FileDescriptor, Lineage, type RunRecord, sha256Hex } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * function describe(name: string, content: string): FileDescriptor {
 *   const annotations = { kind: "file", size: content.length } as const;
 *   return { name, digest: { sha256: sha256Hex(content) }, annotations };
 * }
 *
 * function record(runId: string): RunRecord {
 *   return {
 *     run: `runs/${runId}`,
 *     runId,
 *     createdAt: "2026-02-15T20:13:00Z",
 *     verifies: true,
 *     outcome: "completed",
 *     exitCode: 0,
 *     review: "PENDING",
 *     approvals: 0,
 *     reviewers: [],
 *     command: ["make"],
 *     evidenceDigest: null,
 *     toolchain: {},
 *     given: { inputs: [], exclude: [] },
 *     inputs: { count: 1, bytes: 1 },
 *     products: { count: 1, bytes: 1 },
 *   };
 * }
 *
 * const lineage = new Lineage();
 * const clean = describe("clean.csv", "1");
 * lineage.add(record("2026-02-15T20-13-00Z"), { inputs: [], products: [clean] });
 * lineage.add(record("2026-02-15T20-13-00Z-2"), { inputs: [clean], products: [] });
 * const [input] = lineage.listInputs(1);
 * assertEquals([input?.file.name, input?.madeBy], ["clean.csv", [0]]);
 * ```
 */
export class Lineage {
  readonly #runs: RunRecord[] = [];
  readonly #files = new FileTable();
  readonly #inputs: Uint32Array[] = [];
  readonly #products: Uint32Array[] = [];
  readonly #interned = new Map<string, unknown>();
  #index: RunIndex | null = null;

  /** The records of the runs; a run is referred to by its index in this list. */
  get runs(): readonly RunRecord[] {
    return this.#runs;
  }

  /**
   * Adds a run.
   *
   * @param record What is kept of it
   * @param files Its files, which can be let go
   */
  add(record: RunRecord, files: RunFileLists): void {
    this.#runs.push({
      ...record,
      toolchain: this.#intern(record.toolchain),
      given: this.#intern(record.given),
    });
    this.#inputs.push(this.#internFiles(files.inputs));
    this.#products.push(this.#internFiles(files.products));
    this.#index = null;
  }

  #internFiles(files: readonly FileDescriptor[]): Uint32Array {
    return Uint32Array.from(files, (file) => this.#files.intern(file));
  }

  /** Thousands of runs have one toolchain, with hundreds of packages. */
  #intern<T>(value: T): T {
    const key = JSON.stringify(value);
    const known = this.#interned.get(key) as T | undefined;
    if (known !== undefined) return known;
    this.#interned.set(key, value);
    return value;
  }

  /** Every run, oldest first; runs of one second in the order of their numbers, then of their paths. */
  get order(): readonly number[] {
    return this.#build().order;
  }

  /**
   * Whether a run comes before another.
   *
   * @param run A run
   * @param other Another
   */
  isBefore(run: number, other: number): boolean {
    const { rank } = this.#build();
    return (rank[run] ?? 0) < (rank[other] ?? 0);
  }

  /** The number of a known file, by its name and content. */
  fileIds(run: number, role: "inputs" | "products"): Uint32Array {
    return (role === "inputs" ? this.#inputs : this.#products)[run] ?? new Uint32Array();
  }

  /** The number of a file's name; the same for all contents of one path. */
  nameIdOf(file: number): number {
    return this.#files.nameIdOf(file);
  }

  /** How many different names there are. */
  get nameCount(): number {
    return this.#files.nameCount;
  }

  /** A name by its number. */
  nameOf(nameId: number): string {
    return this.#files.nameOf(nameId);
  }

  /** A file by its number. */
  fileOf(file: number): LineageFile {
    return this.#files.fileOf(file);
  }

  /** The number of a name, or null where no run names it. */
  findName(name: string): number | null {
    return this.#files.findName(name);
  }

  /** The number of a file, or null where no run names it. */
  findFile(file: LineageFile): number | null {
    return this.#files.find(file);
  }

  /** The files of some content, whatever their names. */
  findContent(content: Pick<LineageFile, "kind" | "sha256">): number[] {
    return this.#files.findContent(content);
  }

  /**
   * The runs that made a file of this name and content, oldest first.
   *
   * @param file Its number
   */
  makersOf(file: number): readonly number[] {
    const { starts, makers } = this.#build();
    return [...makers.subarray(starts[file], starts[file + 1])];
  }

  /**
   * The earlier runs that may have made an input of a run. Where a run rewrites its own input, that
   * file has two generations; a run is never its own origin.
   *
   * @param run The run
   * @param file The input's number
   * @returns Oldest first; none where the file came from outside
   */
  originsOf(run: number, file: number): readonly number[] {
    const { starts, rank } = this.#build();
    // Most inputs of most pipelines come from outside: ten million times, no list is made.
    if (starts[file] === starts[file + 1]) return NONE;
    const makers = this.makersOf(file);
    const place = rank[run] ?? 0;
    const before = makers.filter((maker) => (rank[maker] ?? 0) < place);
    if (before.length > 0) return before;
    // Of two directories of runs nobody can tell the order within a second.
    return makers.filter((maker) => maker !== run && this.#isTied(maker, run));
  }

  /**
   * Whether a run made an input of a run, or may have.
   *
   * @param run The run
   * @param file The input's number
   */
  hasOrigin(run: number, file: number): boolean {
    const { starts, makers, rank } = this.#build();
    const start = starts[file] ?? 0;
    if (start === starts[file + 1]) return false;
    const first = rank[makers[start] ?? 0] ?? 0;
    return first < (rank[run] ?? 0) || this.originsOf(run, file).length > 0;
  }

  /**
   * Makes a walk back over the runs that made inputs. It returns each run at least once, but not again
   * for every other run with the same input: where a thousand runs made and read the same files, there
   * would be a million answers.
   *
   * @returns Returns the runs that made inputs of a run, without most of those that it returned before
   */
  walkBack(): (run: number) => Iterable<number> {
    const { starts, makers, rank } = this.#build();
    const given = new Uint32Array(this.#files.size);
    const visit = function* (this: Lineage, run: number): Generator<number> {
      for (const file of this.fileIds(run, "inputs")) {
        const start = starts[file] ?? 0;
        const end = starts[file + 1] ?? 0;
        let next = start + (given[file] ?? 0);
        const place = rank[run] ?? 0;
        while (next < end && (rank[makers[next] ?? 0] ?? 0) < place) yield makers[next++] ?? 0;
        given[file] = next - start;
        if (next === start && start < end) yield* this.originsOf(run, file);
      }
    };
    return (run) => visit.call(this, run);
  }

  #isTied(a: number, b: number): boolean {
    const [one, other] = [this.#runs[a], this.#runs[b]];
    return one?.createdAt === other?.createdAt &&
      dirnameOf(one?.run ?? "") !== dirnameOf(other?.run ?? "");
  }

  /**
   * The inputs of a run, each with the runs that made it.
   *
   * @param run The run
   */
  *listInputs(run: number): Generator<LineageInput> {
    for (const id of this.fileIds(run, "inputs")) {
      yield { file: this.fileOf(id), madeBy: this.originsOf(run, id) };
    }
  }

  #build(): RunIndex {
    return this.#index ??= buildIndex(this.#runs, this.#products, this.#files.size);
  }
}

const NONE: readonly number[] = [];

/** An input of a run, with the runs that made it. */
export interface LineageInput {
  /** The file. */
  readonly file: LineageFile;
  /** The runs, oldest first; none where no run made it. */
  readonly madeBy: readonly number[];
}

/** What is computed once all runs are there. */
interface RunIndex {
  /** The runs, oldest first. */
  readonly order: readonly number[];
  /** The place of each run in that order. */
  readonly rank: Uint32Array;
  /** Where the makers of each file start. */
  readonly starts: Uint32Array;
  /** The makers of all files, one file after the other. */
  readonly makers: Uint32Array;
}

function buildIndex(
  runs: readonly RunRecord[],
  products: readonly Uint32Array[],
  fileCount: number,
): RunIndex {
  const order = runs.map((_, i) => i).sort((a, b) => compareRuns(runs[a], runs[b]));
  const rank = new Uint32Array(runs.length);
  for (const [place, run] of order.entries()) rank[run] = place;
  const starts = new Uint32Array(fileCount + 1);
  for (const list of products) for (const id of list) starts[id + 1] = (starts[id + 1] ?? 0) + 1;
  for (let i = 0; i < fileCount; i++) starts[i + 1] = (starts[i + 1] ?? 0) + (starts[i] ?? 0);
  const makers = new Uint32Array(starts[fileCount] ?? 0);
  const next = starts.slice();
  for (const run of order) {
    for (const id of products[run] ?? []) {
      makers[next[id] ?? 0] = run;
      next[id] = (next[id] ?? 0) + 1;
    }
  }
  return { order, rank, starts, makers };
}

function compareRuns(a: RunRecord | undefined, b: RunRecord | undefined): number {
  return compareUtf8(a?.createdAt ?? "", b?.createdAt ?? "") ||
    compareRunIds(a?.runId ?? "", b?.runId ?? "") ||
    compareUtf8(a?.run ?? "", b?.run ?? "");
}

function dirnameOf(path: string): string {
  return path.replace(/[\\/][^\\/]*$/, "");
}

/** Where a file came from. */
export interface Trace {
  /** The file. */
  readonly file: LineageFile;
  /** The runs that made it, oldest first; none where no run did. */
  readonly madeBy: readonly number[];
  /** Every run in its history, each once, those that made the file first. */
  readonly runs: readonly number[];
  /** Where no run made the file: a run with it as an input, and the nearest matches by name. */
  readonly nearest: readonly NearestFile[];
}

/** The nearest match for a file that no run made. */
export interface NearestFile {
  /**
   * How near: a run has this file as an input, or a run has other content under its name, or under a
   * name with the same ending.
   */
  readonly relation: "input" | "other_product" | "other_input" | "alike";
  /**
   * The newest such run; of those with the file as an input, one that uses the same name comes first.
   */
  readonly run: number;
  /** The file that it names. */
  readonly file: LineageFile;
}

/**
 * Traces where a file came from: the runs that made its content under any name, the runs that made
 * their inputs, and so on, back to files that no run made.
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
        if (contents.has(id)) keep(its === nameId ? 0 : 1, "input", run, id);
        else if (its === nameId && role === "products") keep(2, "other_product", run, id);
        else if (its === nameId) keep(3, "other_input", run, id);
        else if (remember(isAlike, its, () => `/${lineage.nameOf(its)}`.endsWith(`/${lastPart}`))) {
          keep(4, "alike", run, id);
        }
      }
    }
  }
  const [sameName, otherName, ...byName] = [0, 1, 2, 3, 4].map((place) => found[place]);
  const input = sameName ?? otherName;
  // What a run took in may be what another made, edited since: that is told too.
  const other = byName.find((nearest, place) => nearest !== undefined && (place === 0 || !input));
  return [input, other].filter((nearest) => nearest !== undefined);
}

function remember(known: Map<number, boolean>, key: number, ask: () => boolean): boolean {
  const answer = known.get(key) ?? ask();
  known.set(key, answer);
  return answer;
}

/** The requirements on every run in a file's history. */
export interface TraceDemands {
  /** How many people must approve each run; 0 where nobody needs to. */
  readonly approvals: number;
  /** Whether a file may come from outside, that is, not from a run. */
  readonly isOrigin: (name: string) => boolean;
}

/**
 * Checks the history of a file against requirements, such as that every run in it is approved.
 *
 * @param lineage The runs
 * @param trace As {@linkcode traceFile} made it of them
 * @param demands What is asked
 * @returns Findings `trace.unknown`, `trace.not_verified`, `trace.not_completed`, `trace.not_approved`
 * and `trace.origin`, sorted
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
      hint: "--origin GLOB names files that no run needs to have made",
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
    const how = record.outcome === "command_failed" ? "failed" : "ended unobserved";
    findings.push(makeFinding("trace.not_completed", `the command of the run ${how}`, { path }));
  }
  if (approvals > 0 && !isApproved(record, approvals)) {
    findings.push(
      makeFinding("trace.not_approved", describeApprovals(record, approvals), { path }),
    );
  }
  return findings;
}
