import { showText } from "../../base/quote.ts";
import { resolveText } from "../actions/expression.ts";
import { listCommands } from "../actions/shell.ts";
import type { Remark, Step } from "../actions/steps.ts";
import type { Job, JobSpec } from "../actions/workflow.ts";
import { textOfScalar } from "../actions/yaml.ts";
import { canonicalCommand, type CheckerRules, isChecker, isCheckingAction } from "./commands.ts";
import {
  decideJob,
  findActionCommand,
  type Gate,
  isAtRoot,
  isGateScript,
  type JobOutcome,
} from "./gate.ts";

/**
 * Finds checks that the workflow makes and the command does not: commands and actions that are known
 * to check. What cannot fail the workflow is no gate; the command's own parts and the steps of the
 * policy's preflight are none either, but in another directory they check something else.
 *
 * @param jobs The workflow's jobs, as they are in one way of reaching it
 * @param gate The command
 * @param rules What the policy adds and allows
 * @returns The first of each step, whatever its job's matrix makes of it
 */
export function findExtraGates(
  jobs: readonly Job[],
  gate: Gate,
  rules: CheckerRules,
): Remark[] {
  const found = new Map<string, Remark>();
  const decided = new Map<JobSpec, JobOutcome>();
  for (const job of jobs) {
    if (decideJob(job.spec, decided).outcome === "false") continue;
    if (job.continueOnError.outcome === "true") continue;
    for (const step of job.steps) {
      const { path, position } = step.place;
      const key = `${path} ${position.line} ${position.column}`;
      if (found.has(key) || !canFail(step)) continue;
      const what = findCheck(step, gate, rules);
      if (what !== null) found.set(key, { message: what, place: step.place });
    }
  }
  return [...found.values()];
}

function canFail({ conditions, continueOnError }: Step): boolean {
  return conditions.every(({ outcome }) => outcome !== "false") &&
    continueOnError.every(({ outcome }) => outcome !== "true");
}

/** Programs that read a script and are no shell: what they are given holds no commands. */
const NO_SHELL =
  /^(?:.*[\\/])?(?:python|pypy|node|deno|ruby|perl|php|julia|Rscript)[\d.]*(?:\.exe)?\b/;

function findCheck(
  step: Step,
  gate: Gate,
  rules: CheckerRules,
): string | null {
  if (step.uses !== null) return findAction(step, textOfScalar(step.uses), rules);
  if (step.run === null || NO_SHELL.test(step.shell?.text ?? "")) return null;
  // What only the run knows stands in the script as it is written.
  const text = resolveText(step.run, step.scope).pieces.map((piece) => piece.text).join("");
  const isRoot = isAtRoot(step);
  const key = `${isRoot} ${text}`;
  const remembered = rules.scripts.get(key);
  if (remembered !== undefined) return remembered;
  const found = isRoot && isGateScript(text, gate) ? null : findCommand(text, isRoot, rules);
  const shown = found === null ? null : showText(found.join(" "));
  rules.scripts.set(key, shown);
  return shown;
}

function findCommand(text: string, isRoot: boolean, rules: CheckerRules): readonly string[] | null {
  const nothing = { ...rules, allowed: new Set<string>() };
  const found = listCommands(text).find(({ words, isLost, isElsewhere }) =>
    !isLost && isChecker(words, isRoot && !isElsewhere ? rules : nothing)
  );
  return found?.words ?? null;
}

function findAction(step: Step, uses: string, { allowed }: CheckerRules): string | null {
  const command = findActionCommand(step);
  if (command !== null && allowed.has(canonicalCommand(command))) return null;
  return command !== null || isCheckingAction(uses) ? showText(uses) : null;
}
