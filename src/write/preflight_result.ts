import { escapeText } from "../quote.ts";

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
 */
export function renderPreflight(rows: readonly PreflightRow[]): string {
  const failed = rows.filter(({ ok }) => !ok).length;
  const verdict = failed === 0 ? "all passed" : `${failed} failed`;
  return ["", ...rows.map(renderRow), "", `preflight: ${rows.length} checks, ${verdict}`, ""].join(
    "\n",
  );
}

function renderRow({ name, ok, seconds }: PreflightRow): string {
  const time = seconds === null ? "" : `${seconds.toFixed(1)} s`;
  return `${ok ? "ok    " : "FAILED"}  ${time.padStart(8)}  ${escapeText(name)}`;
}
