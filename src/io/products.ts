import { KprovError } from "../base/error.ts";
import type { Effort } from "../base/progress.ts";
import { quote } from "../base/quote.ts";
import { compareUtf8 } from "../base/text.ts";
import { findCovering } from "../evidence/check_names.ts";
import type { RecordedFile } from "../evidence/provenance.ts";
import { Exclusions, listExclusions } from "./exclusions.ts";
import { hashFiles } from "./hash/hash_files.ts";
import { checkListings, listOwnNames, refuseOwn } from "./inputs.ts";
import { listDirectory } from "./list_directory.ts";
import { DirectoriesBelow, type PathWatch, readWatched } from "./path_watch.ts";
import { type NamedPath, type OwnPath, resolveProduct, type Root } from "./paths.ts";
import { isMissing, permissionFlag, toKprovError } from "./permissions.ts";

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
 * Names the paths that a command is to make, before it does.
 *
 * @param given The paths, as given
 * @param root What names are relative to
 * @param own What kprov itself writes
 * @throws {KprovError} `data` on a path outside the root, or one that is given twice or lies in another;
 * `usage` on the output directory
 */
export function resolveProducts(
  given: readonly string[],
  root: Root,
  own: readonly OwnPath[],
): NamedPath[] {
  const products = given.map((path) => resolveProduct(path, root));
  refuseOwn(products, own, "product");
  for (const [i, product] of products.entries()) {
    const others = new Map(products.toSpliced(i, 1).map((other) => [other.name, other.given]));
    const outer = findCovering(product.name, new Set(others.keys()));
    if (outer === null) continue;
    throw new KprovError(
      "data",
      `Cannot use product ${quote(product.given)}: it is already given as ` +
        quote(others.get(outer) ?? outer),
    );
  }
  return products;
}

/**
 * Refuses products that are links before a command is started: it would write to where they lead, and
 * the evidence would speak of the links alone.
 *
 * @param products As {@linkcode resolveProducts} named them
 * @param root What names are relative to
 * @throws {KprovError} `data`, naming the first that is a link or lies behind one
 */
export function refuseLinkedProducts(products: readonly NamedPath[], root: Root): void {
  const directories = new DirectoriesBelow(root.path);
  const linked = products.find((product) => lookBelow(product, directories)?.isSymlink);
  if (linked === undefined) return;
  throw new KprovError("data", `Cannot use product ${quote(linked.given)}: it is a symbolic link`, {
    hint: "name what the link leads to, or remove the link first",
  });
}

/** How products are read. */
interface ProductReading {
  /** What names are relative to. */
  readonly root: Root;
  /** The globs of what to leave out of directories, as given. */
  readonly exclude: readonly string[];
  /** What kprov itself writes. */
  readonly own: readonly OwnPath[];
  /** How much of the machine it may take. */
  readonly effort: Effort;
}

/**
 * Lists what stands at product paths before a command. Unlike what it makes, that may be anything:
 * only files and links can be taken for its products later.
 *
 * @param products As {@linkcode resolveProducts} named them
 * @param reading How; the command's products are read in the same way
 * @returns The names of files and links, in no particular order
 * @throws {KprovError} `io` or `permission` where a directory cannot be listed
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
    const entries = readEntries(path, name)
      .filter((entry) => !exclusions.isExcluded(prefix + entry.name, entry.isDirectory));
    for (const entry of entries) pending.push(prefix + entry.name);
  }
  return standing;
}

function readEntries(path: string, name: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(path)];
  } catch (error) {
    if (isMissing(error)) return [];
    throw toKprovError(error, `Cannot read product ${quote(name)}`, {
      refused: "io",
      flag: permissionFlag("read", path),
    });
  }
}

/**
 * Lists and digests what a command made, by the code that reads the inputs.
 *
 * @param products As {@linkcode resolveProducts} named them
 * @param reading How
 * @throws {KprovError} `data`, `io` or `permission` where something is there and cannot be recorded
 * exactly
 */
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
  const listing = { isExcluded: exclusions.isExcluded, watch };
  const listings = seen.map(({ product, stats }) => {
    // Before anything of it is read, so that a swap after this look shows.
    if (stats !== null && !watch.willRead(product.name)) throw refuseBehindLink(product);
    if (stats === null) return { product, names: [] };
    return { product, names: stats.isDirectory ? listDirectory(product, listing) : [product.name] };
  });
  const names = listings.flatMap((listing) => listing.names).sort(compareUtf8);
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
    throw toKprovError(error, `Cannot read product ${quote(product.name)}`, {
      refused: "io",
      flag: permissionFlag("read", product.path),
    });
  }
}

function refuseBehindLink({ name }: NamedPath): KprovError {
  const reason = "it lies behind a symbolic link";
  return new KprovError("data", `Cannot read product ${quote(name)}: ${reason}`);
}
