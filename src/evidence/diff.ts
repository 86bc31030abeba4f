import { compareUtf8 } from "../base/utf8_order.ts";
import type { ExternalParameters, Material } from "./provenance.ts";
import type { Run } from "./run.ts";
import { formatShard } from "./shard.ts";
import type { Toolchain } from "./toolchain.ts";

/** Every kind of change, in the order in which changes are listed. */
export const CHANGE_KINDS = ["input", "product", "parameter", "toolchain", "policy"] as const;

/** What a change is a change of. */
export type ChangeKind = typeof CHANGE_KINDS[number];

/** One thing in which two runs differ. */
export interface Change {
  /** What it is a change of. */
  readonly kind: ChangeKind;
  /** Which one: a file's name, a parameter, a part of the toolchain. */
  readonly name: string;
  /** How it differs, seen from the first run. */
  readonly change: "added" | "removed" | "changed";
  /** What the first run has: a digest, a version, a value; null where it has none. */
  readonly before: string | null;
  /** What the second run has. */
  readonly after: string | null;
}

/** A named value of one run. */
type Value = readonly [name: string, value: string];

/** Named values of one run, sorted by name; made one at a time, since there may be a million. */
type Values = Iterable<Value>;

/**
 * Says in what two runs differ. The answer is empty exactly when their evidence digests are equal;
 * a policy that differs is reported only together with a difference that it may explain.
 *
 * @param before A run that verifies
 * @param after Another
 * @returns The changes, by kind and then by name
 *
 * @example The module's own example makes the runs
 * ```ts
 * import { type Change, diffRuns, type Run } from "@kprov/cli";
 *
 * function describe(yesterday: Run, today: Run): string[] {
 *   return diffRuns(yesterday, today).map((change: Change) => `${change.change} ${change.name}`);
 * }
 * ```
 */
export function diffRuns(before: Run, after: Run): readonly Change[] {
  if (before.digests["provenance.json"] === after.digests["provenance.json"]) return [];
  return CHANGE_KINDS.flatMap((kind) =>
    diffValues(kind, VALUES_OF[kind](before), VALUES_OF[kind](after))
  );
}

const VALUES_OF: Readonly<Record<ChangeKind, (run: Run) => Values>> = {
  input: listInputs,
  product: listProducts,
  parameter: listParameters,
  toolchain: ({ documents }) => listTools(documents["toolchain.json"]),
  policy: listPolicy,
};

/** Walks over both at once, since both are sorted. */
function diffValues(kind: ChangeKind, before: Values, after: Values): Change[] {
  const changes: Change[] = [];
  const [left, right] = [before[Symbol.iterator](), after[Symbol.iterator]()];
  let [x, y] = [next(left), next(right)];
  while (x !== null || y !== null) {
    const order = x === null ? 1 : y === null ? -1 : compareUtf8(x[0], y[0]);
    const change = describeChange(kind, order <= 0 ? x : null, order >= 0 ? y : null);
    if (change !== null) changes.push(change);
    if (order <= 0) x = next(left);
    if (order >= 0) y = next(right);
  }
  return changes;
}

function next(values: Iterator<Value>): Value | null {
  const result = values.next();
  return result.done === true ? null : result.value;
}

function describeChange(kind: ChangeKind, x: Value | null, y: Value | null): Change | null {
  const [before, after] = [x?.[1] ?? null, y?.[1] ?? null];
  if (before === after) return null;
  const change = before === null ? "added" : after === null ? "removed" : "changed";
  return { kind, name: x?.[0] ?? y?.[0] ?? "", change, before, after };
}

function sortByName(values: readonly Value[]): Values {
  return values.toSorted(([a], [b]) => compareUtf8(a, b));
}

function* listInputs({ documents }: Run): Values {
  const { resolvedDependencies } = documents["provenance.json"].predicate.buildDefinition;
  for (const material of resolvedDependencies) yield [material.name, describeMaterial(material)];
}

function describeMaterial({ digest, annotations }: Material): string {
  return annotations.kind === "file"
    ? `sha256:${digest.sha256}`
    : `link to sha256:${digest.sha256}`;
}

/** The products; none where the subject is the inputs, whose changes are reported as inputs. */
function* listProducts({ documents }: Run): Values {
  if (documents["run_summary.json"].products.count === 0) return;
  const { subject } = documents["provenance.json"];
  for (const { name, digest } of subject) yield [name, `sha256:${digest.sha256}`];
}

function listParameters({ documents }: Run): Values {
  const parameters: ExternalParameters =
    documents["provenance.json"].predicate.buildDefinition.externalParameters;
  return sortByName([
    ...parameters.inputs.map((path) => [`input ${path}`, "given"] as const),
    ...parameters.exclude.map((glob) => [`exclude ${glob}`, "given"] as const),
    ...(parameters.products ?? []).map((path) => [`product ${path}`, "given"] as const),
    ...(parameters.command === undefined
      ? []
      : [["command", JSON.stringify(parameters.command.argv)] as const]),
    ...(parameters.command?.env ?? []).map((name) => [`env ${name}`, "set"] as const),
    ...(parameters.shard === undefined ? [] : [["shard", formatShard(parameters.shard)] as const]),
  ]);
}

function listTools(toolchain: Toolchain): Values {
  const { lockfile, tools = [], schema: _, ...parts } = toolchain;
  const versions = new Map<string, string[]>();
  for (const { name, version, integrity } of lockfile.packages) {
    versions.set(name, [...versions.get(name) ?? [], `${version} (${integrity})`]);
  }
  return sortByName([
    ...Object.entries(parts).map(([name, value]) => [name, String(value)] as const),
    ["lockfile", `sha256:${lockfile.sha256}`] as const,
    ...[...versions].map(([name, pinned]) => [`package ${name}`, pinned.join(", ")] as const),
    ...tools.map(({ name, sha256 }) => [`tool ${name}`, `sha256:${sha256}`] as const),
  ]);
}

function listPolicy({ documents }: Run): Values {
  const { policy, runtime_policy } = documents["run_summary.json"];
  return sortByName([
    ["runtime range", runtime_policy.range],
    ...(policy === null ? [] : [[policy.path, `sha256:${policy.sha256}`] as const]),
  ]);
}
