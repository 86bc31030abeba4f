import { type Finding, KprovError, makeFinding } from "../base/error.ts";
import { parseIgnorePattern } from "../base/glob.ts";
import { quote } from "../base/quote.ts";
import { compareUtf8 } from "../base/text.ts";
import { hasFailed, parseCommandEnd } from "./command.ts";
import {
  digestInputs,
  type ExternalParameters,
  findCovering,
  findUnused,
  formatShard,
  isFile,
  isInShard,
  isOrderFree,
  listProducts,
  type Provenance,
  type Shard,
  toRecordedFile,
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
 * Checks what the lists of a run say to each other: sorted and distinct, every input that was given
 * has a file and every file an input, every product lies in a path that was given, and the subject is
 * what it must be. In a shard every file is one of the shard, and the files of an input may all be in
 * others.
 */
export function checkNames({ documents }: Run): Finding[] {
  const provenance = documents["provenance.json"];
  const { externalParameters, resolvedDependencies } = provenance.predicate.buildDefinition;
  const names = listNames(resolvedDependencies);
  const products = listNames(listProducts(provenance));
  const { runtime_policy } = documents["run_summary.json"];
  return [
    ...checkOrders("provenance.json", listOrders(provenance)),
    ...checkOrders("toolchain.json", listToolchainOrders(documents["toolchain.json"])),
    ...checkOrder("run_summary.json", "/runtime_policy", runtime_policy.map(keyOfCheck)),
    ...checkTree("/predicate/buildDefinition/resolvedDependencies", names),
    ...checkTree("the products", products),
    ...checkGlobs(externalParameters.exclude),
    ...checkCoverage(externalParameters, names),
    ...checkShard(externalParameters.shard ?? null, names),
    // A product that the command did not make has no file, so only this direction is checked.
    ...checkCovered(products, externalParameters.products ?? [], "products"),
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

/** Checks lists that somebody may have changed since kprov made them, as {@linkcode checkNames} does. */
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
      return [findFault("names.below_file", message)];
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
      return [findFault("exclude.malformed", message)];
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
    ["/subject", listNames(subject)],
    ["/predicate/buildDefinition/resolvedDependencies", listNames(resolvedDependencies)],
    ["/predicate/runDetails/byproducts", listNames(left)],
    [`${parameters}/inputs`, inputs],
    [`${parameters}/exclude`, isOrderFree(exclude) ? exclude : []],
    [`${parameters}/products`, products],
    [`${parameters}/command/env`, command?.env ?? []],
  ];
}

/** What stands behind a NUL character tells items of one name apart; a message shows the name. */
function listToolchainOrders({ lockfile, tools = [], runtimes = [] }: Toolchain): OrderedList[] {
  return [
    ["/lockfile/packages", lockfile.packages.map(({ name, version }) => `${name}\0${version}`)],
    ["/tools", listNames(tools)],
    ["/runtimes", runtimes.map(keyOf)],
    ...runtimes.map(({ packages }, i): OrderedList => [
      `/runtimes/${i}/packages`,
      (packages ?? []).map(keyOf),
    ]),
  ];
}

function checkOrders(path: string, lists: readonly OrderedList[]): Finding[] {
  return lists.flatMap(([pointer, names]) => checkOrder(path, pointer, names));
}

function checkOrder(path: string, pointer: string, names: readonly string[]): Finding[] {
  for (const [i, name] of names.slice(1).entries()) {
    const order = compareUtf8(names[i] ?? "", name);
    if (order < 0) continue;
    const shown = quote(name.split("\0", 1)[0] ?? "");
    if (order === 0) {
      return [makeFinding("names.duplicate", `${pointer} names ${shown} twice`, { path })];
    }
    const message = `${pointer} is not sorted: ${shown} is out of place`;
    return [makeFinding("names.unsorted", message, { path })];
  }
  return [];
}

/** Every input that was given must have a file, and every file must lie in an input that was given. */
function checkCoverage({ inputs, shard }: ExternalParameters, names: readonly string[]): Finding[] {
  const unused = shard === undefined ? findUnused(inputs, names) : null;
  const findings = checkCovered(names, inputs, "inputs");
  if (unused === null) return findings;
  return [...findings, findFault("names.uncovered", `the input ${quote(unused)} has no file`)];
}

function checkCovered(names: readonly string[], given: readonly string[], what: string): Finding[] {
  const paths = new Set(given);
  const stray = names.find((name) => findCovering(name, paths) === null);
  if (stray === undefined) return [];
  return [findFault("names.uncovered", `${quote(stray)} is in none of the given ${what}`)];
}

function checkShard(shard: Shard | null, names: readonly string[]): Finding[] {
  if (shard === null) return [];
  const stray = names.find((name) => !isInShard(name, shard));
  if (stray === undefined) return [];
  const message = `${quote(stray)} does not belong to shard ${formatShard(shard)}`;
  return [findFault("names.other_shard", message)];
}

/**
 * The subject is the products of a command that has not failed, and else the inputs as one artifact;
 * only a failed command has products among the byproducts.
 */
function checkSubject({ subject, predicate }: Provenance): Finding[] {
  const { resolvedDependencies } = predicate.buildDefinition;
  const { byproducts } = predicate.runDetails;
  const mismatch = (message: string): Finding => findFault("subject.mismatch", message);
  const end = parseCommandEnd(byproducts?.[0].content ?? "");
  const isFailed = end !== null && hasFailed(end);
  if (subject.some(isFile)) {
    if (!subject.every(isFile)) return [mismatch("it names both files and the inputs as one")];
    if (byproducts === undefined) return [mismatch("the run has no command that made files")];
    return isFailed ? [mismatch("the command failed, so the subject must be the inputs")] : [];
  }
  if (!isFailed && byproducts !== undefined && byproducts.length > 1) {
    return [mismatch("the command has not failed, so its products must be the subject")];
  }
  const [inputs, ...more] = subject;
  const { sha256, dirHash } = digestInputs(resolvedDependencies.values().map(toRecordedFile));
  const isRight = more.length === 0 && inputs?.digest.sha256 === sha256 &&
    !isFile(inputs) && inputs.digest.dirHash === dirHash;
  if (isRight) return [];
  return [mismatch(`the run has no products, so it must be the inputs, with the digest ${sha256}`)];
}

function listNames(named: readonly { readonly name: string }[]): string[] {
  return named.map(({ name }) => name);
}

function findFault(code: string, message: string): Finding {
  return makeFinding(code, message, { path: "provenance.json" });
}
