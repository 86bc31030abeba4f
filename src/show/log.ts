import { escapeText, shellQuote, showName } from "../base/quote.ts";
import type { RunRecord } from "../evidence/lineage_records.ts";
import {
  choosePaint,
  describeOutcome,
  describeReview,
  type Paint,
  type TextOptions,
  toPosixPath,
} from "./text.ts";

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
