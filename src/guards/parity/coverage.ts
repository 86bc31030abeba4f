import { type Finding, makeFinding } from "../../base/finding.ts";
import { quote } from "../../base/quote.ts";
import { SUPPORTED_DENO } from "../../base/semver.ts";
import type { ParityPolicy, Policy } from "../policy.ts";
import { parseNpmRange, type VersionRange } from "../runtime/version_range.ts";
import { coversMinor, listMinors, type Minor, showMinor } from "./deno_minors.ts";
import type { Fault } from "./place.ts";
import type { GateRun } from "./run_gates.ts";
import type { Scenario } from "./scenario.ts";

const HINT = "let nothing stand between the command and the workflow's result";

/**
 * Checks that the command runs on every minor version in every scenario, and that nothing skips or
 * swallows it.
 *
 * @param runs The steps that run it; at least one
 * @param scenarios How changes reach the workflow
 * @param policy The policy
 * @param parity Its `parity`
 */
export function checkCoverage(
  runs: readonly GateRun[],
  scenarios: readonly Scenario[],
  policy: Policy,
  parity: ParityPolicy,
): Finding[] {
  const text = demandedRange(runs, policy, parity);
  if (text === null) return dropRepeated(checkRuns(runs, scenarios));
  const parsed = parseNpmRange(text);
  const minors = parsed.ok ? listMinors(parsed.range) : parsed;
  if (!parsed.ok || !minors.ok) {
    const reason = minors.ok ? "" : minors.reason;
    return [
      reportUnlistable(text, reason, parity),
      ...dropRepeated(checkRuns(runs, scenarios)),
    ];
  }
  return dropRepeated(minors.minors.flatMap((minor) => {
    const covering = runs.filter((run) => covers(run, minor, parsed.range));
    return covering.length === 0
      ? [reportUncovered(minor, text, runs, parity)]
      : checkRuns(covering, scenarios);
  }));
}

/** The range whose minor versions must be covered; null where Deno has no part in the gate. */
function demandedRange(
  runs: readonly GateRun[],
  policy: Policy,
  { command }: ParityPolicy,
): string | null {
  const range = policy.runtime?.deno;
  if (range !== undefined) return range;
  const usesDeno = /(?:^|\s)deno(?:\s|$)/.test(command) || runs.some(({ deno }) => deno !== null);
  return usesDeno ? SUPPORTED_DENO : null;
}

function covers({ deno }: GateRun, minor: Minor, range: VersionRange): boolean {
  return deno !== null && coversMinor(deno, minor, range);
}

/** What keeps runs of one version from being a gate: every swallow, and skips that no other makes up. */
function checkRuns(runs: readonly GateRun[], scenarios: readonly Scenario[]): Finding[] {
  const swallows = runs.flatMap((run) => run.swallows);
  const skips = scenarios.flatMap((scenario) => {
    const faults = runs.map((run) => [...run.choices, ...(run.skips.get(scenario) ?? [])]);
    return faults.some((list) => list.length === 0) ? [] : faults.flat();
  });
  return [...swallows, ...skips].map(reportSwallowed);
}

function reportSwallowed({ message, place }: Fault): Finding {
  const { line, column } = place.position;
  return makeFinding("parity.swallowed", message, { path: place.path, line, column, hint: HINT });
}

function reportUncovered(
  minor: Minor,
  range: string,
  runs: readonly GateRun[],
  parity: ParityPolicy,
): Finding {
  const place = runs[0]?.step.place;
  const message = `${quote(parity.command)} runs on no Deno that is surely ${showMinor(minor)}, ` +
    `which ${quote(range)} supports`;
  return makeFinding("parity.uncovered_version", message, {
    path: place?.path ?? parity.workflow,
    line: place?.position.line ?? null,
    column: place?.position.column ?? null,
    hint: `add v${showMinor(minor)}.x to the versions that the job sets up, such as in its matrix`,
  });
}

function reportUnlistable(range: string, reason: string, { workflow }: ParityPolicy): Finding {
  const message = `no list of versions covers the range ${quote(range)}: ${reason}`;
  return makeFinding("parity.uncovered_version", message, {
    path: workflow,
    hint: "give the policy's runtime.deno an upper bound, such as >=2.8.2 <2.10.0",
  });
}

/** Several versions, scenarios and combinations meet the same fault. */
function dropRepeated(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}
