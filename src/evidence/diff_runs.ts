import { compareUtf8 } from "../compare_utf8.ts";
import type { ExternalParameters, Material } from "./provenance.ts";
import type { Run } from "./run.ts";
import { formatShard } from "./shard.ts";
import type { Toolchain } from "./toolchain.ts";

/** What a change is a change of, in the order in which changes are listed. */
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

/** Named values of one run. */
type Values = ReadonlyMap<string, string>;

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
 * console.assert(describe.length === 2);
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

function diffValues(kind: ChangeKind, before: Values, after: Values): Change[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort(compareUtf8);
  return names.flatMap((name): Change[] => {
    const [x, y] = [before.get(name) ?? null, after.get(name) ?? null];
    if (x === y) return [];
    const change = x === null ? "added" : y === null ? "removed" : "changed";
    return [{ kind, name, change, before: x, after: y }];
  });
}

function listInputs({ documents }: Run): Values {
  const { resolvedDependencies } = documents["provenance.json"].predicate.buildDefinition;
  return new Map(
    resolvedDependencies.map((material) => [material.name, describeMaterial(material)]),
  );
}

function describeMaterial({ digest, annotations }: Material): string {
  return annotations.kind === "file"
    ? `sha256:${digest.sha256}`
    : `link to sha256:${digest.sha256}`;
}

/** The products; none where the subject is the inputs, whose changes are reported as inputs. */
function listProducts({ documents }: Run): Values {
  if (documents["run_summary.json"].products.count === 0) return new Map();
  const { subject } = documents["provenance.json"];
  return new Map(subject.map(({ name, digest }) => [name, `sha256:${digest.sha256}`]));
}

function listParameters({ documents }: Run): Values {
  const parameters: ExternalParameters =
    documents["provenance.json"].predicate.buildDefinition.externalParameters;
  return new Map([
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
  return new Map([
    ...Object.entries(parts).map(([name, value]) => [name, String(value)] as const),
    ["lockfile", `sha256:${lockfile.sha256}`] as const,
    ...[...versions].map(([name, pinned]) => [`package ${name}`, pinned.join(", ")] as const),
    ...tools.map(({ name, sha256 }) => [`tool ${name}`, `sha256:${sha256}`] as const),
  ]);
}

function listPolicy({ documents }: Run): Values {
  const { policy, runtime_policy } = documents["run_summary.json"];
  return new Map([
    ["runtime range", runtime_policy.range],
    ...(policy === null ? [] : [[policy.path, `sha256:${policy.sha256}`] as const]),
  ]);
}
