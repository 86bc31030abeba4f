import type { YamlEntry, YamlMap, YamlNode } from "../yaml_node.ts";
import { type Combination, hasExpression } from "./workflow_expression.ts";

/** Most combinations before `exclude`; GitHub runs at most 256 jobs of a matrix. */
const MAX_COMBINATIONS = 1024;
/** Most combinations times nodes, which is what expanding costs. */
const MAX_WORK = 2 ** 18;

const UNDECIDED_ONLY: readonly Combination[] = [{ kind: "undecided" }];

/** A combination while `include` still adds to it. */
interface Draft {
  /** From the matrix's own axes: `include` never replaces them. */
  readonly original: ReadonlyMap<string, YamlNode>;
  readonly values: Map<string, YamlNode>;
}

/**
 * Lists what a job's `strategy.matrix` makes of it: every combination of its axes without those that
 * `exclude` names, and what `include` adds, as GitHub documents it. A matrix that is too large to expand counts as undecided.
 *
 * @param matrix The matrix, or null where the job has none
 * @returns The combinations; an undecided one among them where an expression decides
 */
export function expandMatrix(matrix: YamlNode | null): readonly Combination[] {
  if (matrix === null) return [{ kind: "known", values: new Map() }];
  if (matrix.kind !== "map") return UNDECIDED_ONLY;
  const axes = listAxes(matrix);
  const includes = listObjects(findEntry(matrix, "include"));
  // What an undecided `exclude` would leave out stays in: nothing is overlooked by that.
  const excludes = listObjects(findEntry(matrix, "exclude")) ?? [];
  if (isTooLarge(axes, matrix)) return UNDECIDED_ONLY;
  const drafts = combine(axes).filter((draft) =>
    !excludes.some((entry) => matches(entry, draft.original))
  );
  const added = (includes ?? []).flatMap((entry) => include(entry, drafts));
  const known = [...drafts, ...added].map(({ values }): Combination => ({ kind: "known", values }));
  return includes === null ? [...known, ...UNDECIDED_ONLY] : known;
}

/** One axis: a name and its values; an expression stands for itself as the only value. */
interface Axis {
  readonly name: string;
  readonly items: readonly YamlNode[];
}

function listAxes(matrix: YamlMap): Axis[] {
  return matrix.entries.filter(({ key }) => !/^(?:include|exclude)$/i.test(key))
    .map(({ key, value }) => ({
      name: key.toLowerCase(),
      items: value.kind === "seq" ? value.items : [value],
    }));
}

function isTooLarge(axes: readonly Axis[], matrix: YamlMap): boolean {
  const size = axes.reduce((product, { items }) => product * items.length, 1);
  return size > MAX_COMBINATIONS || size * countNodes(matrix) > MAX_WORK;
}

function countNodes(node: YamlNode): number {
  switch (node.kind) {
    case "scalar":
      return 1;
    case "seq":
      return node.items.reduce((sum, item) => sum + countNodes(item), 1);
    case "map":
      return node.entries.reduce((sum, { value }) => sum + countNodes(value), 1);
  }
}

function findEntry(matrix: YamlMap, name: string): YamlEntry | undefined {
  return matrix.entries.find(({ key }) => key.toLowerCase() === name);
}

/** The objects of `include` or `exclude`; null where an expression decides them. */
function listObjects(entry: YamlEntry | undefined): readonly YamlMap[] | null {
  if (entry === undefined) return [];
  const { value } = entry;
  if (value.kind !== "seq") return value.kind === "scalar" && value.value === null ? [] : null;
  const objects = value.items.filter((item): item is YamlMap => item.kind === "map");
  return objects.length === value.items.length ? objects : null;
}

function combine(axes: readonly Axis[]): Draft[] {
  if (axes.length === 0) return [];
  let combinations: [string, YamlNode][][] = [[]];
  for (const { name, items } of axes) {
    combinations = combinations.flatMap((combination) =>
      items.map((item): [string, YamlNode][] => [...combination, [name, item]])
    );
  }
  return combinations.map((entries) => ({ original: new Map(entries), values: new Map(entries) }));
}

/** Whether a combination has every value that an object names. */
function matches(object: YamlMap, original: ReadonlyMap<string, YamlNode>): boolean {
  return object.entries.every(({ key, value }) => {
    const own = original.get(key.toLowerCase());
    return own !== undefined && isEqual(own, value);
  });
}

/** Adds an object to each combination that it does not contradict, or makes a new one of it. */
function include(object: YamlMap, drafts: readonly Draft[]): Draft[] {
  const fitting = drafts.filter(({ original }) =>
    object.entries.every(({ key, value }) => {
      const own = original.get(key.toLowerCase());
      return own === undefined || isEqual(own, value);
    })
  );
  const entries = object.entries.map(({ key, value }) => [key.toLowerCase(), value] as const);
  for (const { original, values } of fitting) {
    for (const [name, value] of entries) if (!original.has(name)) values.set(name, value);
  }
  return fitting.length > 0 ? [] : [{ original: new Map(), values: new Map(entries) }];
}

function isEqual(a: YamlNode, b: YamlNode): boolean {
  if (a.kind === "scalar" || b.kind === "scalar") {
    return a.kind === "scalar" && b.kind === "scalar" && a.value === b.value && !hasExpression(a);
  }
  if (a.kind === "seq" || b.kind === "seq") {
    return a.kind === "seq" && b.kind === "seq" && a.items.length === b.items.length &&
      a.items.every((item, index) => isEqualOrMissing(item, b.items[index]));
  }
  return a.entries.length === b.entries.length &&
    a.entries.every(({ key, value }) =>
      isEqualOrMissing(value, b.entries.find((entry) => entry.key === key)?.value)
    );
}

function isEqualOrMissing(a: YamlNode, b: YamlNode | undefined): boolean {
  return b !== undefined && isEqual(a, b);
}
