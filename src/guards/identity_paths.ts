import type { Finding } from "../finding.ts";
import { createContentScanner } from "./content_scanner.ts";
import type { TrackedEntry } from "./facts.ts";
import { describeHit } from "./identity_content.ts";
import type { IdentityPolicy } from "./policy.ts";

/**
 * Checks the tracked paths as contents are checked: for forbidden tokens, for the display name
 * where it may not stand, and for look-alikes.
 *
 * @param identity The policy's section
 * @param tracked What git tracks
 */
export function checkPaths(
  identity: IdentityPolicy,
  tracked: readonly TrackedEntry[],
): Finding[] {
  const scanner = createContentScanner({ schema: "kprovengine.policy.v1", identity });
  const encoder = new TextEncoder();
  return tracked.flatMap(({ path }) =>
    scanner.scan(path, encoder.encode(path)).map((hit) => describeHit(hit, "path"))
  );
}
