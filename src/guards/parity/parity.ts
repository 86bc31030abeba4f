/**
 * The parity guard: CI checks what people check locally, on every version that the policy supports,
 * and nothing else. It reads the workflow that the policy names, with the local workflows and
 * composite actions that it calls; other workflows are not its matter. Nothing is executed.
 *
 * **The workflow starts on push and on pull_request** (`parity.missing`), and no filter lets a change
 * pass (`parity.swallowed`):
 *
 * - `paths` and `paths-ignore` always do.
 * - `branches` may name the branches that count, as GitHub's own starter workflows do, if it names at
 *   least one, leaves out neither main, master nor trunk, and push and pull_request have one in
 *   common. A change reaches such a branch only by a pull request or a push, and each is gated.
 * - `branches-ignore` may leave out branches, but not main, master or trunk.
 * - `tags` without `branches` starts nothing for a branch.
 * - `types` must have what pull_request has by itself: opened, synchronize and reopened.
 *
 * **The command runs** as a command of its own in a `run` step: a line of the script or a part of it,
 * with assignments before it, but with no arguments that the policy does not name.
 *
 * **Nothing skips it.** Conditions are evaluated for a push, for a pull request from a fork and, where
 * push does not start the workflow for every branch, for one from the repository, in every
 * combination of the matrix. What only the run knows can skip the gate. A condition or a
 * `continue-on-error` that the matrix decides is a choice among the combinations: it is a finding only
 * where no other run covers the version. A skipped job skips those that need it.
 *
 * **Nothing swallows it**: `continue-on-error`, `||`, `&`, `!`, a pipe without pipefail, `set +e`, a
 * block that it stands in, an `exit` before it, a shell that does not stop, a working directory
 * outside the repository.
 *
 * **Every minor version is covered** (`parity.uncovered_version`): of the policy's `runtime.deno`, or,
 * where it names none and the command or the workflow uses Deno, of the built-in range. A version
 * counts where a setup action, `deno@…` from npm, the installer's script or the job's container pins
 * it, or holds it to one minor version. A range that has no last minor version cannot be covered.
 *
 * **It checks nothing else** (`parity.extra_gate`): no other step, in any job that can run on push or
 * pull_request, is a known checker such as `deno lint` or `pytest`, or an action whose name says that
 * it lints, tests, checks, scans or audits. The steps that the policy's `preflight` names are not
 * extra. Installing, building, deploying and reporting are no gates, nor is what cannot fail the
 * workflow.
 *
 * @module
 */

import { type Finding, makeFinding, sortFindings } from "../../base/finding.ts";
import { escapeText, quote } from "../../base/quote.ts";
import type { Guard, RepositoryFacts } from "../guard.ts";
import type { ParityPolicy, Policy } from "../policy.ts";
import type { YamlNode } from "../yaml_node.ts";
import { checkCoverage } from "./coverage.ts";
import { findExtraGates } from "./extra_gates.ts";
import { parseGateCommand } from "./gate_command.ts";
import { isDenoVersionFile } from "./installed_deno.ts";
import type { Fault } from "./place.ts";
import { findGateRuns } from "./run_gates.ts";
import { listScenarios } from "./scenario.ts";
import { readTriggers } from "./triggers.ts";
import { expandWorkflow } from "./workflow_jobs.ts";

/**
 * Holds the workflow against the command that people run locally.
 *
 * @example A workflow that reads `on: [push]`, and runs nothing
 * ```ts
 * import { PARITY, type Policy, type YamlMap } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const workflow = ".github/workflows/ci.yml";
 * const policy: Policy = {
 *   schema: "kprovengine.policy.v1",
 *   parity: { workflow, command: "make check" },
 * };
 * const node: YamlMap = {
 *   kind: "map",
 *   entries: [{
 *     key: "on",
 *     keyPosition: { line: 1, column: 1 },
 *     value: {
 *       kind: "seq",
 *       items: [{ kind: "scalar", value: "push", source: "push", position: { line: 1, column: 6 } }],
 *       position: { line: 1, column: 5 },
 *     },
 *   }],
 *   position: { line: 1, column: 1 },
 * };
 * const findings = PARITY.check({
 *   tracked: [{ path: workflow, kind: "file" }],
 *   contents: new Map(),
 *   yaml: new Map([[workflow, { ok: true, node }]]),
 *   hits: [],
 *   runningDeno: "2.9.6",
 *   governance: null,
 * }, policy);
 * assertEquals(new Set(findings.map(({ code }) => code)), new Set(["parity.missing"]));
 * ```
 */
export const PARITY: Guard = {
  name: "parity",
  isConfigured: (policy) => policy.parity !== undefined,
  wantsContent: (path, policy) => policy.parity !== undefined && isDenoVersionFile(path),
  wantsYaml: (path, { parity }) =>
    parity !== undefined && (path === parity.workflow || isCallable(path)),
  check: (facts, policy) =>
    policy.parity === undefined ? [] : sortFindings(checkParity(facts, policy, policy.parity)),
};

/** Workflows and actions that a workflow of the repository can call. */
function isCallable(path: string): boolean {
  return CALLABLE.test(path) && !/(?:^|\/)node_modules\//.test(path);
}

const CALLABLE = /^\.github\/workflows\/[^/]+\.ya?ml$|(?:^|\/)action\.ya?ml$/;

function checkParity(facts: RepositoryFacts, policy: Policy, parity: ParityPolicy): Finding[] {
  const workflow = readWorkflow(facts, parity);
  if ("code" in workflow) return [workflow];
  const triggers = readTriggers(parity.workflow, workflow);
  const expanded = expandWorkflow(parity.workflow, workflow, facts.yaml);
  if (expanded === null) return [reportMissing(parity, "it has too many steps to be judged")];
  const gate = parseGateCommand(parity.command);
  const gated = triggers.missing.length === 1 ? triggers.present : ["push", "pull_request"];
  const scenarios = listScenarios({
    repository: policy.identity?.repository ?? null,
    isEveryPushGated: triggers.isEveryPushGated,
    types: triggers.types,
  }).filter(({ event }) => gated.includes(event));
  const runs = findGateRuns(expanded.jobs, gate, scenarios, facts.contents);
  const steps = policy.preflight?.steps ?? [];
  return [
    ...triggers.missing.map((fault) => report("parity.missing", fault, HINT_TRIGGERS)),
    ...triggers.swallowed.map((fault) => report("parity.swallowed", fault, HINT_FILTERS)),
    ...(runs.length === 0 ? reportNoRun(parity, expanded.unfollowed) : []),
    ...(runs.length === 0 ? [] : checkCoverage(runs, scenarios, policy, parity)),
    ...findExtraGates(expanded.jobs, gate, steps, scenarios).map(reportExtra),
  ];
}

const HINT_TRIGGERS = "write on: [push, pull_request]";
const HINT_FILTERS = "drop the filter, so that every change is gated";
const HINT_EXTRA = "move the check into the command, so that people run it as well";

function readWorkflow(facts: RepositoryFacts, parity: ParityPolicy): YamlNode | Finding {
  if ("code" in facts.tracked) return makeFinding(facts.tracked.code, facts.tracked.message);
  const isTracked = facts.tracked.some(({ path }) => path === parity.workflow);
  if (!isTracked) return reportMissing(parity, "the workflow is not tracked by git");
  const result = facts.yaml.get(parity.workflow);
  if (result === undefined) return reportMissing(parity, "the workflow was not gathered");
  if (result.ok) return result.node;
  const { message, line, column } = result;
  return { ...reportMissing(parity, `the workflow cannot be read: ${message}`), line, column };
}

function reportMissing({ workflow, command }: ParityPolicy, reason: string): Finding {
  return makeFinding("parity.missing", reason, {
    path: workflow,
    hint: `add a workflow that runs ${escapeText(command)} on push and pull_request`,
  });
}

function reportNoRun(parity: ParityPolicy, unfollowed: readonly Fault[]): Finding[] {
  const hint = `add a step with run: ${escapeText(parity.command)}`;
  const [called] = unfollowed;
  const message = `no step runs ${quote(parity.command)}`;
  if (called === undefined) {
    return [makeFinding("parity.missing", message, { path: parity.workflow, hint })];
  }
  return [
    report("parity.missing", { ...called, message: `${message}, and ${called.message}` }, hint),
  ];
}

function reportExtra(fault: Fault): Finding {
  const message = `${fault.message} checks what the command does not`;
  return report("parity.extra_gate", { ...fault, message }, HINT_EXTRA);
}

function report(code: string, { message, place }: Fault, hint: string | null): Finding {
  const { line, column } = place.position;
  return makeFinding(code, message, { path: place.path, line, column, hint });
}
