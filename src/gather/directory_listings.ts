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
    return listing.isPlain;
  }

  #list(directory: string, index: number): Listing {
    const isWorthIt = this.#paths[index + WORTH_A_LISTING]?.startsWith(directory) === true;
    return { directory, isPlain: isWorthIt && isPlainDirectory(this.#root + directory) };
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
