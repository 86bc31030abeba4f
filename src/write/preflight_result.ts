import { escapeText } from "../quote.ts";
import { choosePaint, type Paint, type TextOptions } from "./paint.ts";

/** One line of the table that ends a preflight. */
export interface PreflightRow {
  /** The guard or the step. */
  readonly name: string;
  /** Whether it passed. */
  readonly ok: boolean;
  /** Wall time, or null where it is part of another row's. */
  readonly seconds: number | null;
}

/**
 * The table that ends a preflight.
 *
 * @param rows Guards and steps, in the order in which they ran
 * @param options Colours
 */
export function renderPreflight(rows: readonly PreflightRow[], options: TextOptions): string {
  const paint = choosePaint(options);
  const failed = rows.filter(({ ok }) => !ok).length;
  const verdict = failed === 0 ? paint("all passed", "good") : paint(`${failed} failed`, "bad");
  return [
    "",
    ...rows.map((row) => renderRow(row, paint)),
    "",
    `preflight: ${rows.length} checks, ${verdict}`,
    "",
  ].join("\n");
}

function renderRow({ name, ok, seconds }: PreflightRow, paint: Paint): string {
  const time = seconds === null ? "" : `${seconds.toFixed(1)} s`;
  const verdict = ok ? `${paint("ok", "good")}    ` : paint("FAILED", "bad");
  return `${verdict}  ${time.padStart(8)}  ${escapeText(name)}`;
}
