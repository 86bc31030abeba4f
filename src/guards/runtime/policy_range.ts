import { claimVersion, type RuntimeName } from "./declaration.ts";
import { parsePep440Range } from "./python_range.ts";
import { isVersionInside, parseNpmRange, type RangeResult } from "./version_range.ts";

/** The runtimes that a policy can name. */
export const POLICY_RUNTIMES: readonly RuntimeName[] = ["deno", "node", "python"];

/**
 * Reads a range of the policy: that of Python as PEP 440 writes it, with a comma or a blank between
 * the specifiers, every other as npm does. What PEP 440 has no form for, such as `^3.12`, is read as
 * npm's for Python as well.
 *
 * @param runtime Whose versions it is about
 * @param text Such as `>=3.11,<3.13`
 * @returns The versions in it, or why it is not read
 */
export function parsePolicyRange(runtime: RuntimeName, text: string): RangeResult {
  if (runtime !== "python") return parseNpmRange(text);
  const specifiers = text.trim().split(/\s*,\s*|\s+(?=[<>=!~])/).join(",");
  const range = parsePep440Range(specifiers);
  return range.ok ? range : parseNpmRange(text);
}

/**
 * Tells whether a version that a runtime told lies in the policy's range.
 *
 * @param runtime Whose version it is
 * @param version Such as `3.12.1` or `3.13.0rc1`
 * @param range As the policy has it
 * @returns False too where either cannot be read: nothing is in a range that is none
 */
export function isInPolicyRange(runtime: RuntimeName, version: string, range: string): boolean {
  const claim = claimVersion(runtime, version);
  const parsed = parsePolicyRange(runtime, range);
  return claim.kind === "pinned" && parsed.ok && isVersionInside(claim.version, parsed.range);
}
