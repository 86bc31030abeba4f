import { compileGlobFinder, compileGlobs } from "../glob/glob.ts";
import type { LockPolicy } from "../policy.ts";

const POINTER = "/lock/governs";

/**
 * Tells which paths a policy governs. The lock itself is never one of them: it cannot hold its own
 * digest.
 *
 * @param policy The policy's `lock`
 * @throws {KprovError} `policy` on a glob that is malformed or could never match
 */
export function compileGoverned(policy: LockPolicy): (path: string) => boolean {
  const matches = compileGlobs(policy.governs, POINTER);
  return (path) => path !== policy.path && matches(path);
}

/**
 * Lists the globs of a policy that govern nothing.
 *
 * @param policy The policy's `lock`
 * @param paths What git tracks
 * @throws {KprovError} `policy` on a glob that is malformed or could never match
 */
export function listIdleGlobs(policy: LockPolicy, paths: readonly string[]): string[] {
  const others = paths.filter((path) => path !== policy.path);
  return policy.governs.filter((glob, index) => {
    const find = compileGlobFinder([glob], `${POINTER}/${index}`);
    return !others.some((path) => find(path) !== null);
  });
}
