/** A box of a picture that is read from left to right. */
export interface LayoutBox {
  /** Its column, from 0. */
  readonly column: number;
  /** How tall it is. */
  readonly height: number;
}

/** A line from a box to one in a later column, by their places in the list of boxes. */
export type LayoutLine = readonly [from: number, to: number];

/** Where everything stands. */
export interface Placed {
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
