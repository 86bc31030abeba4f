import { type Finding, KprovError, makeFinding } from "../base/error.ts";
import type { IgnoreList } from "../base/glob.ts";
import { quote } from "../base/quote.ts";
import {
  basename,
  dirname,
  FIRST_DENO_WITH_WHOLE_LISTINGS,
  isDenoInRange,
  join,
} from "../base/std.ts";
import { describeNameFault } from "../evidence/check_names.ts";
import { MOST_FILES, SHARD_HINT } from "../evidence/documents.ts";
import { findCovering, type RecordedFile } from "../evidence/provenance.ts";
import { checkMemory } from "./host.ts";
import type { PathWatch } from "./path_watch.ts";
import type { NamedPath, Root } from "./paths.ts";
import {
  isMissing,
  isPermitted,
  refuseSystemPath,
  requirePermission,
  systemCode,
  toReadError,
} from "./permissions.ts";
import { describeFileKind } from "./regular_file.js";

/** A directory to list. */
interface NamedDirectory {
  /** Relative to the root, in POSIX form; `.` is the root itself. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

/** How a directory is listed. */
interface Listing {
  /** What to leave out, with all it holds. */
  readonly isExcluded: IgnoreList["isIgnored"];
  /** Holds the directories, which must not change before all is read. */
  readonly watch: PathWatch;
  /** How links are followed; without, they are listed. */
  readonly following?: Following | null;
  /** Which names are listed; without, all. It is asked for every file and link. */
  readonly isWanted?: ((name: string, isLink: boolean) => boolean) | undefined;
  /** What the files are for, for messages; by default inputs. */
  readonly role?: "product";
}

/** How links are followed in a listing. */
interface Following {
  /** Where they lead. */
  readonly paths: FollowedPaths;
  /** Where kprov itself writes, absolute: it is left out, whatever link leads there. */
  readonly ownPaths: readonly string[];
  /** Takes the names of what is left out for that. */
  readonly leftOut: Set<string>;
  /** Whether a link that leads nowhere, or back, is listed as a file, and not refused. */
  readonly listsBroken: boolean;
}

/** A directory that is to be listed. */
interface Pending extends NamedDirectory {
  /** The paths that its name leads through, itself included; null where links are not followed. */
  readonly holders: readonly string[] | null;
}

/** An entry of a directory, a link as what it leads to where it is followed. */
interface Entry extends Deno.DirEntry {
  /** Where a link that is followed leads. */
  readonly path?: string;
  /** Why it cannot be followed. */
  readonly fault?: KprovError;
}

/**
 * Lists every file and link below a directory, in no particular order. Empty directories leave no
 * trace. Throws `data` on a name that cannot be represented exactly, on anything that is neither
 * file, link nor directory, on a directory that changes while it is listed, and on a link that is
 * followed and leads nowhere or back to where it stands.
 */
export function listDirectory(directory: NamedDirectory, listing: Listing): string[] {
  const files: string[] = [];
  const { following = null, isWanted = () => true } = listing;
  const pending: Pending[] = [{ ...directory, holders: following && [directory.path] }];
  let directories = 0;
  let names = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const prefix = next.name === "." ? "" : `${next.name}/`;
    checkMemory(`Cannot read directory ${quote(directory.name)}`);
    // Links in directories that others lead to multiply: twenty make a million names of one.
    if (following && (++directories > MOST_FILES || names > MOST_FILES)) {
      throw refuseMany(directory.name);
    }
    for (const found of readEntries(next, listing)) {
      const name = prefix + found.name;
      checkEntryName(found.name, name);
      const entry: Entry = found.isSymlink && following ? follow(name, following) : found;
      if (listing.isExcluded(name, entry.isDirectory)) continue;
      const fault = entry.fault ?? findLoop(entry, next, name);
      if (fault !== null && !(following?.listsBroken && fault.code === "data")) throw fault;
      if (following && isOwn(entry, next, name, following)) continue;
      if (entry.isFile || entry.isSymlink || fault !== null) {
        names++;
        if (isWanted(name, entry.isSymlink)) files.push(name);
      } else if (entry.isDirectory) pending.push(enter(entry, next, name));
      else throw refuseKind(name, pathOf(entry, next), listing.role);
    }
  }
  return files;
}

function follow(name: string, { paths }: Following): Entry {
  try {
    const { path, stats } = paths.follow(name);
    return { name, isFile: stats.isFile, isDirectory: stats.isDirectory, isSymlink: false, path };
  } catch (fault) {
    if (!(fault instanceof KprovError)) throw fault;
    // What is left out need not lead anywhere.
    return { name, isFile: false, isDirectory: false, isSymlink: true, fault };
  }
}

function pathOf(entry: Entry, parent: NamedDirectory): string {
  return entry.path ?? `${parent.path}/${entry.name}`;
}

function isOwn(entry: Entry, parent: Pending, name: string, following: Following): boolean {
  if (!following.ownPaths.includes(pathOf(entry, parent))) return false;
  following.leftOut.add(name);
  return true;
}

function findLoop(entry: Entry, parent: Pending, name: string): KprovError | null {
  if (!entry.isDirectory || !parent.holders?.includes(pathOf(entry, parent))) return null;
  return refuseLoop(name);
}

function enter(entry: Entry, { holders, ...parent }: Pending, name: string): Pending {
  const path = pathOf(entry, parent);
  return { name, path, holders: holders && [...holders, path] };
}

function readEntries(
  directory: NamedDirectory,
  { watch, following }: Pick<Listing, "watch" | "following">,
): Deno.DirEntry[] {
  try {
    // What is reached through a link is held by where the links lead.
    if (following && !watch.isDirectory(directory.name)) return readFollowed(directory);
    watch.willList(directory.name);
    const entries = [...Deno.readDirSync(directory.path)];
    watch.checkListed(directory.name);
    return entries;
  } catch (error) {
    throw toReadError(error, `Cannot read directory ${quote(directory.name)}`, {
      path: directory.path,
      missing: "data",
    });
  }
}

function readFollowed({ name, path }: NamedDirectory): Deno.DirEntry[] {
  const before = Deno.lstatSync(path);
  const entries = [...Deno.readDirSync(path)];
  if (isSameDirectory(before, Deno.lstatSync(path))) return entries;
  throw refuseDirectory(name, "it changed while it was listed");
}

function isSameDirectory(a: Deno.FileInfo, b: Deno.FileInfo): boolean {
  return a.isDirectory && b.isDirectory && a.dev === b.dev && a.ino === b.ino &&
    a.mtime?.getTime() === b.mtime?.getTime();
}

function checkEntryName(part: string, name: string): void {
  const fault = describeNameFault(part);
  if (fault !== null) {
    throw new KprovError("data", `Cannot record ${quote(name)}: its name ${fault}`);
  }
}

function refuseKind(name: string, path: string, role: Listing["role"]): KprovError {
  const action = `Cannot read ${role ?? "input"} ${quote(name)}`;
  return new KprovError("data", `${action}: it is ${describeKind(path)}`, {
    hint: "leave it out with --exclude",
  });
}

function describeKind(path: string): string {
  try {
    return describeFileKind(Deno.lstatSync(path));
  } catch {
    return "neither a file, a link nor a directory";
  }
}

function refuseLoop(name: string): KprovError {
  return new KprovError(
    "data",
    `Cannot read input ${quote(name)}: a link in it leads to a directory that contains it`,
    { hint: "leave it out with --exclude" },
  );
}

function refuseMany(name: string): KprovError {
  return new KprovError(
    "data",
    `Cannot read input ${quote(name)}: links in it make more than ${MOST_FILES} names`,
    { hint: SHARD_HINT },
  );
}

function refuseDirectory(name: string, reason: string): KprovError {
  return new KprovError("data", `Cannot read directory ${quote(name)}: ${reason}`);
}

/**
 * What is done with links among the inputs. `none`: those inside directories are recorded as links,
 * and one that is named itself is refused. `links`: that one is recorded as a link too. `follow`: the
 * content behind every link is recorded under the link's name.
 */
export type LinkReading = "none" | "links" | "follow";

/** The file at a name, read through links. */
interface Followed {
  /** Where it is, absolute, no link in it. */
  readonly path: string;
  /** What it is; no link. */
  readonly stats: Deno.FileInfo;
}

/**
 * The paths behind names below a root, for the reading that `--follow` asks for. Deno holds its
 * permissions against the path that is written and not against where a link in it leads, so the
 * permission for that is demanded here.
 */
export class FollowedPaths {
  readonly #root: Root;
  readonly #role: string;
  readonly #directories = new Map<string, string>();
  readonly #links = new Map<string, string>();

  /** The role is what the files are for, for messages. */
  constructor(root: Root, role: string) {
    this.#root = root;
    this.#role = role;
    this.#directories.set(".", root.path);
  }

  /**
   * Finds the file at a name, through every link on the way to it and at its end. Throws `data`
   * where it is missing, or a link leads nowhere or to itself.
   */
  follow(name: string): Followed {
    if (name === ".") return { path: this.#root.path, stats: Deno.lstatSync(this.#root.path) };
    const end = name.lastIndexOf("/");
    const directory = this.#followDirectory(end < 0 ? "." : name.slice(0, end));
    const path = join(directory, name.slice(end + 1));
    try {
      const stats = Deno.lstatSync(path);
      return stats.isSymlink ? this.#followLink(name, path) : { path, stats };
    } catch (error) {
      throw this.#refuse(name, path, error);
    }
  }

  #followDirectory(name: string): string {
    const known = this.#directories.get(name);
    if (known !== undefined) return known;
    const { path } = this.follow(name);
    this.#directories.set(name, path);
    return path;
  }

  #followLink(name: string, link: string): Followed {
    const action = `Cannot read ${this.#role} ${quote(name)}`;
    const path = resolveLink(link, action);
    requireTarget(path, action);
    this.#links.set(name, path);
    return { path, stats: lookAtTarget(path, action) };
  }

  #refuse(name: string, path: string, error: unknown): KprovError {
    return toReadError(error, `Cannot read ${this.#role} ${quote(name)}`, {
      path,
      missing: "data",
    });
  }

  /** Makes sure, once everything is read, that every name still leads to where it did. */
  checkUnchanged(): void {
    const again = new FollowedPaths(this.#root, this.#role);
    for (const [name, path] of [...this.#directories, ...this.#links]) {
      if (again.follow(name).path === path) continue;
      throw new KprovError("data", `Cannot read ${this.#role} ${quote(name)}`, {
        reason: "its target changed while it was read",
      });
    }
  }
}

function resolveLink(link: string, action: string): string {
  try {
    return Deno.realPathSync(link);
  } catch (error) {
    if (isMissing(error)) throw refuseLink(action, "nowhere", error);
    if (systemCode(error) === "ELOOP") throw refuseLink(action, "back to itself", error);
    throw error;
  }
}

/** Deno resolves a link to an absolute path also where nothing is there. */
function lookAtTarget(path: string, action: string): Deno.FileInfo {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    throw isMissing(error) ? refuseLink(action, "nowhere", error) : error;
  }
}

function refuseLink(action: string, where: string, cause: unknown): KprovError {
  return new KprovError("data", action, {
    reason: `it is a symbolic link that leads ${where}`,
    cause,
  });
}

function requireTarget(path: string, action: string): void {
  try {
    requirePermission("read", path);
  } catch (error) {
    if (!(error instanceof KprovError)) throw error;
    if (error.code !== "permission") throw refuseSystemPath(action, { cause: error });
    const message = `${action}: it is a link, and Deno's permission to read its target is missing`;
    throw new KprovError("permission", message, { hint: error.hint ?? undefined, cause: error });
  }
}

/** A run over a store of links would else print a line for each of a million. */
const MOST_NOTES = 20;

/** So many links are followed one after another, as in Linux. */
export const MOST_LINKS = 40;

/**
 * Notes the recorded links that lead to something that is not recorded: what they stand for is not
 * part of the evidence. The last note `link.outside` tells of how many more, without their names.
 */
export function noteLinksOutside(
  materials: readonly RecordedFile[],
  all: { readonly names: readonly string[]; readonly inputs: readonly string[] },
  root: Root,
): Finding[] {
  const links = materials.filter(({ kind }) => kind === "symlink");
  if (links.length === 0) return [];
  const known = new Set(all.names);
  for (const name of all.names) addDirectories(known, name);
  const given = new Set(all.inputs);
  const isLink = new Set(links.map(({ name }) => name));
  const outside = links.filter(({ name }) => {
    const target = resolveTarget(name, isLink, root);
    return target === null || !known.has(target) || findCovering(target, given) === null;
  });
  const notes = outside.slice(0, MOST_NOTES).map(({ name }) =>
    noteOutside(
      "it leads out of the inputs: the text of its target is recorded, not the content there",
      name,
    )
  );
  const more = outside.length - notes.length;
  return more > 0
    ? [...notes, noteOutside(`${more} more links lead out of the inputs`, null)]
    : notes;
}

function noteOutside(message: string, path: string | null): Finding {
  const hint = "--follow records the content behind links";
  return makeFinding("link.outside", message, { level: "note", path, hint });
}

/** The directories above a name; those above a directory that is known are known as well. */
function addDirectories(known: Set<string>, name: string): void {
  known.add(".");
  for (let end = name.lastIndexOf("/"); end > 0; end = name.lastIndexOf("/", end - 1)) {
    const directory = name.slice(0, end);
    if (known.has(directory)) return;
    known.add(directory);
  }
}

/**
 * Where a link below the root leads, by the text of the links alone: nothing behind one is looked
 * at. `.` is the root itself; null where it leads elsewhere.
 */
function resolveTarget(link: string, isLink: ReadonlySet<string>, root: Root): string | null {
  const done: string[] = [];
  const ahead = link.split("/").reverse();
  for (let steps = 0; steps < MOST_LINKS;) {
    const part = ahead.pop();
    if (part === undefined) return done.join("/") || ".";
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (done.pop() === undefined) return null;
      continue;
    }
    const name = [...done, part].join("/");
    const target = isLink.has(name) ? readTarget(name, root) : null;
    if (target === null) done.push(part);
    else {
      steps++;
      const rest = target.startsWith("/") ? stripRoot(target, root) : target;
      if (rest === null) return null;
      if (target.startsWith("/")) done.length = 0;
      ahead.push(...rest.split("/").reverse());
    }
  }
  return null;
}

function readTarget(name: string, root: Root): string | null {
  try {
    return Deno.readLinkSync(join(root.path, name));
  } catch {
    return null;
  }
}

function stripRoot(target: string, root: Root): string | null {
  if (target === root.path) return "";
  return target.startsWith(`${root.path}/`) ? target.slice(root.path.length + 1) : null;
}

/** Refuses a Deno whose directory listings leave something out. */
export function checkListings(): void {
  const first = FIRST_DENO_WITH_WHOLE_LISTINGS;
  if (isDenoInRange(Deno.version.deno, `>=${first}`)) return;
  throw new KprovError(
    "runtime",
    `Cannot read a directory on Deno ${Deno.version.deno}: before ${first} its listings leave out names that are not UTF-8`,
    { hint: "name each file, or use a later Deno" },
  );
}

/** Looks at a path, and hints at a name beside it that looks the same where nothing is there. */
export function lookAt({ given, path }: NamedPath, action: string): Deno.FileInfo {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    const failure = toReadError(error, action, { path: given, missing: "data" });
    const twin = isMissing(error) ? findTwin(path) : null;
    if (twin === null) throw failure;
    const hint = `${quote(twin)} exists, which looks the same but has other Unicode bytes`;
    throw new KprovError(failure.code, failure.message, { cause: error, hint });
  }
}

/** A name beside a path that is the same text in another normal form, as other systems write it. */
function findTwin(path: string): string | null {
  const name = basename(path);
  if (isAscii(name) || !isPermitted("read", dirname(path))) return null;
  try {
    const names = [...Deno.readDirSync(dirname(path))].map((entry) => entry.name);
    return names.find((other) => other.normalize() === name.normalize()) ?? null;
  } catch {
    return null;
  }
}

export function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}

/** Such names are one file on some systems, and which of the two it is then cannot be told. */
export function noteTwins(nonAscii: readonly string[]): Finding[] {
  const seen = new Map<string, string>();
  return nonAscii.flatMap((name) => {
    const first = seen.get(name.normalize());
    seen.set(name.normalize(), first ?? name);
    if (first === undefined) return [];
    const hint = "some systems take them for one file; rename one of them";
    const message = "it looks the same as another input, but has other Unicode bytes";
    return [makeFinding("input.twin", message, { level: "note", path: name, hint })];
  });
}
