import { compareUtf8 } from "../base/text.ts";
import type { Outcome } from "./command_end.ts";
import { FileTable, type LineageFile } from "./file_table.ts";
import { countApprovals, listDecisions, type ReviewStatus } from "./human_review.ts";
import { type ExternalParameters, type FileDescriptor, listProducts } from "./provenance.ts";
import { compareRunIds, type FileTotals, sumFiles } from "./run_summary.ts";
import type { Toolchain } from "./toolchain.ts";
import type { RunReading } from "./verify.ts";

/** What {@linkcode Lineage} keeps of a run beside its files. */
export interface RunRecord {
  /** What it is called: its path. */
  readonly run: string;
  /** Its id; the last part of the path where the documents do not tell it. */
  readonly runId: string;
  /** When it was made, as a UTC second; empty where the documents do not tell it. */
  readonly createdAt: string;
  /** Whether its documents verify. */
  readonly verifies: boolean;
  /** How its command ended; null where the documents do not verify. */
  readonly outcome: Outcome | null;
  /** The exit code of its command; null likewise, and where nobody saw it end. */
  readonly exitCode: number | null;
  /** Where its review stands; null where the documents do not verify. */
  readonly review: ReviewStatus | null;
  /** How many people approve of it. */
  readonly approvals: number;
  /** Everybody who decided about it. */
  readonly reviewers: readonly string[];
  /** Its command; null where kprov started none. */
  readonly command: readonly string[] | null;
  /** Digest of its provenance.json; null where that is missing or malformed. */
  readonly evidenceDigest: string | null;
  /** What its command ran on. */
  readonly toolchain: Pick<Toolchain, "tools" | "runtimes">;
  /** The inputs as given, the globs of what was left out, and whether links were followed. */
  readonly given: Pick<ExternalParameters, "inputs" | "exclude" | "links">;
  /** What went in. */
  readonly inputs: FileTotals;
  /** What came out. */
  readonly products: FileTotals;
}

/** The files of a run; see {@linkcode describeRun}. */
export interface RunFileLists {
  /** What went in. */
  readonly inputs: readonly FileDescriptor[];
  /** What came out. */
  readonly products: readonly FileDescriptor[];
}

/**
 * Takes from a run what lineage needs; the run itself, many times as large, can be let go. Of a run
 * that does not verify, how it ended and what was decided about it is not taken at its word.
 *
 * @param path Where it is
 * @param reading What was made of its documents
 * @returns What is kept, and its files
 *
 * @example A directory without documents is a run that does not verify
 * ```ts
 * import { describeRun, Lineage, readRun } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const lineage = new Lineage();
 * const reading = readRun({ name: "2026-02-15T20-13-00Z", files: new Map() });
 * const { record, files } = describeRun("runs/2026-02-15T20-13-00Z", reading);
 * lineage.add(record, files);
 * assertEquals(lineage.runs.map(({ run, verifies }) => [run, verifies]), [
 *   ["runs/2026-02-15T20-13-00Z", false],
 * ]);
 * ```
 */
export function describeRun(
  path: string,
  reading: Pick<RunReading, "documents" | "digests" | "findings">,
): { readonly record: RunRecord; readonly files: RunFileLists } {
  const { documents, digests, findings } = reading;
  const provenance = documents["provenance.json"];
  const definition = provenance?.predicate.buildDefinition;
  const files = {
    inputs: definition?.resolvedDependencies ?? [],
    products: provenance === undefined ? [] : listProducts(provenance),
  };
  const { tools, runtimes } = documents["toolchain.json"] ?? {};
  const summary = documents["run_summary.json"];
  const record = {
    run: path,
    runId: summary?.run_id ?? path.split(/[\\/]/).at(-1) ?? path,
    createdAt: summary?.created_at ?? "",
    ...describeVerdict(documents, findings.length === 0),
    command: definition?.externalParameters.command?.argv ?? null,
    evidenceDigest: digests["provenance.json"] ?? null,
    toolchain: {
      ...(tools === undefined ? {} : { tools }),
      ...(runtimes === undefined ? {} : { runtimes }),
    },
    given: describeGiven(definition?.externalParameters),
    inputs: sumFiles(files.inputs.map(({ annotations }) => annotations)),
    products: sumFiles(files.products.map(({ annotations }) => annotations)),
  };
  return { record, files };
}

function describeGiven(parameters: ExternalParameters | undefined): RunRecord["given"] {
  const { inputs = [], exclude = [], links } = parameters ?? {};
  return { inputs, exclude, ...(links === undefined ? {} : { links }) };
}

type Verdict = "verifies" | "outcome" | "exitCode" | "review" | "approvals" | "reviewers";

function describeVerdict(
  documents: RunReading["documents"],
  verifies: boolean,
): Pick<RunRecord, Verdict> {
  const summary = documents["run_summary.json"];
  const review = documents["human_review.json"];
  if (!verifies || summary === undefined || review === undefined) {
    const none = { outcome: null, exitCode: null, review: null, approvals: 0, reviewers: [] };
    return { verifies: false, ...none };
  }
  return {
    verifies,
    outcome: summary.outcome,
    exitCode: summary.exit_code,
    review: review.status,
    approvals: countApprovals(review),
    reviewers: [...new Set(listDecisions(review).map(({ reviewer }) => reviewer))],
  };
}

/**
 * Many runs, joined: name and content connect what one run made to what another took in. Ten thousand
 * runs of a thousand files fit into some hundred MiB, as each file is kept once and as a number.
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

  /** What is kept of the runs; a run is named by its place in this list. */
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
   * Tells whether a run comes before another.
   *
   * @param run A run
   * @param other Another
   */
  isBefore(run: number, other: number): boolean {
    const { rank } = this.#build();
    return (rank[run] ?? 0) < (rank[other] ?? 0);
  }

  /** The number of a file that is known, by which runs name it. */
  fileIds(run: number, role: "inputs" | "products"): Uint32Array {
    return (role === "inputs" ? this.#inputs : this.#products)[run] ?? new Uint32Array();
  }

  /** The number of the name of a file; two contents of one path have one. */
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
   * The runs that can have made an input of a run: those before it. A file that a run takes in and
   * writes again is so of two generations, and no run is its own origin.
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
   * Makes a walk over the runs that others were made from. It hands out each run that made an input at
   * least once, and not again for every other run that took in the same file: where a thousand runs made
   * and took in the same files, there would be a million answers.
   *
   * @returns Gives the runs that made inputs of a run, less most of those that were given before
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

/** An input of a run, with the runs that made it; see {@linkcode Lineage}. */
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
