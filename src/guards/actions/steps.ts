import {
  type Condition,
  evaluateNode,
  evaluateScalar,
  readCondition,
  type ResolvedText,
  resolveText,
  type Scope,
  withContext,
} from "./expression.ts";
import { known, textOf, UNKNOWN, type Value } from "./value.ts";
import {
  getYamlValue,
  type Position,
  textOfScalar,
  type YamlMap,
  type YamlNode,
  type YamlResult,
  type YamlScalar,
} from "./yaml.ts";

/** A place in a file. */
interface Place {
  readonly path: string;
  readonly position: Position;
}

/** A condition with the place where it is written. */
export interface PlacedCondition extends Condition {
  readonly place: Place;
}

/** A mapping of `env`, or what stands in its place, with its file. */
interface EnvLayer {
  readonly path: string;
  readonly node: YamlNode;
}

/** A step in one combination of its job's matrix; steps of composite actions stand in their place. */
export interface Step {
  readonly node: YamlMap;
  readonly place: Place;
  readonly scope: Scope;
  /** Its own `if`, and those of the steps that lead to it. */
  readonly conditions: readonly PlacedCondition[];
  /** Likewise for `continue-on-error`. */
  readonly continueOnError: readonly PlacedCondition[];
  /** The `env` of the workflow, the container, the job and the steps that lead to it, and its own. */
  readonly env: readonly EnvLayer[];
  readonly run: YamlScalar | null;
  readonly uses: YamlScalar | null;
  readonly shell: ResolvedText | null;
  readonly workingDirectory: ResolvedText | null;
}

/** Something in a file that is told in a finding. */
export interface Remark {
  /** Without a final period, already safe to show. */
  readonly message: string;
  readonly place: Place;
  /** How to write it, where that is more than taking it away. */
  readonly hint?: string;
}

/** What the files of a workflow share while it is expanded. */
export interface Shared {
  readonly yaml: ReadonlyMap<string, YamlResult>;
  readonly unfollowed: Remark[];
  readonly called: Set<string>;
  stepsLeft: number;
  isReduced: boolean;
}

/** Most workflows and actions that call each other, one inside the other. */
export const MAX_DEPTH = 5;

/**
 * Reads a condition of a job or step.
 *
 * @param key Which
 * @param node The job or step
 * @param scope What its expression can refer to
 */
export function placeCondition(
  key: "if" | "continue-on-error",
  node: YamlNode,
  scope: Scope,
): PlacedCondition {
  const value = getYamlValue(node, key);
  const place = placeOf(scope.path, value ?? node);
  return { ...readCondition(value, scope, key === "if"), place };
}

/** Where a node of a file stands. */
export function placeOf(path: string, node: YamlNode): Place {
  return { path, position: node.position };
}

/** A scope with the variables of an `env` mapping before those that it has. */
export function addEnv(scope: Scope, env: YamlNode | null): Scope {
  if (env === null) return scope;
  if (env.kind !== "map") {
    return isEmpty(env) ? scope : withContext(scope, "env", UNKNOWN);
  }
  const outer = scope.contexts.get("env");
  const get = (name: string): Value => {
    const own = env.entries.find(({ key }) => key === name)?.value;
    if (own === undefined) return outer?.kind === "context" ? outer.get(name) : UNKNOWN;
    return own.kind === "scalar" ? toText(evaluateScalar(own, scope)) : UNKNOWN;
  };
  return withContext(scope, "env", { kind: "context", get });
}

function isEmpty(node: YamlNode): boolean {
  return node.kind === "scalar" && node.value === null;
}

/** Variables and the inputs of actions are texts. */
function toText(value: Value): Value {
  const text = textOf(value);
  return value.kind !== "known" || text === null ? value : { ...value, value: text };
}

/** Where a list of steps stands, and what leads to it. */
export interface StepList {
  readonly shared: Shared;
  readonly scope: Scope;
  /** `defaults.run` of the job and of the workflow. */
  readonly defaults: readonly (YamlNode | null)[];
  readonly conditions: readonly PlacedCondition[];
  readonly continueOnError: readonly PlacedCondition[];
  readonly env: readonly EnvLayer[];
  readonly depth: number;
}

/**
 * Lists the steps of a job or an action, those of the composite actions that they call in their place.
 *
 * @param steps Its `steps`
 * @param list Where they stand
 */
export function readSteps(steps: YamlNode | null, list: StepList): Step[] {
  if (steps?.kind !== "seq") return [];
  return steps.items.flatMap((node) => {
    if (--list.shared.stepsLeft < 0 || node.kind !== "map") return [];
    return readStep(node, list);
  });
}

function readStep(node: YamlMap, list: StepList): Step[] {
  const env = getYamlValue(node, "env");
  const scope = addEnv(list.scope, env);
  const inner: StepList = {
    ...list,
    scope,
    conditions: [...list.conditions, placeCondition("if", node, scope)],
    continueOnError: [...list.continueOnError, placeCondition("continue-on-error", node, scope)],
    env: env === null ? list.env : [...list.env, { path: scope.path, node: env }],
  };
  return callAction(node, inner) ?? [makeStep(node, inner)];
}

function makeStep(node: YamlMap, list: StepList): Step {
  const { scope, conditions, continueOnError, env } = list;
  const run = getYamlValue(node, "run");
  const uses = getYamlValue(node, "uses");
  return {
    node,
    place: placeOf(scope.path, run ?? uses ?? node),
    scope,
    conditions,
    continueOnError,
    env,
    run: run?.kind === "scalar" ? run : null,
    uses: uses?.kind === "scalar" ? uses : null,
    shell: resolveSetting(findSetting(node, list, "shell"), scope),
    workingDirectory: resolveSetting(findSetting(node, list, "working-directory"), scope),
  };
}

function findSetting(node: YamlMap, { defaults }: StepList, key: string): YamlNode | null {
  return [node, ...defaults].map((layer) => getYamlValue(layer, key))
    .find((value) => value !== null) ?? null;
}

/**
 * Resolves a setting that is a text.
 *
 * @param node The setting, or null where it is not made
 * @param scope What its expressions can refer to
 */
export function resolveSetting(node: YamlNode | null, scope: Scope): ResolvedText | null {
  return node?.kind === "scalar" && node.value !== null ? resolveText(node, scope) : null;
}

/** The steps of a composite action of this repository; null where the step calls none. */
function callAction(node: YamlMap, list: StepList): Step[] | null {
  const uses = getYamlValue(node, "uses");
  const called = uses?.kind === "scalar" ? textOfScalar(uses) : "";
  if (!called.startsWith("./") || list.depth >= MAX_DEPTH) return null;
  const directory = called.slice(2).replace(/\/+$/, "");
  const { shared } = list;
  for (const name of ["action.yml", "action.yaml"]) {
    const path = directory === "" ? name : `${directory}/${name}`;
    const result = shared.yaml.get(path);
    if (result?.ok !== true) continue;
    const steps = getYamlValue(getYamlValue(result.node, "runs"), "steps");
    if (steps === null) return null;
    shared.called.add(path);
    const callee: Callee = { kind: "action", path, root: result.node };
    const inputs = readInputs(callee, getYamlValue(node, "with"), list.scope);
    const scope = { ...withContext(list.scope, "inputs", inputs), path };
    return readSteps(steps, { ...list, scope, depth: list.depth + 1, defaults: [] });
  }
  return null;
}

/** Something that declares inputs. */
interface Callee {
  readonly kind: "workflow" | "action";
  readonly path: string;
  readonly root: YamlNode;
}

function findInputs({ kind, root }: Callee): YamlNode | null {
  if (kind === "action") return getYamlValue(root, "inputs");
  const on = getYamlValue(root, "on");
  return getYamlValue(getYamlValue(on, "workflow_call"), "inputs") ??
    getYamlValue(getYamlValue(on, "workflow_dispatch"), "inputs");
}

/**
 * The inputs of what is called: what the caller gives, and the defaults of the rest.
 *
 * @param callee What declares them
 * @param given The caller's `with`
 * @param scope What that can refer to
 */
export function readInputs(callee: Callee, given: YamlNode | null, scope: Scope): Value {
  const declared = findInputs(callee);
  const get = (name: string): Value => {
    const declaration = findIgnoringCase(declared, name);
    const own = findIgnoringCase(given, name);
    if (own !== null) return convertInput(callee, declaration, evaluateNode(own, scope));
    return readDefault(callee, declaration) ?? convertInput(callee, declaration, known(null));
  };
  return { kind: "context", get };
}

function readDefault(callee: Callee, declaration: YamlNode | null): Value | null {
  const fallback = getYamlValue(declaration, "default");
  if (fallback === null) return null;
  const outside: Scope = { path: callee.path, contexts: new Map() };
  return convertInput(callee, declaration, evaluateNode(fallback, outside));
}

/**
 * The inputs of a workflow or an action that nobody in the repository calls: their defaults.
 *
 * @param path Its path
 * @param root Its content
 */
export function readDefaultInputs(path: string, root: YamlNode): Value {
  const kind = getYamlValue(root, "runs") === null ? "workflow" : "action";
  const declared = findInputs({ kind, path, root });
  const get = (name: string): Value =>
    readDefault({ kind, path, root }, findIgnoringCase(declared, name)) ?? UNKNOWN;
  return { kind: "context", get };
}

function findIgnoringCase(node: YamlNode | null, name: string): YamlNode | null {
  if (node?.kind !== "map") return null;
  const key = name.toLowerCase();
  return node.entries.find((entry) => entry.key.toLowerCase() === key)?.value ?? null;
}

/** An action's inputs are texts; a workflow's are of the type that it declares. */
function convertInput({ kind }: Callee, declaration: YamlNode | null, value: Value): Value {
  const text = textOf(value);
  if (value.kind !== "known" || text === null) return value;
  const type = getYamlValue(declaration, "type");
  const name = kind === "action" || type?.kind !== "scalar" ? "string" : textOfScalar(type);
  if (name === "boolean") return { ...value, value: text.toLowerCase() === "true" };
  if (name === "number") return { ...value, value: Number(text) };
  return { ...value, value: text };
}
