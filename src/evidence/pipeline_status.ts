import { compareUtf8 } from "../base/text.ts";
import type { ObservedFile } from "./check_files.ts";
import type { Lineage } from "./lineage.ts";
import type { RunRecord } from "./lineage_records.ts";

/** What a product is now. */
export type ProductState = "current" | "stale" | "modified" | "missing";

/** Why a product is not current. */
export interface Cause {
  /** What changed; `outcome` where the run that made it did not complete. */
  readonly kind: "input" | "tool" | "runtime" | "package" | "outcome" | "unreadable";
  /** Which one: a file, a tool, a runtime, a package, a run. */
  readonly name: string;
}

/** A product with what it is now. */
export interface ProductStatus {
  /** Its name. */
  readonly path: string;
  /** What it is now. */
  readonly state: ProductState;
  /** The newest completed run that made it. */
  readonly run: string;
  /** The root causes, wherever they are in the chain, each once. */
  readonly because: readonly Cause[];
}

/** The files to look at before a pipeline is judged. */
export interface StatusPlan {
  /** The runs that count, oldest first: the newest ones, and those that made their inputs. */
  readonly runs: readonly number[];
  /** The names of the files in these runs, sorted. */
  readonly names: readonly string[];
  /** The names of inputs that their runs read through links, sorted. */
  readonly followed: readonly string[];
  /** Inputs as given, of which the directories are to be listed. */
  readonly directories: readonly RunRecord["given"][];
  /** The run that counts for each name, by the name's number; -1 where none made it. */
  readonly newest: Int32Array;
  /** The round of rewritten files that a run belongs to, by its number. */
  readonly rounds: ReadonlyMap<number, number>;
  /** Each product path, with the run that counts. */
  readonly products: readonly PlannedProduct[];
  /** Paths that two runs of the same second made with different content; the last one counts. */
  readonly ties: readonly MakerTie[];
}

/** A path that two runs of the same second made with different content. */
export interface MakerTie {
  /** The path. */
  readonly path: string;
  /** The runs. */
  readonly runs: readonly [number, number];
}

/** A product path, with the run that counts for it. */
export interface PlannedProduct {
  /** The number of the path. */
  readonly nameId: number;
  /** The number of the file that the run made. */
  readonly file: number;
  /** The run. */
  readonly run: number;
}

/** The state of the disk for {@linkcode judgePipeline}. */
export interface PipelineDisk {
  /** The file at each of the plan's names. */
  readonly files: ReadonlyMap<string, ObservedFile>;
  /** The same for the plan's names that were read through links, read through links again. */
  readonly followed?: ReadonlyMap<string, ObservedFile>;
  /** Every name below the directories of some inputs, without those that they leave out. */
  readonly listed: ReadonlyMap<RunRecord["given"], readonly string[]>;
  /** What a run's command ran on and has changed since. */
  readonly changedTools: (run: number) => readonly Cause[];
}

/** What a pipeline is now. */
export interface PipelineStatus {
  /** Whether every product is current and no file below the inputs is unknown. */
  readonly ok: boolean;
  /** Every product, sorted by name. */
  readonly products: readonly ProductStatus[];
  /** Files below the inputs that no run knows, sorted. */
  readonly unknown: readonly string[];
}

/**
 * Chooses the runs that count: for each product path the newest completed run that made it, and where
 * that run rewrote one of its inputs, the runs that made the earlier generations.
 *
 * @param lineage Runs that verify
 * @returns The files to look at
 *
 * @example Where there is no run, nothing is to be looked at
 * ```ts
 * import { Lineage, planStatus } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const { runs, names, directories } = planStatus(new Lineage());
 * assertEquals([...runs, ...names, ...directories], []);
 * ```
 */
export function planStatus(lineage: Lineage): StatusPlan {
  const { newest, products, ties } = chooseMakers(lineage);
  const rounds = findRounds(lineage, newest, [...new Set(products.map(({ run }) => run))]);
  const runs = [...rounds.keys()];
  // A run that rewrites what it took in continues one that is not the newest, and so on.
  for (let i = 0; i < runs.length; i++) {
    const run = runs[i] ?? 0;
    for (const before of listGenerations(lineage, { newest, rounds }, run)) {
      if (rounds.has(before)) continue;
      rounds.set(before, rounds.get(run) ?? -1);
      runs.push(before);
    }
  }
  const nameIds = new Set(products.map(({ nameId }) => nameId));
  const followed = new Set<number>();
  for (const run of runs) {
    const names = lineage.runs[run]?.given.links === "follow" ? followed : nameIds;
    for (const file of lineage.fileIds(run, "inputs")) names.add(lineage.nameIdOf(file));
  }
  const listNames = (ids: ReadonlySet<number>): string[] =>
    [...ids].map((id) => lineage.nameOf(id)).sort(compareUtf8);
  return {
    runs: lineage.order.filter((run) => rounds.has(run)),
    names: listNames(nameIds),
    followed: listNames(followed),
    directories: chooseDirectories(lineage, runs),
    newest,
    rounds,
    products,
    ties,
  };
}

/** Later runs replace earlier ones; one that did not complete counts where no other made the path. */
function chooseMakers(lineage: Lineage): Pick<StatusPlan, "newest" | "products" | "ties"> {
  const newest = new Int32Array(lineage.nameCount).fill(-1);
  const files = new Int32Array(lineage.nameCount).fill(-1);
  const ties = new Map<number, MakerTie>();
  const isCompleted = lineage.runs.map(({ outcome }) => outcome === "completed");
  for (const run of lineage.order) {
    for (const file of lineage.fileIds(run, "products")) {
      const nameId = lineage.nameIdOf(file);
      const other = newest[nameId] ?? -1;
      if (other >= 0 && isCompleted[other] && !isCompleted[run]) continue;
      if (other >= 0) {
        noteTie(ties, lineage, { nameId, file: files[nameId] ?? -1, run: other }, run);
      }
      newest[nameId] = run;
      files[nameId] = file;
    }
  }
  const products: PlannedProduct[] = [];
  for (const [nameId, run] of newest.entries()) {
    if (run >= 0) products.push({ nameId, file: files[nameId] ?? -1, run });
  }
  const changed = [...ties].filter(([nameId, { runs }]) => runs[1] === newest[nameId]);
  return { newest, products, ties: changed.map(([, tie]) => tie) };
}

/** Notes where nothing but their names tells which of two runs came later. */
function noteTie(
  ties: Map<number, MakerTie>,
  lineage: Lineage,
  { nameId, file, run: one }: PlannedProduct,
  other: number,
): void {
  if (lineage.runs[one]?.createdAt !== lineage.runs[other]?.createdAt) return;
  const isSame = lineage.makersOf(file).includes(other);
  if (isSame || lineage.fileIds(other, "inputs").includes(file)) return;
  ties.set(nameId, { path: lineage.nameOf(nameId), runs: [one, other] });
}

/** Of the runs that made nothing, only the newest over the same inputs tells what is known of them. */
function chooseDirectories(lineage: Lineage, runs: readonly number[]): RunRecord["given"][] {
  const recordings = new Map<string, RunRecord["given"]>();
  for (const run of lineage.order) {
    const record = lineage.runs[run];
    if (record === undefined || record.products.count > 0) continue;
    recordings.set(JSON.stringify(record.given.inputs), record.given);
  }
  const given = runs.flatMap((run) => lineage.runs[run]?.given ?? []);
  return [...new Set([...given, ...recordings.values()])];
}

/**
 * Numbers the rounds: runs that, each being the newest, feed each other in a circle are one (Tarjan's
 * strongly connected components, without recursion).
 */
function findRounds(
  lineage: Lineage,
  newest: Int32Array,
  runs: readonly number[],
): Map<number, number> {
  const rounds = new Map<number, number>();
  const found = new Map<number, { index: number; low: number }>();
  const open: number[] = [];
  for (const start of runs) {
    if (found.has(start)) continue;
    const path = [{ run: start, next: 0 }];
    found.set(start, { index: found.size, low: found.size });
    open.push(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const mark = found.get(top.run) ?? { index: 0, low: 0 };
      const files = lineage.fileIds(top.run, "inputs");
      if (top.next < files.length) {
        const maker = newest[lineage.nameIdOf(files[top.next++] ?? 0)] ?? -1;
        if (maker < 0) continue;
        const known = found.get(maker);
        if (known === undefined) {
          found.set(maker, { index: found.size, low: found.size });
          open.push(maker);
          path.push({ run: maker, next: 0 });
        } else if (!rounds.has(maker)) mark.low = Math.min(mark.low, known.index);
        continue;
      }
      path.pop();
      const above = found.get(path.at(-1)?.run ?? -1);
      if (above !== undefined) above.low = Math.min(above.low, mark.low);
      if (mark.low !== mark.index) continue;
      for (let run = open.pop(); run !== undefined; run = open.pop()) {
        rounds.set(run, mark.index);
        if (run === top.run) break;
      }
    }
  }
  return rounds;
}

type Rounds = Pick<StatusPlan, "newest" | "rounds">;

/**
 * Whether an input is an earlier generation: a file that was rewritten since by the run itself, or by
 * a newer one that was made from it. What the disk holds is a later generation then.
 */
export function isGeneration(
  lineage: Lineage,
  { newest, rounds }: Rounds,
  run: number,
  nameId: number,
): boolean {
  const maker = newest[nameId] ?? -1;
  if (maker === run) return true;
  return maker >= 0 && rounds.get(maker) === rounds.get(run) && lineage.isBefore(run, maker);
}

/** The runs that made the earlier generations that a run took in. */
function* listGenerations(lineage: Lineage, rounds: Rounds, run: number): Generator<number> {
  for (const file of lineage.fileIds(run, "inputs")) {
    if (!isGeneration(lineage, rounds, run, lineage.nameIdOf(file))) continue;
    const origin = chooseOrigin(lineage, lineage.originsOf(run, file));
    if (origin !== null) yield origin;
  }
}

/** As with products: a run that did not complete counts where no other made the file. */
function chooseOrigin(lineage: Lineage, runs: readonly number[]): number | null {
  return runs.findLast((run) => lineage.runs[run]?.outcome === "completed") ?? runs.at(-1) ?? null;
}

/**
 * Decides for every product whether it is current, by the newest completed run that made it, and the
 * runs that made the inputs of that run.
 *
 * - `missing`, `modified`: the disk does not hold what that run made.
 * - `stale`: an input, a tool, a runtime or a package changed since, here or further up.
 * - `current`: none of these.
 *
 * @param lineage Runs that verify
 * @param plan As {@linkcode planStatus} made it of them
 * @param disk What is there now
 *
 * @example Nothing was run, and so nothing is stale
 * ```ts
 * import { judgePipeline, Lineage, planStatus } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const lineage = new Lineage();
 * const disk = { files: new Map(), listed: new Map(), changedTools: () => [] };
 * const { ok, products } = judgePipeline(lineage, planStatus(lineage), disk);
 * assertEquals([ok, products], [true, []]);
 * ```
 */
export function judgePipeline(
  lineage: Lineage,
  plan: StatusPlan,
  disk: PipelineDisk,
): PipelineStatus {
  const judge = new Judge(lineage, plan, disk);
  const products = plan.products.map((product) => judge.judge(product))
    .sort((a, b) => compareUtf8(a.path, b.path));
  const unknown = [...new Set([...disk.listed.values()].flat())]
    .filter((name) => lineage.findName(name) === null)
    .sort(compareUtf8);
  const ok = unknown.length === 0 && products.every(({ state }) => state === "current");
  return { ok, products, unknown };
}

/**
 * The disk as the runs saw it last: each name has the content that the newest run recorded for it. So a
 * pipeline can be judged by its evidence alone, without the files.
 *
 * @param lineage Runs that verify
 * @param plan As {@linkcode planStatus} made it of them
 * @param changedTools For each run, what its command ran on and has changed since
 *
 * @example By its evidence alone, a pipeline in which nothing was made again with other inputs is current
 * ```ts
 * import { assumeDisk, compareEnvironments, judgePipeline, Lineage, planStatus } from "@kprov/cli";
 * import { assert } from "@std/assert";
 *
 * const lineage = new Lineage();
 * const plan = planStatus(lineage);
 * const disk = assumeDisk(lineage, plan, compareEnvironments(lineage));
 * assert(judgePipeline(lineage, plan, disk).ok);
 * ```
 */
export function assumeDisk(
  lineage: Lineage,
  plan: StatusPlan,
  changedTools: PipelineDisk["changedTools"],
): PipelineDisk {
  const last = new Int32Array(lineage.nameCount).fill(-1);
  for (const run of lineage.order) {
    for (const role of ["inputs", "products"] as const) {
      for (const file of lineage.fileIds(run, role)) last[lineage.nameIdOf(file)] = file;
    }
  }
  const observe = (name: string): [string, ObservedFile] => {
    const file = last[lineage.findName(name) ?? -1] ?? -1;
    if (file < 0) return [name, { state: "missing" }];
    // Sizes follow from digests, and are not compared.
    return [name, { state: "read", file: { ...lineage.fileOf(file), size: 0 } }];
  };
  return {
    files: new Map(plan.names.map(observe)),
    followed: new Map(plan.followed.map(observe)),
    listed: new Map(),
    changedTools,
  };
}

/** One step of the chain that explains a product. */
export interface ExplainedProduct extends ProductStatus {
  /** What changed at this very step. */
  readonly causes: readonly Cause[];
  /** Those of its inputs that are not current themselves. */
  readonly from: readonly string[];
}

/**
 * Follows a product back to what made it stale.
 *
 * @param lineage Runs that verify
 * @param plan As {@linkcode planStatus} made it of them
 * @param disk What is there now
 * @param path The product
 * @returns The product, and every product that it was made from and that is not current either; empty
 * where no run made it
 *
 * @example
 * ```ts
 * import { explainProduct, type Lineage, type PipelineDisk, planStatus } from "@kprov/cli";
 *
 * function explain(lineage: Lineage, disk: PipelineDisk, path: string): string[] {
 *   return explainProduct(lineage, planStatus(lineage), disk, path).map(({ path, causes, from }) =>
 *     `${path}: ${[...causes.map(({ name }) => name), ...from].join(", ")}`
 *   );
 * }
 * ```
 */
export function explainProduct(
  lineage: Lineage,
  plan: StatusPlan,
  disk: PipelineDisk,
  path: string,
): readonly ExplainedProduct[] {
  const judge = new Judge(lineage, plan, disk);
  const byName = new Map(plan.products.map((product) => [product.nameId, product]));
  const start = byName.get(lineage.findName(path) ?? -1);
  const pending = start === undefined ? [] : [start];
  const seen = new Set(pending.map(({ run, nameId }) => `${run} ${nameId}`));
  const steps: ExplainedProduct[] = [];
  for (let product = pending.shift(); product !== undefined; product = pending.shift()) {
    const { causes, upstream } = judge.lookAt(product.run);
    const way = upstream.filter(({ run }) => judge.causesOf(run).length > 0);
    const from = [...new Set(way.map(({ nameId }) => nameId))];
    steps.push({
      ...judge.judge(product),
      causes: judge.nameCauses(causes),
      from: from.map((nameId) => lineage.nameOf(nameId)),
    });
    for (const { nameId, run } of way) {
      const next = byName.get(nameId);
      // An earlier generation of the same file is made by a run that is not the newest.
      const step = next?.run === run ? next : { nameId, run, file: next?.file ?? 0 };
      if (seen.has(`${run} ${nameId}`)) continue;
      seen.add(`${run} ${nameId}`);
      pending.push(step);
    }
  }
  return steps;
}

/** Where on the disk nothing, or nothing readable, or something that no run knows stands. */
const [MISSING, UNREADABLE, OTHER] = [-1, -2, -3];

/** What is found at one run: what changed there, and the runs that its inputs come from. */
interface LocalVerdict {
  readonly causes: readonly number[];
  readonly upstream: readonly { readonly nameId: number; readonly run: number }[];
}

/** Judges products; what was found at a run is remembered. */
class Judge {
  readonly #lineage: Lineage;
  readonly #plan: StatusPlan;
  readonly #disk: PipelineDisk;
  readonly #found: Int32Array;
  readonly #foundBehindLinks: Int32Array;
  readonly #made: Int32Array;
  readonly #causes: Cause[] = [];
  readonly #causeIds = new Map<string, number>();
  readonly #verdicts = new Map<number, LocalVerdict>();
  readonly #total = new Map<number, readonly number[]>();

  constructor(lineage: Lineage, plan: StatusPlan, disk: PipelineDisk) {
    this.#lineage = lineage;
    this.#plan = plan;
    this.#disk = disk;
    this.#found = this.#identifyAll(disk.files);
    this.#foundBehindLinks = this.#identifyAll(disk.followed ?? new Map());
    this.#made = new Int32Array(lineage.nameCount).fill(-1);
    for (const { nameId, file } of plan.products) this.#made[nameId] = file;
  }

  #identifyAll(files: PipelineDisk["files"]): Int32Array {
    const found = new Int32Array(this.#lineage.nameCount).fill(MISSING);
    for (const [name, observed] of files) {
      const nameId = this.#lineage.findName(name);
      if (nameId !== null) found[nameId] = this.#identify(observed);
    }
    return found;
  }

  #identify(observed: ObservedFile): number {
    if (observed.state === "missing") return MISSING;
    if (observed.state === "unreadable") return UNREADABLE;
    return this.#lineage.findFile(observed.file) ?? OTHER;
  }

  judge({ nameId, file, run }: PlannedProduct): ProductStatus {
    const record = this.#lineage.runs[run];
    const path = this.#lineage.nameOf(nameId);
    const found = this.#found[nameId] ?? MISSING;
    const shared = { path, run: record?.run ?? "" };
    if (found === MISSING) return { ...shared, state: "missing", because: [] };
    if (found === UNREADABLE) {
      return { ...shared, state: "modified", because: [{ kind: "unreadable", name: path }] };
    }
    if (found !== file) return { ...shared, state: "modified", because: [] };
    const because = this.nameCauses(this.causesOf(run));
    return { ...shared, state: because.length > 0 ? "stale" : "current", because };
  }

  nameCauses(ids: readonly number[]): readonly Cause[] {
    return ids.flatMap((id) => this.#causes[id] ?? [])
      .sort((a, b) => compareUtf8(a.kind, b.kind) || compareUtf8(a.name, b.name));
  }

  /** Everything that changed at a run or further up, without recursion: chains are long. */
  causesOf(start: number): readonly number[] {
    const path = [start];
    const open = new Set<number>();
    for (let run = path.at(-1); run !== undefined; run = path.at(-1)) {
      const { causes, upstream } = this.lookAt(run);
      const waiting = this.#total.has(run) ? [] : upstream
        .filter((before) => !this.#total.has(before.run) && !open.has(before.run));
      open.add(run);
      if (waiting.length > 0) {
        path.push(...new Set(waiting.map((before) => before.run)));
        continue;
      }
      if (!this.#total.has(run)) this.#total.set(run, this.#join(causes, upstream));
      path.pop();
    }
    return this.#total.get(start) ?? [];
  }

  #join(
    causes: readonly number[],
    upstream: LocalVerdict["upstream"],
  ): readonly number[] {
    const lists = new Set(upstream.map(({ run }) => this.#total.get(run) ?? []));
    const full = [...lists, causes].filter(({ length }) => length > 0);
    // Most runs share the list of the one before, which then need not be copied.
    return full.length < 2 ? full[0] ?? [] : [...new Set(full.flat())];
  }

  lookAt(run: number): LocalVerdict {
    const known = this.#verdicts.get(run);
    if (known !== undefined) return known;
    const causes = new Set<number>();
    const upstream = new Map<number, number>();
    for (const file of this.#lineage.fileIds(run, "inputs")) {
      const nameId = this.#lineage.nameIdOf(file);
      const before = this.#follow(run, file, nameId);
      if (before === null) causes.add(this.#cause("input", this.#lineage.nameOf(nameId)));
      else if (before >= 0 && !upstream.has(before)) upstream.set(before, nameId);
    }
    for (const name of this.#listNew(run)) causes.add(this.#cause("input", name));
    for (const { kind, name } of this.#disk.changedTools(run)) causes.add(this.#cause(kind, name));
    const record = this.#lineage.runs[run];
    if (record?.outcome !== "completed") causes.add(this.#cause("outcome", record?.run ?? ""));
    const verdict = {
      causes: [...causes],
      upstream: [...upstream].map(([before, nameId]) => ({ nameId, run: before })),
    };
    this.#verdicts.set(run, verdict);
    return verdict;
  }

  /** The run that made an input, -1 where none did, or null where the input changed. */
  #follow(run: number, file: number, nameId: number): number | null {
    if (isGeneration(this.#lineage, this.#plan, run, nameId)) {
      return chooseOrigin(this.#lineage, this.#lineage.originsOf(run, file)) ?? -1;
    }
    const isFollowed = this.#lineage.runs[run]?.given.links === "follow";
    const found = isFollowed ? this.#foundBehindLinks : this.#found;
    if (found[nameId] !== file) return null;
    const made = this.#made[nameId] ?? -1;
    // The disk holds what went in, but the newest run that made it says otherwise.
    if (made >= 0 && made !== file) return null;
    return this.#plan.newest[nameId] ?? -1;
  }

  /** Files that are new in a directory input; what a run made there is no input of the others. */
  #listNew(run: number): string[] {
    const record = this.#lineage.runs[run];
    const listed = record === undefined ? undefined : this.#disk.listed.get(record.given);
    if (listed === undefined || listed.length === 0) return [];
    const known = new Set<number | null>();
    for (const file of this.#lineage.fileIds(run, "inputs")) {
      known.add(this.#lineage.nameIdOf(file));
    }
    return listed.filter((name) => {
      const nameId = this.#lineage.findName(name);
      return !known.has(nameId) && (nameId === null || (this.#made[nameId] ?? -1) < 0);
    });
  }

  #cause(kind: Cause["kind"], name: string): number {
    const key = `${kind}\0${name}`;
    const known = this.#causeIds.get(key);
    if (known !== undefined) return known;
    this.#causeIds.set(key, this.#causes.length);
    return this.#causes.push({ kind, name }) - 1;
  }
}
