import { compareUtf8 } from "../../compare_utf8.ts";
import { quote } from "../../quote.ts";
import { createSha256 } from "../../sha256.ts";
import type { GovernanceLock, LockedFile } from "../governance_lock.ts";

/**
 * Makes the lock of governed files.
 *
 * @param files The files in any order
 * @param major The major version at which it is taken
 */
export function buildGovernanceLock(files: readonly LockedFile[], major: number): GovernanceLock {
  const sorted = files
    .map(({ path, sha256 }) => ({ path, sha256 }))
    .sort((a, b) => compareUtf8(a.path, b.path));
  return {
    schema: "kprovengine.governance_lock.v1",
    major,
    files: sorted,
    sha256: digestFiles(sorted),
  };
}

/** The digest over all files, as `sha256sum` would list them. */
function digestFiles(files: readonly LockedFile[]): string {
  const hash = createSha256();
  for (const { path, sha256 } of files) hash.update(`${sha256}  ${path}\n`);
  return hash.digest("hex");
}

/**
 * Tells what is wrong with a lock that fits its schema: whether it is one that
 * {@linkcode buildGovernanceLock} makes.
 *
 * @param lock The lock
 * @returns Why it cannot be used, without a final period, or null
 */
export function describeLockFault(lock: GovernanceLock): string | null {
  const { files } = lock;
  for (const [index, { path }] of files.entries()) {
    const before = files[index - 1]?.path;
    if (before === undefined || compareUtf8(before, path) < 0) continue;
    const name = quote(path);
    return before === path ? `it holds ${name} twice` : `its files are not sorted at ${name}`;
  }
  return digestFiles(files) === lock.sha256 ? null : "its sha256 is not that of its files";
}
