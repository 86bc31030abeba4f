import { evaluateCondition, survivesSkippedNeeds } from "../workflow/condition.ts";
import type { Lookup } from "../workflow/evaluate_expression.ts";
import { known, type Outcome, UNKNOWN, type Value } from "../workflow/expression_value.ts";
import { hasExpression, resolveText, type Scope } from "../workflow/workflow_expression.ts";
import type { YamlScalar } from "../yaml_node.ts";
import { lookUpGithub, type Scenario } from "./scenario.ts";
import type { JobSpec, ScopedCondition } from "./workflow_model.ts";

/** What `runner.os` is, by the start of the label. */
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/^ubuntu/i, "Linux"],
  [/^windows/i, "Windows"],
  [/^macos/i, "macOS"],
];

/**
 * Tells what a condition comes to in a scenario.
 *
 * @param scoped The condition
 * @param scenario How the change reaches the workflow
 * @param runsOn The label that the job runs on, or null
 */
export function evaluateScoped(
  { condition, scope }: ScopedCondition,
  scenario: Scenario,
  runsOn: string | null,
): Outcome {
  return evaluateCondition(condition, makeLookup(scope, scenario, runsOn));
}

function makeLookup(scope: Scope, scenario: Scenario, runsOn: string | null): Lookup {
  return (path) => {
    switch (path[0]) {
      case "github":
        return lookUpGithub(scenario, path);
      case "matrix":
      case "inputs":
      case "env":
        return lookUpText(path, scope);
      case "runner":
        return path[1] === "os" && path.length === 2 ? lookUpSystem(runsOn) : UNKNOWN;
      default:
        return UNKNOWN;
    }
  };
}

function lookUpSystem(runsOn: string | null): Value {
  const name = SYSTEMS.find(([label]) => label.test(runsOn ?? ""))?.[1];
  return name === undefined ? UNKNOWN : known(name);
}

/** The value that a scalar of the file gives a reference, with its type. */
function lookUpText(path: readonly string[], scope: Scope): Value {
  const [context = "", ...names] = path;
  if (names.some((name) => name.includes("'"))) return UNKNOWN;
  const chain = names.map((name) => /^[\w-]+$/.test(name) ? `.${name}` : `['${name}']`).join("");
  const source = `\${{ ${context}${chain} }}`;
  const position = { line: 1, column: 1 };
  const reference: YamlScalar = { kind: "scalar", value: source, source, position };
  const { text, undecided, origin } = resolveText(reference, scope);
  if (undecided !== null) return UNKNOWN;
  if (origin === reference) return known(context === "env" ? text : null);
  return known(hasExpression(origin) || context === "env" ? text : origin.value);
}

/** Whether a job runs, and the job whose condition keeps it from it. */
export interface JobOutcome {
  readonly outcome: Outcome;
  readonly because: JobSpec | null;
}

/** Longest chain of jobs that need each other. */
const MAX_CHAIN = 64;

/**
 * Tells whether a job runs in a scenario: its own condition, those of the jobs that it needs, and
 * those of the job that calls its workflow.
 *
 * @param spec The job
 * @param scenario How the change reaches the workflow
 * @param decided What was found before, for each job of this scenario
 * @param depth How many jobs led here
 */
export function evaluateJob(
  spec: JobSpec,
  scenario: Scenario,
  decided: Map<JobSpec, JobOutcome> = new Map(),
  depth = 0,
): JobOutcome {
  const remembered = decided.get(spec);
  if (remembered !== undefined) return remembered;
  const unknown: JobOutcome = { outcome: "unknown", because: spec };
  if (depth > MAX_CHAIN) return unknown;
  // Jobs that need each other in a circle meet this answer.
  decided.set(spec, unknown);
  const outcome = evaluateChain(spec, scenario, decided, depth);
  decided.set(spec, outcome);
  return outcome;
}

function evaluateChain(
  spec: JobSpec,
  scenario: Scenario,
  decided: Map<JobSpec, JobOutcome>,
  depth: number,
): JobOutcome {
  const own = evaluateScoped(spec.condition, scenario, null);
  if (own !== "true") return { outcome: own, because: spec };
  const isFree = survivesSkippedNeeds(spec.condition.condition);
  for (const needed of isFree ? [] : spec.needs()) {
    if (needed === null) return { outcome: "unknown", because: spec };
    const before = evaluateJob(needed, scenario, decided, depth + 1);
    if (before.outcome !== "true") return before;
  }
  return spec.caller === null
    ? { outcome: "true", because: null }
    : evaluateJob(spec.caller, scenario, decided, depth + 1);
}
