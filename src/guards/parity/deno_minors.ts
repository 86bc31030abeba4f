import type { Claim } from "../runtime/declaration.ts";
import { intersect, type VersionRange } from "../runtime/version_range.ts";

/** A minor version, such as 2.8. */
export interface Minor {
  readonly major: number;
  readonly minor: number;
}

/** The minor versions in a range, or why they cannot be listed. */
type MinorsResult =
  | { readonly ok: true; readonly minors: readonly Minor[] }
  | { readonly ok: false; readonly reason: string };

/** Most minor versions that a range may have. */
const MAX_MINORS = 100;

/** Writes a minor version. */
export function showMinor({ major, minor }: Minor): string {
  return `${major}.${minor}`;
}

/**
 * Lists the minor versions of which a range has a release. A range without an upper bound, or with
 * one in a later major version, has no last one: which minor versions there will be, nobody knows.
 *
 * @param range The range
 */
export function listMinors(range: VersionRange): MinorsResult {
  const minors = new Map<string, Minor>();
  for (const { from, to } of range.releases) {
    if (to === null) return { ok: false, reason: "it has no upper bound" };
    if (to.major !== from.major) {
      return { ok: false, reason: `nothing says which is the last minor version of ${from.major}` };
    }
    const last = to.patch > 0 ? to.minor : to.minor - 1;
    if (last - from.minor >= MAX_MINORS) return { ok: false, reason: "it has too many of them" };
    for (let minor = from.minor; minor <= last; minor++) {
      const found = { major: from.major, minor };
      minors.set(showMinor(found), found);
    }
  }
  return minors.size > 0
    ? { ok: true, minors: [...minors.values()] }
    : { ok: false, reason: "no release is in it" };
}

/**
 * Whether a declared version is surely of a minor version, and in a range.
 *
 * @param claim What is declared
 * @param minor The minor version
 * @param range The range
 */
export function coversMinor(claim: Claim, minor: Minor, range: VersionRange): boolean {
  const releases = intersect(range.releases, [intervalOf(minor)]);
  switch (claim.kind) {
    case "pinned": {
      const { version } = claim;
      const next = { ...version, patch: version.patch + 1 };
      const isRelease = (version.prerelease?.length ?? 0) === 0;
      return isRelease && intersect(releases, [{ from: version, to: next }]).length > 0;
    }
    case "range": {
      const inner = claim.range.releases;
      const inMinor = intersect(inner, [intervalOf(minor)]);
      return inner.length === 1 && inner[0]?.to !== null &&
        JSON.stringify(inMinor.map(toText)) === JSON.stringify(inner.map(toText)) &&
        intersect(inner, releases).length > 0;
    }
    case "floating":
      return false;
  }
}

function intervalOf({ major, minor }: Minor): VersionRange["releases"][number] {
  return { from: { major, minor, patch: 0 }, to: { major, minor: minor + 1, patch: 0 } };
}

function toText({ from, to }: VersionRange["releases"][number]): string {
  return [from, to].map((bound) => bound && `${bound.major}.${bound.minor}.${bound.patch}`)
    .join(" ");
}
