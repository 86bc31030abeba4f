import { checkExpectedFiles, type ExpectedFile } from "../evidence/check_files.ts";
import { findCovering } from "../evidence/check_names.ts";
import type { RecordedFile } from "../evidence/provenance.ts";
import type { InputStamps } from "../evidence/record_state.ts";
import type { RecordedTool } from "../evidence/toolchain.ts";
import { type Finding, makeFinding } from "../finding.ts";
import { quote } from "../quote.ts";
import { dirname, resolve } from "../std.ts";
import { directoryOf } from "../system/directories_below.ts";
import { isMissing, toKprovError } from "../system/os_error.ts";
import { isPermitted, permissionFlag } from "../system/permissions.ts";
import { hashFile } from "./hash_file.ts";
import type { Root } from "./input_path.ts";
import { observeExpectedFiles, type Reading } from "./observe_files.ts";
import type { FoundTool } from "./tools.ts";

/** Linux follows at most so many links one after another. */
const MOST_LINKS = 40;

/** How far the clock that files are stamped with may be behind, in milliseconds. */
const CLOCK_DELAY = 20;

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
    files: materials.map(({ name }) => stampInput(name, root)),
    directories: listDirectories(materials).map((name) => ({
      name,
      stamp: stampInput(name, root),
    })),
    tools: tools.map(({ name, path }) =>
      refuseUnstamped(() => stampTool(path), `tool ${quote(name)}`, path)
    ),
  };
  await waitForNextSecond(stamps);
  return stamps;
}

function stampInput(name: string, root: Root): string {
  const path = `${root.path}/${name}`;
  return refuseUnstamped(() => stampOf(path), `input ${quote(name)}`, path);
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
  const lists = [files, directories.map(({ stamp }) => stamp), tools.flatMap(splitStamps)];
  for (const list of lists) {
    for (const stamp of list) {
      latest = Math.max(latest, Number(stamp.slice(stamp.lastIndexOf(".") + 1)));
    }
  }
  const second = Math.floor(latest / 1000);
  const rest = 1000 * (second + 1) + CLOCK_DELAY - Date.now();
  // A time that is still to come is another clock's, whose seconds are not known here.
  if (rest <= 0 || rest > 1000 + CLOCK_DELAY) return;
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
 * @param reading Where they are, and how they are read
 * @returns Findings `file.changed` and the like, as `kprov verify --root` gives them
 */
export async function findChangedInputs(
  { materials, stamps }: Pick<BeforeCommand, "materials"> & { readonly stamps: InputStamps },
  products: readonly string[],
  reading: Reading,
): Promise<readonly Finding[]> {
  const made = new Set(products);
  const isInput = (name: string): boolean => findCovering(name, made) === null;
  const expected = materials
    .filter(({ name }) => isInput(name))
    .map(({ name, kind, sha256 }): ExpectedFile => ({ name, role: "input", kind, sha256 }));
  const findings = checkExpectedFiles(expected, await observeExpectedFiles(expected, reading));
  const told = new Set(findings.map(({ path }) => path));
  // Only now: between two equal stamps the content was the one that is read between them.
  for (const [i, { name }] of materials.entries()) {
    if (!isInput(name) || told.has(name)) continue;
    if (stampNow(name, reading.root) !== stamps.files[i]) {
      findings.push(tellTouched(name));
    }
  }
  if (findings.length > 0) return findings;
  return stamps.directories
    .filter(({ name }) => isInput(name))
    .filter(({ name, stamp }) => isPutAside(stamp, stampNow(name, reading.root)))
    .map(({ name }) => tellTouched(name));
}

function stampNow(name: string, root: Root): string | null {
  try {
    return stampOf(`${root.path}/${name}`);
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
