/**
 * What stands below the root: the files that a command is to make and made, and those that a run speaks
 * of.
 *
 * @module
 */

import { KprovError } from "../base/error.ts";
import type { Effort } from "../base/progress.ts";
import { quote } from "../base/quote.ts";
import { join } from "../base/std.ts";
import { compareUtf8, sortUtf8 } from "../base/text.ts";
import type { ExpectedFile, Observation, ObservedFile } from "../evidence/check_files.ts";
import {
  type ExternalParameters,
  findCovering,
  type RecordedFile,
} from "../evidence/provenance.ts";
import { compileExclusions, Exclusions, listExclusions } from "./exclusions.ts";
import { hashFiles, lookAtFiles, type SeenFiles, toFileError } from "./hash/hash_files.ts";
import { checkListings, FollowedPaths, listDirectory } from "./list_directory.ts";
import { type Change, DirectoriesBelow, type PathWatch, readWatched } from "./path_watch.ts";
import {
  listOwnNames,
  type NamedPath,
  type OwnPath,
  refuseOwn,
  resolveProduct,
  type Root,
} from "./paths.ts";
import { isMissing, toReadError } from "./permissions.ts";

/** The products of a run, read. */
interface GatheredProducts {
  /** Every file and link, with its digest, sorted by name. */
  readonly files: readonly RecordedFile[];
  /** The names of product paths where nothing is. */
  readonly missing: readonly string[];
  /** The names of those where a directory without a file is. */
  readonly empty: readonly string[];
  /** The names of the directories among the product paths. */
  readonly directories: readonly string[];
  /** The globs that left something out of those. */
  readonly usedGlobs: readonly string[];
}

/**
 * Names the paths that a command is to make, before it does. Throws `data` on a path outside the
 * root, or one that is given twice or lies in another; `usage` on the output directory.
 */
export function resolveProducts(
  given: readonly string[],
  root: Root,
  own: readonly OwnPath[],
): NamedPath[] {
  const products = given.map((path) => resolveProduct(path, root));
  refuseOwn(products, own, "product");
  const byName = Map.groupBy(products, ({ name }) => name);
  const names = new Set(byName.keys());
  for (const product of products) {
    const covering = findCovering(product.name, names) ?? product.name;
    const outer = byName.get(covering)?.find((other) => other !== product);
    if (outer === undefined) continue;
    throw new KprovError(
      "data",
      `Cannot use product ${quote(product.given)}: it is already given as ${quote(outer.given)}`,
    );
  }
  return products;
}

/**
 * Refuses products that are links before a command is started: it would write to where they lead,
 * and the evidence would speak of the links alone.
 */
export function refuseLinkedProducts(products: readonly NamedPath[], root: Root): void {
  const directories = new DirectoriesBelow(root.path);
  const linked = products.find((product) => lookBelow(product, directories)?.isSymlink);
  if (linked === undefined) return;
  throw new KprovError("data", `Cannot use product ${quote(linked.given)}: it is a symbolic link`, {
    hint: "name the link's target, or remove the link first",
  });
}

/** How products are read. */
interface ProductReading {
  /** Where recorded paths start. */
  readonly root: Root;
  /** The globs of what to leave out of directories, as given. */
  readonly exclude: readonly string[];
  /** What kprov itself writes. */
  readonly own: readonly OwnPath[];
  /** How much of the machine it may take. */
  readonly effort: Effort;
}

/**
 * Lists the files at product paths before a command, in no particular order. Unlike what it makes,
 * that may be anything: only files and links can be taken for its products later.
 */
export function listStandingProducts(
  products: readonly NamedPath[],
  { root, exclude, own }: Omit<ProductReading, "effort">,
): string[] {
  const paths = products.map(({ name }) => name);
  const exclusions = new Exclusions(listExclusions(exclude, listOwnNames(own), paths));
  const standing: string[] = [];
  const pending = [...paths];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const path = name === "." ? root.path : `${root.path}/${name}`;
    const stats = lookAt({ given: name, name, path });
    if (stats?.isFile || stats?.isSymlink) standing.push(name);
    if (!stats?.isDirectory) continue;
    const prefix = name === "." ? "" : `${name}/`;
    const entries = readEntries(path, name, "product")
      .filter((entry) => !exclusions.isExcluded(prefix + entry.name, entry.isDirectory));
    for (const entry of entries) pending.push(prefix + entry.name);
  }
  return standing;
}

/**
 * Lists the directories inside of the inputs that hold no directory and in which no file was
 * recorded, sorted: a run does not tell that they were there. None is reached through a link.
 */
export function listUnrecordedDirectories(
  given: Pick<ExternalParameters, "inputs" | "exclude">,
  recorded: readonly string[],
  root: Root,
): string[] {
  const { isIgnored } = compileExclusions(given.exclude);
  const below = new DirectoriesBelow(root.path);
  const holders = new Set(recorded.flatMap(listDirectoriesAbove));
  const found: string[] = [];
  const pending = given.inputs.filter((name) => below.findObstacle(name) === null);
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const prefix = name === "." ? "" : `${name}/`;
    const inside = readEntries(join(root.path, name), name, "input")
      .filter((entry) => entry.isDirectory && !isIgnored(prefix + entry.name, true));
    if (inside.length === 0 && !holders.has(name)) found.push(name);
    for (const entry of inside) pending.push(prefix + entry.name);
  }
  return found.sort(compareUtf8);
}

function listDirectoriesAbove(name: string): string[] {
  const parts = name.split("/");
  return [".", ...parts.slice(1).map((_, i) => parts.slice(0, i + 1).join("/"))];
}

function readEntries(path: string, name: string, role: "input" | "product"): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(path)];
  } catch (error) {
    if (isMissing(error)) return [];
    throw toReadError(error, `Cannot read ${role} ${quote(name)}`, { path });
  }
}

/** Lists and digests what a command made, by the code that reads the inputs. */
export async function gatherProducts(
  products: readonly NamedPath[],
  reading: ProductReading,
): Promise<GatheredProducts> {
  const { root, own } = reading;
  const place = { root, ownNames: listOwnNames(own), role: "product" } as const;
  return await readWatched(place, (watch) => readProducts(products, reading, watch));
}

async function readProducts(
  products: readonly NamedPath[],
  { root, effort, ...reading }: ProductReading,
  watch: PathWatch,
): Promise<GatheredProducts> {
  const seen = products.map((product) => ({ product, stats: lookBelow(product, watch) }));
  const directories = seen.filter(({ stats }) => stats?.isDirectory === true)
    .map(({ product }) => product.name);
  if (directories.length > 0) checkListings();
  const { exclude, own } = reading;
  const exclusions = new Exclusions(listExclusions(exclude, listOwnNames(own), directories));
  const listing = { isExcluded: exclusions.isExcluded, watch, role: "product" } as const;
  const listings = seen.map(({ product, stats }) => {
    // Before anything of it is read, so that a swap after this look shows.
    if (stats !== null && !watch.willRead(product.name)) throw refuseBehindLink(product);
    if (stats === null) return { product, names: [] };
    return { product, names: stats.isDirectory ? listDirectory(product, listing) : [product.name] };
  });
  const names = sortUtf8(listings.flatMap((listing) => listing.names));
  const files = await hashFiles({ directory: root.path, names }, { role: "product", effort });
  const without = listings.filter((listing) => listing.names.length === 0)
    .map(({ product }) => product.name);
  const empty = without.filter((name) => directories.includes(name));
  const missing = without.filter((name) => !directories.includes(name));
  return { files, missing, empty, directories, usedGlobs: exclusions.listUsed() };
}

function lookBelow(
  product: NamedPath,
  directories: Pick<DirectoriesBelow, "describeLink">,
): Deno.FileInfo | null {
  const link = directories.describeLink(product.name);
  if (link === null) return lookAt(product);
  throw new KprovError("data", `Cannot read product ${quote(product.name)}: ${link}`);
}

function lookAt(product: NamedPath): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(product.path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw toReadError(error, `Cannot read product ${quote(product.name)}`, { path: product.path });
  }
}

function refuseBehindLink({ name }: NamedPath): KprovError {
  const reason = "it lies behind a symbolic link";
  return new KprovError("data", `Cannot read product ${quote(name)}: ${reason}`);
}

/** What is looked at below the root. */
interface Sought {
  /** Which files; their names are relative and free of `..`. */
  readonly expected: readonly NamedFile[];
  /** The inputs as given, of which the directories are listed. */
  readonly given: GivenInputs;
  /** Which names below those are listed; without, all. */
  readonly isWanted?: ((name: string) => boolean) | undefined;
}

/** What a run records of the inputs as they were given. */
type GivenInputs = Pick<ExternalParameters, "inputs" | "exclude" | "links">;

/** A file to look at: its name, and what it is for. */
type NamedFile = Pick<ExpectedFile, "name" | "role">;

const SWAPPED: ObservedFile = {
  state: "unreadable",
  reason: "a directory on the way to it changed meanwhile",
};

/**
 * Looks at the files that a run names below the root, without following a link that the run did not
 * follow or leaving the root: the names in a run that verifies are relative and free of `..`, and
 * every directory on the way is checked to be one. Throws `data` where the run records an exclusion
 * that is no glob, or where a directory changes meanwhile and no file below it is recorded;
 * everything else that is wrong is part of the observation.
 */
export async function observeFiles(
  { expected, given, isWanted }: Sought,
  reading: Reading,
): Promise<Observation> {
  type Seen = Observation & { readonly files: ObservedNames };
  const { isIgnored: isExcluded } = compileExclusions(given.exclude);
  const look = async (way: Way): Promise<Seen> => {
    const listed = listInputDirectories(given, reading.root, { ...way, isExcluded, isWanted });
    return { files: await observeNames(expected, reading, way), listed };
  };
  const tell = (seen: Seen, changes: readonly Change[]): Seen | null =>
    seen.files.markChanged(changes) ? seen : null;
  return await observe(reading, { links: given.links, look }, tell);
}

/** What is below the inputs. */
interface ListedDirectories {
  /** Every name below those that are directories, less what is left out. */
  readonly names: readonly string[];
  /** The globs that left something out. */
  readonly usedGlobs: readonly string[];
}

/** Lists every name below those inputs of a run that are directories, less what it left out. */
export async function listDirectories(
  given: GivenInputs,
  reading: Place,
): Promise<ListedDirectories> {
  const exclusions = new Exclusions(given.exclude);
  const { isExcluded } = exclusions;
  const look = (way: Way): Promise<readonly string[]> =>
    Promise.resolve(listInputDirectories(given, reading.root, { ...way, isExcluded }));
  const names = await observe(reading, { links: given.links, look });
  return { names, usedGlobs: exclusions.listUsed() };
}

/** How something is looked at. */
interface Looking<T> {
  /** Whether inputs are read through links. */
  readonly links: GivenInputs["links"];
  /** Looks. */
  readonly look: (way: Way) => Promise<T>;
}

/**
 * Looks at something, and makes sure that every path led to the same place all the while; `tell` says
 * what is known where one did not.
 */
async function observe<T>(
  place: Place,
  { links, look }: Looking<T>,
  tell?: (seen: T, changes: readonly Change[]) => T | null,
): Promise<T> {
  const read = async (watch: PathWatch): Promise<T> => {
    const followed = links === "follow" ? new FollowedPaths(place.root, "input") : null;
    const seen = await look({ watch, followed });
    followed?.checkUnchanged();
    return seen;
  };
  return await readWatched({ ...place, role: "file" }, read, tell);
}

/** How the files of a run are reached. */
interface Way {
  /** Holds the directories on the way against a later look. */
  readonly watch: PathWatch;
  /** What leads to inputs where the run read them through links. */
  readonly followed: FollowedPaths | null;
}

/**
 * Looks at some files below the root, as {@linkcode observeFiles} does; the names are relative and
 * free of `..`.
 */
export async function observeExpectedFiles(
  expected: readonly NamedFile[],
  reading: Reading,
  links?: "follow",
): Promise<ReadonlyMap<string, ObservedFile>> {
  const look = (way: Way): Promise<ObservedNames> => observeNames(expected, reading, way);
  const tell = (seen: ObservedNames, changes: readonly Change[]): ObservedNames | null =>
    seen.markChanged(changes) ? seen : null;
  const seen = await observe(reading, { links, look }, tell);
  return new Map(expected.map(({ name }) => [name, seen.get(name)]));
}

/**
 * The files at names. A file that could be read is described when it is asked for: the descriptions of
 * a million would take as much memory as the run that is verified.
 */
class ObservedNames {
  readonly #names: readonly string[];
  readonly #others: Map<string, ObservedFile>;
  readonly #seen: SeenFiles;
  #next = 0;
  #places: ReadonlyMap<string, number> | null = null;

  constructor(names: readonly string[], seen: SeenFiles, others: Map<string, ObservedFile>) {
    this.#names = names;
    this.#seen = seen;
    this.#others = others;
  }

  /** The file at a name. Who asks in the order of the names needs no index of them. */
  get(name: string): ObservedFile {
    const next = this.#names[this.#next] === name ? this.#next++ : null;
    const other = this.#others.get(name);
    if (other !== undefined) return other;
    const place = next ?? this.#find(name);
    return place === undefined ? MISSING : { state: "read", file: this.#seen.recordAt(place) };
  }

  #find(name: string): number | undefined {
    this.#places ??= new Map(this.#names.map((name, i) => [name, i]));
    return this.#places.get(name);
  }

  /** Takes that nothing is known below these directories; tells whether some name is of each. */
  markChanged(changes: readonly Change[]): boolean {
    const names = [...this.#names, ...this.#others.keys()];
    if (!changes.every((change) => names.some((name) => isAt(name, change)))) return false;
    for (const name of names) {
      if (changes.some((change) => isAt(name, change))) this.#others.set(name, SWAPPED);
    }
    return true;
  }
}

function isAt(name: string, change: Change): boolean {
  return change.name === "." || name === change.name || name.startsWith(`${change.name}/`);
}

const MISSING: ObservedFile = { state: "missing" };

async function observeNames(
  expected: readonly NamedFile[],
  { root, effort }: Reading,
  { watch, followed }: Way,
): Promise<ObservedNames> {
  const others = new Map<string, ObservedFile>();
  const paths: string[] = [];
  for (const file of expected) {
    const isPlain = watch.willRead(file.name);
    if (followed === null || file.role === "product") {
      if (!isPlain) others.set(file.name, MISSING);
      else if (followed !== null) paths.push(join(root.path, file.name));
      continue;
    }
    const end = followToFile(file.name, followed);
    if (typeof end === "string") paths.push(end);
    else others.set(file.name, end);
  }
  const reachable = others.size === 0 ? expected : expected.filter(({ name }) => !others.has(name));
  const names = reachable.map(({ name }) => name);
  const files = { directory: root.path, names, ...(followed === null ? {} : { paths }) };
  const seen = await lookAtFiles(files, { effort });
  const faults = [...seen.faults].sort(([a], [b]) => a - b);
  for (const [i, fault] of faults) {
    const file = reachable[i];
    if (file === undefined) continue;
    const path = join(root.path, file.name);
    others.set(file.name, describeFault(toFileError(fault, { path, ...file })));
  }
  return new ObservedNames(names, seen, others);
}

function followToFile(name: string, followed: FollowedPaths): string | ObservedFile {
  try {
    return followed.follow(name).path;
  } catch (error) {
    if (!(error instanceof KprovError)) throw error;
    return describeFault(error);
  }
}

/** Where files are. */
interface Place {
  /** The directory that the names are relative to. */
  readonly root: Root;
  /** The names below the root of what kprov itself writes. */
  readonly ownNames?: readonly string[];
}

/** Where files are, and how they are read. */
export interface Reading extends Place {
  /** How much of the machine it may take. */
  readonly effort: Effort;
}

function describeFault(error: KprovError): ObservedFile {
  if (error.code === "permission") throw error;
  if (isMissing(error.cause)) return MISSING;
  return { state: "unreadable", reason: error.reason ?? error.message };
}

/** Every name below the directory inputs, less the recorded exclusions. */
function listInputDirectories(
  { inputs }: Pick<GivenInputs, "inputs">,
  root: Root,
  { watch, followed, isExcluded, isWanted }: Way & Pick<Sought, "isWanted"> & {
    readonly isExcluded: Exclusions["isExcluded"];
  },
): string[] {
  const following = followed &&
    { paths: followed, ownPaths: [], leftOut: new Set<string>(), listsBroken: true };
  return inputs.flatMap((name) => {
    const path = followed === null
      ? watch.isDirectory(name) ? join(root.path, name) : null
      : findFollowedDirectory(name, followed);
    if (path === null) return [];
    return listDirectory({ name, path }, { isExcluded, following, watch, isWanted });
  });
}

function findFollowedDirectory(name: string, followed: FollowedPaths): string | null {
  try {
    const { path, stats } = followed.follow(name);
    return stats.isDirectory ? path : null;
  } catch {
    return null;
  }
}
