import { evaluateNode, type Scope } from "./expression.ts";
import { UNKNOWN, type Value } from "./value.ts";
import type { YamlNode } from "./yaml.ts";

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
export function expandMatrix(node: YamlNode | null, scope: Scope): Expansion {
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
    isCertain: excludes !== null && excludes.every((entry) => [...entry.values()].every(isKnown)),
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
