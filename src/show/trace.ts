import { LazyList } from "../base/canonical_json.ts";
import type { Finding } from "../base/error.ts";
import { escapeText, shellQuote, showName } from "../base/quote.ts";
import { toPosixPath } from "../base/std.ts";
import type { Lineage, LineageInput, NearestFile, Trace } from "../evidence/lineage.ts";
import type { RunRecord } from "../evidence/lineage_records.ts";
import type {
  Cause,
  ExplainedProduct,
  PipelineStatus,
  ProductState,
  ProductStatus,
} from "../evidence/pipeline_status.ts";
import {
  choosePaint,
  describeOutcome,
  describeReview,
  type Paint,
  type TextOptions,
} from "./text.ts";

/** Runs nested deeper than this stand by themselves, below: JSON is not nested without end. */
const DEEPEST = 12;

/** The same in a tree for people: a level takes six columns. */
const DEEPEST_SHOWN = 6;

/**
 * The trace as the content of one JSON document. A run stands whole where it comes first and by its
 * name after that; those that are too far away for one nesting are whole in `more_runs`.
 *
 * @param lineage The runs
 * @param trace Of them
 * @param findings What is wrong; null where it was not asked
 */
export function describeTrace(
  lineage: Lineage,
  trace: Trace,
  findings: readonly Finding[] | null,
): unknown {
  const { file, madeBy, nearest } = trace;
  const told = new Set<number>();
  const describeMakers = (runs: readonly number[], depth: number): unknown =>
    new LazyList(runs.length, (i) => describeMaker(runs[i] ?? 0, depth));
  const describeMaker = (run: number, depth: number): unknown => {
    const record = lineage.runs[run];
    const name = { run: toPosixPath(record?.run ?? "") };
    if (record === undefined || told.has(run) || depth > DEEPEST) return name;
    told.add(run);
    const ids = lineage.fileIds(run, "inputs");
    return {
      ...name,
      outcome: record.outcome,
      review: record.review,
      runtimes: (record.toolchain.runtimes ?? []).map((one) => ({
        name: one.name,
        version: one.version,
      })),
      ...(record.verifies ? {} : { verifies: false }),
      inputs: new LazyList(ids.length, (i) => {
        const { name, sha256 } = lineage.fileOf(ids[i] ?? 0);
        const makers = lineage.originsOf(run, ids[i] ?? 0);
        return { path: name, sha256, made_by: describeMakers(makers, depth + 1) };
      }),
    };
  };
  const below = listFarRuns(trace, lineage.walkBack(), DEEPEST);
  return {
    path: file.name,
    sha256: file.sha256,
    made_by: describeMakers(madeBy, 0),
    ...(below.length === 0
      ? {}
      : { more_runs: new LazyList(below.length, (i) => describeMaker(below[i] ?? 0, 0)) }),
    ...(madeBy.length > 0 ? {} : { nearest: nearest.map((one) => describeNearest(lineage, one)) }),
    ...(findings === null ? {} : { ok: findings.length === 0, findings }),
  };
}

function describeNearest(lineage: Lineage, { relation, run, file }: NearestFile): unknown {
  const path = toPosixPath(lineage.runs[run]?.run ?? "");
  return { relation, run: path, path: file.name, sha256: file.sha256 };
}

/** Gives the runs that made the inputs of a run, as far as they are shown. */
type WalkBack = (run: number) => Iterable<number>;

/** The runs that are too far away from the file to be nested, in the order in which they stand below. */
function listFarRuns({ madeBy }: Trace, walkBack: WalkBack, deepest: number): number[] {
  const told = new Set<number>();
  const waiting = new Set<number>();
  const walk = (run: number, depth: number): void => {
    if (told.has(run)) return;
    if (depth > deepest) return void waiting.add(run);
    told.add(run);
    for (const maker of walkBack(run)) walk(maker, depth + 1);
  };
  for (const run of madeBy) walk(run, 0);
  const below: number[] = [];
  for (const run of waiting) {
    if (told.has(run)) continue;
    below.push(run);
    walk(run, 0);
  }
  return below;
}

/** The width of a common terminal. */
const WIDTH = 80;

/** Of the files that no run made, so many are shown of each run. */
const MOST_ORIGINS = 10;

/** The trace for people: a tree that fits 80 columns. */
export function* listTraceLines(
  lineage: Lineage,
  trace: Trace,
  options: TextOptions,
): Generator<string> {
  const { file, madeBy } = trace;
  const tree = new TraceTree(lineage, choosePaint(options));
  yield fit("", showName(file.name));
  yield `sha256:${file.sha256}`;
  if (madeBy.length === 0) yield* listNearest(lineage, trace.nearest);
  yield* tree.listRuns(madeBy, "", 0);
  const walkBack = (run: number): Iterable<number> => listShownMakers(lineage, run);
  for (const run of listFarRuns(trace, walkBack, DEEPEST_SHOWN)) {
    yield "";
    yield* tree.listRun(run, "", "", 0);
  }
}

function* listNearest(lineage: Lineage, nearest: readonly NearestFile[]): Generator<string> {
  const isKnown = nearest[0]?.relation === "input";
  if (isKnown) yield "no run made it: it came from outside";
  else yield "no run made it, nor took it in";
  for (const { relation, run: index, file } of nearest) {
    const run = showName(toPosixPath(lineage.runs[index]?.run ?? ""));
    const name = showName(file.name);
    yield fit("", `${run} ${NEAREST_VERBS[relation]} ${name}`);
    if (relation !== "input") yield* ["with other content:", `sha256:${file.sha256}`];
  }
}

const NEAREST_VERBS: Readonly<Record<NearestFile["relation"], string>> = {
  input: "took it in as",
  other_product: "made",
  other_input: "took in",
  alike: "knows",
};

/** Of the runs that made the same file, so many are shown at each input: the newest ones. */
const MOST_MAKERS = 3;

/** An input as it is shown: the newest runs that made it, and how many more did. */
interface ShownInput extends LineageInput {
  readonly moreMakers: number;
}

/** The inputs of a run, as they are shown: what came from outside is cut short. */
function* listShownInputs(
  lineage: Lineage,
  run: number,
): Generator<ShownInput | { readonly more: number }> {
  let origins = 0;
  for (const { file, madeBy } of lineage.listInputs(run)) {
    if (madeBy.length === 0 && ++origins > MOST_ORIGINS) continue;
    const moreMakers = Math.max(madeBy.length - MOST_MAKERS, 0);
    yield { file, madeBy: madeBy.slice(-MOST_MAKERS), moreMakers };
  }
  if (origins > MOST_ORIGINS) yield { more: origins - MOST_ORIGINS };
}

function* listShownMakers(lineage: Lineage, run: number): Generator<number> {
  for (const input of listShownInputs(lineage, run)) if ("madeBy" in input) yield* input.madeBy;
}

/** Draws runs and their inputs, each run once. */
class TraceTree {
  readonly #lineage: Lineage;
  readonly #paint: Paint;
  readonly #told = new Set<number>();

  constructor(lineage: Lineage, paint: Paint) {
    this.#lineage = lineage;
    this.#paint = paint;
  }

  *listRuns(runs: readonly number[], indent: string, depth: number): Generator<string> {
    for (const [i, run] of runs.entries()) {
      const isLast = i === runs.length - 1;
      yield* this.listRun(run, `${indent}${isLast ? "└─ " : "├─ "}`, indent + bar(isLast), depth);
    }
  }

  *listRun(run: number, head: string, indent: string, depth: number): Generator<string> {
    const record = this.#lineage.runs[run];
    if (record === undefined) return;
    const name = showName(toPosixPath(record.run));
    if (this.#told.has(run)) return yield fit(head, `${name} (above)`);
    if (depth > DEEPEST_SHOWN) return yield fit(head, `${name} (below)`);
    this.#told.add(run);
    const state = describeState(record);
    const isOneLine = Array.from(`${head}${name}  ${state}`).length <= WIDTH;
    const [first, second] = isOneLine ? [`${name}  ${state}`, null] : [name, state];
    const paint = (line: string): string =>
      isBad(record) ? line.replace(state, () => this.#paint(state, "bad")) : line;
    yield paint(fit(head, first));
    if (second !== null) yield paint(fit(`${indent}   `, second));
    yield* this.#listInputs(run, indent, depth);
  }

  *#listInputs(run: number, indent: string, depth: number): Generator<string> {
    let waiting: ShownInput | { readonly more: number } | null = null;
    for (const input of listShownInputs(this.#lineage, run)) {
      if (waiting !== null) yield* this.#listInput(waiting, indent, depth, false);
      waiting = input;
    }
    if (waiting !== null) yield* this.#listInput(waiting, indent, depth, true);
  }

  *#listInput(
    input: ShownInput | { readonly more: number },
    indent: string,
    depth: number,
    isLast: boolean,
  ): Generator<string> {
    const head = `${indent}${isLast ? "└─ " : "├─ "}`;
    if ("more" in input) return yield fit(head, describeMore(input.more));
    const name = showName(input.file.name);
    const { moreMakers } = input;
    const runs = moreMakers === 1 ? "1 more run" : `${moreMakers} more runs`;
    yield fit(head, moreMakers === 0 ? name : `${name}, also made by ${runs}`);
    yield* this.listRuns(input.madeBy, indent + bar(isLast), depth + 1);
  }
}

/** How many more files no run made. */
function describeMore(count: number): string {
  return `${count} more ${count === 1 ? "file" : "files"} that no run made`;
}

function bar(isLast: boolean): string {
  return isLast ? "   " : "│  ";
}

/** How a run ended and where its review stands, with its runtimes. */
function describeState(record: RunRecord): string {
  if (!record.verifies) return "DOES NOT VERIFY";
  const { outcome, exitCode, review } = record;
  return [describeOutcome(outcome, exitCode), describeReview(review), ...listRuntimes(record)]
    .join(", ");
}

/** Whether a step does not count: it failed, is rejected or does not verify. */
function isBad({ verifies, outcome, review }: RunRecord): boolean {
  return !verifies || outcome === "command_failed" || review === "REJECTED";
}

/** A line of at most 80 columns; a name that is longer keeps its end, which tells more. */
function fit(head: string, text: string): string {
  const [room, characters] = [WIDTH - Array.from(head).length, Array.from(text)];
  if (characters.length <= room) return head + text;
  const start = Math.floor(room / 3);
  const end = characters.slice(characters.length - (room - start - 1)).join("");
  return `${head}${cut(text, start + 1)}${end}`;
}

/** A file or a run in the picture. */
interface GraphNode {
  readonly id: string;
  readonly kind: "file" | "run" | "more";
  readonly lines: readonly string[];
  readonly isBad: boolean;
}

/** A file that goes into a run, or comes out of one. */
type GraphEdge = readonly [from: string, to: string];

/** Files and runs of a trace, numbered as they come. */
function* listGraph(lineage: Lineage, trace: Trace): Generator<GraphNode | GraphEdge> {
  const files = new Map<string, string>();
  const runs = new Map(trace.runs.map((run, i) => [run, `run${i}`]));
  const drawn = new Set<string>();
  const makers = new Set(trace.madeBy);
  const introduce = function* (key: string, name: string): Generator<GraphNode, string> {
    const known = files.get(key);
    if (known !== undefined) return known;
    const id = `file${files.size}`;
    files.set(key, id);
    yield { id, kind: "file", lines: [showName(name)], isBad: false };
    return id;
  };
  const target = yield* introduce(`${trace.file.name}\0${trace.file.sha256}`, trace.file.name);
  for (const [run, id] of runs) {
    const record = lineage.runs[run];
    if (record === undefined) continue;
    const lines = [showName(toPosixPath(record.run)), describeState(record)];
    yield { id, kind: "run", lines, isBad: isBad(record) };
    if (makers.has(run)) {
      drawn.add(`${id} ${target}`);
      yield [id, target];
    }
    for (const input of listShownInputs(lineage, run)) {
      if ("more" in input) {
        yield { id: `${id}_more`, kind: "more", lines: [describeMore(input.more)], isBad: false };
        yield [`${id}_more`, id];
        continue;
      }
      const { file, madeBy } = input;
      const source = yield* introduce(`${file.name}\0${file.sha256}`, file.name);
      yield [source, id];
      for (const maker of madeBy) {
        const from = runs.get(maker);
        if (from === undefined) continue;
        if (drawn.has(`${from} ${source}`)) continue;
        drawn.add(`${from} ${source}`);
        yield [from, source];
      }
    }
  }
}

/** The trace as a graph for Graphviz, left to right. */
export function* listDotLines(lineage: Lineage, trace: Trace): Generator<string> {
  yield "digraph trace {";
  yield "  rankdir=LR;";
  for (const part of listGraph(lineage, trace)) {
    if (!("id" in part)) {
      yield `  ${part[0]} -> ${part[1]};`;
      continue;
    }
    const shape = part.kind === "run" ? "box" : part.kind === "file" ? "note" : "plain";
    const label = part.lines.map(escapeDot).join("\\n");
    yield `  ${part.id} [shape=${shape}, label="${label}"${part.isBad ? ", color=red" : ""}];`;
  }
  yield "}";
}

function escapeDot(text: string): string {
  return escapeText(text).replace(/["\\]/g, "\\$&");
}

/** The trace as a flowchart for Mermaid, left to right. */
export function* listMermaidLines(lineage: Lineage, trace: Trace): Generator<string> {
  yield "flowchart LR";
  yield "  classDef bad stroke:#c00,stroke-width:3px";
  for (const part of listGraph(lineage, trace)) {
    if (!("id" in part)) {
      yield `  ${part[0]} --> ${part[1]}`;
      continue;
    }
    const label = part.lines.map(escapeMermaid).join("<br>");
    const [open, close] = part.kind === "run" ? ["[", "]"] : ["([", "])"];
    yield `  ${part.id}${open}"${label}"${close}${part.isBad ? ":::bad" : ""}`;
  }
}

/** Mermaid has entities of its own: `#` and a number in decimal. */
function escapeMermaid(text: string): string {
  return escapeText(text).replace(/[^A-Za-z0-9 ./_:,()=+@-]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x80 ? `#${code};` : character;
  });
}

/** The runs as the content of one JSON document. */
export function describeLog(records: readonly RunRecord[]): unknown {
  return {
    runs: records.map((record) => ({
      run: toPosixPath(record.run),
      outcome: record.outcome,
      exit_code: record.exitCode,
      review: record.review,
      inputs: record.inputs,
      products: record.products,
      evidence_digest: record.evidenceDigest,
      command: record.command,
      verifies: record.verifies,
    })),
  };
}

/** Of a command, a line shows so much. */
const LONGEST_COMMAND = 60;

/** The runs for people: a line a run, in columns. */
export function* listLogLines(
  records: readonly RunRecord[],
  options: TextOptions,
): Generator<string> {
  const paint = choosePaint(options);
  const rows = records.map(describeRow);
  const widths = [0, 1, 2, 3, 4, 5].map((i) =>
    rows.reduce((most, row) => Math.max(most, row[i]?.length ?? 0), 0)
  );
  for (const [i, row] of rows.entries()) {
    const record = records[i];
    if (record === undefined) continue;
    const cells = row.map((cell, column) => {
      const padded = cell.padEnd(widths[column] ?? 0);
      return column === 1 || column === 2 ? paintCell(padded, column, record, paint) : padded;
    });
    yield cells.filter((_, column) => widths[column] !== 0).join("  ").trimEnd();
  }
}

function describeRow(record: RunRecord): string[] {
  const { verifies, outcome, exitCode, review, inputs, products, command } = record;
  return [
    showName(record.runId),
    verifies ? describeOutcome(outcome, exitCode) : "DOES NOT VERIFY",
    verifies ? describeReview(review) : "",
    `${inputs.count} in, ${products.count} out`,
    listRuntimes(record).join(", "),
    command === null ? "" : cut(escapeText(command.map(shellQuote).join(" ")), LONGEST_COMMAND),
  ];
}

function paintCell(cell: string, column: number, record: RunRecord, paint: Paint): string {
  const isBad = column === 1
    ? !record.verifies || record.outcome === "command_failed"
    : record.review === "REJECTED";
  const isGood = column === 1 ? record.outcome === "completed" : record.review === "APPROVED";
  return isBad ? paint(cell, "bad") : isGood ? paint(cell, "good") : cell;
}

/** The runtimes of a run with their versions, such as `python 3.12.1`. */
function listRuntimes({ toolchain }: Pick<RunRecord, "toolchain">): string[] {
  return (toolchain.runtimes ?? []).map(({ name, version }) =>
    escapeText(`${name} ${version ?? "of unknown version"}`)
  );
}

/** A text of at most some characters, the end cut off where it is longer. */
function cut(text: string, width: number): string {
  const characters = Array.from(text);
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join("")}…`;
}

/** The status as the content of one JSON document. */
export function describeStatus({ ok, products, unknown }: PipelineStatus): unknown {
  return {
    ok,
    products: products.map(({ path, state, run, because }) => ({
      path,
      state,
      run: toPosixPath(run),
      because: because.map(({ kind, name }) => ({ kind, name })),
    })),
    unknown,
  };
}

/** Of its causes, a line names so many. */
const MOST_CAUSES = 3;

/** The status for people: a line a product, a line in the end. */
export function* listStatusLines(
  { products, unknown }: PipelineStatus,
  options: TextOptions,
): Generator<string> {
  const paint = choosePaint(options);
  for (const product of products) {
    yield `${renderState(product.state, paint)}  ${listName(product)}`;
  }
  for (const name of unknown) yield `${paint("unknown ", "note")}  ${showName(name)}`;
  const good = products.filter(({ state }) => state === "current").length;
  yield `${good} of ${products.length} ${products.length === 1 ? "product" : "products"} current`;
}

function renderState(state: ProductState, paint: Paint): string {
  return paint(state.padEnd(8), state === "current" ? "good" : "bad");
}

function listName({ path, because }: ProductStatus): string {
  const name = showName(path);
  return because.length === 0 ? name : `${name}  because of ${listCauses(because)}`;
}

function listCauses(causes: readonly Cause[]): string {
  const shown = causes.slice(0, MOST_CAUSES).map(({ kind, name }) => `${kind} ${showName(name)}`);
  const more = causes.length - shown.length;
  return `${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** The chain from a product back to what changed, for people: a paragraph a step. */
export function* listExplainLines(
  steps: readonly ExplainedProduct[],
  options: TextOptions,
): Generator<string> {
  const paint = choosePaint(options);
  for (const { path, state, run, causes, from } of steps) {
    yield `${renderState(state, paint)}  ${showName(path)}`;
    yield `          made by ${showName(toPosixPath(run))}`;
    for (const { kind, name } of causes) yield `          changed since: ${kind} ${showName(name)}`;
    for (const name of from) yield `          made from ${showName(name)}, which is not current`;
  }
}
