import { renderCanonicalJson } from "../base/canonical_json.ts";
import { compareUtf8 } from "../base/text.ts";
import { parseCommandEnd } from "./command.ts";
import type { Run } from "./documents.ts";
import type { Lineage } from "./lineage.ts";
import type { RunRecord } from "./lineage_records.ts";
import type { Cause } from "./pipeline_status.ts";
import {
  type ExternalParameters,
  type FileDescriptor,
  formatShard,
  isOrderFree,
  listProducts,
  nameContent,
  type RecordedStdin,
} from "./provenance.ts";
import type { RecordedPackage, RecordedRuntime, RecordedTool, Toolchain } from "./toolchain.ts";

/**
 * What a change is a change of, in the order in which changes are listed.
 *
 * @example
 * ```ts
 * import { type Change, CHANGE_KINDS } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const changes: readonly Change[] = [
 *   { kind: "toolchain", name: "deno", change: "changed", before: "2.8.2", after: "2.9.6" },
 *   { kind: "input", name: "data/a.csv", change: "added", before: null, after: "sha256:2cf2" },
 * ];
 * const byKind = Object.groupBy(changes, ({ kind }) => kind);
 * const counts = CHANGE_KINDS.map((kind) => `${kind} ${byKind[kind]?.length ?? 0}`);
 * assertEquals(counts.slice(0, 4), ["input 1", "product 0", "outcome 0", "parameter 0"]);
 * assertEquals(counts.slice(4), ["runtime 0", "package 0", "toolchain 1", "policy 0"]);
 * ```
 */
export const CHANGE_KINDS = [
  "input",
  "product",
  "outcome",
  "parameter",
  "runtime",
  "package",
  "toolchain",
  "policy",
] as const;

/** What a change is a change of. */
export type ChangeKind = typeof CHANGE_KINDS[number];

/** One difference between two runs. */
export interface Change {
  /** What it is a change of. */
  readonly kind: ChangeKind;
  /** Which one: a file's name, a parameter, a runtime, a package, a part of the toolchain. */
  readonly name: string;
  /** How it differs, seen from the first run. */
  readonly change: "added" | "removed" | "changed";
  /** What the first run has: a digest, a version, a value; null where it has none. */
  readonly before: string | null;
  /** What the second run has. */
  readonly after: string | null;
  /** For an added file with the content of a removed one: its name in the first run. */
  readonly renamed_from?: string;
  /** For a removed file with the content of an added one: its name in the second run. */
  readonly renamed_to?: string;
  /** For a changed input that runs made: these runs, each null where it is not known. */
  readonly made_by?: { readonly before: string | null; readonly after: string | null };
}

/** A named value of one run. */
interface Value {
  readonly name: string;
  /** What is shown of it. */
  readonly shown: string;
  /** Everything of it; it is shown where two values would look alike. */
  readonly whole: string;
}

/** Named values of one run, sorted by name; made one at a time, since there may be a million. */
type Values = Iterable<Value>;

/**
 * Lists the differences between two runs. The list is empty exactly when their evidence digests are
 * equal; a policy that differs is reported only together with a difference that it may explain.
 *
 * @param before A run that verifies
 * @param after Another
 * @returns The changes, by kind and then by name
 *
 * @example Describe the changes; the example of the module makes the runs
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
  return CHANGE_KINDS.flatMap((kind) => {
    if (kind === "package") {
      return diffPackages(before.documents["toolchain.json"], after.documents["toolchain.json"]);
    }
    const changes = diffValues(kind, VALUES_OF[kind](before), VALUES_OF[kind](after));
    return kind === "input" || kind === "product" ? nameRenames(changes) : changes;
  });
}

/**
 * Joins removed and added files of one content, where there is one of each, or one of each with the
 * same last part of their names: of several equal files, nobody can tell which became which.
 */
function nameRenames(changes: readonly Change[]): readonly Change[] {
  const partners = new Map<Change, Change>();
  const keys: readonly ((change: Change) => string)[] = [
    ({ before, after }) => before ?? after ?? "",
    ({ before, after, name }) =>
      `${before ?? after ?? ""}/${name.slice(name.lastIndexOf("/") + 1)}`,
  ];
  for (const keyOf of keys) {
    const open = changes.filter((change) => change.change !== "changed" && !partners.has(change));
    for (const group of Map.groupBy(open, keyOf).values()) {
      const [one, other, ...more] = group;
      if (one === undefined || other === undefined || more.length > 0) continue;
      if (one.change !== other.change) partners.set(one, other).set(other, one);
    }
  }
  return changes.map((change) => {
    const other = partners.get(change);
    if (other === undefined) return change;
    return change.change === "added"
      ? { ...change, renamed_from: other.name }
      : { ...change, renamed_to: other.name };
  });
}

/**
 * Names the runs that made changed inputs: where one run took in what another made otherwise, that one
 * is the cause.
 *
 * @param changes As {@linkcode diffRuns} returns them
 * @param lineage Runs that verify, the two compared ones among them
 * @param paths What these are called there
 * @returns The changes, with `made_by` where a run made one of the contents
 */
export function nameUpstreamRuns(
  changes: readonly Change[],
  lineage: Lineage,
  paths: { readonly before: string; readonly after: string },
): readonly Change[] {
  const [before, after] = [paths.before, paths.after].map((path) => listMakers(lineage, path));
  return changes.map((change) => {
    if (change.kind !== "input") return change;
    const [x = null, y = null] = [before?.get(change.name), after?.get(change.name)];
    return x === null && y === null ? change : { ...change, made_by: { before: x, after: y } };
  });
}

/** For each input of a run that another made, the newest such run. */
function listMakers(lineage: Lineage, path: string): Map<string, string> {
  const makers = new Map<string, string>();
  const run = lineage.runs.findIndex((record) => record.run === path);
  if (run < 0) return makers;
  for (const { file, madeBy } of lineage.listInputs(run)) {
    const maker = lineage.runs[madeBy.at(-1) ?? -1]?.run;
    if (maker !== undefined) makers.set(file.name, maker);
  }
  return makers;
}

const VALUES_OF: Readonly<Record<Exclude<ChangeKind, "package">, (run: Run) => Values>> = {
  input: ({ documents }) =>
    listFiles(documents["provenance.json"].predicate.buildDefinition.resolvedDependencies),
  product: ({ documents }) => listFiles(listProducts(documents["provenance.json"])),
  outcome: listOutcome,
  parameter: listParameters,
  runtime: ({ documents }) => listRuntimes(documents["toolchain.json"]),
  toolchain: ({ documents }) => listTools(documents["toolchain.json"]),
  policy: listPolicy,
};

/**
 * Says in which runtimes and packages two toolchains differ.
 *
 * @param before The first one
 * @param after The other one
 * @returns Changes of the kinds `runtime` and `package`, sorted by kind and name
 */
export function diffRuntimes(
  before: Pick<Toolchain, "runtimes">,
  after: Pick<Toolchain, "runtimes">,
): readonly Change[] {
  return [
    ...diffValues("runtime", listRuntimes(before), listRuntimes(after)),
    ...diffPackages(before, after),
  ];
}

/** What one side does not tell is neither added nor removed; that it is not told, the runtime says. */
function diffPackages(
  before: Pick<Toolchain, "runtimes">,
  after: Pick<Toolchain, "runtimes">,
): readonly Change[] {
  const all = [...before.runtimes ?? [], ...after.runtimes ?? []];
  const untold = new Set(all.filter(({ packages }) => packages === null).map(({ name }) => name));
  const listTold = ({ runtimes = [] }: Pick<Toolchain, "runtimes">): Values =>
    listPackages(runtimes.filter(({ name }) => !untold.has(name)));
  return diffValues("package", listTold(before), listTold(after));
}

/** Walks over both at once, since both are sorted. */
function diffValues(kind: ChangeKind, before: Values, after: Values): Change[] {
  const changes: Change[] = [];
  const [left, right] = [before[Symbol.iterator](), after[Symbol.iterator]()];
  let [x, y] = [next(left), next(right)];
  while (x !== null || y !== null) {
    const order = x === null ? 1 : y === null ? -1 : compareUtf8(x.name, y.name);
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
  if (x?.whole === y?.whole) return null;
  const name = x?.name ?? y?.name ?? "";
  if (x === null || y === null) {
    const change = x === null ? "added" : "removed";
    return { kind, name, change, before: x?.shown ?? null, after: y?.shown ?? null };
  }
  const [before, after] = x.shown === y.shown ? [x.whole, y.whole] : [x.shown, y.shown];
  return { kind, name, change: "changed", before, after };
}

function toValue(name: string, shown: string, whole = shown): Value {
  return { name, shown, whole };
}

function sortByName(values: readonly Value[]): Values {
  return values.toSorted((a, b) => compareUtf8(a.name, b.name));
}

function* listFiles(files: readonly FileDescriptor[]): Values {
  for (const { name, digest, annotations } of files) {
    const content = nameContent(annotations.kind, digest.sha256);
    yield toValue(name, content, `${content}, ${annotations.size} bytes`);
  }
}

function listOutcome({ documents }: Run): Values {
  const { byproducts } = documents["provenance.json"].predicate.runDetails;
  const end = parseCommandEnd(byproducts?.[0].content ?? "");
  if (end === null) return [];
  const { exitCode, signal } = end;
  if (exitCode === null) return [toValue("command", "not observed")];
  return [toValue("command", `exit code ${exitCode}${signal === null ? "" : ` by ${signal}`}`)];
}

function listParameters({ documents }: Run): Values {
  const parameters: ExternalParameters =
    documents["provenance.json"].predicate.buildDefinition.externalParameters;
  const { command, links, products, shard } = parameters;
  return sortByName([
    ...parameters.inputs.map((path) => toValue(`input ${path}`, "given")),
    ...[...new Set(parameters.exclude)].map((glob) => toValue(`exclude ${glob}`, "given")),
    ...listOrder(parameters.exclude),
    ...(links === undefined ? [] : [toValue("links", links)]),
    ...(products ?? []).map((path) => toValue(`product ${path}`, "given")),
    ...(command === undefined ? [] : [toValue("command", JSON.stringify(command.argv))]),
    ...(command?.redacted ?? []).map((n) => toValue(`redacted argument ${n}`, "given")),
    ...(command?.env ?? []).map((name) => toValue(`env ${name}`, "set")),
    ...listStdin(command?.stdin),
    ...(shard === undefined ? [] : [toValue("shard", formatShard(shard))]),
  ]);
}

function listStdin(stdin: RecordedStdin | undefined): Value[] {
  if (stdin === undefined) return [];
  const { sha256, size } = stdin;
  return [toValue("standard input", `sha256:${sha256}`, `sha256:${sha256}, ${size} bytes`)];
}

/** Where the order of the globs counts, it is a value by itself. */
function listOrder(exclude: readonly string[]): Value[] {
  return isOrderFree(exclude) ? [] : [toValue("order of exclude", JSON.stringify(exclude))];
}

function listRuntimes({ runtimes = [] }: Pick<Toolchain, "runtimes">): Values {
  return joinByName(
    runtimes.map((runtime) =>
      toValue(runtime.name, showVersion(runtime), describeRuntime(runtime))
    ),
  );
}

function describeRuntime(runtime: RecordedRuntime): string {
  const { implementation, sha256, packages, packages_omitted } = runtime;
  const state = packages_omitted === true
    ? ["packages left out"]
    : packages === null
    ? ["packages unknown"]
    : [];
  const parts = [implementation ?? "implementation unknown", `sha256:${sha256}`, ...state];
  return `${showVersion(runtime)} (${parts.join(", ")})`;
}

function showVersion({ version }: RecordedRuntime | RecordedPackage): string {
  return version ?? "unknown version";
}

/** A package is named by itself, and after its runtime where others have one of that name. */
function listPackages(runtimes: readonly RecordedRuntime[]): Values {
  const owners = new Map<string, Set<string>>();
  for (const { name: runtime, packages } of runtimes) {
    for (const { name } of packages ?? []) {
      owners.set(name, (owners.get(name) ?? new Set()).add(runtime));
    }
  }
  return joinByName(
    runtimes.flatMap(({ name: runtime, packages }) =>
      (packages ?? []).map((entry) =>
        toValue(
          (owners.get(entry.name)?.size ?? 0) > 1 ? `${runtime} ${entry.name}` : entry.name,
          showVersion(entry),
          describePackage(entry, runtime),
        )
      )
    ),
  );
}

function describePackage(entry: RecordedPackage, runtime: string): string {
  const { name: _, version: __, sha256, integrity, manager, source = {}, editable } = entry;
  // A record has them in the order of their names; what was just read need not.
  const origin = Object.entries(source).sort(([a], [b]) => a < b ? -1 : 1);
  const parts = [
    `of ${runtime}`,
    ...(manager === undefined ? [] : [`by ${manager}`]),
    ...(sha256 === undefined ? [] : [`sha256:${sha256}`]),
    ...(integrity === undefined ? [] : [integrity]),
    ...origin.map(([, part]) => `from ${part}`),
    ...(editable === undefined ? [] : ["editable"]),
  ];
  return `${showVersion(entry)} (${parts.join(", ")})`;
}

/** Several of one name, such as two versions of a package, are one value; the same is said once. */
function joinByName(values: readonly Value[]): Values {
  const groups = Map.groupBy(values, ({ name }) => name);
  return sortByName([...groups].map(([name, members]) =>
    toValue(
      name,
      [...new Set(members.map(({ shown }) => shown))].join(", "),
      [...new Set(members.map(({ whole }) => whole))].join(", "),
    )
  ));
}

function listTools(toolchain: Toolchain): Values {
  const { lockfile, tools = [], runtimes: _, schema: __, ...parts } = toolchain;
  return joinByName([
    ...Object.entries(parts).map(([name, value]) => toValue(name, String(value))),
    toValue("lockfile", `sha256:${lockfile.sha256}`),
    ...lockfile.packages.map(({ name, version, integrity }) =>
      toValue(`package ${name}`, `${version} (${integrity})`)
    ),
    ...tools.map(({ name, sha256 }) => toValue(`tool ${name}`, `sha256:${sha256}`)),
  ]);
}

function listPolicy({ documents }: Run): Values {
  const { policy, runtime_policy } = documents["run_summary.json"];
  return joinByName([
    ...runtime_policy.map(({ runtime, range }) => toValue(`${runtime} range`, range)),
    ...(policy === null ? [] : [toValue(policy.path, `sha256:${policy.sha256}`)]),
  ]);
}

/**
 * Compares the tools, runtimes and packages of runs with those of newer runs, by the evidence alone. A
 * tool is identified by the name that commands use, a runtime by its own name and the names of its
 * tools. Where the newest run found the same as an older one, two environments are in use, and neither
 * counts as outdated.
 *
 * @param lineage Runs that verify
 * @returns Returns what changed since a run
 *
 * @example Nothing was run, and so nothing changed
 * ```ts
 * import { compareEnvironments, Lineage } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(compareEnvironments(new Lineage())(0), []);
 * ```
 */
export function compareEnvironments(
  lineage: Lineage,
): (run: number) => readonly EnvironmentCause[] {
  const sightings = new Map<string, Sighting>();
  const partsOf = rememberParts();
  for (const run of lineage.order) {
    for (const part of partsOf(lineage.runs[run])) note(sightings, part, run);
  }
  const answers = new Map<number, readonly EnvironmentCause[]>();
  return (run) => {
    const known = answers.get(run);
    if (known !== undefined) return known;
    const causes = partsOf(lineage.runs[run]).flatMap((part) => {
      const seen = sightings.get(part.key);
      const newest = seen?.newest;
      if (newest === undefined || newest.value === part.value) return [];
      const first = seen?.firstSeen.get(newest.value) ?? run;
      return lineage.isBefore(run, first) ? compareParts(part, newest) : [];
    });
    answers.set(run, causes);
    return causes;
  };
}

/** What changed in the environment of a run. */
export interface EnvironmentCause extends Cause {
  /**
   * The digest of the runtime that it belongs to, as the run records it; null for a tool that is no
   * runtime.
   */
  readonly runtime: string | null;
}

/** A tool or a runtime of a run. */
interface Part {
  /** What it is known by from run to run. */
  readonly key: string;
  /** Everything that is recorded of it. */
  readonly value: string;
  /** What it is a cause as. */
  readonly cause: Cause;
  /** The runtime, with its packages; null where it is a mere tool. */
  readonly runtime: RecordedRuntime | null;
}

/** What runs found under one key. */
interface Sighting {
  /** What the newest of them found. */
  newest: Part;
  /** The first run that found each value. */
  readonly firstSeen: Map<string, number>;
}

/** Thousands of runs share one toolchain, with hundreds of packages: each is taken apart once. */
function rememberParts(): (record: RunRecord | undefined) => readonly Part[] {
  const known = new Map<RunRecord["toolchain"], readonly Part[]>();
  return (record) => {
    if (record === undefined) return [];
    const parts = known.get(record.toolchain) ?? listParts(record.toolchain);
    known.set(record.toolchain, parts);
    return parts;
  };
}

function listParts({ tools = [], runtimes = [] }: RunRecord["toolchain"]): Part[] {
  const own = new Set(runtimes.map(({ sha256 }) => sha256));
  return [
    ...tools.filter(({ sha256 }) => !own.has(sha256)).map(({ name, sha256 }): Part => ({
      key: `tool\0${name}`,
      value: sha256,
      cause: { kind: "tool", name },
      runtime: null,
    })),
    ...runtimes.map((runtime): Part => ({
      key: ["runtime", runtime.name, ...nameProgram(runtime, tools)].join("\0"),
      value: renderCanonicalJson(runtime),
      cause: { kind: "runtime", name: runtime.name },
      runtime,
    })),
  ];
}

/** The tools that a runtime is; behind shims, where none has its digest, all of them. */
function nameProgram({ sha256 }: RecordedRuntime, tools: readonly RecordedTool[]): string[] {
  const same = tools.filter((tool) => tool.sha256 === sha256);
  return (same.length > 0 ? same : tools).map(({ name }) => name);
}

function note(sightings: Map<string, Sighting>, part: Part, run: number): void {
  const seen = sightings.get(part.key);
  if (seen === undefined) {
    sightings.set(part.key, { newest: part, firstSeen: new Map([[part.value, run]]) });
    return;
  }
  seen.newest = part;
  if (!seen.firstSeen.has(part.value)) seen.firstSeen.set(part.value, run);
}

function compareParts({ runtime, cause }: Part, newest: Part): readonly EnvironmentCause[] {
  return runtime === null || newest.runtime === null
    ? [{ ...cause, runtime: null }]
    : compareRuntime(runtime, newest.runtime)
      .map((change) => ({ ...change, runtime: runtime.sha256 }));
}

/**
 * Holds a runtime with its packages against what was recorded of it.
 *
 * @param recorded What a run records
 * @param found What is there
 * @returns The runtime itself, and every package that is there otherwise, only then or only now. Where
 * the packages of one are not known, they are not compared
 */
export function compareRuntime(recorded: RecordedRuntime, found: RecordedRuntime): Cause[] {
  const isKnown = recorded.packages !== null && found.packages !== null;
  const [before, after] = [recorded, found].map(({ packages_omitted: _, ...runtime }) =>
    isKnown ? runtime : { ...runtime, packages: null }
  );
  return diffRuntimes(
    { runtimes: before === undefined ? [] : [before] },
    { runtimes: after === undefined ? [] : [after] },
  ).map(({ kind, name }): Cause => ({ kind: kind === "package" ? "package" : "runtime", name }));
}

/**
 * Holds the tools at hand against those that a run's command used.
 *
 * @param recorded What the run records
 * @param found The tools at hand, each name once
 * @returns What changed; a tool that is a runtime is named as one
 */
export function compareTools(
  { tools = [], runtimes = [] }: RunRecord["toolchain"],
  found: readonly RecordedTool[],
): Cause[] {
  const now = new Map(found.map(({ name, sha256 }) => [name, sha256]));
  const known = new Set(tools.map(({ name }) => name));
  const changed = tools.filter(({ name, sha256 }) => now.get(name) !== sha256);
  const causes = changed.map(({ name, sha256 }): Cause => {
    const runtime = runtimes.find((candidate) => candidate.sha256 === sha256);
    return runtime === undefined ? { kind: "tool", name } : { kind: "runtime", name: runtime.name };
  });
  const added = found.filter(({ name }) => !known.has(name));
  return [...causes, ...added.map(({ name }): Cause => ({ kind: "tool", name }))];
}
