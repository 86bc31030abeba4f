import { showName } from "../quote.ts";
import { choosePaint, type TextOptions } from "./paint.ts";
import { toPosixPath } from "./posix_path.ts";

/** What `report --out` tells about the page that it wrote. */
export interface ReportResult {
  /** The page's path, as this system writes it. */
  readonly path: string;
  /** How many runs are on it. */
  readonly runs: number;
  /** How many of them do not verify. */
  readonly failed: number;
}

/** The result for people. */
export function renderReportText(
  { path, runs, failed }: ReportResult,
  options: TextOptions,
): string {
  const paint = choosePaint(options);
  const total = `${runs} ${runs === 1 ? "run" : "runs"}`;
  const verdict = failed === 0
    ? `${paint("ok", "good")}, ${total} verified`
    : `${paint("FAILED", "bad")}, ${failed} of ${total} ${failed === 1 ? "does" : "do"} not verify`;
  return [`Page      ${showName(toPosixPath(path))}`, `Verdict   ${verdict}`, ""].join("\n");
}
