/**
 * A workflow as GitHub runs it: its jobs in every combination of their matrices, with the steps of
 * the repository's reusable workflows and composite actions that they call, and their inputs.
 *
 * @module
 */
import { showText } from "../text/show_text.ts";
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
import { expandMatrix } from "./matrix.ts";
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
export interface Place {
  readonly path: string;
  readonly position: Position;
}

/** A condition with the place where it is written. */
export interface PlacedCondition extends Condition {
  readonly place: Place;
}

/** What a job needs, and under what condition it runs. */
export interface JobSpec {
  readonly id: string;
  readonly condition: PlacedCondition;
  /** The jobs before it; a name that no job has stands as null. */
  readonly needs: () => readonly (JobSpec | null)[];
  /** The job that calls the workflow in which this one stands. */
  readonly caller: JobSpec | null;
}

/** A job in one combination of its matrix. */
export interface Job {
  readonly spec: JobSpec;
  readonly node: YamlNode;
  readonly path: string;
  readonly scope: Scope;
  /** Whether the combination surely runs: false where only the run knows what `exclude` names. */
  readonly isCertain: boolean;
  /** The label that it runs on, or null where only the run knows. */
  readonly runsOn: string | null;
  readonly container: ResolvedText | null;
  readonly continueOnError: PlacedCondition;
  readonly steps: readonly Step[];
}

/** A mapping of `env`, or what stands in its place, with its file. */
export interface EnvLayer {
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
}

/** A workflow with everything that it calls. */
export interface ExpandedWorkflow {
  readonly jobs: readonly Job[];
  /** What it calls and cannot be read here. */
  readonly unfollowed: readonly Remark[];
  /** The reusable workflows and composite actions that it calls. */
  readonly called: ReadonlySet<string>;
  /** Whether a matrix was left unexpanded, since it makes too many steps. */
  readonly isReduced: boolean;
  /** Whether steps are missing, since there are too many. */
  readonly isCut: boolean;
}

/** What the files of a workflow share while it is expanded. */
interface Shared {
  readonly yaml: ReadonlyMap<string, YamlResult>;
  readonly unfollowed: Remark[];
  readonly called: Set<string>;
  stepsLeft: number;
  isReduced: boolean;
}

/** One file of it: the workflow, or one that it calls. */
interface File {
  readonly root: YamlNode;
  /** The contexts of the whole file. */
  readonly scope: Scope;
  readonly caller: JobSpec | null;
  readonly depth: number;
  readonly shared: Shared;
}

/** Most workflows and actions that call each other, one inside the other. */
const MAX_DEPTH = 5;
/** Most steps of one job over all combinations of its matrix. */
const MAX_JOB_STEPS = 2 ** 14;
/** Most steps and jobs of a workflow over all combinations. */
const MAX_STEPS = 2 ** 16;

/**
 * Lists the jobs of a workflow, or the steps of a composite action, in every combination.
 *
 * @param path Its path
 * @param root Its content
 * @param yaml The repository's workflows and actions
 * @param contexts What is known of `github` and `inputs`
 */
export function expandWorkflow(
  path: string,
  root: YamlNode,
  yaml: ReadonlyMap<string, YamlResult>,
  contexts: ReadonlyMap<string, Value>,
): ExpandedWorkflow {
  const shared: Shared = {
    yaml,
    unfollowed: [],
    called: new Set(),
    stepsLeft: MAX_STEPS,
    isReduced: false,
  };
  const file: File = { root, scope: { path, contexts }, caller: null, depth: 1, shared };
  const jobs = [...expandJobs(file), ...expandAction(file)];
  const { unfollowed, called, isReduced, stepsLeft } = shared;
  return { jobs, unfollowed, called, isReduced, isCut: stepsLeft < 0 };
}

/** An action by itself stands as a job of which nothing is known. */
function expandAction(file: File): Job[] {
  const runs = getYamlValue(file.root, "runs");
  const steps = getYamlValue(runs, "steps");
  if (steps === null) return [];
  const node: YamlMap = { kind: "map", entries: [], position: file.root.position };
  const spec = makeSpec("", node, file, new Map());
  return [{
    ...makeJob(spec, node, file.scope, true, file),
    steps: readSteps(steps, listOf(file)),
  }];
}

function listOf(file: File): StepList {
  const { scope } = file;
  return { file, scope, defaults: [], conditions: [], continueOnError: [], env: [], depth: 1 };
}

function expandJobs(file: File): Job[] {
  const jobs = getYamlValue(file.root, "jobs");
  if (jobs?.kind !== "map") return [];
  const specs = new Map<string, JobSpec>();
  for (const { key, value } of jobs.entries) specs.set(key, makeSpec(key, value, file, specs));
  return jobs.entries.flatMap(({ key, value }) => {
    const spec = specs.get(key);
    return spec === undefined ? [] : expandJob(spec, value, file);
  });
}

function makeSpec(
  id: string,
  node: YamlNode,
  file: File,
  specs: ReadonlyMap<string, JobSpec>,
): JobSpec {
  const names = listNames(getYamlValue(node, "needs"));
  return {
    id,
    condition: placeCondition("if", node, scopeJob(file, node)),
    needs: () => names.map((name) => specs.get(name) ?? null),
    caller: file.caller,
  };
}

function listNames(node: YamlNode | null): string[] {
  const items = node?.kind === "seq" ? node.items : node === null ? [] : [node];
  return items.flatMap((item) =>
    item.kind === "scalar" && item.value !== null ? [item.source] : []
  );
}

function placeCondition(
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

/** What a job's own settings can refer to before its matrix is known. */
function scopeJob({ root, scope }: File, job: YamlNode): Scope {
  return addEnv(addEnv(scope, getYamlValue(root, "env")), getYamlValue(job, "env"));
}

/** A scope with the variables of an `env` mapping before those that it has. */
function addEnv(scope: Scope, env: YamlNode | null): Scope {
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

function expandJob(spec: JobSpec, node: YamlNode, file: File): Job[] {
  const base = scopeJob(file, node);
  const matrix = getYamlValue(getYamlValue(node, "strategy"), "matrix");
  const { isCertain, combinations } = expandMatrix(matrix, file.scope);
  const uses = getYamlValue(node, "uses");
  return limitCombinations(combinations, node, file.shared).flatMap((combination) => {
    if (--file.shared.stepsLeft < 0) return [];
    // Outside of a composite action, `env` may name the matrix: it is read with it.
    const scope = scopeJob(
      { ...file, scope: withContext(file.scope, "matrix", combination) },
      node,
    );
    return uses?.kind === "scalar"
      ? callWorkflow(uses, spec, node, withContext(base, "matrix", combination), file)
      : [makeJob(spec, node, scope, isCertain, file)];
  });
}

/** A matrix that makes too many steps is left as one that only the run knows. */
function limitCombinations(
  combinations: readonly Value[],
  job: YamlNode,
  shared: Shared,
): readonly Value[] {
  const steps = getYamlValue(job, "steps");
  const count = steps?.kind === "seq" ? steps.items.length : 0;
  if (combinations.length * count <= MAX_JOB_STEPS) return combinations;
  shared.isReduced = true;
  return [UNKNOWN];
}

function callWorkflow(
  uses: YamlScalar,
  spec: JobSpec,
  node: YamlNode,
  scope: Scope,
  { depth, shared }: File,
): Job[] {
  const called = textOfScalar(uses);
  const path = called.replace(/^\.\//, "");
  const result = called.startsWith("./") ? shared.yaml.get(path) : undefined;
  if (result?.ok !== true || depth >= MAX_DEPTH) {
    const reason = result?.ok === false ? `: ${result.message}` : "";
    const message = `it calls ${showText(called)}, which cannot be read here${reason}`;
    shared.unfollowed.push({ message, place: placeOf(scope.path, uses) });
    return [];
  }
  shared.called.add(path);
  const inputs = readInputs(
    { kind: "workflow", path, root: result.node },
    getYamlValue(node, "with"),
    scope,
  );
  const contexts = new Map([["inputs", inputs]]);
  const github = scope.contexts.get("github");
  if (github !== undefined) contexts.set("github", github);
  return expandJobs({
    root: result.node,
    scope: { path, contexts },
    caller: spec,
    depth: depth + 1,
    shared,
  });
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

/** The inputs of what is called: what the caller gives, and the defaults of the rest. */
function readInputs(callee: Callee, given: YamlNode | null, scope: Scope): Value {
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

/** What `runner.os` is, by the start of the label. */
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/^ubuntu/i, "Linux"],
  [/^windows/i, "Windows"],
  [/^macos/i, "macOS"],
];

function makeJob(
  spec: JobSpec,
  node: YamlNode,
  outer: Scope,
  isCertain: boolean,
  file: File,
): Job {
  const { path } = outer;
  const runsOn = getYamlValue(node, "runs-on");
  const label = runsOn?.kind === "seq" ? runsOn.items[0] ?? null : runsOn;
  const runner = resolveSetting(label, outer)?.text ?? null;
  const system = SYSTEMS.find(([start]) => start.test(runner ?? ""))?.[1];
  const get = (name: string): Value =>
    name.toLowerCase() === "os" && system !== undefined ? known(system) : UNKNOWN;
  const scope = withContext(outer, "runner", { kind: "context", get });
  const container = getYamlValue(node, "container");
  const env = [getYamlValue(file.root, "env"), getYamlValue(container, "env")]
    .concat(getYamlValue(node, "env"));
  const defaults = [node, file.root]
    .map((layer) => getYamlValue(getYamlValue(layer, "defaults"), "run"));
  return {
    spec,
    node,
    path,
    scope,
    isCertain,
    runsOn: runner,
    container: resolveSetting(
      container?.kind === "map" ? getYamlValue(container, "image") : container,
      scope,
    ),
    continueOnError: placeCondition("continue-on-error", node, scope),
    steps: readSteps(getYamlValue(node, "steps"), {
      ...listOf(file),
      scope,
      defaults,
      env: env.flatMap((layer) => layer === null ? [] : [{ path, node: layer }]),
      depth: file.depth,
    }),
  };
}

/** Where a list of steps stands, and what leads to it. */
interface StepList {
  readonly file: File;
  readonly scope: Scope;
  /** `defaults.run` of the job and of the workflow. */
  readonly defaults: readonly (YamlNode | null)[];
  readonly conditions: readonly PlacedCondition[];
  readonly continueOnError: readonly PlacedCondition[];
  readonly env: readonly EnvLayer[];
  readonly depth: number;
}

function readSteps(steps: YamlNode | null, list: StepList): Step[] {
  if (steps?.kind !== "seq") return [];
  return steps.items.flatMap((node) => {
    if (--list.file.shared.stepsLeft < 0 || node.kind !== "map") return [];
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
  const { shared } = list.file;
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
