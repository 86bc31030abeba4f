import { showText } from "../../base/quote.ts";
import { parseShell, type ShellCommand, type ShellScript } from "../workflow/shell_script.ts";
import { resolveText } from "../workflow/workflow_expression.ts";
import { isChecker, isCheckingAction } from "./checkers.ts";
import { type GateCommand, isGate, stripPrefix } from "./gate_command.ts";
import { evaluateJob, evaluateScoped, type JobOutcome } from "./look_up.ts";
import type { Fault } from "./place.ts";
import type { Scenario } from "./scenario.ts";
import { endsWithFailure } from "./script_exit.ts";
import type { JobInstance, JobSpec, StepInstance } from "./workflow_model.ts";

/** Commands that are no extra gate, each by its words. */
type Allowed = readonly (readonly string[])[];

/**
 * Finds checks that the workflow makes on push or pull_request and the command does not: commands and
 * actions that are known to check. What cannot fail the workflow is no gate.
 *
 * @param jobs The workflow's jobs
 * @param gate The command
 * @param steps What the policy's preflight runs, which the command may run as well
 * @param scenarios How changes reach the workflow
 */
export function findExtraGates(
  jobs: readonly JobInstance[],
  gate: GateCommand,
  steps: Allowed,
  scenarios: readonly Scenario[],
): Fault[] {
  const faults = new Map<string, Fault>();
  const scripts = new Map<string, string | null>();
  const decided = new Map(scenarios.map((it) => [it, new Map<JobSpec, JobOutcome>()]));
  for (const job of jobs) {
    if (!canFail(job, decided)) continue;
    for (const step of job.steps) {
      if (!canStepFail(step, job, scenarios)) continue;
      const what = findCheck(step, gate, steps, scripts);
      if (what === null) continue;
      const { path, position } = step.place;
      const key = `${path} ${position.line} ${position.column} ${what}`;
      faults.set(key, { message: what, place: step.place });
    }
  }
  return [...faults.values()];
}

function canFail(
  job: JobInstance,
  decided: ReadonlyMap<Scenario, Map<JobSpec, JobOutcome>>,
): boolean {
  return [...decided].some(([scenario, known]) =>
    evaluateJob(job.spec, scenario, known).outcome !== "false" &&
    evaluateScoped(job.continueOnError, scenario, job.runsOn) !== "true"
  );
}

function canStepFail(
  step: StepInstance,
  job: JobInstance,
  scenarios: readonly Scenario[],
): boolean {
  return scenarios.some((scenario) =>
    step.conditions.every((one) => evaluateScoped(one, scenario, job.runsOn) !== "false") &&
    step.continueOnError.every((one) => evaluateScoped(one, scenario, job.runsOn) !== "true")
  );
}

function findCheck(
  step: StepInstance,
  gate: GateCommand,
  allowed: Allowed,
  scripts: Map<string, string | null>,
): string | null {
  if (step.uses !== null) return isCheckingAction(step.uses) ? showText(step.uses) : null;
  if (step.run === null) return null;
  const resolved = resolveText(step.run, step.scope).text;
  const text = resolved === "\0" ? step.run.source : resolved;
  const remembered = scripts.get(text);
  if (remembered !== undefined) return remembered;
  const found = findInText(text, gate, allowed);
  const shown = found === null ? null : showText(found.join(" "));
  scripts.set(text, shown);
  return shown;
}

function findInText(text: string, gate: GateCommand, allowed: Allowed): readonly string[] | null {
  const script = parseShell(text);
  if (script !== null) return findInShell(script, gate, allowed);
  // What is no script of a POSIX shell is looked at line by line.
  for (const line of text.split(/[\r\n;]+/)) {
    const words = line.trim().split(/\s+/);
    const found = findInCommand({ kind: "simple", words }, gate, allowed);
    if (found !== null) return found;
  }
  return null;
}

/** The first checker in a script whose failure can fail it. */
function findInShell(
  script: ShellScript,
  gate: GateCommand,
  allowed: Allowed,
): readonly string[] | null {
  for (const { pipelines, operators } of script) {
    for (const [index, pipeline] of pipelines.entries()) {
      const isLost = operators[index] === "||" && !endsWithFailure(pipelines[index + 1]);
      if (isLost) continue;
      for (const command of pipeline.commands) {
        const found = findInCommand(command, gate, allowed);
        if (found !== null) return found;
      }
    }
  }
  return null;
}

function findInCommand(
  command: ShellCommand,
  gate: GateCommand,
  allowed: Allowed,
): readonly string[] | null {
  if (command.kind !== "simple") return findInShell(command.body, gate, allowed);
  const words = stripPrefix(command.words);
  if (isGate(command.words, gate) || allowed.some((step) => step.join("\0") === words.join("\0"))) {
    return null;
  }
  return isChecker(words) ? words : null;
}
