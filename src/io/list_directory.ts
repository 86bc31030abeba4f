import { KprovError } from "../base/error.ts";
import type { IgnoreList } from "../base/glob.ts";
import { quote } from "../base/quote.ts";
import { describeNameFault } from "../evidence/check_names.ts";
import { MOST_FILES, SHARD_HINT } from "../evidence/documents.ts";
import type { FollowedPaths } from "./links.ts";
import { toKprovError } from "./os_error.ts";
import type { PathWatch } from "./path_watch.ts";
import { permissionFlag } from "./permissions.ts";

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
 * trace.
 *
 * @param directory Where to start
 * @param listing How
 * @returns Their names, relative to the root
 * @throws {KprovError} `data` on a name that cannot be represented exactly, on anything that is
 * neither file, link nor directory, on a directory that changes while it is listed, and on a link that
 * is followed and leads nowhere or back to where it stands; `io` where the system refuses, `permission`
 * where Deno does
 */
export function listDirectory(directory: NamedDirectory, listing: Listing): string[] {
  const files: string[] = [];
  const { following = null } = listing;
  const pending: Pending[] = [{ ...directory, holders: following && [directory.path] }];
  let directories = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const prefix = next.name === "." ? "" : `${next.name}/`;
    // Links in directories that others lead to multiply: twenty make a million names of one.
    if (following && (++directories > MOST_FILES || files.length > MOST_FILES)) {
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
      if (entry.isFile || entry.isSymlink || fault !== null) files.push(name);
      else if (entry.isDirectory) pending.push(enter(entry, next, name));
      else throw refuseKind(name);
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
    throw toKprovError(error, `Cannot read directory ${quote(directory.name)}`, {
      missing: "data",
      refused: "io",
      flag: permissionFlag("read", directory.path),
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

function refuseKind(name: string): KprovError {
  return new KprovError(
    "data",
    `Cannot read input ${quote(name)}: it is neither a file, a link nor a directory`,
    {
      hint: "leave it out with --exclude",
    },
  );
}

function refuseLoop(name: string): KprovError {
  return new KprovError(
    "data",
    `Cannot read input ${quote(name)}: links lead from it to a directory around it`,
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
