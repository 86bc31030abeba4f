import { parseVersion, type SemVer } from "../../std.ts";
import { showText } from "../text/show_text.ts";
import type { VersionReading } from "./governance_facts.ts";

/** The project's version, or why it cannot be told. */
export type ProjectVersion =
  | {
    readonly ok: true;
    /** As it is written. */
    readonly text: string;
    readonly major: number;
    /** Before a release, the rules may still change. */
    readonly isPrerelease: boolean;
  }
  | { readonly ok: false; readonly reason: string };

/**
 * Parses the project's version (semver.org 2.0.0).
 *
 * @param reading The version as its file has it
 */
export function parseProjectVersion(reading: VersionReading): ProjectVersion {
  if (typeof reading !== "string") return { ok: false, reason: reading.fault };
  const version = parseOrNull(reading);
  if (version === null || !Number.isSafeInteger(version.major)) {
    return { ok: false, reason: `${showText(reading)} is not a version such as 1.0.0` };
  }
  const isPrerelease = (version.prerelease?.length ?? 0) > 0;
  return { ok: true, text: reading, major: version.major, isPrerelease };
}

function parseOrNull(text: string): SemVer | null {
  try {
    return parseVersion(text);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return null;
  }
}
