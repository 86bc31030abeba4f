/**
 * Ways to make sure that what is read below a root is read there, and not where a link leads to.
 * All look at the directories on the way to a path and at nothing else
 * ({@linkcode DirectoriesBelow}). That is enough for who reads a few files or writes one: the
 * policy, the lock, the guards, `init`. What becomes evidence must also be of one moment, so there
 * every directory and file keeps what a change would alter ({@linkcode PathWatch}). Where very many
 * files are only searched, listing their directories tells at less cost that no link is among them
 * ({@linkcode DirectoryListings}).
 *
 * @module
 */

import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { join } from "../base/std.ts";
import { isMissing, toReadError } from "./permissions.ts";
import { CHANGED } from "./read_file.ts";
import { CLOCK_TICK_MS, isSameLook, isSecondOver, lookAt } from "./regular_file.js";

/** What stands where a path below a root has a directory. */
interface Obstacle {
  /** The first part of the path that is no directory, relative to the root. */
  readonly name: string;
  /** What is there instead. */
  readonly kind: "link" | "missing" | "other";
}

/** What one look at the way to a directory saw. */
interface WayLook {
  /** Null where it, and everything above it, is a directory. */
  readonly obstacle: Obstacle | null;
  /** Which directory it is, where it is one. */
  readonly identity: string;
  /** When its entries changed last, in milliseconds; null where the system does not tell. */
  readonly mtime: number | null;
  /** When they, its name or its mode changed last, in whole seconds; null likewise. */
  readonly ctime: number | null;
  /** Whether that second was over, so that a later change leaves another time. */
  readonly isSecondOver: boolean;
}

/** Looks at a path; throws what the system does. */
type LookAtPath = (path: string, name: string) => Deno.FileInfo;

/**
 * The directories below a root, none of which may be a link: whoever reads or writes a path below a
 * root asks here first, so that nothing leads out of it. Each directory is looked at once, so a path
 * costs little however many there are. Between a look and the reading a directory may be swapped for a
 * link or another directory: once everything is read, `isUnchanged()` tells.
 */
export class DirectoriesBelow {
  readonly #root: string;
  readonly #look: LookAtPath;
  readonly #looks = new Map<string, WayLook>();
  #again: DirectoriesBelow | null = null;

  /** The root is absolute, its own links resolved. */
  constructor(root: string, look: LookAtPath = (path) => Deno.lstatSync(path)) {
    this.#root = root;
    this.#look = look;
  }

  /**
   * Finds what keeps a path, with `/` between its parts, `.` for the root itself, from being a
   * directory that is reached through directories alone; null where nothing does.
   */
  findObstacle(directory: string): Obstacle | null {
    return this.#lookAt(directory).obstacle;
  }

  /**
   * The link that a path, which need not exist, lies behind or is, in words; null where there is
   * none.
   */
  describeLink(path: string): string | null {
    const obstacle = this.findObstacle(directoryOf(path));
    return obstacle?.kind === "link"
      ? `it lies behind the symbolic link ${quote(obstacle.name)}`
      : null;
  }

  /**
   * Looks once more at a directory that was looked at, by the same name: no link, no other
   * directory; where {@linkcode areSettled}, also neither it nor one above it was moved away and
   * back. The answer is kept, so this is for when everything below the root is read.
   */
  isUnchanged(directory: string): boolean {
    this.#again ??= new DirectoriesBelow(this.#root);
    let isKept = isSameWay(this.#lookAt("."), this.#again.#lookAt("."));
    for (let end = 0; end >= 0 && isKept;) {
      end = directory.indexOf("/", end + 1);
      const name = end < 0 ? directory : directory.slice(0, end);
      const before = this.#lookAt(name);
      isKept = isSameWay(before, this.#again.#lookAt(name));
      if (before.obstacle !== null) break;
    }
    return isKept;
  }

  /** Whether each directory that was looked at is such that it cannot be moved without a trace. */
  areSettled(): boolean {
    return [...this.#looks.values()].every((look) => look.obstacle !== null || look.isSecondOver);
  }

  #lookAt(directory: string): WayLook {
    const known = this.#looks.get(directory);
    if (known !== undefined) return known;
    const look = this.#looks.get(directoryOf(directory))?.obstacle === null
      ? this.#lookAtOne(directory)
      : this.#lookFromTop(directory);
    this.#looks.set(directory, look);
    return look;
  }

  /** Of a path that leads nowhere, however long, only the start is looked at. */
  #lookFromTop(directory: string): WayLook {
    let look = this.#lookAtOne(".");
    for (let end = 0; end >= 0 && look.obstacle === null;) {
      end = directory.indexOf("/", end + 1);
      look = this.#lookAtOne(end < 0 ? directory : directory.slice(0, end));
    }
    return look;
  }

  #lookAtOne(directory: string): WayLook {
    const look = this.#looks.get(directory) ?? this.#lookAtNew(directory);
    this.#looks.set(directory, look);
    return look;
  }

  #lookAtNew(name: string): WayLook {
    const path = join(this.#root, name);
    try {
      const started = Date.now();
      const { isDirectory, isSymlink, dev, ino, mtime, ctime } = this.#look(path, name);
      if (!isDirectory) return meetObstacle(name, isSymlink ? "link" : "other");
      return {
        obstacle: null,
        identity: `${dev}:${ino}`,
        mtime: mtime?.getTime() ?? null,
        ctime: ctime?.getTime() ?? null,
        isSecondOver: isSecondOver(ctime, started),
      };
    } catch (error) {
      refuseUnpermitted(error, path, name);
      return meetObstacle(name, isMissing(error) ? "missing" : "other");
    }
  }
}

function meetObstacle(name: string, kind: Obstacle["kind"]): WayLook {
  const obstacle = { name, kind };
  return { obstacle, identity: "", mtime: null, ctime: null, isSecondOver: false };
}

/** New and removed entries set both times of a directory; a new name sets only when it changed. */
function isSameWay(before: WayLook, now: WayLook): boolean {
  return before.obstacle?.kind === now.obstacle?.kind && before.identity === now.identity &&
    (before.mtime !== now.mtime || before.ctime === now.ctime);
}

/**
 * The directory that a path, with `/` between its parts, lies in; `.` where that is the root
 * itself.
 */
export function directoryOf(path: string): string {
  const end = path.lastIndexOf("/");
  return end < 0 ? "." : path.slice(0, end);
}

function refuseUnpermitted(error: unknown, path: string, name: string): void {
  if (!(error instanceof Deno.errors.NotCapable)) return;
  throw toReadError(error, `Cannot read ${quote(name)}`, { path });
}

/** How often something is read where the directories around it are written to meanwhile. */
const MOST_ATTEMPTS = 3;

/** What one look at a file or directory saw. */
interface Look {
  readonly dev: number;
  readonly ino: number | null;
  /** In milliseconds; null where the system does not tell. */
  readonly mtime: number | null;
  /** Likewise, though in whole seconds. */
  readonly ctime: number | null;
  /** Whether that second was over, so that a later change leaves another time. */
  readonly isSecondOver: boolean;
}

/** A directory on the way to files. */
interface Directory extends Look {
  /** Whether it is written to all the time, so that no look tells of a change. */
  readonly isBusy: boolean;
  /** Whether its entries count, so that it must not change at all. */
  isListed: boolean;
}

/** Files with their inodes and change times, which are NaN where they may not tell a later change. */
interface NamedFiles {
  readonly names: string[];
  readonly inodes: (number | null)[];
  readonly changeTimes: number[];
}

/** Something that may not be what it was. */
export interface Change {
  readonly what: "directory" | "file";
  /** Relative to the root. */
  readonly name: string;
  /** Whether something that does no harm looks like this, so that another attempt is worth it. */
  readonly mayBeHarmless: boolean;
}

/** Where something is read, and how the message calls it. */
interface WatchedPlace {
  /** Where recorded paths start. */
  readonly root: { readonly path: string };
  /** The names below the root of what kprov itself writes, perhaps in another process meanwhile. */
  readonly ownNames?: readonly string[];
  /** What the files are for. */
  readonly role: "input" | "product" | "file";
}

/**
 * Reads files, and makes sure that every path led to the same place all the while: nothing on the
 * way to them was moved away, or swapped for a link, and back. What can be told apart from that
 * only by reading again is read again. `read` tells the watch what it is about to read; `tell`
 * makes what is returned where something changed: without it, or where it returns null, that is a
 * `data` error.
 */
export async function readWatched<T>(
  place: WatchedPlace,
  read: (watch: PathWatch) => Promise<T>,
  tell: (result: T, changes: readonly Change[]) => T | null = () => null,
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    const watch = new PathWatch(place);
    const result = await read(watch);
    const changes = watch.findChanges();
    const change = changes.find(({ mayBeHarmless }) => !mayBeHarmless) ?? changes[0];
    if (change === undefined) return result;
    if (!change.mayBeHarmless || attempt === MOST_ATTEMPTS) {
      const told = tell(result, changes);
      if (told !== null) return told;
      throw refuse(change, place.role);
    }
    // From the next second on, the change times of all that is there now tell.
    await new Promise((resolve) => setTimeout(resolve, 1000 - Date.now() % 1000 + CLOCK_TICK_MS));
  }
}

function refuse(
  { what, name }: Pick<Change, "what" | "name">,
  role: WatchedPlace["role"],
): KprovError {
  const subject = what === "directory" ? "directory" : role;
  return new KprovError(
    "data",
    `Cannot read ${subject} ${quote(name)}: ${CHANGED}`,
  );
}

/**
 * Holds what stands on the way to files, before they are read, against what stands there afterwards. A
 * path leads elsewhere for a while only if a directory on the way changes and changes back, which shows:
 *
 * - A directory that is listed must keep its times, for every change of its entries renews them.
 * - Any other may be written to, as the root is by everyone. Where it was, what is in it must keep its
 *   own change time, for a rename renews that too.
 */
export class PathWatch {
  readonly #prefix: string;
  readonly #ownNames: readonly string[];
  readonly #below: DirectoriesBelow;
  readonly #directories = new Map<string, Directory>();
  /** The files that are in no listed directory, of which there may be a million. */
  readonly #files: NamedFiles = { names: [], inodes: [], changeTimes: [] };

  /** @param place Where the files are */
  constructor({ root, ownNames = [] }: WatchedPlace) {
    this.#prefix = /[\\/]$/.test(root.path) ? root.path : `${root.path}/`;
    this.#ownNames = ownNames;
    this.#below = new DirectoriesBelow(root.path, (path, name) => this.#lookAtNew(path, name));
  }

  /** Whether it is a directory, without a link on the way; each above it is looked at once. */
  isDirectory(name: string): boolean {
    return this.#below.findObstacle(name) === null;
  }

  /** The link that a path lies behind, as {@linkcode DirectoriesBelow} says it. */
  describeLink(name: string): string | null {
    return this.#below.describeLink(name);
  }

  /**
   * Looks at a directory that is about to be listed. Throws `data` where it is none, or changes all
   * the time.
   */
  willList(name: string): void {
    this.isDirectory(name);
    const directory = this.#directories.get(name);
    if (directory === undefined || directory.isBusy) {
      throw refuse({ what: "directory", name }, "file");
    }
    directory.isListed = true;
  }

  /**
   * Looks at a directory once more as soon as it is listed. Throws `data` where it is not what it
   * was.
   */
  checkListed(name: string): void {
    if (this.#isUntouched(name)) return;
    const reason = "it changed while it was listed";
    throw new KprovError("data", `Cannot read directory ${quote(name)}: ${reason}`);
  }

  /**
   * Looks at a file that is about to be read, and whether it can be reached without a link on the
   * way.
   */
  willRead(name: string): boolean {
    const parent = directoryOf(name);
    if (!this.isDirectory(parent)) return false;
    if (this.#directories.get(parent)?.isListed) return true;
    const look = this.#lookAgain(name);
    if (look !== null) {
      this.#files.names.push(name);
      this.#files.inodes.push(look.ino);
      this.#files.changeTimes.push(look.isSecondOver ? look.ctime ?? NaN : NaN);
    }
    return true;
  }

  /** What changed since it was looked at; nothing where every path led to the same place all the while. */
  findChanges(): Change[] {
    const changes: Change[] = [];
    const written = new Set<string>();
    for (const [name, directory] of this.#directories) {
      if (this.#isUntouched(name) && !directory.isBusy) continue;
      const isHere = isSamePlace(directory, this.#lookAgain(name));
      const mayBeHarmless = isHere && (!directory.isListed || this.#isOwnPlace(name));
      if (!isHere || directory.isListed) changes.push({ what: "directory", name, mayBeHarmless });
      else written.add(name);
    }
    return written.size === 0 ? changes : [...changes, ...this.#findMovable(written)];
  }

  /** What is in a directory that was written to, and may have been moved away and back. */
  #findMovable(written: ReadonlySet<string>): Change[] {
    const changes: Change[] = [];
    for (const [name, directory] of this.#directories) {
      if (name === "." || !written.has(directoryOf(name))) continue;
      // Its times are known to be the same, unless it was written to as well.
      if (!written.has(name) && directory.isSecondOver) continue;
      changes.push({ what: "directory", name, mayBeHarmless: true });
    }
    const { names, inodes, changeTimes } = this.#files;
    for (const [i, name] of names.entries()) {
      if (!written.has(directoryOf(name))) continue;
      const again = this.#lookAgain(name);
      const isKept = again?.ino === inodes[i] && again?.ctime === changeTimes[i];
      if (!isKept) changes.push({ what: "file", name, mayBeHarmless: true });
    }
    return changes;
  }

  #isUntouched(name: string): boolean {
    const before = this.#directories.get(name) ?? null;
    const again = this.#lookAgain(name);
    return isSamePlace(before, again) && before?.mtime === again?.mtime &&
      before?.ctime === again?.ctime;
  }

  /** Whether kprov itself, perhaps in another process, makes something in a directory. */
  #isOwnPlace(name: string): boolean {
    return this.#ownNames.some((own) => name === "." || own.startsWith(`${name}/`));
  }

  /** What stands at a path that may be a directory; one that is written to all the time is busy. */
  #lookAtNew(path: string, name: string): Deno.FileInfo {
    const now = Date.now();
    const settled = lookAt(path);
    const info = settled ?? Deno.lstatSync(path);
    if (info.isDirectory) {
      const isBusy = settled === null;
      this.#directories.set(name, { ...toLook(info, now), isBusy, isListed: false });
    }
    return info;
  }

  #lookAgain(name: string): Look | null {
    const now = Date.now();
    const path = this.#prefix + name;
    try {
      return toLook(Deno.lstatSync(path), now);
    } catch (error) {
      refuseUnpermitted(error, path, name);
      return null;
    }
  }
}

function toLook({ dev, ino, mtime, ctime }: Deno.FileInfo, now: number): Look {
  const [modified, changed] = [mtime?.getTime() ?? null, ctime?.getTime() ?? null];
  return { dev, ino, mtime: modified, ctime: changed, isSecondOver: isSecondOver(ctime, now) };
}

function isSamePlace(a: Look | null, b: Look | null): boolean {
  return a !== null && b !== null && a.dev === b.dev && a.ino === b.ino;
}

/** From so many tracked files below a directory on, one listing costs less than a look at each. */
const WORTH_A_LISTING = 8;

interface Listing {
  /** With a `/` at its end; empty for the root. */
  readonly directory: string;
  /** Whether it was listed, and shows nothing but files and directories. */
  readonly isPlain: boolean;
}

/**
 * Finds the directories without links and devices by listing them, which costs a fraction of a look
 * at each file. Of all answers, those about the directories on the way to the last path are kept.
 */
export class DirectoryListings {
  readonly #root: string;
  readonly #paths: readonly string[];
  readonly #kept: Listing[] = [];
  /** What was seen of plain directories, and those above them, before they were listed. */
  readonly #looks = new Map<string, Deno.FileInfo | null>();

  /**
   * The root ends with a separator; the paths are sorted, so that those of one directory follow
   * each other.
   */
  constructor(root: string, paths: readonly string[]) {
    this.#root = root;
    this.#paths = paths;
  }

  /**
   * Whether the directory of a path shows nothing but files and directories; false where it cannot
   * be listed, or that is not worth it. Asked in rising order, each directory is listed once.
   */
  isPlainAround(index: number): boolean {
    const path = this.#paths[index]!;
    const length = path.lastIndexOf("/") + 1;
    let listing = this.#kept.at(-1);
    while (listing !== undefined && !path.startsWith(listing.directory)) {
      this.#kept.pop();
      listing = this.#kept.at(-1);
    }
    if (listing?.directory.length !== length) {
      listing = this.#list(path.slice(0, length), index);
      this.#kept.push(listing);
    }
    return listing.isPlain;
  }

  #list(directory: string, index: number): Listing {
    const isWorthIt = this.#paths[index + WORTH_A_LISTING]?.startsWith(directory) === true;
    if (!isWorthIt) return { directory, isPlain: false };
    for (let end = 0; end < directory.length; end = directory.indexOf("/", end) + 1) {
      this.#lookAt(directory.slice(0, end));
    }
    this.#lookAt(directory);
    return { directory, isPlain: isPlainDirectory(this.#root + directory) };
  }

  #lookAt(directory: string): void {
    if (!this.#looks.has(directory)) this.#looks.set(directory, look(this.#root + directory));
  }

  /**
   * Whether the directories that were called plain are what they were, and are reached as they
   * were; false where one cannot be looked at. Forgets everything: after that it is asked about
   * later paths.
   */
  areUnchanged(): boolean {
    const areUnchanged = [...this.#looks].every(([directory, before]) =>
      before !== null && isStill(this.#root + directory, before)
    );
    this.#looks.clear();
    this.#kept.length = 0;
    return areUnchanged;
  }
}

function isPlainDirectory(path: string): boolean {
  try {
    for (const { isFile, isDirectory } of Deno.readDirSync(path)) {
      if (!isFile && !isDirectory) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** Null where it cannot be looked at, or changes all the time. */
function look(path: string): Deno.FileInfo | null {
  try {
    return lookAt(path);
  } catch {
    return null;
  }
}

function isStill(path: string, before: Deno.FileInfo): boolean {
  try {
    return isSameLook(before, Deno.lstatSync(path));
  } catch {
    return false;
  }
}
