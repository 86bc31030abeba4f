import type { Scope } from "../workflow/workflow_expression.ts";
import { getYamlValue, textOfScalar, type YamlMap, type YamlNode } from "../yaml_node.ts";
import { placeOf } from "./place.ts";
import { readInputs, resolveNode, scopeCondition } from "./resolve_settings.ts";
import {
  type Context,
  MAX_DEPTH,
  type ScopedCondition,
  type StepInstance,
} from "./workflow_model.ts";

/** Where a list of steps stands, and what leads to it. */
interface StepsContext {
  readonly context: Context;
  readonly path: string;
  readonly depth: number;
  readonly scope: Scope;
  /** `defaults.run` of the job and of the workflow. */
  readonly defaults: readonly (YamlNode | null)[];
  readonly conditions: readonly ScopedCondition[];
  readonly continueOnError: readonly ScopedCondition[];
}

/**
 * Lists the steps of a job in one combination of its matrix.
 *
 * @param job The job
 * @param scope The combination
 * @param context The workflow
 */
export function expandSteps(job: YamlNode, scope: Scope, context: Context): StepInstance[] {
  const defaults = [job, context.root]
    .map((node) => getYamlValue(getYamlValue(node, "defaults"), "run"));
  return readSteps(getYamlValue(job, "steps"), {
    context,
    path: context.path,
    depth: context.depth,
    scope,
    defaults,
    conditions: [],
    continueOnError: [],
  });
}

function readSteps(steps: YamlNode | null, list: StepsContext): StepInstance[] {
  if (steps?.kind !== "seq") return [];
  return steps.items.flatMap((node) => {
    if (--list.context.budget.left < 0) return [];
    return node.kind === "map" ? readStep(node, list) : [];
  });
}

function readStep(node: YamlMap, list: StepsContext): StepInstance[] {
  const { path } = list;
  const env = getYamlValue(node, "env");
  const scope: Scope = env?.kind === "map"
    ? { ...list.scope, env: [env, ...list.scope.env] }
    : list.scope;
  const own = (key: "if" | "continue-on-error"): ScopedCondition =>
    scopeCondition(key, node, scope, path);
  const inner: StepsContext = {
    ...list,
    scope,
    conditions: [...list.conditions, own("if")],
    continueOnError: [...list.continueOnError, own("continue-on-error")],
  };
  return callAction(node, inner) ?? [makeStep(node, inner)];
}

function makeStep(node: YamlMap, list: StepsContext): StepInstance {
  const { scope, path, conditions, continueOnError } = list;
  const run = getYamlValue(node, "run");
  const uses = getYamlValue(node, "uses");
  return {
    node,
    place: placeOf(path, run ?? uses ?? node),
    scope,
    conditions,
    continueOnError,
    run: run?.kind === "scalar" ? run : null,
    uses: uses?.kind === "scalar" ? textOfScalar(uses) : null,
    shell: resolveNode(findSetting(node, list, "shell"), scope),
    workingDirectory: resolveNode(findSetting(node, list, "working-directory"), scope),
  };
}

function findSetting(node: YamlMap, { defaults }: StepsContext, key: string): YamlNode | null {
  return [node, ...defaults].map((layer) => getYamlValue(layer, key))
    .find((value) => value !== null) ?? null;
}

/** The steps of a composite action of this repository; null where the step calls none. */
function callAction(node: YamlMap, list: StepsContext): StepInstance[] | null {
  const uses = getYamlValue(node, "uses");
  const called = uses?.kind === "scalar" ? textOfScalar(uses) : "";
  if (!called.startsWith("./") || list.depth >= MAX_DEPTH) return null;
  const directory = called.slice(2).replace(/\/+$/, "");
  for (const name of ["action.yml", "action.yaml"]) {
    const path = directory === "" ? name : `${directory}/${name}`;
    const result = list.context.yaml.get(path);
    if (result?.ok !== true) continue;
    const runs = getYamlValue(result.node, "runs");
    const inputs = readInputs(
      getYamlValue(result.node, "inputs"),
      getYamlValue(node, "with"),
      list.scope,
    );
    const steps = getYamlValue(runs, "steps");
    if (steps === null) return null;
    const scope = { ...list.scope, inputs };
    return readSteps(steps, { ...list, path, depth: list.depth + 1, scope, defaults: [] });
  }
  return null;
}
