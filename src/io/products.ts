import { KprovError } from "../base/error.ts";
import { type Finding, makeFinding } from "../base/finding.ts";
import type { Effort } from "../base/progress.ts";
import { quote } from "../base/quote.ts";
import { dirname } from "../base/std.ts";
import { compareUtf8 } from "../base/utf8_order.ts";
import { checkExpectedFiles, type ExpectedFile } from "../evidence/check_files.ts";
import { findCovering } from "../evidence/check_names.ts";
import type { RecordedFile } from "../evidence/provenance.ts";
import type { RecordedTool } from "../evidence/toolchain.ts";
import { hashFiles } from "./hash/hash_files.ts";
import { Exclusions, listExclusions } from "./exclusions.ts";
import { checkListings, checkPlaces, listOwnNames, refuseOwn } from "./inputs.ts";
import { listDirectory } from "./list_directory.ts";
import { observeExpectedFiles, type Reading } from "./observe.ts";
import { isMissing, toKprovError } from "./os_error.ts";
import { type NamedPath, type OwnPath, resolveProduct, type Root } from "./paths.ts";
import { permissionFlag } from "./permissions.ts";
import { hashFile } from "./read_file.ts";
import type { FoundTool } from "./tools.ts";

/** The products of a run, read. */
interface GatheredProducts {
  /** Every file and link, with its digest, sorted by name. */
  readonly files: readonly RecordedFile[];
  /** The names of product paths where nothing is, or a directory without a file. */
  readonly missing: readonly string[];
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
 * Lists and digests what a command made, by the code that reads the inputs.
 *
 * @param products As {@linkcode resolveProducts} named them
 * @param reading How
 * @throws {KprovError} `data`, `io` or `permission` where something is there and cannot be recorded
 * exactly
 */
export async function gatherProducts(
  products: readonly NamedPath[],
  { root, effort, ...reading }: ProductReading,
): Promise<GatheredProducts> {
  const seen = products.map((product) => ({ product, stats: lookAt(product) }));
  const directories = seen.filter(({ stats }) => stats?.isDirectory === true)
    .map(({ product }) => product.name);
  if (directories.length > 0) checkListings();
  const { exclude, own } = reading;
  const exclusions = new Exclusions(listExclusions(exclude, listOwnNames(own), directories));
  const listings = seen.map(({ product, stats }) => ({
    product,
    names: stats === null
      ? []
      : stats.isDirectory
      ? listDirectory(product, exclusions)
      : [product.name],
  }));
  const names = listings.flatMap((listing) => listing.names).sort(compareUtf8);
  const files = await hashFiles({ directory: root.path, names }, { role: "product", effort });
  checkPlaces(names, root, "product");
  const missing = listings.filter((listing) => listing.names.length === 0)
    .map(({ product }) => product.name);
  return { files, missing, directories, usedGlobs: exclusions.listUsed() };
}

function lookAt(product: NamedPath): Deno.FileInfo | null {
  try {
    const stats = Deno.lstatSync(product.path);
    const parent = dirname(product.path);
    if (product.name !== "." && Deno.realPathSync(parent) !== parent) {
      throw new KprovError(
        "data",
        `Cannot read product ${quote(product.name)}: it lies behind a symbolic link`,
      );
    }
    return stats;
  } catch (error) {
    if (isMissing(error)) return null;
    throw toKprovError(error, `Cannot read product ${quote(product.name)}`, {
      refused: "io",
      flag: permissionFlag("read", product.path),
    });
  }
}

/**
 * Reads the inputs again after a command, but for those that are products too.
 *
 * @param materials The inputs as they were before
 * @param products The names of the product paths
 * @param reading Where they are, and how they are read; `links` says whether through links
 * @returns Findings `file.changed` and the like, as `kprov verify --root` gives them
 */
export async function findChangedInputs(
  materials: readonly RecordedFile[],
  products: readonly string[],
  reading: Reading & { readonly links?: "follow" },
): Promise<readonly Finding[]> {
  const made = new Set(products);
  const expected = materials
    .filter(({ name }) => findCovering(name, made) === null)
    .map((file): ExpectedFile => ({ ...file, role: "input" }));
  return checkExpectedFiles(expected, await observeExpectedFiles(expected, reading, reading.links));
}

/**
 * Reads the tools again after a command, but for those that are products.
 *
 * @param tools The tools as they were before
 * @param products The names of the product paths
 * @returns Findings `tool.changed`
 */
export function findChangedTools(
  tools: readonly FoundTool[],
  products: readonly string[],
): readonly Finding[] {
  const made = new Set(products);
  return tools
    .filter(({ name }) => !name.startsWith("./") || findCovering(name.slice(2), made) === null)
    .filter(isChanged)
    .map(({ name }) =>
      makeFinding("tool.changed", `${quote(name)} is another program than at the start`, {})
    );
}

function isChanged(tool: FoundTool & RecordedTool): boolean {
  return hashFile(Deno.realPathSync(tool.path), tool.name, "tool").sha256 !== tool.sha256;
}
