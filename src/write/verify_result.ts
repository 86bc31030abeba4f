import type { Finding } from "../finding.ts";
import { showName } from "../quote.ts";
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

/** The result as the content of one JSON document. */
export function describeVerified(runs: readonly VerifiedRun[]): unknown {
  return {
    ok: runs.every(({ findings }) => findings.length === 0),
    runs: runs.map(({ path, findings }) => ({
      run: toPosixPath(path),
      ok: findings.length === 0,
      findings,
    })),
  };
}

/** The result for people: a line a run, a line a finding, a line in the end. */
export function* listVerifyLines(
  runs: readonly VerifiedRun[],
  options: TextOptions,
): Generator<string> {
  const paint = choosePaint(options);
  const good = runs.filter(({ findings }) => findings.length === 0).length;
  for (const run of runs) yield* listRun(run, paint);
  yield `${good} of ${runs.length} ${runs.length === 1 ? "run" : "runs"} verified`;
}

function* listRun({ path, findings }: VerifiedRun, paint: Paint): Generator<string> {
  const run = showName(toPosixPath(path));
  yield findings.length === 0
    ? `${paint("ok", "good")}      ${run}`
    : `${paint("FAILED", "bad")}  ${run}`;
  for (const finding of findings) yield `  ${renderFindingLine(finding)}`;
}
