import { showText } from "../../base/quote.ts";
import type { Scope } from "../workflow/workflow_expression.ts";
import { expandMatrix } from "../workflow/workflow_matrix.ts";
import {
  getYamlValue,
  textOfScalar,
  type YamlMap,
  type YamlNode,
  type YamlResult,
  type YamlScalar,
} from "../yaml_node.ts";
import { type Fault, placeOf } from "./place.ts";
import { readInputs, resolveNode, scopeCondition } from "./resolve_settings.ts";
import {
  type Context,
  type ExpandedWorkflow,
  type JobInstance,
  type JobSpec,
  MAX_DEPTH,
} from "./workflow_model.ts";
import { expandSteps } from "./workflow_steps.ts";

/** Most steps and jobs over all combinations. */
const MAX_STEPS = 30_000;

/**
 * Lists the jobs of a workflow in every combination of their matrices, with the steps of the local
 * workflows and composite actions that they call.
 *
 * @param path The workflow's path
 * @param root Its content
 * @param yaml The repository's workflows and actions
 * @returns The jobs, or null where they are too many to judge
 */
export function expandWorkflow(
  path: string,
  root: YamlNode,
  yaml: ReadonlyMap<string, YamlResult>,
): ExpandedWorkflow | null {
  const unfollowed: Fault[] = [];
  const budget = { left: MAX_STEPS };
  const jobs = expandJobs({
    path,
    root,
    yaml,
    inputs: null,
    caller: null,
    depth: 1,
    unfollowed,
    budget,
  });
  return budget.left < 0 ? null : { jobs, unfollowed };
}

function expandJobs(context: Context): JobInstance[] {
  const jobs = getYamlValue(context.root, "jobs");
  if (jobs?.kind !== "map") return [];
  const specs = new Map<string, JobSpec>();
  for (const { key, value } of jobs.entries) specs.set(key, makeSpec(key, value, context, specs));
  return jobs.entries.flatMap(({ key, value }) => {
    const spec = specs.get(key);
    return spec === undefined || context.budget.left < 0 ? [] : expandJob(spec, value, context);
  });
}

function makeSpec(
  id: string,
  node: YamlNode,
  context: Context,
  specs: ReadonlyMap<string, JobSpec>,
): JobSpec {
  const names = listNames(getYamlValue(node, "needs"));
  return {
    id,
    condition: scopeCondition("if", node, baseScope(context, node), context.path),
    needs: () => names.map((name) => specs.get(name) ?? null),
    caller: context.caller,
  };
}

function listNames(node: YamlNode | null): string[] {
  const items = node?.kind === "seq" ? node.items : node === null ? [] : [node];
  return items.flatMap((item) =>
    item.kind === "scalar" && item.value !== null ? [item.source] : []
  );
}

/** What a job's own settings can refer to before its matrix is known. */
function baseScope({ root, inputs }: Context, job: YamlNode): Scope {
  const env = [getYamlValue(job, "env"), getYamlValue(root, "env")]
    .filter((node): node is YamlMap => node?.kind === "map");
  return { matrix: { kind: "undecided" }, env, ...(inputs === null ? {} : { inputs }) };
}

function expandJob(spec: JobSpec, node: YamlNode, context: Context): JobInstance[] {
  const base = baseScope(context, node);
  const combinations = expandMatrix(getYamlValue(getYamlValue(node, "strategy"), "matrix"));
  const uses = getYamlValue(node, "uses");
  context.budget.left -= combinations.length;
  return combinations.flatMap((matrix) => {
    if (context.budget.left < 0) return [];
    const scope: Scope = { ...base, matrix };
    return uses?.kind === "scalar"
      ? callWorkflow(uses, spec, node, scope, context)
      : [makeJob(spec, node, scope, context)];
  });
}

function callWorkflow(
  uses: YamlScalar,
  spec: JobSpec,
  node: YamlNode,
  scope: Scope,
  context: Context,
): JobInstance[] {
  const called = textOfScalar(uses);
  const path = called.replace(/^\.\//, "");
  const result = called.startsWith("./") ? context.yaml.get(path) : undefined;
  if (result?.ok !== true || context.depth >= MAX_DEPTH) {
    const reason = result?.ok === false ? `: ${result.message}` : "";
    const message = `it calls ${showText(called)}, which cannot be read here${reason}`;
    context.unfollowed.push({ message, place: placeOf(context.path, uses) });
    return [];
  }
  const declared = getYamlValue(getYamlValue(result.node, "on"), "workflow_call");
  const inputs = readInputs(getYamlValue(declared, "inputs"), getYamlValue(node, "with"), scope);
  const { depth } = context;
  return expandJobs({
    ...context,
    path,
    root: result.node,
    inputs,
    caller: spec,
    depth: depth + 1,
  });
}

function makeJob(spec: JobSpec, node: YamlNode, scope: Scope, context: Context): JobInstance {
  const runsOn = getYamlValue(node, "runs-on");
  const label = runsOn?.kind === "seq" ? runsOn.items[0] ?? null : runsOn;
  const container = getYamlValue(node, "container");
  const image = container?.kind === "map" ? getYamlValue(container, "image") : container;
  const resolved = resolveNode(label, scope);
  return {
    spec,
    node,
    scope,
    runsOn: resolved === null || resolved.undecided !== null ? null : resolved.text,
    container: resolveNode(image, scope),
    continueOnError: scopeCondition("continue-on-error", node, scope, context.path),
    steps: expandSteps(node, scope, context),
  };
}
