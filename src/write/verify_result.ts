import { renderLogSafeJson } from "./log_safe.ts";
import type { Finding } from "../finding.ts";
import { escapeText } from "../quote.ts";
import { renderFindingLine } from "./finding_line.ts";
import { choosePaint, type Paint, type TextOptions } from "./paint.ts";
import { toPosixPath } from "./posix_path.ts";

/** What verify found in one run. */
export interface VerifiedRun {
  /** The run directory's path, as this system writes it. */
  readonly path: string;
  /** What is wrong, sorted; none where the run verifies. */
  readonly findings: readonly Finding[];
}

/** The result as one JSON document. */
export function renderVerifyJson(runs: readonly VerifiedRun[]): string {
  return renderLogSafeJson({
    ok: runs.every(({ findings }) => findings.length === 0),
    runs: runs.map(({ path, findings }) => ({
      run: toPosixPath(path),
      ok: findings.length === 0,
      findings,
    })),
  });
}

/** The result for people: a line a run, a line a finding, a line in the end. */
export function renderVerifyText(runs: readonly VerifiedRun[], options: TextOptions): string {
  const paint = choosePaint(options);
  const good = runs.filter(({ findings }) => findings.length === 0).length;
  return [
    ...runs.flatMap((run) => renderRun(run, paint)),
    `${good} of ${runs.length} ${runs.length === 1 ? "run" : "runs"} verified`,
    "",
  ].join("\n");
}

function renderRun({ path, findings }: VerifiedRun, paint: Paint): string[] {
  const run = escapeText(toPosixPath(path));
  if (findings.length === 0) return [`${paint("ok", "good")}      ${run}`];
  return [
    `${paint("FAILED", "bad")}  ${run}`,
    ...findings.map((finding) => `  ${renderFindingLine(finding)}`),
  ];
}
