import { quote } from "../base/quote.ts";
import { join } from "../base/std.ts";
import { isMissing, toKprovError } from "./os_error.ts";
import { permissionFlag } from "./permissions.ts";
import { isSecondOver } from "./regular_file.js";

/** What stands where a path below a root has a directory. */
interface Obstacle {
  /** The first part of the path that is no directory, relative to the root. */
  readonly name: string;
  /** What is there instead. */
  readonly kind: "link" | "missing" | "other";
}

/** What one look at a directory saw. */
interface Look {
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

/**
 * The directories below a root, none of which may be a link: whoever reads or writes a path below a
 * root asks here first, so that nothing leads out of it. Each directory is looked at once, so a path
 * costs little however many there are. Between a look and the reading a directory may be swapped for a
 * link or another directory: once everything is read, `isUnchanged()` tells.
 */
export class DirectoriesBelow {
  readonly #root: string;
  readonly #looks = new Map<string, Look>();
  #again: DirectoriesBelow | null = null;

  /** @param root Absolute, its own links resolved */
  constructor(root: string) {
    this.#root = root;
  }

  /**
   * Finds what keeps a path from being a directory that is reached through directories alone.
   *
   * @param directory Relative to the root, with `/` between its parts; `.` is the root itself
   * @returns Null where it is such a directory
   * @throws {KprovError} `permission` where Deno does not let it be looked at
   */
  findObstacle(directory: string): Obstacle | null {
    return this.#lookAt(directory).obstacle;
  }

  /**
   * The link that a path lies behind, in words.
   *
   * @param path Relative to the root; it need not exist, and may be a link itself
   * @returns Such as `it lies behind the symbolic link "docs"`, or null where it does not
   * @throws {KprovError} As {@linkcode findObstacle} does
   */
  describeLink(path: string): string | null {
    const obstacle = this.findObstacle(directoryOf(path));
    return obstacle?.kind === "link"
      ? `it lies behind the symbolic link ${quote(obstacle.name)}`
      : null;
  }

  /**
   * Looks once more at a directory that was looked at. The answer is kept, so this is for when
   * everything below the root is read.
   *
   * @param directory As it was asked for
   * @returns Whether it is what it was: no link, no other directory; where {@linkcode areSettled}, also
   * whether neither it nor one above it was moved away and back
   * @throws {KprovError} As {@linkcode findObstacle} does
   */
  isUnchanged(directory: string): boolean {
    this.#again ??= new DirectoriesBelow(this.#root);
    let isKept = isSame(this.#lookAt("."), this.#again.#lookAt("."));
    for (let end = 0; end >= 0 && isKept;) {
      end = directory.indexOf("/", end + 1);
      const name = end < 0 ? directory : directory.slice(0, end);
      const before = this.#lookAt(name);
      isKept = isSame(before, this.#again.#lookAt(name));
      if (before.obstacle !== null) break;
    }
    return isKept;
  }

  /** Whether each directory that was looked at is such that it cannot be moved without a trace. */
  areSettled(): boolean {
    return [...this.#looks.values()].every((look) => look.obstacle !== null || look.isSecondOver);
  }

  #lookAt(directory: string): Look {
    const known = this.#looks.get(directory);
    if (known !== undefined) return known;
    let look = this.#lookAtOne(".");
    // From the top down: of a path that leads nowhere, however long, only the start is looked at.
    for (let end = 0; end >= 0 && look.obstacle === null;) {
      end = directory.indexOf("/", end + 1);
      look = this.#lookAtOne(end < 0 ? directory : directory.slice(0, end));
    }
    this.#looks.set(directory, look);
    return look;
  }

  #lookAtOne(directory: string): Look {
    const look = this.#looks.get(directory) ?? lookAt(join(this.#root, directory), directory);
    this.#looks.set(directory, look);
    return look;
  }
}

/**
 * The directory that a path lies in.
 *
 * @param path Relative to a root, with `/` between its parts
 * @returns `.` where that is the root itself
 */
export function directoryOf(path: string): string {
  const end = path.lastIndexOf("/");
  return end < 0 ? "." : path.slice(0, end);
}

/** New and removed entries set both times of a directory; a new name sets only when it changed. */
function isSame(before: Look, now: Look): boolean {
  return before.obstacle?.kind === now.obstacle?.kind && before.identity === now.identity &&
    (before.mtime !== now.mtime || before.ctime === now.ctime);
}

function lookAt(path: string, name: string): Look {
  try {
    const started = Date.now();
    const { isDirectory, isSymlink, dev, ino, mtime, ctime } = Deno.lstatSync(path);
    if (!isDirectory) return meetObstacle(name, isSymlink ? "link" : "other");
    return {
      obstacle: null,
      identity: `${dev}:${ino}`,
      mtime: mtime?.getTime() ?? null,
      ctime: ctime?.getTime() ?? null,
      isSecondOver: isSecondOver(ctime, started),
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      throw toKprovError(error, `Cannot read ${quote(name)}`, {
        refused: "io",
        flag: permissionFlag("read", path),
      });
    }
    return meetObstacle(name, isMissing(error) ? "missing" : "other");
  }
}

function meetObstacle(name: string, kind: Obstacle["kind"]): Look {
  const obstacle = { name, kind };
  return { obstacle, identity: "", mtime: null, ctime: null, isSecondOver: false };
}
