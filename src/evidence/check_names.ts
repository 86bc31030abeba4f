import { type Finding, KprovError, makeFinding } from "../base/error.ts";
import { parseIgnorePattern } from "../base/glob.ts";
import { quote } from "../base/quote.ts";
import { compareUtf8 } from "../base/text.ts";
import { hasFailed, parseCommandEnd } from "./command.ts";
import {
  digestInputs,
  type ExternalParameters,
  type FileDescriptor,
  formatShard,
  isFile,
  isInShard,
  isOrderFree,
  listProducts,
  type Provenance,
  type Shard,
} from "./provenance.ts";
import type { Run } from "./documents.ts";
import { keyOfCheck } from "./run_summary.ts";
import { keyOf, type RecordedTool, type Toolchain } from "./toolchain.ts";

/** Words with a point or a slash between each two, as most names are: nothing is wrong with these. */
const PLAIN_NAME = /^[\w-]+(?:[./][\w-]+)*$/;

/**
 * Says why a text cannot be the name of an input or a product. A name is a path relative to the root,
 * in POSIX form, that means the same on every machine.
 *
 * @param name The candidate
 * @returns The reason, to be read after "it", or null where the name is valid
 *
 * @example
 * ```ts
 * import { describeNameFault } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(describeNameFault("data/input.csv"), null);
 * assertEquals(describeNameFault("../input.csv"), 'has a part ".."');
 * ```
 */
export function describeNameFault(name: string): string | null {
  if (PLAIN_NAME.test(name)) return null;
  if (name === "") return "is empty";
  if (!name.isWellFormed()) return "holds a lone surrogate";
  if (name.includes("\0")) return "holds a NUL character";
  if (name.includes("\uFFFD")) return "is not valid UTF-8, or holds U+FFFD, which stands for that";
  if (name.includes("\\")) return "holds a backslash, which separates folders on other systems";
  if (name.startsWith("/")) return "is absolute";
  for (const part of name.split("/")) {
    if (part === "") return "has an empty part";
    if (part === "." || part === "..") return `has a part "${part}"`;
  }
  return null;
}

/**
 * Says why a text cannot be the name of an environment variable (POSIX.1-2024, 8.1).
 *
 * @param name The candidate
 * @returns The reason, to be read after "it", or null where the name is valid
 */
export function describeVariableFault(name: string): string | null {
  if (name === "") return "is empty";
  if (!name.isWellFormed() || name.includes("\uFFFD")) return "is not valid Unicode";
  if (name.includes("\0")) return "holds a NUL character";
  return name.includes("=") ? 'holds "=", which ends a name' : null;
}

/**
 * Checks what the lists of a run say to each other: sorted and distinct, every input that was given
 * has a file and every file an input, every product lies in a path that was given, and the subject is
 * what it must be. In a shard every file is one of the shard, and the files of an input may all be in
 * others.
 *
 * @param run The run
 * @returns Findings `names.unsorted`, `names.duplicate`, `names.below_file`, `names.uncovered`,
 * `names.other_shard`, `exclude.malformed` and `subject.mismatch`
 */
export function checkNames({ documents }: Run): Finding[] {
  const provenance = documents["provenance.json"];
  const { externalParameters, resolvedDependencies } = provenance.predicate.buildDefinition;
  const names = resolvedDependencies.map(({ name }) => name);
  const { runtime_policy } = documents["run_summary.json"];
  return [
    ...listOrders(provenance).flatMap(([pointer, list]) =>
      checkOrder("provenance.json", pointer, list)
    ),
    ...listToolchainOrders(documents["toolchain.json"]).flatMap(([pointer, list]) =>
      checkOrder("toolchain.json", pointer, list)
    ),
    ...checkOrder("run_summary.json", "/runtime_policy", runtime_policy.map(keyOfCheck)),
    ...checkTree("/predicate/buildDefinition/resolvedDependencies", names),
    ...checkTree("the products", listProducts(provenance).map(({ name }) => name)),
    ...checkGlobs(externalParameters.exclude),
    ...checkCoverage(externalParameters, names),
    ...checkShard(externalParameters.shard ?? null, names),
    ...checkProducts(provenance),
    ...checkSubject(provenance),
  ];
}

/** The lists of which a run is to be made, in any order. */
interface RecordedLists extends Pick<ExternalParameters, "inputs" | "exclude"> {
  /** The names of the inputs' files. */
  readonly names: readonly string[];
  /** The programs that the command uses; the same one may stand there twice. */
  readonly tools: readonly RecordedTool[];
}

/**
 * Checks lists that somebody may have changed since kprov made them, so that the run made of them
 * verifies.
 *
 * @param lists The lists
 * @returns Findings as {@linkcode checkNames} gives them
 */
export function checkLists({ inputs, exclude, names, tools }: RecordedLists): Finding[] {
  const sorted = names.toSorted(compareUtf8);
  const programs = new Map(tools.map(({ name, sha256 }) => [`${name}\0${sha256}`, name]));
  return [
    ...checkOrder("the state", "inputs", inputs.toSorted(compareUtf8)),
    ...checkOrder("the state", "materials", sorted),
    ...checkOrder("the state", "tools", [...programs.values()].sort(compareUtf8)),
    ...checkTree("materials", sorted),
    ...checkGlobs(exclude),
    ...checkCoverage({ inputs, exclude }, sorted),
  ];
}

/** A name below a file or a link cannot be: what is one is no directory. */
function checkTree(pointer: string, sorted: readonly string[]): Finding[] {
  let before = "";
  for (const name of sorted) {
    for (let i = name.indexOf("/"); i >= 0; i = name.indexOf("/", i + 1)) {
      // What the name before lies in as well was looked at then.
      if (before.startsWith(name.slice(0, i + 1)) || !isIn(sorted, name.slice(0, i))) continue;
      const message = `${pointer} names ${quote(name)} below ${quote(name.slice(0, i))}, a file`;
      return [makeFinding("names.below_file", message, { path: "provenance.json" })];
    }
    before = name;
  }
  return [];
}

function isIn(sorted: readonly string[], name: string): boolean {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareUtf8(sorted[middle] ?? "", name) < 0) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === name;
}

function checkGlobs(exclude: readonly string[]): Finding[] {
  for (const glob of exclude) {
    try {
      parseIgnorePattern(glob);
    } catch (error) {
      if (!(error instanceof KprovError)) throw error;
      const message = `the exclusion ${quote(glob)} cannot be used: ${error.message}`;
      return [makeFinding("exclude.malformed", message, { path: "provenance.json" })];
    }
  }
  return [];
}

/** A list with its place in a document. */
type OrderedList = readonly [pointer: string, keys: readonly string[]];

function listOrders({ subject, predicate }: Provenance): OrderedList[] {
  const { externalParameters, resolvedDependencies } = predicate.buildDefinition;
  const { inputs, exclude, products = [], command } = externalParameters;
  const [, ...left] = predicate.runDetails.byproducts ?? [null];
  const parameters = "/predicate/buildDefinition/externalParameters";
  return [
    ["/subject", subject.map(({ name }) => name)],
    ["/predicate/buildDefinition/resolvedDependencies", listNames(resolvedDependencies)],
    ["/predicate/runDetails/byproducts", listNames(left)],
    [`${parameters}/inputs`, inputs],
    [`${parameters}/exclude`, isOrderFree(exclude) ? exclude : []],
    [`${parameters}/products`, products],
    [`${parameters}/command/env`, command?.env ?? []],
  ];
}

function listNames(files: readonly FileDescriptor[]): string[] {
  return files.map(({ name }) => name);
}

/** What stands behind a NUL character tells items of one name apart; a message shows the name. */
function listToolchainOrders({ lockfile, tools = [], runtimes = [] }: Toolchain): OrderedList[] {
  return [
    ["/lockfile/packages", lockfile.packages.map(({ name, version }) => `${name}\0${version}`)],
    ["/tools", tools.map(({ name }) => name)],
    ["/runtimes", runtimes.map(keyOf)],
    ...runtimes.map(({ packages }, i): OrderedList => [
      `/runtimes/${i}/packages`,
      (packages ?? []).map(keyOf),
    ]),
  ];
}

function checkOrder(path: string, pointer: string, names: readonly string[]): Finding[] {
  for (const [i, name] of names.entries()) {
    const previous = names[i - 1];
    if (previous === undefined) continue;
    const order = compareUtf8(previous, name);
    if (order < 0) continue;
    const shown = quote(name.split("\0", 1)[0] ?? "");
    return [
      order === 0
        ? makeFinding("names.duplicate", `${pointer} names ${shown} twice`, { path })
        : makeFinding("names.unsorted", `${pointer} is not sorted: ${shown} is out of place`, {
          path,
        }),
    ];
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
    ...(stray === undefined ? [] : [uncovered(`${quote(stray)} is in none of the given inputs`)]),
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
  const [first] = listUnused(new Set(given), names);
  return first ?? null;
}

/**
 * Finds the inputs that have no file.
 *
 * @param given Inputs that were given, normalised; one may lie in another that leaves it out
 * @param names The names of the files
 */
export function listUnused(
  given: ReadonlySet<string>,
  names: Iterable<string>,
): ReadonlySet<string> {
  const unused = new Set(given);
  for (const name of names) {
    if (unused.size === 0) break;
    unused.delete(".");
    for (let i = name.indexOf("/"); i >= 0; i = name.indexOf("/", i + 1)) {
      unused.delete(name.slice(0, i));
    }
    unused.delete(name);
  }
  return unused;
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

/** A product that the command did not make has no file, so only this direction is checked. */
function checkProducts(provenance: Provenance): Finding[] {
  const { products = [] } = provenance.predicate.buildDefinition.externalParameters;
  const given = new Set(products);
  const stray = listProducts(provenance).find(({ name }) => findCovering(name, given) === null);
  return stray === undefined
    ? []
    : [uncovered(`${quote(stray.name)} is in none of the given products`)];
}

/**
 * The subject is the products of a command that has not failed, and else the inputs as one artifact;
 * only a failed command has products among the byproducts.
 */
function checkSubject({ subject, predicate }: Provenance): Finding[] {
  const { resolvedDependencies } = predicate.buildDefinition;
  const { byproducts } = predicate.runDetails;
  const end = parseCommandEnd(byproducts?.[0].content ?? "");
  const isFailed = end !== null && hasFailed(end);
  if (subject.some(isFile)) {
    if (!subject.every(isFile)) return [mismatched("it names both files and the inputs as one")];
    if (byproducts === undefined) return [mismatched("the run has no command that made files")];
    return isFailed ? [mismatched("the command failed, so the subject must be the inputs")] : [];
  }
  if (!isFailed && byproducts !== undefined && byproducts.length > 1) {
    return [mismatched("the command has not failed, so its products must be the subject")];
  }
  const [inputs, ...more] = subject;
  const { sha256, dirHash } = digestInputs(resolvedDependencies.values().map(toDigested));
  const isRight = more.length === 0 && inputs?.digest.sha256 === sha256 &&
    !isFile(inputs) && inputs.digest.dirHash === dirHash;
  return isRight ? [] : [
    mismatched(`the run has no products, so it must be the inputs, with the digest ${sha256}`),
  ];
}

function toDigested(
  { name, digest, annotations }: FileDescriptor,
): { name: string; kind: FileDescriptor["annotations"]["kind"]; sha256: string } {
  return { name, kind: annotations.kind, sha256: digest.sha256 };
}

function mismatched(message: string): Finding {
  return makeFinding("subject.mismatch", message, { path: "provenance.json" });
}
