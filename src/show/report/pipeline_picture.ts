import { shellQuote } from "../../base/quote.ts";
import type { ProductStatus } from "../../evidence/pipeline_status.ts";
import { joinWords } from "../results.ts";
import { describeReview } from "../text.ts";
import {
  countOf,
  formatCount,
  type Html,
  markup,
  NAME,
  renderBadge,
  renderDataTable,
  shorten,
  type Tone,
} from "./html.ts";
import {
  type GraphFiles,
  type GraphRun,
  type LayoutLine,
  type PipelineGraph,
  placeBoxes,
  type StepState,
} from "./pipeline_graph.ts";
import { linkRun, type Parts } from "./timeline.ts";

/** How a picture is set for one width of paper or screen; a pipeline that is longer goes on below. */
interface Sheet {
  readonly id: "wide" | "medium" | "narrow";
  /** How wide it may become. */
  readonly width: number;
  /** Between two columns. */
  readonly gap: number;
  /** How many letters a box of files and one of a run take, at least. */
  readonly letters: readonly [files: number, run: number];
}

const SHEETS: readonly Sheet[] = [
  { id: "wide", width: 1102, gap: 28, letters: [13, 18] },
  { id: "medium", width: 690, gap: 26, letters: [11, 16] },
  { id: "narrow", width: 366, gap: 20, letters: [10, 15] },
];

/** A letter of 12 px in a monospaced face. */
const LETTER = 7.25;
const MARGIN = 10;
const LINE = 17;

/** No box is wider than so many letters, whatever room there is. */
const MOST_LETTERS = 36;

/** A command, what became of it, and its review. */
const RUN_HEIGHT = 13 + 3 * LINE;

/** Of a group of files, so many names are shown. */
const MOST_NAMES = 3;

/** More lines than this, where they meet, need room to bend. */
const MANY_LINES = 6;

/** Between the rows of a pipeline that goes on below. */
const ROW_GAP = 34;

/** A box at its place, by its column in the row. */
interface Box {
  readonly column: number;
  readonly height: number;
  readonly files: GraphFiles | null;
  readonly run: GraphRun | null;
  /** Whether the files are those of a row above, shown again. */
  readonly isRepeated: boolean;
}

/** The part of a pipeline that stands side by side. */
interface Row {
  readonly boxes: readonly Box[];
  readonly lines: readonly (LayoutLine & { readonly length: 2 })[];
  readonly isStale: readonly boolean[];
}

/** How wide everything is on a sheet. */
interface Measure extends Sheet {
  readonly fileLetters: number;
  readonly runLetters: number;
  /** How many runs stand side by side. */
  readonly steps: number;
}

/** The pipeline as a picture, and its products as a table. */
export function renderPipeline(graph: PipelineGraph, parts: Parts): Html {
  if (graph.runs.length === 0) return markup`<p>None: no run verifies.</p>\n`;
  const picture = renderPipelinePicture(graph, ({ record }) => {
    const number = parts.get(record.run);
    return number === undefined ? null : `#run-${number}`;
  });
  const omitted = graph.omitted === 0
    ? []
    : [markup`<p class="note">The newest ${countOf(graph.runs.length, "run")} are drawn;
      ${formatCount(graph.omitted)} are not.</p>\n`];
  return markup`
    <p>From left to right: files, and the newest runs that made something of them. Each run
      links to its part of this page. Earlier runs of the same steps are listed below.</p>
    ${picture}<ul class="legend">
      <li><span class="swatch origin"></span>made by no run</li>
      <li><span class="swatch product"></span>made by a run</li>
      <li><span class="swatch"></span>run</li>
      <li><span class="swatch approved"></span>current and approved</li>
      <li><span class="swatch stale"></span>stale</li>
      <li><span class="swatch failed"></span>failed or rejected</li>
      <li><span class="swatch repeated"></span>from the row above, or an earlier run</li>
    </ul>
    ${omitted}${graph.products.length === 0 ? [] : [renderProductStates(graph.products, parts)]}
  `;
}

const STATE_TONES: Readonly<Record<ProductStatus["state"], Tone>> = {
  current: "good",
  stale: "open",
  modified: "open",
  missing: "bad",
};

function renderProductStates(products: readonly ProductStatus[], parts: Parts): Html {
  const isCurrent = ({ state }: ProductStatus): number => state === "current" ? 1 : 0;
  return renderDataTable(products.toSorted((a, b) => isCurrent(a) - isCurrent(b)), {
    id: "products-table",
    caption: "Products, judged by the evidence alone",
    columns: [NAME, "State", { title: "Because of", kind: "prose" }, "Made by"],
    toCells: ({ path, state, because, run }) => [
      path,
      renderBadge(STATE_TONES[state], state),
      joinWords(because.map(({ kind, name }) => `${kind} ${name}`)),
      linkRun(run, parts),
    ],
    whole: "what kprov status prints",
  });
}

/** Where the page tells more about a run; null where it does not. */
type LinkOf = (run: GraphRun) => string | null;

/**
 * Draws a pipeline from left to right: files and the runs between them. It is set for three widths,
 * of which the style sheet shows one.
 */
export function renderPipelinePicture(graph: PipelineGraph, linkOf: LinkOf): Html {
  return markup`
    <figure class="pipeline">
      ${
    SHEETS.map((sheet) =>
      markup`<div class="sheet ${sheet.id}">${
        drawSheet(graph, measure(graph, sheet), linkOf)
      }</div>\n`
    )
  }</figure>
  `;
}

/** Draws a pipeline as a picture of its own, without links, for the widest sheet. */
export function drawPipeline(graph: PipelineGraph): Html {
  const [sheet] = SHEETS;
  return sheet === undefined ? markup`` : drawSheet(graph, measure(graph, sheet), () => null);
}

function measure({ runs, files }: PipelineGraph, sheet: Sheet): Measure {
  const isCrowded = files.some(({ takers }) => takers.length > MANY_LINES);
  const gap = isCrowded && sheet.id !== "narrow" ? sheet.gap * 1.5 : sheet.gap;
  const depth = Math.max(0, ...runs.map((run) => run.depth)) + 1;
  let [fileLetters, runLetters] = sheet.letters;
  const widthOf = (steps: number): number =>
    steps * (boxWidth(runLetters) + boxWidth(fileLetters) + 2 * gap) + boxWidth(fileLetters);
  // Where there is room, names are shown whole.
  const wanted = [
    Math.max(...files.flatMap(({ names }) => names.slice(0, MOST_NAMES)).map(lengthOf), 8),
    Math.max(...runs.map(({ record }) => lengthOf(nameCommand(record))), runLetters),
  ];
  const most = Math.max(1, Math.min(depth, countSteps(sheet.width, widthOf)));
  // Rows of about the same length.
  const steps = Math.ceil(depth / Math.ceil(depth / most));
  for (let isGrowing = true; isGrowing;) {
    isGrowing = false;
    if (fileLetters < Math.min(wanted[0] ?? 0, MOST_LETTERS)) {
      fileLetters++;
      if (widthOf(steps) > sheet.width) fileLetters--;
      else isGrowing = true;
    }
    if (runLetters < Math.min(wanted[1] ?? 0, MOST_LETTERS)) {
      runLetters++;
      if (widthOf(steps) > sheet.width) runLetters--;
      else isGrowing = true;
    }
  }
  return { ...sheet, gap, fileLetters: Math.min(fileLetters, wanted[0] ?? 0), runLetters, steps };
}

function countSteps(width: number, widthOf: (steps: number) => number): number {
  let steps = 1;
  while (widthOf(steps + 1) <= width) steps++;
  return steps;
}

function lengthOf(text: string): number {
  return text.length;
}

function boxWidth(letters: number): number {
  return Math.ceil(letters * LETTER) + 2 * MARGIN;
}

function nameCommand({ command, runId }: GraphRun["record"]): string {
  if (command === null) return runId;
  const [program = "", ...args] = command;
  return [program.split("/").at(-1) ?? program, ...args].map(shellQuote).join(" ");
}

/** What a command starts, and the last path that it is given: there commands of one kind differ. */
function shortenCommand(record: GraphRun["record"], letters: number): string {
  const command = nameCommand(record);
  const [program = "", ...args] = command.split(" ");
  const room = letters - program.length - 2;
  const path = args.findLast((arg) => /[./]/.test(arg) && !arg.startsWith("-"));
  if (command.length <= letters || path === undefined || room < 6) {
    return shorten(command, letters);
  }
  const isFirst = args[0] === path && path.length + 1 <= room;
  return isFirst
    ? `${program} ${shorten(path, room)} …`
    : `${program} …${shortenName(path, room).replace(/^…\//, "")}`;
}

/** Of a path the end, of a long name the beginning, which tell more than what is between them. */
function shortenName(name: string, letters: number): string {
  if (name.length <= letters) return shorten(name, letters);
  const last = name.slice(name.lastIndexOf("/") + 1);
  if (last.length + 2 <= letters) return `…/${shorten(last, letters - 2)}`;
  return shorten(last, letters);
}

function drawSheet(graph: PipelineGraph, measure: Measure, linkOf: LinkOf): Html {
  const [fileWidth, runWidth] = [boxWidth(measure.fileLetters), boxWidth(measure.runLetters)];
  const columns = 2 * measure.steps + 1;
  const lefts: number[] = [];
  let width = 0;
  for (let column = 0; column < columns; column++) {
    lefts.push(width);
    width += (column % 2 === 0 ? fileWidth : runWidth) + measure.gap;
  }
  width -= measure.gap;
  const parts: Html[] = [];
  let height = 0;
  for (const row of listRows(graph, measure)) {
    const placed = placeBoxes(row.boxes, row.lines);
    const place = (column: number): readonly [left: number, right: number] => {
      const left = lefts[column] ?? 0;
      return [left, left + (column % 2 === 0 ? fileWidth : runWidth)];
    };
    const top = height === 0 ? 0 : height + ROW_GAP;
    const lines = row.lines.map((line, i) =>
      drawLine(line, {
        row,
        place,
        tops: placed.tops,
        crossings: placed.crossings[i] ?? [],
        isStale: row.isStale[i] === true,
      })
    );
    const boxes = row.boxes.map((box, i) => {
      const [left, right] = place(box.column);
      const area = { x: left, y: placed.tops[i] ?? 0, width: right - left };
      return drawBox(box, area, measure, linkOf);
    });
    parts.push(markup`<g transform="translate(0 ${top})">\n${lines}${boxes}</g>\n`);
    height = top + placed.height;
  }
  const title = `pipeline-${measure.id}`;
  return markup`
    <svg role="group" aria-labelledby="${title}" viewBox="-1 -1 ${width + 2} ${height + 2}"
      width="${width + 2}" height="${height + 2}">
      <title id="${title}">${countOf(graph.runs.length, "run")} and the files between them</title>
      ${parts}</svg>
  `;
}

/** Parts the picture into rows. What a row takes in from one above stands at its own start again. */
function* listRows({ runs, files }: PipelineGraph, measure: Measure): Generator<Row> {
  const depth = Math.max(0, ...runs.map((run) => run.depth)) + 1;
  const rowOf = (run: number): number => Math.floor((runs[run]?.depth ?? 0) / measure.steps);
  for (let row = 0; row * measure.steps < depth; row++) {
    const boxes: Box[] = [];
    const lines: LayoutLine[] = [];
    const isStale: boolean[] = [];
    const first = row * measure.steps;
    const runBoxes = new Map<number, number>();
    for (const [i, run] of runs.entries()) {
      if (rowOf(i) !== row) continue;
      const column = 2 * (run.depth - first) + 1;
      runBoxes.set(i, boxes.length);
      boxes.push({ column, height: RUN_HEIGHT, files: null, run, isRepeated: false });
    }
    for (const group of files) {
      const takers = group.takers.filter((run) => rowOf(run) === row);
      const maker = group.maker !== null && rowOf(group.maker) === row ? group.maker : null;
      if (maker === null && takers.length === 0) continue;
      const columnOf = (run: number): number => 2 * ((runs[run]?.depth ?? 0) - first) + 1;
      const column = maker === null ? Math.min(...takers.map(columnOf)) - 1 : columnOf(maker) + 1;
      const place = boxes.length;
      const isRepeated = maker === null && group.maker !== null;
      boxes.push({ column, height: fileHeight(group), files: group, run: null, isRepeated });
      if (maker !== null) {
        lines.push([runBoxes.get(maker) ?? 0, place]);
        isStale.push(false);
      }
      for (const taker of takers) {
        lines.push([place, runBoxes.get(taker) ?? 0]);
        isStale.push(group.staleTakers.includes(taker));
      }
    }
    yield { boxes, lines, isStale };
  }
}

function fileHeight({ names }: GraphFiles): number {
  return 11 + LINE * listNames(names, 99).length;
}

/** The first names of a group, and how many there are besides. */
function listNames(names: readonly string[], letters: number): string[] {
  const shown = names.length > MOST_NAMES ? names.slice(0, MOST_NAMES - 1) : names;
  const rest = names.length - shown.length;
  return [
    ...shown.map((name) => shortenName(name, letters)),
    ...(rest > 0 ? [`and ${rest} more`] : []),
  ];
}

interface LineWay {
  readonly row: Row;
  readonly place: (column: number) => readonly [left: number, right: number];
  readonly tops: readonly number[];
  readonly crossings: readonly number[];
  readonly isStale: boolean;
}

function drawLine([from, to]: LayoutLine, { row, place, tops, crossings, isStale }: LineWay): Html {
  const [source, target] = [row.boxes[from], row.boxes[to]];
  if (source === undefined || target === undefined) return markup``;
  const middleOf = (i: number, box: Box): number => (tops[i] ?? 0) + box.height / 2;
  let [x, y] = [place(source.column)[1], middleOf(from, source)];
  let way = `M${x} ${y}`;
  const bend = (toX: number, toY: number): void => {
    const middle = (x + toX) / 2;
    way += `C${middle} ${y} ${middle} ${toY} ${toX} ${toY}`;
  };
  for (const [i, crossing] of crossings.entries()) {
    const [left, right] = place(source.column + 1 + i);
    bend(left, crossing);
    way += `H${right}`;
    [x, y] = [right, crossing];
  }
  const [end, height] = [place(target.column)[0], middleOf(to, target)];
  bend(end - 6, height);
  const stale = isStale ? " stale" : "";
  return markup`<path class="line${stale}" d="${way}"/><path class="tip${stale}" d="M${end} ${height}l-8 -4v8z"/>\n`;
}

/** The place of a box in the picture. */
interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

function drawBox(box: Box, area: Area, measure: Measure, linkOf: LinkOf): Html {
  if (box.run !== null) return drawRun(box.run, area, measure, linkOf(box.run));
  return box.files === null ? markup`` : drawFiles(box, box.files, area, measure);
}

function drawFiles(box: Box, files: GraphFiles, { x, y, width }: Area, measure: Measure): Html {
  const lines = listNames(files.names, measure.fileLetters);
  const kind = box.isRepeated ? " repeated" : files.maker === null ? " origin" : "";
  const all = files.names.slice(0, 100).join("\n");
  return markup`<g class="files${kind}${
    files.isStale ? " stale" : ""
  }"><title>${all}</title><rect class="box"
x="${x}" y="${y}" width="${width}" height="${box.height}" rx="${box.height / 2 > 15 ? 10 : 14}"/>${
    lines.map((line, i) => {
      const isRest = i === MOST_NAMES - 1 && files.names.length > MOST_NAMES;
      return markup`<text class="${isRest ? "more" : "word"}" x="${x + MARGIN}" y="${
        y + 18 + LINE * i
      }">${line}</text>`;
    })
  }</g>\n`;
}

const STATES: Readonly<Record<StepState, readonly [tone: string, word: string]>> = {
  current: ["good", "current"],
  stale: ["open", "stale"],
  modified: ["open", "changed since"],
  failed: ["bad", "failed"],
  recorded: ["plain", "recorded"],
  earlier: ["plain", "earlier"],
};

function drawRun(run: GraphRun, area: Area, measure: Measure, link: string | null): Html {
  const { x, y, width } = area;
  const { record, state } = run;
  const review = describeReview(record.review);
  const isBad = state === "failed" || record.review === "REJECTED";
  const [tone, word] = describeStep(run);
  const command = nameCommand(record);
  const lines = [
    ["command", shortenCommand(record, measure.runLetters)],
    // What is bad in one way does not look good in another.
    [`state ${isBad && tone === "good" ? "plain" : tone}`, word],
    [
      `state ${
        record.review === "APPROVED" && isBad ? "plain" : REVIEW_TONES[record.review ?? "PENDING"]
      }`,
      review,
    ],
  ] as const;
  const box = isBad
    ? "failed"
    : state === "current" && record.review === "APPROVED"
    ? "approved"
    : state;
  const content = markup`<title>${command.slice(0, 500)}
${record.runId}: ${word}, ${review}</title><rect class="box" x="${x}" y="${y}" width="${width}" height="${RUN_HEIGHT}" rx="4"/>${
    lines.map(([name, text], i) =>
      markup`<text class="${name}" x="${x + MARGIN}" y="${y + 19 + LINE * i}">${text}</text>`
    )
  }`;
  return link === null
    ? markup`<g class="run ${box}">${content}</g>\n`
    : markup`<a class="run ${box}" href="${link}">${content}</a>\n`;
}

const REVIEW_TONES = { APPROVED: "good", REJECTED: "bad", PENDING: "plain" } as const;

function describeStep({ record, state }: GraphRun): readonly [tone: string, word: string] {
  if (state !== "failed") return STATES[state];
  return record.outcome === "not_observed"
    ? ["open", "end not seen"]
    : ["bad", `failed, exit ${record.exitCode}`];
}
