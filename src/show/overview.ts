import { escapeText, shellQuote, showName } from "../base/quote.ts";
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
import { toPosixPath } from "../base/std.ts";

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
export function listRuntimes({ toolchain }: Pick<RunRecord, "toolchain">): string[] {
  return (toolchain.runtimes ?? []).map(({ name, version }) =>
    escapeText(`${name} ${version ?? "of unknown version"}`)
  );
}

/** A text of at most some characters, the end cut off where it is longer. */
export function cut(text: string, width: number): string {
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
