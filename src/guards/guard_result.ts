import { type Finding, sortFindings } from "../finding.ts";

/** What one guard found. */
export interface GuardResult {
  /** The guard's name, as `kprov guard NAME` takes it. */
  readonly guard: string;
  /** Whether nothing that it found is an error. */
  readonly ok: boolean;
  /** What it found, sorted; notes stand among the errors. */
  readonly findings: readonly Finding[];
}

/**
 * Makes the result of a guard.
 *
 * @param guard The guard's name
 * @param findings What it found, in any order
 *
 * @example
 * ```ts
 * import { type Finding, makeGuardResult } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const note: Finding = {
 *   code: "lock.not_proven",
 *   level: "note",
 *   path: null,
 *   line: null,
 *   column: null,
 *   message: "nothing shows that the lock was not edited",
 *   hint: null,
 * };
 * assertEquals(makeGuardResult("lock", [note]).ok, true);
 * assertEquals(makeGuardResult("lock", [note, { ...note, level: "error" }]).ok, false);
 * ```
 */
export function makeGuardResult(guard: string, findings: readonly Finding[]): GuardResult {
  return {
    guard,
    ok: findings.every(({ level }) => level !== "error"),
    findings: sortFindings(findings),
  };
}
