import { isSameLook, lookAt } from "../system/read_file.js";

/** From so many tracked files below a directory on, one listing costs less than a look at each. */
const WORTH_A_LISTING = 8;

interface Listing {
  /** With a `/` at its end; empty for the root. */
  readonly directory: string;
  /** What was seen of it before it was listed, where it shows nothing but files and directories. */
  readonly before: Deno.FileInfo | null;
}

/**
 * Finds the directories without links and devices by listing them, which costs a fraction of a look
 * at each file. Of all answers, those about the directories on the way to the last path are kept.
 */
export class DirectoryListings {
  readonly #root: string;
  readonly #paths: readonly string[];
  readonly #kept: Listing[] = [];
  #listed: Listing[] = [];

  /**
   * @param root What the paths are relative to, with a separator at its end
   * @param paths Sorted, so that those of one directory follow each other
   */
  constructor(root: string, paths: readonly string[]) {
    this.#root = root;
    this.#paths = paths;
  }

  /**
   * Tells whether a path's directory shows nothing but files and directories.
   *
   * @param index The path's; asked in rising order, each directory is listed once
   * @returns False also where it cannot be listed, or a listing is not worth it
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
    return listing.before !== null;
  }

  #list(directory: string, index: number): Listing {
    const isWorthIt = this.#paths[index + WORTH_A_LISTING]?.startsWith(directory) === true;
    const before = isWorthIt ? lookAtPlain(this.#root + directory) : null;
    const listing = { directory, before };
    if (before !== null) this.#listed.push(listing);
    return listing;
  }

  /**
   * Tells whether the directories that were plain when they were listed are what they were. After that
   * it is asked about paths that come later; where one is not, what is kept is listed anew.
   *
   * @returns False also where one cannot be looked at
   */
  areUnchanged(): boolean {
    const areUnchanged = this.#listed.every(({ directory, before }) =>
      before !== null && isStill(this.#root + directory, before)
    );
    if (!areUnchanged) this.#kept.length = 0;
    this.#listed = this.#kept.filter(({ before }) => before !== null);
    return areUnchanged;
  }
}

function lookAtPlain(path: string): Deno.FileInfo | null {
  try {
    const before = lookAt(path);
    for (const { isFile, isDirectory } of Deno.readDirSync(path)) {
      if (!isFile && !isDirectory) return null;
    }
    return before?.isDirectory ? before : null;
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
