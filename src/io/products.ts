import { KprovError } from "../base/error.ts";
import { type Finding, makeFinding } from "../base/finding.ts";
import type { Effort } from "../base/progress.ts";
import { quote } from "../base/quote.ts";
import { dirname, resolve } from "../base/std.ts";
import { compareUtf8 } from "../base/utf8_order.ts";
import { checkExpectedFiles, type ExpectedFile } from "../evidence/check_files.ts";
import { findCovering } from "../evidence/check_names.ts";
import type { RecordedFile } from "../evidence/provenance.ts";
import type { InputStamps } from "../evidence/record_state.ts";
import type { RecordedTool } from "../evidence/toolchain.ts";
import { hashFile } from "./hash/hash_file.ts";
import { hashFiles } from "./hash/hash_files.ts";
import { Exclusions, listExclusions } from "./exclusions.ts";
import { checkListings, listOwnNames, refuseOwn } from "./inputs.ts";
import { MOST_LINKS } from "./links.ts";
import { listDirectory } from "./list_directory.ts";
import { observeExpectedFiles, type Reading } from "./observe.ts";
import { isMissing, toKprovError } from "./os_error.ts";
import { DirectoriesBelow, directoryOf, type PathWatch, readWatched } from "./path_watch.ts";
import { type NamedPath, type OwnPath, resolveProduct, type Root } from "./paths.ts";
import { isPermitted, permissionFlag } from "./permissions.ts";
import { CLOCK_TICK_MS } from "./regular_file.js";
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
  const seen = products.map((product) => ({ product, stats: lookAt(product, watch) }));
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
  const missing = listings.filter((listing) => listing.names.length === 0)
    .map(({ product }) => product.name);
  return { files, missing, directories, usedGlobs: exclusions.listUsed() };
}

function lookAt(
  product: NamedPath,
  directories: Pick<DirectoriesBelow, "describeLink">,
): Deno.FileInfo | null {
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

/** What tells a file that was changed, and changed back, from one that was not. */
export interface Stamps extends InputStamps {
  /** One for each tool, in their order. */
  readonly tools: readonly string[];
}

/** What a run reads before its command. */
export interface BeforeCommand {
  /** The files that go in. */
  readonly materials: readonly RecordedFile[];
  /** The tools at hand; none where somebody else runs the command. */
  readonly tools: readonly FoundTool[];
}

/**
 * Stamps inputs and tools right before a command, with their inode and times. Deno tells the time of
 * the last change in whole seconds, so this takes until no stamp is of the current second: each later
 * change shows.
 *
 * @param before The inputs and tools, already read
 * @param root What the names are relative to
 * @throws {KprovError} `data` where one is gone, `io` or `permission` where it cannot be looked at
 */
export async function stampBeforeCommand(
  { materials, tools }: BeforeCommand,
  root: Root,
): Promise<Stamps> {
  const stamps = {
    files: materials.map((file) => stampMaterial(file, root)),
    directories: listDirectories(materials).map((name) => ({
      name,
      stamp: refuseUnstamped(() => stampOf(`${root.path}/${name}`), `input ${quote(name)}`, name),
    })),
    tools: tools.map(({ name, path }) =>
      refuseUnstamped(() => stampTool(path), `tool ${quote(name)}`, path)
    ),
  };
  await waitForNextSecond(stamps);
  return stamps;
}

function stampMaterial(file: RecordedFile, root: Root): string {
  const path = `${root.path}/${file.name}`;
  return refuseUnstamped(() => stampFile(path, file.kind), `input ${quote(file.name)}`, path);
}

/** A link that is recorded as a file was followed, so what it leads to counts as well. */
function stampFile(path: string, kind: RecordedFile["kind"]): string {
  const stamp = stampOf(path);
  const isFollowed = kind === "file" && Deno.lstatSync(path).isSymlink;
  return isFollowed ? `${stamp} ${stampOf(Deno.realPathSync(path))}` : stamp;
}

function refuseUnstamped(stamp: () => string, what: string, path: string): string {
  try {
    return stamp();
  } catch (error) {
    throw toKprovError(error, `Cannot read ${what}`, {
      missing: "data",
      refused: "io",
      flag: permissionFlag("read", path),
    });
  }
}

/**
 * The inode, and the times of the last change of content and of anything else. The device is left out:
 * two machines that share files may number it differently, and nothing is moved to another device and
 * keeps the rest.
 */
function stampOf(path: string): string {
  const { ino, mtime, ctime } = Deno.lstatSync(path);
  return `${ino ?? 0}.${mtime?.getTime() ?? 0}.${ctime?.getTime() ?? 0}`;
}

/** A tool is what its path leads to, and every link on the way that kprov may look at. */
function stampTool(path: string): string {
  const stamps: string[] = [];
  for (let next = path; stamps.length < MOST_LINKS && isPermitted("read", next);) {
    stamps.push(stampOf(next));
    if (!Deno.lstatSync(next).isSymlink) break;
    next = resolve(dirname(next), Deno.readLinkSync(next));
  }
  return [...stamps, stampOf(Deno.realPathSync(path))].join(" ");
}

/** The directories between the root and the files. The root itself stays the command's, wherever it is moved. */
function listDirectories(materials: readonly RecordedFile[]): string[] {
  const directories = new Set<string>();
  for (const { name } of materials) {
    for (let above = directoryOf(name); above !== "."; above = directoryOf(above)) {
      if (directories.has(above)) break;
      directories.add(above);
    }
  }
  return [...directories];
}

async function waitForNextSecond({ files, directories, tools }: Stamps): Promise<void> {
  let latest = 0;
  const lists = [
    files.flatMap(splitStamps),
    directories.map(({ stamp }) => stamp),
    tools.flatMap(splitStamps),
  ];
  for (const list of lists) {
    for (const stamp of list) {
      latest = Math.max(latest, Number(stamp.slice(stamp.lastIndexOf(".") + 1)));
    }
  }
  const second = Math.floor(latest / 1000);
  const rest = 1000 * (second + 1) + CLOCK_TICK_MS - Date.now();
  // A time that is still to come is another clock's, whose seconds are not known here.
  if (rest <= 0 || rest > 1000 + CLOCK_TICK_MS) return;
  await new Promise((done) => setTimeout(done, rest));
}

function splitStamps(stamps: string): string[] {
  return stamps.split(" ");
}

interface Stamp {
  readonly inode: string;
  readonly modified: string;
  readonly changed: number;
}

function readStamp(stamp: string): Stamp {
  const [inode = "", modified = "", changed = ""] = stamp.split(".");
  return { inode, modified, changed: Number(changed) };
}

/**
 * Reads the inputs again after a command, but for those that are products too, and then looks whether
 * they are still the same files, unchanged since.
 *
 * @param before The inputs as they were before
 * @param products The names of the product paths
 * @param reading Where they are, and how they are read; `links` says whether through links
 * @returns Findings `file.changed` and the like, as `kprov verify --root` gives them
 */
export async function findChangedInputs(
  { materials, stamps }: Pick<BeforeCommand, "materials"> & { readonly stamps: InputStamps },
  products: readonly string[],
  reading: Reading & { readonly links?: "follow" },
): Promise<readonly Finding[]> {
  const made = new Set(products);
  const isInput = (name: string): boolean => findCovering(name, made) === null;
  const expected = materials
    .filter(({ name }) => isInput(name))
    .map((file): ExpectedFile => ({ ...file, role: "input" }));
  const findings = checkExpectedFiles(
    expected,
    await observeExpectedFiles(expected, reading, reading.links),
  );
  const told = new Set(findings.map(({ path }) => path));
  // Only now: between two equal stamps the content was the one that is read between them.
  for (const [i, { name, kind }] of materials.entries()) {
    if (!isInput(name) || told.has(name)) continue;
    const now = stampNow(() => stampFile(`${reading.root.path}/${name}`, kind));
    if (now !== stamps.files[i]) findings.push(tellTouched(name));
  }
  if (findings.length > 0) return findings;
  return stamps.directories
    .filter(({ name }) => isInput(name))
    .filter(({ name, stamp }) =>
      isPutAside(stamp, stampNow(() => stampOf(`${reading.root.path}/${name}`)))
    )
    .map(({ name }) => tellTouched(name));
}

function stampNow(stamp: () => string): string | null {
  try {
    return stamp();
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/**
 * Whether a directory is another one, or was changed by something else than new or removed entries,
 * which a command may leave: one that is renamed and renamed back holds files that nothing changed.
 */
function isPutAside(before: string, now: string | null): boolean {
  if (now === null) return true;
  const [a, b] = [readStamp(before), readStamp(now)];
  return a.inode !== b.inode || (a.modified === b.modified && a.changed !== b.changed);
}

function tellTouched(name: string): Finding {
  return makeFinding(
    "file.changed",
    "the input was changed while the command ran, though it reads the same now",
    {
      path: name,
      hint:
        "nobody can tell what the command read; a new name, mode, owner or hard link is such a " +
        "change too",
    },
  );
}

/**
 * Reads the tools again after a command, but for those that are products, and then looks whether they
 * are still the same files, unchanged since.
 *
 * @param before The tools as they were before
 * @param products The names of the product paths
 * @returns Findings `tool.changed`
 */
export function findChangedTools(
  { tools, stamps }: Pick<BeforeCommand, "tools"> & { readonly stamps: readonly string[] },
  products: readonly string[],
): readonly Finding[] {
  const made = new Set(products);
  return tools.flatMap((tool, i) => {
    const isProduct = tool.name.startsWith("./") && findCovering(tool.name.slice(2), made) !== null;
    const change = isProduct ? null : describeChange(tool, stamps[i]);
    if (change === null) return [];
    return [makeFinding("tool.changed", `${quote(tool.name)} ${change}`, {})];
  });
}

function describeChange(tool: FoundTool & RecordedTool, stamp: string | undefined): string | null {
  try {
    const { sha256 } = hashFile(Deno.realPathSync(tool.path), tool.name, "tool");
    if (sha256 !== tool.sha256) return "is another program than at the start";
    if (stampTool(tool.path) === stamp) return null;
    return "was changed while the command ran, though it reads the same now";
  } catch (error) {
    if (isMissing(error)) return "is not there any more";
    throw error;
  }
}
