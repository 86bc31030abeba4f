import { type Finding, KprovError, makeFinding } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { dirname, resolve } from "../base/std.ts";
import { checkExpectedFiles, type ExpectedFile } from "../evidence/check_files.ts";
import { findCovering, type RecordedFile } from "../evidence/provenance.ts";
import type { InputStamps } from "../evidence/schemas.ts";
import type { RecordedTool } from "../evidence/toolchain.ts";
import { hashFile } from "./hash/hash_files.ts";
import { MOST_LINKS } from "./list_directory.ts";
import { observeExpectedFiles, type Reading } from "./observe.ts";
import { directoryOf } from "./path_watch.ts";
import type { Root } from "./paths.ts";
import { isMissing, isPermitted, systemCode, toReadError } from "./permissions.ts";
import { CLOCK_TICK_MS } from "./regular_file.js";
import type { FoundTool } from "./tools.ts";

/** What tells a file that was changed, and changed back, from one that was not. */
export interface Stamps extends InputStamps {
  /** One for each tool, in their order. */
  readonly tools: readonly string[];
  /** Those of the files at product paths, by name. */
  readonly products: ProductStamps;
}

/** What stood at product paths before a command, by name. */
export type ProductStamps = ReadonlyMap<string, ProductStamp>;

/** A file or link that stood at a product path. */
interface ProductStamp {
  /** Changes whenever the file is changed. */
  readonly stamp: string;
  /** Digest of its content where the stamp may not tell; null where it does. */
  readonly sha256: string | null;
}

/** What a run reads before its command. */
export interface BeforeCommand {
  /** The files that go in. */
  readonly materials: readonly RecordedFile[];
  /** The tools at hand; none where somebody else runs the command. */
  readonly tools: readonly FoundTool[];
  /** The files and links that stand at product paths. */
  readonly standing?: readonly string[];
}

/**
 * Stamps inputs, tools and the files at product paths right before a command, with their inode and
 * times. Deno tells the time of the last change in whole seconds, so this takes until no stamp is
 * of the current second: each later change shows.
 */
export async function stampBeforeCommand(
  { materials, tools, standing = [] }: BeforeCommand,
  root: Root,
): Promise<Stamps> {
  const products = stampProducts(standing, root);
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
  await waitForNextSecond({ ...stamps, products });
  return { ...stamps, products: digestUnclear(products, root) };
}

/** What is gone since it was listed did not stand there when the command began. */
function stampProducts(names: readonly string[], root: Root): Map<string, string> {
  const stamps = new Map<string, string>();
  for (const name of names) {
    const stamp = stampNow(name, () => stampProduct(name, root));
    if (stamp !== null) stamps.set(name, stamp);
  }
  return stamps;
}

function stampProduct(name: string, root: Root): string {
  const path = `${root.path}/${name}`;
  return `${Deno.lstatSync(path).size}.${stampOf(path)}`;
}

/** A change within the second of a stamp may leave the same one; only its content tells then. */
function digestUnclear(stamps: ReadonlyMap<string, string>, { path: root }: Root): ProductStamps {
  const now = 1000 * Math.floor(Date.now() / 1000);
  return new Map([...stamps].map(([name, stamp]) => {
    const changed = timeOf(stamp);
    const isClear = changed > 0 && changed < now;
    const sha256 = isClear || Deno.lstatSync(`${root}/${name}`).isSymlink
      ? null
      : hashFile(`${root}/${name}`, name, "product").sha256;
    return [name, { stamp, sha256 }];
  }));
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
    throw toReadError(error, `Cannot read ${what}`, { path, missing: "data" });
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

/** The directories between the root and the files. The command runs in the root also where that is moved. */
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

async function waitForNextSecond(
  { files, directories, tools, products }: Omit<Stamps, "products"> & {
    readonly products: ReadonlyMap<string, string>;
  },
): Promise<void> {
  let latest = 0;
  const lists = [
    files.flatMap(splitStamps),
    directories.map(({ stamp }) => stamp),
    tools.flatMap(splitStamps),
    [...products.values()],
  ];
  for (const list of lists) {
    for (const stamp of list) latest = Math.max(latest, timeOf(stamp));
  }
  const second = Math.floor(latest / 1000);
  const rest = 1000 * (second + 1) + CLOCK_TICK_MS - Date.now();
  // A time that is still to come is another clock's, whose seconds are not known here.
  if (rest <= 0 || rest > 1000 + CLOCK_TICK_MS) return;
  await new Promise((done) => setTimeout(done, rest));
}

/** The time of the last change, in milliseconds, which a stamp ends with. */
function timeOf(stamp: string): number {
  return Number(stamp.slice(stamp.lastIndexOf(".") + 1));
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
 * Reads the inputs again after a command, but for those that are products too, and then looks
 * whether they are still the same files, unchanged since. The findings are those of `kprov verify
 * --root`.
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
    const now = stampNow(name, () => stampFile(`${reading.root.path}/${name}`, kind));
    if (now !== stamps.files[i]) findings.push(tellTouched(name));
  }
  if (findings.length > 0) return findings;
  return stamps.directories
    .filter(({ name }) => isInput(name))
    .filter(({ name, stamp }) =>
      isPutAside(stamp, stampNow(name, () => stampOf(`${reading.root.path}/${name}`)))
    )
    .map(({ name }) => tellTouched(name));
}

function stampNow(name: string, stamp: () => string): string | null {
  try {
    return stamp();
  } catch (error) {
    if (isMissing(error)) return null;
    throw toReadError(error, `Cannot read ${quote(name)}`, { path: name });
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
    "the input was changed while the command ran, although it reads the same now",
    {
      path: name,
      hint: "what the command read is uncertain; a new name, mode, owner or hard link is such a " +
        "change too",
    },
  );
}

/** Does the same with the tools; finds `tool.changed`. */
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
    return "was changed while the command ran, although it reads the same now";
  } catch (error) {
    if (isMissing(error)) return "is not there any more";
    const isOfFile = error instanceof KprovError
      ? error.code !== "permission"
      : systemCode(error) !== null;
    if (isOfFile) return "cannot be read any more";
    throw error;
  }
}

/** The files at product paths after a command. */
interface TouchedProducts {
  /** Those that the command wrote. */
  readonly made: readonly RecordedFile[];
  /** The names of those that stood there before and that it did not touch. */
  readonly untouched: ReadonlySet<string>;
}

/**
 * Tells what a command wrote from what stood at its product paths before. A file that it wrote
 * again with the same content was touched; one that it only read was not.
 */
export function splitUntouched(
  files: readonly RecordedFile[],
  isSame: (file: RecordedFile) => boolean,
): TouchedProducts {
  const untouched = new Set(files.filter(isSame).map(({ name }) => name));
  return { made: files.filter(({ name }) => !untouched.has(name)), untouched };
}

/**
 * Tells whether nothing touched a file at a product path since it was stamped before a command;
 * false where nothing stood there.
 */
export function compareWithStamps(
  before: ProductStamps,
  root: Root,
): (file: RecordedFile) => boolean {
  return ({ name, sha256 }) => {
    const stood = before.get(name);
    return stood !== undefined && (stood.sha256 ?? sha256) === sha256 &&
      stampNow(name, () => stampProduct(name, root)) === stood.stamp;
  };
}

/**
 * Tells the same by the second in which somebody began to look, in milliseconds, for what was not
 * stamped then; it was over before the command began. What was moved there as part of a directory
 * keeps its time, and passes for untouched.
 */
export function compareWithTime(started: number, root: Root): (file: RecordedFile) => boolean {
  return ({ name }) => {
    const stamp = stampNow(name, () => stampProduct(name, root));
    const changed = stamp === null ? 0 : timeOf(stamp);
    return changed > 0 && changed <= started;
  };
}

/** Waits until the current second is over, so that what is changed later has a later time. */
export async function waitForSecondToEnd(): Promise<void> {
  await new Promise((done) => setTimeout(done, 1000 - Date.now() % 1000 + CLOCK_TICK_MS));
}
