import { type Finding, makeFinding } from "../base/finding.ts";
import { quote } from "../base/quote.ts";
import { compareUtf8 } from "../base/utf8_order.ts";
import type { ExternalParameters } from "./provenance.ts";
import type { Run } from "./run.ts";
import { formatShard, isInShard, type Shard } from "./shard.ts";

/**
 * Checks what the lists of a run say to each other: sorted and distinct, every input that was given
 * has a file and every file an input, and the subject is the inputs where there are no products. In a
 * shard every file is one of the shard, and the files of an input may all be in others.
 *
 * @param run The run
 * @returns Findings `names.unsorted`, `names.duplicate`, `names.uncovered`, `names.other_shard` and
 * `subject.mismatch`
 */
export function checkNames({ documents, digests }: Run): Finding[] {
  const provenance = documents["provenance.json"];
  const { externalParameters, resolvedDependencies } = provenance.predicate.buildDefinition;
  const names = resolvedDependencies.map(({ name }) => name);
  const { lockfile, tools = [] } = documents["toolchain.json"];
  const inProvenance: readonly (readonly [string, readonly string[]])[] = [
    ["/subject", provenance.subject.map(({ name }) => name)],
    ["/predicate/buildDefinition/resolvedDependencies", names],
    ["/predicate/buildDefinition/externalParameters/inputs", externalParameters.inputs],
    ["/predicate/buildDefinition/externalParameters/exclude", externalParameters.exclude],
    ["/predicate/buildDefinition/externalParameters/products", externalParameters.products ?? []],
    [
      "/predicate/buildDefinition/externalParameters/command/env",
      externalParameters.command?.env ?? [],
    ],
  ];
  return [
    ...inProvenance.flatMap(([pointer, list]) => checkOrder("provenance.json", pointer, list)),
    ...checkOrder(
      "toolchain.json",
      "/lockfile/packages",
      lockfile.packages.map(({ name, version }) => `${name}\0${version}`),
    ),
    ...checkOrder("toolchain.json", "/tools", tools.map(({ name }) => name)),
    ...checkCoverage(externalParameters, names),
    ...checkShard(externalParameters.shard ?? null, names),
    ...checkSubject({ documents, digests }),
  ];
}

function checkOrder(path: string, pointer: string, names: readonly string[]): Finding[] {
  for (const [i, name] of names.entries()) {
    const previous = names[i - 1];
    if (previous === undefined) continue;
    const order = compareUtf8(previous, name);
    if (order === 0) {
      return [makeFinding("names.duplicate", `${pointer} names ${quote(name)} twice`, { path })];
    }
    if (order > 0) {
      return [
        makeFinding("names.unsorted", `${pointer} is not sorted: ${quote(name)} is out of place`, {
          path,
        }),
      ];
    }
  }
  return [];
}

/**
 * Finds the path that was given among a name and the directories above it.
 *
 * @param name A name
 * @param given Paths that were given, normalised
 * @returns That path, or null where the name lies in none of them
 */
export function findCovering(name: string, given: ReadonlySet<string>): string | null {
  if (given.has(".")) return ".";
  for (let i = name.indexOf("/"); i >= 0; i = name.indexOf("/", i + 1)) {
    if (given.has(name.slice(0, i))) return name.slice(0, i);
  }
  return given.has(name) ? name : null;
}

/** Every input that was given must have a file, and every file must lie in an input that was given. */
function checkCoverage(
  { inputs, shard }: ExternalParameters,
  names: readonly string[],
): Finding[] {
  const given = new Set(inputs);
  const stray = names.find((name) => findCovering(name, given) === null);
  const unused = shard === undefined ? findUnused(inputs, names) : null;
  return [
    ...(stray === undefined ? [] : [uncovered(`${quote(stray)} lies in no input that was given`)]),
    ...(unused === null ? [] : [uncovered(`the input ${quote(unused)} has no file`)]),
  ];
}

/**
 * Finds an input that was given and has no file.
 *
 * @param given The inputs that were given, normalised
 * @param names The names of the files
 * @returns The first such input, or null where each has one
 */
export function findUnused(given: readonly string[], names: Iterable<string>): string | null {
  const unused = new Set(given);
  const paths = new Set(given);
  for (const name of names) {
    if (unused.size === 0) return null;
    const covering = findCovering(name, paths);
    if (covering !== null) unused.delete(covering);
  }
  return [...unused][0] ?? null;
}

function checkShard(shard: Shard | null, names: readonly string[]): Finding[] {
  if (shard === null) return [];
  const stray = names.find((name) => !isInShard(name, shard));
  if (stray === undefined) return [];
  return [
    makeFinding(
      "names.other_shard",
      `${quote(stray)} does not belong to shard ${formatShard(shard)}`,
      { path: "provenance.json" },
    ),
  ];
}

function uncovered(message: string): Finding {
  return makeFinding("names.uncovered", message, { path: "provenance.json" });
}

function checkSubject({ documents }: Run): Finding[] {
  const { subject, predicate } = documents["provenance.json"];
  const { externalParameters, resolvedDependencies } = predicate.buildDefinition;
  if (documents["run_summary.json"].products.count > 0) {
    // A product that the command did not make has no file, so only the other direction is checked.
    const products = new Set(externalParameters.products ?? []);
    const stray = subject.find(({ name }) => findCovering(name, products) === null);
    return stray === undefined
      ? []
      : [uncovered(`${quote(stray.name)} lies in no product that was given`)];
  }
  const differs = subject.length !== resolvedDependencies.length ||
    subject.some(({ name, digest }, i) =>
      resolvedDependencies[i]?.name !== name ||
      resolvedDependencies[i]?.digest.sha256 !== digest.sha256
    );
  return differs
    ? [
      makeFinding(
        "subject.mismatch",
        "the run has no products, so its subject must be its inputs",
        { path: "provenance.json" },
      ),
    ]
    : [];
}
