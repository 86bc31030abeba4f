import { claimVersion, type RuntimeName } from "./declaration.ts";
import { parsePolicySpecifiers } from "./python_range.ts";
import { isVersionInside, parseNpmRange, type RangeResult } from "./version_range.ts";

/**
 * Reads a range of the policy: PEP 440 for Python, with commas or with spaces between the specifiers,
 * and semantic versions as npm writes them for the others.
 *
 * @param runtime Whose versions they are
 * @param text As the policy has it, such as `>=3.11,<3.13`
 * @returns The versions in it, or why it is not read
 */
export function parsePolicyRange(runtime: RuntimeName, text: string): RangeResult {
  return runtime === "python" ? parsePolicySpecifiers(text) : parseNpmRange(text);
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
