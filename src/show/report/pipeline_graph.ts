import { compareUtf8 } from "../../base/text.ts";
import { compareEnvironments } from "../../evidence/diff.ts";
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

/** The steps of a pipeline as its newest runs tell them. */
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

/** A box of a picture that is read from left to right. */
interface LayoutBox {
  /** Its column, from 0. */
  readonly column: number;
  /** How tall it is. */
  readonly height: number;
}

/** A line from a box to one in a later column, by their places in the list of boxes. */
export type LayoutLine = readonly [from: number, to: number];

/** Where everything stands. */
interface Placed {
  /** The upper edge of each box. */
  readonly tops: readonly number[];
  /** For each line, the heights at which it crosses the columns between its ends. */
  readonly crossings: readonly (readonly number[])[];
  /** How tall all of it is. */
  readonly height: number;
}

/** Something that takes room in a column: a box, or a line that only passes. */
interface Item {
  readonly column: number;
  readonly height: number;
  readonly before: Item[];
  readonly after: Item[];
  /** Its place in the column, from 0. */
  place: number;
  /** Its middle. */
  middle: number;
}

/** Between two boxes of a column. */
const GAP = 14;

/** Room for a line that passes between boxes. */
const LANE = 6;

/** More sweeps over the columns than this change nothing that one would see. */
const SWEEPS = 12;

/**
 * Places boxes in their columns, so that lines are short and cross seldom (Sugiyama's method: order by
 * the mean of the neighbours, then move towards them).
 *
 * @param boxes In any order, which decides where nothing else does
 * @param lines From earlier to later columns
 */
export function placeBoxes(boxes: readonly LayoutBox[], lines: readonly LayoutLine[]): Placed {
  const items = boxes.map(({ column, height }) => makeItem(column, height));
  const columns: Item[][] = [];
  for (const item of items) (columns[item.column] ??= []).push(item);
  const lanes = lines.map(([from, to]) => layLine(items[from], items[to], columns));
  for (let i = 0; i < columns.length; i++) columns[i] ??= [];
  order(columns);
  straighten(columns);
  const all = columns.flat();
  const top = Math.min(0, ...all.map(topOf));
  const shift = (value: number): number => Math.round((value - top) * 10) / 10;
  return {
    tops: items.map((item) => shift(topOf(item))),
    crossings: lanes.map((lane) => lane.map(({ middle }) => shift(middle))),
    height: shift(all.reduce((most, item) => Math.max(most, topOf(item) + item.height), top)),
  };
}

function makeItem(column: number, height: number): Item {
  return { column, height, before: [], after: [], place: 0, middle: 0 };
}

function topOf({ middle, height }: Item): number {
  return middle - height / 2;
}

/** Gives a line an item in each column that it passes. */
function layLine(from: Item | undefined, to: Item | undefined, columns: Item[][]): Item[] {
  if (from === undefined || to === undefined) return [];
  const lane: Item[] = [];
  for (let column = from.column + 1; column < to.column; column++) {
    const item = makeItem(column, LANE);
    (columns[column] ??= []).push(item);
    lane.push(item);
  }
  const way = [from, ...lane, to];
  for (const [i, item] of way.entries()) {
    const next = way[i + 1];
    if (next === undefined) break;
    item.after.push(next);
    next.before.push(item);
  }
  return lane;
}

/** Sorts each column by the mean place of its neighbours, to and fro, and keeps the best order. */
function order(columns: readonly Item[][]): void {
  const number = (): void => {
    for (const column of columns) for (const [i, item] of column.entries()) item.place = i;
  };
  number();
  let best = columns.map((column) => [...column]);
  let fewest = countCrossings(columns);
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
    const isForward = sweep % 2 === 0;
    for (const column of isForward ? columns : columns.toReversed()) {
      const keys = new Map(column.map((item) => [item, meanPlace(item, isForward)]));
      column.sort((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
      for (const [i, item] of column.entries()) item.place = i;
    }
    const crossings = countCrossings(columns);
    if (crossings >= fewest) continue;
    fewest = crossings;
    best = columns.map((column) => [...column]);
  }
  for (const [i, column] of columns.entries()) column.splice(0, column.length, ...best[i] ?? []);
  number();
}

function meanPlace(item: Item, isForward: boolean): number {
  const neighbours = isForward ? item.before : item.after;
  if (neighbours.length === 0) return item.place;
  return neighbours.reduce((sum, { place }) => sum + place, 0) / neighbours.length;
}

/** Two lines cross where their ends stand in opposite orders; counted with a Fenwick tree. */
function countCrossings(columns: readonly (readonly Item[])[]): number {
  let crossings = 0;
  for (const [i, column] of columns.entries()) {
    const counts = new Int32Array((columns[i + 1]?.length ?? 0) + 1);
    let seen = 0;
    for (const item of column) {
      const ends = item.after.map(({ place }) => place);
      for (const end of ends) {
        let before = 0;
        for (let at = end + 1; at > 0; at -= at & -at) before += counts[at] ?? 0;
        crossings += seen - before;
      }
      for (const end of ends) {
        for (let at = end + 1; at < counts.length; at += at & -at) {
          counts[at] = (counts[at] ?? 0) + 1;
        }
      }
      seen += ends.length;
    }
  }
  return crossings;
}

/** Moves everything towards its neighbours, as far as the order of its column lets it. */
function straighten(columns: readonly (readonly Item[])[]): void {
  for (const column of columns) {
    let top = 0;
    for (const item of column) {
      item.middle = top + item.height / 2;
      top += item.height + GAP;
    }
  }
  for (let sweep = 0; sweep <= SWEEPS; sweep++) {
    const isForward = sweep % 2 === 0;
    for (const column of isForward ? columns : columns.toReversed()) {
      spread(
        column,
        column.map((item) => {
          const neighbours = isForward ? item.before : item.after;
          if (neighbours.length === 0) return item.middle;
          return neighbours.reduce((sum, { middle }) => sum + middle, 0) / neighbours.length;
        }),
      );
    }
  }
}

/** Items that touch each other, and move together. */
interface Block {
  count: number;
  /** Sum of where each would have the block's start. */
  sum: number;
}

/**
 * Moves the items of a column as near to where they want to be as they can without overlap: the least
 * squares under an order (pool adjacent violators).
 */
function spread(column: readonly Item[], wanted: readonly number[]): void {
  const offsets: number[] = [];
  let offset = 0;
  for (const { height } of column) {
    offsets.push(offset + height / 2);
    offset += height + GAP;
  }
  const blocks: Block[] = [];
  for (const i of column.keys()) {
    let block: Block = { count: 1, sum: (wanted[i] ?? 0) - (offsets[i] ?? 0) };
    for (let last = blocks.at(-1); last !== undefined; last = blocks.at(-1)) {
      if (last.sum / last.count <= block.sum / block.count) break;
      block = { count: last.count + block.count, sum: last.sum + block.sum };
      blocks.pop();
    }
    blocks.push(block);
  }
  let i = 0;
  for (const { count, sum } of blocks) {
    for (const end = i + count; i < end; i++) {
      const item = column[i];
      if (item !== undefined) item.middle = sum / count + (offsets[i] ?? 0);
    }
  }
}
