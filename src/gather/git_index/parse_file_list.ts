import { compareUtf8 } from "../../compare_utf8.ts";
import type { TrackedEntry } from "../../guards/facts.ts";
import { KprovError } from "../../kprov_error.ts";
import { checkTrackedPath, decodeTrackedPath } from "./tracked_path.ts";

/**
 * Parses a list of paths as `git ls-files -z` prints it, for trees that have no index. Paths that
 * stand twice, as those in conflict do, count once; what git tracks there counts as a file.
 *
 * @param bytes The list: each path with a NUL behind it
 * @returns Sorted by UTF-8 bytes
 * @throws {KprovError} `data`; the message is a reason such as `it does not end with a NUL`
 */
export function parseFileList(bytes: Uint8Array): TrackedEntry[] {
  if (bytes.length > 0 && bytes.at(-1) !== 0) {
    throw new KprovError("data", "it does not end with a NUL, as the list of git ls-files -z does");
  }
  const paths = new Set<string>();
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0, start);
    const path = decodeTrackedPath(bytes.subarray(start, end));
    checkTrackedPath(path);
    paths.add(path);
    start = end + 1;
  }
  return [...paths].sort(compareUtf8).map((path) => ({ path, kind: "file" }));
}
