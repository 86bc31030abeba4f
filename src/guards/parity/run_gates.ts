import { quote, showText } from "../../base/quote.ts";
import type { Claim } from "../runtime/declaration.ts";
import type { Outcome } from "../workflow/expression_value.ts";
import { resolveText } from "../workflow/workflow_expression.ts";
import type { GateCommand } from "./gate_command.ts";
import { findGateFaults } from "./gate_script.ts";
import { type Contents, findInstalledDeno } from "./installed_deno.ts";
import { evaluateJob, evaluateScoped, type JobOutcome } from "./look_up.ts";
import { findOtherCheckouts } from "./other_checkout.ts";
import type { Fault } from "./place.ts";
import type { Scenario } from "./scenario.ts";
import { classifyShell } from "./shell_kind.ts";
import type { JobInstance, JobSpec, ScopedCondition, StepInstance } from "./workflow_model.ts";
import { leavesRepository } from "./working_directory.ts";

/** A step that runs the command, in one combination of its job's matrix. */
export interface GateRun {
  readonly step: StepInstance;
  /** The Deno that it runs on, as far as the first scenario tells; null where none is set up. */
  readonly deno: Claim | null;
  /** What takes its failure away, whatever starts the workflow. */
  readonly swallows: readonly Fault[];
  /** What takes its failure away in this combination and not in every one. */
  readonly choices: readonly Fault[];
  /** For each scenario, what can keep the command from being run. */
  readonly skips: ReadonlyMap<Scenario, readonly Fault[]>;
}

/** What is known while the runs are looked for. */
interface Search {
  readonly gate: GateCommand;
  readonly scenarios: readonly Scenario[];
  readonly contents: Contents;
  readonly decided: ReadonlyMap<Scenario, Map<JobSpec, JobOutcome>>;
  /** What was found in a script, by shell and text. */
  readonly scripts: Map<string, readonly string[] | null>;
}

/**
 * Finds every step that runs the command.
 *
 * @param jobs The workflow's jobs
 * @param gate The command
 * @param scenarios How changes reach the workflow
 * @param contents The version files
 */
export function findGateRuns(
  jobs: readonly JobInstance[],
  gate: GateCommand,
  scenarios: readonly Scenario[],
  contents: Contents,
): GateRun[] {
  const decided = new Map(scenarios.map((scenario) => [scenario, new Map()]));
  const search: Search = { gate, scenarios, contents, decided, scripts: new Map() };
  return jobs.flatMap((job) =>
    job.steps.flatMap((step) => {
      const faults = findCommand(step, job, search);
      return faults === null ? [] : [makeRun(step, job, faults, search)];
    })
  );
}

function findCommand(
  step: StepInstance,
  job: JobInstance,
  search: Search,
): readonly string[] | null {
  if (step.run === null) return null;
  const resolved = resolveText(step.run, step.scope);
  // Expressions in a script that is too long for them stay as they are written.
  const text = resolved.text === "\0" ? step.run.source : resolved.text;
  const shell = classifyShell(nameShell(step), job.runsOn);
  const key = JSON.stringify([shell, text]);
  const remembered = search.scripts.get(key);
  if (remembered !== undefined) return remembered;
  const found = findGateFaults(text, search.gate, shell);
  search.scripts.set(key, found);
  return found;
}

/** A shell that only the run knows is taken for one that GitHub gives no options. */
function nameShell({ shell }: StepInstance): string | null {
  if (shell === null) return null;
  return shell.undecided === null ? shell.text : "bash {0}";
}

function makeRun(
  step: StepInstance,
  job: JobInstance,
  scriptFaults: readonly string[],
  search: Search,
): GateRun {
  const [first] = search.scenarios;
  const continued = [...step.continueOnError, job.continueOnError]
    .filter((one) =>
      search.scenarios.some((it) => evaluateScoped(one, it, job.runsOn) !== "false")
    );
  const swallowed = continued.filter((one) => !one.isByMatrix).map(describeContinue);
  return {
    step,
    deno: first === undefined
      ? null
      : findInstalledDeno(job, step, (before) => runsStep(before, job, first), search.contents),
    swallows: [
      ...swallowed,
      ...scriptFaults.map((message): Fault => ({ message, place: step.place })),
      ...checkDirectory(step),
      ...findOtherCheckouts(job, step),
    ],
    choices: continued.filter((one) => one.isByMatrix).map(describeContinue),
    skips: new Map(
      search.scenarios.map((scenario) => [scenario, listSkips(step, job, scenario, search)]),
    ),
  };
}

function describeContinue({ place }: ScopedCondition): Fault {
  return { message: '"continue-on-error" takes its failure away', place };
}

function checkDirectory({ workingDirectory, place }: StepInstance): Fault[] {
  if (workingDirectory === null || !leavesRepository(workingDirectory)) return [];
  const shown = showText(workingDirectory.origin.source);
  return [{ message: `it may not run in the repository, but in ${shown}`, place }];
}

function runsStep(step: StepInstance, job: JobInstance, scenario: Scenario): Outcome {
  const outcomes = step.conditions.map((one) => evaluateScoped(one, scenario, job.runsOn));
  if (outcomes.includes("false")) return "false";
  return outcomes.includes("unknown") ? "unknown" : "true";
}

function listSkips(
  step: StepInstance,
  job: JobInstance,
  scenario: Scenario,
  { decided }: Search,
): Fault[] {
  const { event } = scenario;
  const steps = step.conditions.flatMap((one) => {
    const outcome = evaluateScoped(one, scenario, job.runsOn);
    if (outcome === "true") return [];
    return [{ message: `its "if" ${describeOutcome(outcome)} on ${event}`, place: one.place }];
  });
  const { outcome, because } = evaluateJob(job.spec, scenario, decided.get(scenario));
  if (outcome === "true" || because === null) return steps;
  const own = because === job.spec;
  const what = own ? `the "if" of its job` : `the job ${quote(because.id)} that it needs`;
  const message = `${what} ${describeOutcome(outcome)} on ${event}`;
  return [...steps, { message, place: because.condition.place }];
}

function describeOutcome(outcome: Outcome): string {
  return outcome === "false" ? "keeps it from running" : "can keep it from running";
}
