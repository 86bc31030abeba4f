import { compareUtf8 } from "../compare_utf8.ts";
import { findCovering } from "../evidence/check_names.ts";
import type { RecordedFile } from "../evidence/provenance.ts";
import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import { DirectoriesBelow } from "../system/directories_below.ts";
import { isMissing, toKprovError } from "../system/os_error.ts";
import { permissionFlag } from "../system/permissions.ts";
import type { Effort } from "../system/progress.ts";
import { compileExclusions } from "./exclusion.ts";
import { hashFiles } from "./hash_files.ts";
import { type NamedPath, resolveProduct, type Root } from "./input_path.ts";
import { checkListings } from "./inputs.ts";
import { listDirectory } from "./list_directory.ts";
import { type PathWatch, readWatched } from "./path_watch.ts";

/** The products of a run, read. */
export interface GatheredProducts {
  /** Every file and link, with its digest, sorted by name. */
  readonly files: readonly RecordedFile[];
  /** The names of product paths where nothing is, or a directory without a file. */
  readonly missing: readonly string[];
  /** Whether a directory is among the product paths, so that exclusions count. */
  readonly hasDirectory: boolean;
}

/**
 * Names the paths that a command is to make, before it does.
 *
 * @param given The paths, as given
 * @param root What names are relative to
 * @throws {KprovError} `data` on a path outside the root, or one that is given twice or lies in another
 */
export function resolveProducts(given: readonly string[], root: Root): NamedPath[] {
  const products = given.map((path) => resolveProduct(path, root));
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
  const linked = products.find((product) => lookAt(product, directories)?.isSymlink);
  if (linked === undefined) return;
  throw new KprovError("data", `Cannot use product ${quote(linked.given)}: it is a symbolic link`, {
    hint: "name what the link leads to, or remove the link first",
  });
}

/** How products are read. */
export interface ProductReading {
  /** What names are relative to. */
  readonly root: Root;
  /** The globs of what to leave out of directories. */
  readonly exclude: readonly string[];
  /** The names below the root of what kprov itself writes. */
  readonly ownNames?: readonly string[];
  /** How much of the machine it may take. */
  readonly effort: Effort;
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
  const place = { root: reading.root, ownNames: reading.ownNames ?? [], role: "product" } as const;
  return await readWatched(place, (watch) => readProducts(products, reading, watch));
}

async function readProducts(
  products: readonly NamedPath[],
  { root, exclude, effort }: ProductReading,
  watch: PathWatch,
): Promise<GatheredProducts> {
  const isExcluded = compileExclusions(exclude);
  const names: string[] = [];
  const missing: string[] = [];
  let hasDirectory = false;
  const directories = new DirectoriesBelow(root.path);
  for (const product of products) {
    const stats = lookAt(product, directories);
    if (stats?.isDirectory) {
      hasDirectory = true;
      checkListings();
    }
    // Before anything of it is read, so that a swap after this look shows.
    if (stats !== null && !watch.willRead(product.name)) throw refuseBehindLink(product);
    const found = stats === null
      ? []
      : stats.isDirectory
      ? listDirectory(product, isExcluded, watch)
      : [product.name];
    if (found.length === 0) missing.push(product.name);
    for (const name of found) names.push(name);
  }
  const list = { directory: root.path, names: names.sort(compareUtf8) };
  const files = await hashFiles(list, { role: "product", effort });
  return { files, missing, hasDirectory };
}

function lookAt(product: NamedPath, directories: DirectoriesBelow): Deno.FileInfo | null {
  const link = directories.describeLink(product.name);
  if (link !== null) {
    throw new KprovError("data", `Cannot read product ${quote(product.name)}: ${link}`);
  }
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
