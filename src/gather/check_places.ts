import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import { DirectoriesBelow, directoryOf } from "../system/directories_below.ts";
import type { Root } from "./input_path.ts";

/**
 * Makes sure, once files are read, that every directory on the way to them still is one. Where one
 * was swapped for a link after it was listed, what was read lies somewhere else.
 *
 * @param names The files, relative to the root
 * @param root What the names are relative to
 * @param role What the files are for, for the message
 * @throws {KprovError} `data`, naming the first file that is not reached any more
 */
export function checkPlaces(
  names: readonly string[],
  root: Root,
  role: "input" | "product",
): void {
  const directories = new DirectoriesBelow(root.path);
  const swapped = names.find((name) => directories.findObstacle(directoryOf(name)) !== null);
  if (swapped === undefined) return;
  throw new KprovError(
    "data",
    `Cannot read ${role} ${quote(swapped)}: a directory on the way to it changed meanwhile`,
  );
}
