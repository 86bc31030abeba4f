/**
 * A workflow as GitHub runs it: its jobs in every combination of their matrices, with the steps of
 * the repository's reusable workflows and composite actions that they call, and their inputs.
 *
 * @module
 */

import { showText } from "../../base/quote.ts";
import { evaluateNode, type ResolvedText, type Scope, withContext } from "./expression.ts";
import {
  addEnv,
  type ForeignCall,
  MAX_DEPTH,
  placeCondition,
  type PlacedCondition,
  placeOf,
  readInputs,
  readSteps,
  type Remark,
  resolveSetting,
  type Shared,
  type Step,
  type StepList,
} from "./steps.ts";
import { known, textOf, UNKNOWN, type Value } from "./value.ts";
import {
  getYamlValue,
  textOfScalar,
  type YamlMap,
  type YamlNode,
  type YamlResult,
  type YamlScalar,
} from "./yaml.ts";

/** What a job needs, and under what condition it runs. */
export interface JobSpec {
  readonly id: string;
  readonly node: YamlNode;
  readonly path: string;
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
  /** The labels that it runs on, null in place of what only the run knows. */
  readonly runsOn: readonly (string | null)[];
  readonly container: ResolvedText | null;
  readonly continueOnError: PlacedCondition;
  readonly steps: readonly Step[];
}

/** A workflow with everything that it calls. */
export interface ExpandedWorkflow {
  readonly jobs: readonly Job[];
  /** What it calls and cannot be read here. */
  readonly unfollowed: readonly Remark[];
  /** The workflows of other repositories that it calls, with what it gives them. */
  readonly foreign: readonly ForeignCall[];
  /** The reusable workflows and composite actions that it calls. */
  readonly called: ReadonlySet<string>;
  /** Whether a matrix was left unexpanded, since it makes too many steps. */
  readonly isReduced: boolean;
  /** Whether steps are missing, since there are too many. */
  readonly isCut: boolean;
}

/** One file of it: the workflow, or one that it calls. */
interface File {
  readonly root: YamlNode;
  /** The contexts of the whole file. */
  readonly scope: Scope;
  readonly caller: JobSpec | null;
  /** Whether the combination of the matrix that calls it surely runs. */
  readonly isCertain: boolean;
  readonly depth: number;
  readonly shared: Shared;
}

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
    foreign: [],
    called: new Set(),
    stepsLeft: MAX_STEPS,
    isReduced: false,
  };
  const scope: Scope = { path, contexts };
  const file: File = { root, scope, caller: null, isCertain: true, depth: 1, shared };
  const jobs = [...expandJobs(file), ...expandAction(file)];
  const { unfollowed, foreign, called, isReduced, stepsLeft } = shared;
  return { jobs, unfollowed, foreign, called, isReduced, isCut: stepsLeft < 0 };
}

/** An action by itself stands as a job of which nothing is known. */
function expandAction(file: File): Job[] {
  const runs = getYamlValue(file.root, "runs");
  const steps = getYamlValue(runs, "steps");
  if (steps === null) return [];
  const node: YamlMap = { kind: "map", entries: [], position: file.root.position };
  const spec = makeSpec("", node, file, new Map());
  return [{ ...makeJob(spec, node, file.scope, file), steps: readSteps(steps, listOf(file)) }];
}

function listOf({ scope, shared, depth }: File): StepList {
  return { shared, scope, defaults: [], conditions: [], continueOnError: [], env: [], depth };
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
    node,
    path: file.scope.path,
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

/** What a job's own settings can refer to before its matrix is known. */
function scopeJob({ root, scope }: File, job: YamlNode): Scope {
  return addEnv(addEnv(scope, getYamlValue(root, "env")), getYamlValue(job, "env"));
}

function expandJob(spec: JobSpec, node: YamlNode, file: File): Job[] {
  const expansion = expandStrategy(getYamlValue(node, "strategy"), file.scope);
  const own: File = { ...file, isCertain: file.isCertain && expansion.isCertain };
  const uses = getYamlValue(node, "uses");
  return limitCombinations(expansion.combinations, node, file.shared).flatMap((combination) => {
    if (--file.shared.stepsLeft < 0) return [];
    const outer = withContext(file.scope, "matrix", combination);
    const scope = scopeJob({ ...file, scope: outer }, node);
    return uses?.kind === "scalar"
      ? callWorkflow(uses, spec, node, scope, own)
      : [makeJob(spec, node, scope, own)];
  });
}

/** A strategy that is an expression as a whole holds a matrix that only the run knows. */
function expandStrategy(strategy: YamlNode | null, scope: Scope): Expansion {
  return strategy?.kind === "scalar" && strategy.value !== null
    ? { combinations: [UNKNOWN], isCertain: true }
    : expandMatrix(getYamlValue(strategy, "matrix"), scope);
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
  { depth, shared, isCertain }: File,
): Job[] {
  const called = textOfScalar(uses);
  const path = called.replace(/^\.\//, "");
  const result = called.startsWith("./") ? shared.yaml.get(path) : undefined;
  if (result?.ok !== true || depth >= MAX_DEPTH || !isCallable(result.node)) {
    const reason = result?.ok === false
      ? `: ${result.message}`
      : result !== undefined && !isCallable(result.node)
      ? ": it does not run on workflow_call"
      : "";
    const message = `it calls ${showText(called)}, which cannot be read here${reason}`;
    shared.unfollowed.push({ message, place: placeOf(scope.path, uses) });
    if (!called.startsWith("./")) shared.foreign.push({ uses, node, scope });
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
    isCertain,
    depth: depth + 1,
    shared,
  });
}

/** GitHub refuses a caller of what is not meant to be called. */
function isCallable(root: YamlNode): boolean {
  const on = getYamlValue(root, "on");
  return on?.kind === "map"
    ? on.entries.some(({ key }) => key === "workflow_call")
    : listNames(on).includes("workflow_call");
}

/** What `runner.os` is, by the start of the label. */
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/^ubuntu/i, "Linux"],
  [/^windows/i, "Windows"],
  [/^macos/i, "macOS"],
];

/** The labels of `runs-on`: one, several, or those of a group. */
function readLabels(node: YamlNode | null, scope: Scope): (string | null)[] {
  const labels = node?.kind === "map" ? getYamlValue(node, "labels") : node;
  const items = labels?.kind === "seq" ? labels.items : [labels];
  return items.map((label) => resolveSetting(label, scope)?.text ?? null);
}

function makeJob(spec: JobSpec, node: YamlNode, outer: Scope, file: File): Job {
  const { path } = outer;
  const runsOn = readLabels(getYamlValue(node, "runs-on"), outer);
  const system = SYSTEMS.find(([start]) => start.test(runsOn[0] ?? ""))?.[1];
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
    isCertain: file.isCertain,
    runsOn,
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
    }),
  };
}

/** Most combinations before `exclude`; GitHub runs at most 256 jobs of a matrix. */
const MAX_COMBINATIONS = 1024;
/** Most combinations times values, which is what expanding costs. */
const MAX_WORK = 2 ** 18;

/** What a matrix makes of its job. */
interface Expansion {
  /** What `matrix` is in each run of the job; unknown where only the run knows. */
  readonly combinations: readonly Value[];
  /** Whether each of them runs: false where only the run knows what `exclude` leaves out. */
  readonly isCertain: boolean;
}

type Entries = ReadonlyMap<string, Value>;

/** A combination while `include` still adds to it. */
interface Draft {
  /** From the matrix's own axes: `include` never replaces them. */
  readonly original: Entries;
  readonly values: Map<string, Value>;
}

/**
 * Lists what a job's `strategy.matrix` makes of it: every combination of its axes without those that
 * `exclude` names, and what `include` adds, as GitHub documents it. A matrix that is too large to
 * expand is unknown.
 *
 * @param node The matrix, or null where the job has none
 * @param scope What its expressions can refer to
 */
function expandMatrix(node: YamlNode | null, scope: Scope): Expansion {
  if (node === null) {
    return { combinations: [{ kind: "object", entries: new Map() }], isCertain: true };
  }
  const matrix = evaluateNode(node, scope);
  if (matrix.kind !== "object" || isTooLarge(matrix.entries)) {
    return { combinations: [UNKNOWN], isCertain: true };
  }
  const includes = listObjects(matrix.entries.get("include"));
  const excludes = listObjects(matrix.entries.get("exclude"));
  const drafts = combine(matrix.entries).filter(({ original }) =>
    excludes === null || !excludes.some((entry) => matches(entry, original))
  );
  const added = (includes ?? []).flatMap((entry) => include(entry, drafts));
  const combinations = [...drafts, ...added].map(({ values }): Value => ({
    kind: "object",
    entries: values,
  }));
  return {
    combinations: includes === null ? [...combinations, UNKNOWN] : combinations,
    isCertain: excludes !== null && excludes.every((entry) => [...entry.values()].every(isKnown)) &&
      !drafts.some(({ original }) => excludes.some((entry) => isAlike(entry, original))),
  };
}

/** The axes with their values; what is unknown stands for itself as the only value. */
function listAxes(matrix: Entries): [string, readonly Value[]][] {
  return [...matrix].filter(([name]) => name !== "include" && name !== "exclude")
    .map(([name, value]) => [name, value.kind === "array" ? value.items : [value]]);
}

function isTooLarge(matrix: Entries): boolean {
  const size = listAxes(matrix).reduce((product, [, items]) => product * items.length, 1);
  return size > MAX_COMBINATIONS || size * countValues([...matrix.values()]) > MAX_WORK;
}

function countValues(values: readonly Value[]): number {
  return values.reduce((sum, value) => {
    if (value.kind === "array") return sum + 1 + countValues(value.items);
    return sum + 1 + (value.kind === "object" ? countValues([...value.entries.values()]) : 0);
  }, 0);
}

/** The objects of `include` or `exclude`; null where only the run knows them. */
function listObjects(value: Value | undefined): readonly Entries[] | null {
  if (value === undefined || (value.kind === "known" && value.value === null)) return [];
  if (value.kind !== "array") return null;
  const objects = value.items.flatMap((item) => item.kind === "object" ? [item.entries] : []);
  return objects.length === value.items.length ? objects : null;
}

function combine(matrix: Entries): Draft[] {
  const axes = listAxes(matrix);
  if (axes.length === 0) return [];
  let combinations: [string, Value][][] = [[]];
  for (const [name, items] of axes) {
    combinations = combinations.flatMap((combination) =>
      items.map((item): [string, Value][] => [...combination, [name, item]])
    );
  }
  return combinations.map((entries) => ({ original: new Map(entries), values: new Map(entries) }));
}

/** Whether a combination has every value that an object names. */
function matches(object: Entries, original: Entries): boolean {
  return [...object].every(([name, value]) => isEqual(original.get(name), value));
}

/** Whether a combination left in differs from what an object names by types alone: `3.1`, `"3.1"`. */
function isAlike(object: Entries, original: Entries): boolean {
  return [...object].every(([name, value]) => {
    const own = original.get(name);
    if (own === undefined) return false;
    const text = textOf(value);
    return isEqual(own, value) || (text !== null && textOf(own) === text);
  });
}

/** Adds an object to each combination that it does not contradict, or makes a new one of it. */
function include(object: Entries, drafts: readonly Draft[]): Draft[] {
  const fitting = drafts.filter(({ original }) =>
    [...object].every(([name, value]) => !original.has(name) || isEqual(original.get(name), value))
  );
  for (const { original, values } of fitting) {
    for (const [name, value] of object) if (!original.has(name)) values.set(name, value);
  }
  return fitting.length > 0 ? [] : [{ original: new Map(), values: new Map(object) }];
}

/** Whether two values are surely the same; the text `"3.1"` and the number `3.1` are not. */
function isEqual(a: Value | undefined, b: Value | undefined): boolean {
  if (a?.kind === "known" && b?.kind === "known") return a.value === b.value;
  if (a?.kind === "array" && b?.kind === "array") {
    return a.items.length === b.items.length && a.items.every((it, i) => isEqual(it, b.items[i]));
  }
  if (a?.kind !== "object" || b?.kind !== "object" || a.entries.size !== b.entries.size) {
    return false;
  }
  const { entries } = b;
  return [...a.entries].every(([name, value]) => isEqual(value, entries.get(name)));
}

function isKnown(value: Value): boolean {
  if (value.kind === "array") return value.items.every(isKnown);
  if (value.kind === "object") return [...value.entries.values()].every(isKnown);
  return value.kind === "known";
}
