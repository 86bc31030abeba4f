import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { toKprovError } from "./os_error.ts";
import type { Root } from "./paths.ts";
import { permissionFlag } from "./permissions.ts";
import { CLOCK_TICK_MS, isSecondOver, lookAt } from "./regular_file.js";

/** So often something is read, where the directories around it are written to meanwhile. */
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
interface Change {
  readonly what: "directory" | "file";
  /** Relative to the root. */
  readonly name: string;
  /** Whether something that does no harm looks like this, so that another attempt is worth it. */
  readonly mayBeHarmless: boolean;
}

/** Where something is read, and how the message calls it. */
interface WatchedPlace {
  /** What names are relative to. */
  readonly root: Root;
  /** The names below the root of what kprov itself writes, perhaps in another process meanwhile. */
  readonly ownNames?: readonly string[];
  /** What the files are for. */
  readonly role: "input" | "product" | "file";
}

/**
 * Reads files, and makes sure that every path led to the same place all the while: nothing on the way
 * to them was moved away, or swapped for a link, and back. What can be told apart from that only by
 * reading again is read again.
 *
 * @param place Where
 * @param read Reads; it tells the watch what it is about to read
 * @returns What that returned
 * @throws {KprovError} `data`, naming what changed, and what `read` throws
 */
export async function readWatched<T>(
  place: WatchedPlace,
  read: (watch: PathWatch) => Promise<T>,
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    const watch = new PathWatch(place);
    const result = await read(watch);
    const change = watch.findChange();
    if (change === null) return result;
    if (!change.mayBeHarmless || attempt === MOST_ATTEMPTS) throw refuse(change, place.role);
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
    `Cannot read ${subject} ${quote(name)}: it changed while it was read`,
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
  readonly #directories = new Map<string, Directory | null>();
  /** The files that are in no listed directory, of which there may be a million. */
  readonly #files: NamedFiles = { names: [], inodes: [], changeTimes: [] };

  /** @param place Where the files are */
  constructor({ root, ownNames = [] }: WatchedPlace) {
    this.#prefix = /[\\/]$/.test(root.path) ? root.path : `${root.path}/`;
    this.#ownNames = ownNames;
  }

  /**
   * Looks at a directory and at those above it, each once.
   *
   * @param name Relative to the root; `.` is the root itself
   * @returns Whether it is one, and no link is on the way to it
   * @throws {KprovError} `permission` where Deno does not let it be looked at
   */
  isDirectory(name: string): boolean {
    const known = this.#directories.get(name);
    if (known !== undefined) return known !== null;
    const isReachable = name === "." || this.isDirectory(directoryOf(name));
    const directory = isReachable ? this.#lookAtDirectory(name) : null;
    this.#directories.set(name, directory);
    return directory !== null;
  }

  /**
   * Looks at a directory that is about to be listed.
   *
   * @param name Relative to the root
   * @throws {KprovError} As {@linkcode isDirectory} does, and `data` where it is no directory, or one
   * that changes all the time
   */
  willList(name: string): void {
    this.isDirectory(name);
    const directory = this.#directories.get(name);
    if (!directory || directory.isBusy) throw refuse({ what: "directory", name }, "file");
    directory.isListed = true;
  }

  /**
   * Looks at a directory once more as soon as it is listed.
   *
   * @param name Relative to the root
   * @throws {KprovError} `data` where it is not what it was
   */
  checkListed(name: string): void {
    if (this.#isUntouched(name)) return;
    const reason = "it changed while it was listed";
    throw new KprovError("data", `Cannot read directory ${quote(name)}: ${reason}`);
  }

  /**
   * Looks at a file that is about to be read, and at the directories on the way to it.
   *
   * @param name Relative to the root
   * @returns Whether it can be reached without a link on the way
   * @throws {KprovError} As {@linkcode isDirectory} does
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

  /** What changed since it was looked at; null where every path led to the same place all the while. */
  findChange(): Change | null {
    const written = new Set<string>();
    for (const [name, directory] of this.#directories) {
      if (directory === null || (this.#isUntouched(name) && !directory.isBusy)) continue;
      const isHere = isSamePlace(directory, this.#lookAgain(name));
      const mayBeHarmless = isHere && (!directory.isListed || this.#isOwnPlace(name));
      if (!isHere || directory.isListed) return { what: "directory", name, mayBeHarmless };
      written.add(name);
    }
    return written.size === 0 ? null : this.#findMovable(written);
  }

  /** What is in a directory that was written to, and may have been moved away and back. */
  #findMovable(written: ReadonlySet<string>): Change | null {
    for (const [name, directory] of this.#directories) {
      if (name === "." || directory === null || !written.has(directoryOf(name))) continue;
      // Its times are known to be the same, unless it was written to as well.
      if (!written.has(name) && directory.isSecondOver) continue;
      return { what: "directory", name, mayBeHarmless: true };
    }
    const { names, inodes, changeTimes } = this.#files;
    for (const [i, name] of names.entries()) {
      if (!written.has(directoryOf(name))) continue;
      const again = this.#lookAgain(name);
      const isKept = again?.ino === inodes[i] && again?.ctime === changeTimes[i];
      if (!isKept) return { what: "file", name, mayBeHarmless: true };
    }
    return null;
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

  #lookAtDirectory(name: string): Directory | null {
    const now = Date.now();
    const settled = this.#attempt(name, () => lookAt(this.#pathOf(name)) ?? "busy");
    if (settled !== "busy") {
      return settled?.isDirectory
        ? { ...toLook(settled, now), isBusy: false, isListed: false }
        : null;
    }
    const info = this.#attempt(name, () => Deno.lstatSync(this.#pathOf(name)));
    return info?.isDirectory ? { ...toLook(info, now), isBusy: true, isListed: false } : null;
  }

  #lookAgain(name: string): Look | null {
    const now = Date.now();
    const info = this.#attempt(name, () => Deno.lstatSync(this.#pathOf(name)));
    return info === null ? null : toLook(info, now);
  }

  #pathOf(name: string): string {
    return this.#prefix + name;
  }

  #attempt<T>(name: string, look: () => T): T | null {
    try {
      return look();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotCapable)) return null;
      const flag = permissionFlag("read", this.#pathOf(name));
      throw toKprovError(error, `Cannot read ${quote(name)}`, { refused: "io", flag });
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

/** The directory that a name is in; `.` is the root itself. */
function directoryOf(name: string): string {
  const end = name.lastIndexOf("/");
  return end < 0 ? "." : name.slice(0, end);
}
