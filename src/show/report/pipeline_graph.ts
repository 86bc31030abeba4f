import { compareUtf8 } from "../../base/text.ts";
import { compareEnvironments } from "../../evidence/environment_changes.ts";
import type { Lineage } from "../../evidence/lineage.ts";
import type { RunRecord } from "../../evidence/lineage_records.ts";
import {
  assumeDisk,
  isGeneration,
  judgePipeline,
  planStatus,
  type ProductStatus,
  type StatusPlan,
} from "../../evidence/pipeline_status.ts";

/** What a run in the picture is, seen from all others. */
export type StepState = "current" | "stale" | "modified" | "failed" | "recorded" | "earlier";

/** A run in the picture. */
export interface GraphRun {
  /** What is kept of it. */
  readonly record: RunRecord;
  /** How many runs lie before it, at most: its place from left to right. */
  readonly depth: number;
  /** What it is. */
  readonly state: StepState;
}

/** Files in the picture that one run made, or none, and that the same runs took in. */
export interface GraphFiles {
  /** Their names, sorted. */
  readonly names: readonly string[];
  /** The run that made them, by its place in the list; null where none did. */
  readonly maker: number | null;
  /** The runs that took them in. */
  readonly takers: readonly number[];
  /** Those of them that took in an older content than stands there now. */
  readonly staleTakers: readonly number[];
  /** Whether one of them is a product that is not current. */
  readonly isStale: boolean;
}

/** The steps of a pipeline as its newest runs tell them; see {@linkcode buildPipelineGraph}. */
export interface PipelineGraph {
  readonly runs: readonly GraphRun[];
  readonly files: readonly GraphFiles[];
  /** Every product, by the newest run that made it, judged by the evidence alone. */
  readonly products: readonly ProductStatus[];
  /** How many runs there were no room for. */
  readonly omitted: number;
}

/** More runs than this are no picture any more; the newest are drawn. */
const MOST_RUNS = 120;

/** Where there are more groups of files than this, the files of a run are one group. */
const MOST_GROUPS = 240;

/**
 * Finds what the picture of a pipeline shows: the runs that count, those that tried to follow them, and
 * the files between them.
 *
 * @param lineage Runs that verify
 * @param newest The newest run of each step, whether or not it made anything
 */
export function buildPipelineGraph(lineage: Lineage, newest: readonly number[]): PipelineGraph {
  const plan = planStatus(lineage);
  const disk = assumeDisk(lineage, plan, compareEnvironments(lineage));
  const { products } = judgePipeline(lineage, plan, disk);
  const wanted = new Set([...plan.runs, ...newest]);
  const all = lineage.order.filter((run) => wanted.has(run));
  const drawn = all.slice(-MOST_RUNS);
  const links = listLinks(lineage, plan, drawn);
  const depths = findDepths(drawn, links);
  const states = new Map(products.map((product) => [product.path, product]));
  return {
    runs: drawn.map((run) => ({
      record: lineage.runs[run] as RunRecord,
      depth: depths.get(run) ?? 0,
      state: judgeRun(lineage, plan, run, states),
    })),
    files: groupFiles({ lineage, plan, drawn, depths, states }, links),
    products,
    omitted: all.length - drawn.length,
  };
}

/** A file that a run took in, with the run that made it; -1 where none that is drawn did. */
interface Link {
  readonly maker: number;
  readonly nameId: number;
  readonly taker: number;
  readonly isStale: boolean;
}

function listLinks(lineage: Lineage, plan: StatusPlan, drawn: readonly number[]): Link[] {
  const isDrawn = new Set(drawn);
  const made = new Map(plan.products.map(({ nameId, file }) => [nameId, file]));
  const links: Link[] = [];
  for (const taker of drawn) {
    for (const file of lineage.fileIds(taker, "inputs")) {
      const nameId = lineage.nameIdOf(file);
      const isEarlier = isGeneration(lineage, plan, taker, nameId);
      const maker = isEarlier
        ? lineage.originsOf(taker, file).at(-1) ?? -1
        : plan.newest[nameId] ?? -1;
      const isKnown = isDrawn.has(maker) && maker !== taker;
      const isStale = isKnown && !isEarlier && made.get(nameId) !== file;
      links.push({ maker: isKnown ? maker : -1, nameId, taker, isStale });
    }
  }
  return breakCircles(drawn, links);
}

/** By name alone runs can feed each other in a circle: the line that closes it is left out. */
function breakCircles(drawn: readonly number[], links: readonly Link[]): Link[] {
  const byTaker = Map.groupBy(links, ({ taker }) => taker);
  const broken = new Set<Link>();
  const state = new Map<number, "open" | "done">();
  const visit = (run: number): void => {
    state.set(run, "open");
    for (const link of byTaker.get(run) ?? []) {
      if (link.maker < 0) continue;
      const known = state.get(link.maker);
      if (known === "open") broken.add(link);
      else if (known === undefined) visit(link.maker);
    }
    state.set(run, "done");
  };
  for (const run of drawn) if (!state.has(run)) visit(run);
  return links.map((link) => broken.has(link) ? { ...link, maker: -1, isStale: false } : link);
}

function findDepths(drawn: readonly number[], links: readonly Link[]): Map<number, number> {
  const makers = new Map(drawn.map((run) => [run, new Set<number>()]));
  for (const { maker, taker } of links) if (maker >= 0) makers.get(taker)?.add(maker);
  const depths = new Map<number, number>();
  const depthOf = (run: number): number => {
    const known = depths.get(run);
    if (known !== undefined) return known;
    const depth = Math.max(-1, ...[...makers.get(run) ?? []].map(depthOf)) + 1;
    depths.set(run, depth);
    return depth;
  };
  for (const run of drawn) depthOf(run);
  return depths;
}

function judgeRun(
  lineage: Lineage,
  { newest }: StatusPlan,
  run: number,
  products: ReadonlyMap<string, ProductStatus>,
): StepState {
  if (lineage.runs[run]?.outcome !== "completed") return "failed";
  const names = [...lineage.fileIds(run, "products")].map((file) => lineage.nameIdOf(file));
  if (names.length === 0) return "recorded";
  const own = names.filter((nameId) => newest[nameId] === run);
  if (own.length === 0) return "earlier";
  const states = new Set(own.map((nameId) => products.get(lineage.nameOf(nameId))?.state));
  return states.has("stale") ? "stale" : states.has("modified") ? "modified" : "current";
}

/** What the groups of files are made of. */
interface Drawing {
  readonly lineage: Lineage;
  readonly plan: StatusPlan;
  readonly drawn: readonly number[];
  readonly depths: ReadonlyMap<number, number>;
  readonly states: ReadonlyMap<string, ProductStatus>;
}

/** A file in the picture, before it is joined with others. */
interface DrawnFile {
  readonly nameId: number;
  readonly maker: number;
  readonly takers: number[];
  readonly staleTakers: number[];
}

function groupFiles(drawing: Drawing, links: readonly Link[]): GraphFiles[] {
  const fine = joinFiles(
    drawing,
    listFiles(drawing, links, false),
    (file) => [file.maker, ...file.takers].join(" "),
  );
  if (fine.length <= MOST_GROUPS) return fine;
  return joinFiles(
    drawing,
    listFiles(drawing, links, true),
    (file) => file.maker >= 0 ? `${file.maker}` : `-1 ${file.takers.join(" ")}`,
  );
}

/** What no run made stands before each column of runs that took it in, or before each run. */
function listFiles(
  { lineage, plan, drawn, depths }: Drawing,
  links: readonly Link[],
  isApart: boolean,
): DrawnFile[] {
  const files = new Map<string, DrawnFile>();
  const find = (maker: number, nameId: number, place: string): DrawnFile => {
    const key = `${maker} ${nameId} ${place}`;
    const file = files.get(key) ?? { nameId, maker, takers: [], staleTakers: [] };
    files.set(key, file);
    return file;
  };
  for (const run of drawn) {
    for (const id of lineage.fileIds(run, "products")) {
      const nameId = lineage.nameIdOf(id);
      if (plan.newest[nameId] === run) find(run, nameId, "");
    }
  }
  for (const { maker, nameId, taker, isStale } of links) {
    const place = maker >= 0 ? "" : isApart ? `run ${taker}` : `${depths.get(taker)}`;
    const file = find(maker, nameId, place);
    file.takers.push(taker);
    if (isStale) file.staleTakers.push(taker);
  }
  return [...files.values()];
}

function joinFiles(
  { lineage, drawn, depths, states }: Drawing,
  files: readonly DrawnFile[],
  keyOf: (file: DrawnFile) => string,
): GraphFiles[] {
  const places = new Map(drawn.map((run, place) => [run, place]));
  const placeAll = (runs: Iterable<number>): number[] =>
    [...new Set(runs)].map((run) => places.get(run) ?? 0).sort((a, b) => a - b);
  const groups = [...Map.groupBy(files, keyOf).values()].map((group): GraphFiles => {
    const names = group.map(({ nameId }) => lineage.nameOf(nameId)).sort(compareUtf8);
    const maker = group[0]?.maker ?? -1;
    const isNot = (name: string): boolean => (states.get(name)?.state ?? "current") !== "current";
    return {
      names,
      maker: maker < 0 ? null : places.get(maker) ?? null,
      takers: placeAll(group.flatMap(({ takers }) => takers)),
      staleTakers: placeAll(group.flatMap(({ staleTakers }) => staleTakers)),
      isStale: maker >= 0 && names.some(isNot),
    };
  });
  const depthOf = ({ maker, takers }: GraphFiles): number =>
    maker === null ? depths.get(drawn[takers[0] ?? 0] ?? -1) ?? 0 : -1;
  return groups.sort((a, b) =>
    depthOf(a) - depthOf(b) || (a.takers[0] ?? 0) - (b.takers[0] ?? 0) ||
    compareUtf8(a.names[0] ?? "", b.names[0] ?? "")
  );
}
