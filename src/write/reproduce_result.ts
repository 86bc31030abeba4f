import { renderLogSafeJson } from "./log_safe.ts";
import type { Finding } from "../finding.ts";
import { showName } from "../quote.ts";
import { renderFindingLine } from "./finding_line.ts";
import { choosePaint, type TextOptions } from "./paint.ts";
import { toPosixPath } from "./posix_path.ts";

/** What came of reproducing a run. */
export interface ReproduceResult {
  /** The run directory, as this system writes it. */
  readonly run: string;
  /** Whether the command was run; it is not where what it needs is not what was recorded. */
  readonly isExecuted: boolean;
  /** How many products the run records. */
  readonly productCount: number;
  /** What differs, sorted; none where the run is reproducible. */
  readonly findings: readonly Finding[];
}

/** The result as one JSON document. */
export function renderReproduceJson(result: ReproduceResult): string {
  return renderLogSafeJson({
    run: toPosixPath(result.run),
    reproducible: result.findings.length === 0,
    executed: result.isExecuted,
    findings: result.findings,
  });
}

/** The result for people. */
export function renderReproduceText(result: ReproduceResult, options: TextOptions): string {
  const paint = choosePaint(options);
  const run = showName(toPosixPath(result.run));
  const { productCount: count, findings } = result;
  if (findings.length === 0) {
    const products = count === 1 ? "1 product is" : `${count} products are`;
    return `${paint("Reproducible", "good")}      ${run}: ${products} the same to the byte\n`;
  }
  return [
    result.isExecuted
      ? `${paint("Not reproducible", "bad")}  ${run}`
      : `${paint("Not run", "bad")}           ${run}: what went in is not what was recorded`,
    ...findings.map((finding) => `  ${renderFindingLine(finding)}`),
    "",
  ].join("\n");
}
