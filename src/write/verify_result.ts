import { renderCanonicalJson } from "../canonical_json.ts";
import type { Finding } from "../finding.ts";
import { escapeText } from "../quote.ts";
import { renderFindingLine } from "./finding_line.ts";
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
  return renderCanonicalJson({
    ok: runs.every(({ findings }) => findings.length === 0),
    runs: runs.map(({ path, findings }) => ({
      run: toPosixPath(path),
      ok: findings.length === 0,
      findings,
    })),
  });
}

/** The result for people: a line a run, a line a finding, a line in the end. */
export function renderVerifyText(runs: readonly VerifiedRun[]): string {
  const good = runs.filter(({ findings }) => findings.length === 0).length;
  return [
    ...runs.flatMap(renderRun),
    `${good} of ${runs.length} ${runs.length === 1 ? "run" : "runs"} verified`,
    "",
  ].join("\n");
}

function renderRun({ path, findings }: VerifiedRun): string[] {
  const run = escapeText(toPosixPath(path));
  if (findings.length === 0) return [`ok      ${run}`];
  return [`FAILED  ${run}`, ...findings.map((finding) => `  ${renderFindingLine(finding)}`)];
}
