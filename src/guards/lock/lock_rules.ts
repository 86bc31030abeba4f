import { type Finding, makeFinding } from "../../finding.ts";
import { quote } from "../../quote.ts";
import type { GovernanceLock, LockedFile } from "../governance_lock.ts";
import type { LockPolicy } from "../policy.ts";
import { showText } from "../text/show_text.ts";
import { compareLockedFiles, type GovernedChange } from "./compare_locks.ts";
import type { ProjectVersion } from "./project_version.ts";

const RENEW = "kprov init --renew-lock renews the lock";
const RAISE = "undo the change, or raise the major version and renew the lock";

const CHANGES: Readonly<Record<GovernedChange["change"], string>> = {
  added: "it is governed and not in the lock",
  removed: "it is in the lock and no longer there",
  changed: "it is not what the lock holds",
};

/**
 * Whether the rule lets a lock be renewed at a version: the major version is higher than the lock's,
 * or it is the same and the version a pre-release.
 *
 * @param lock The lock that would be replaced
 * @param version The project's version
 */
export function mayRenew(lock: GovernanceLock, version: ProjectVersion): boolean {
  if (!version.ok) return false;
  return version.major > lock.major || (version.major === lock.major && version.isPrerelease);
}

/**
 * Reports a governed file that is not what the lock holds.
 *
 * @param change What became of it
 * @param lock The lock
 * @param version The project's version
 */
export function reportChange(
  { path, change }: GovernedChange,
  lock: GovernanceLock,
  version: ProjectVersion,
): Finding {
  const isFree = mayRenew(lock, version);
  const reason = isFree ? "the lock must be renewed" : describeRefusal(lock, version);
  return makeFinding("lock.changed", `${CHANGES[change]}: ${reason}`, {
    path,
    hint: isFree ? RENEW : RAISE,
  });
}

function describeRefusal(lock: GovernanceLock, version: ProjectVersion): string {
  const current = version.ok ? showText(version.text) : "unknown";
  return `the version is ${current}, and only one above major version ${lock.major} may change it`;
}

/**
 * Checks that a lock is of the project's major version.
 *
 * @param lock The lock of the working tree
 * @param policy The policy's `lock`
 * @param version The project's version
 */
export function checkLockMajor(
  lock: GovernanceLock,
  policy: LockPolicy,
  version: ProjectVersion,
): Finding[] {
  if (!version.ok || version.major === lock.major) return [];
  const found = `it is of major version ${lock.major}, but the version is ${
    showText(version.text)
  }`;
  if (version.major > lock.major) {
    const message = `${found}: the lock must be renewed`;
    return [makeFinding("lock.changed", message, { path: policy.path, hint: RENEW })];
  }
  return [makeFinding("lock.not_elevated", found, {
    path: policy.path,
    hint: "raise the version first, then renew the lock",
  })];
}

/**
 * Holds governed files against the lock as the base branch has it.
 *
 * @param base The base lock
 * @param files The files that are there
 * @param policy The policy's `lock`
 * @param version The project's version
 */
export function checkBaseLock(
  base: GovernanceLock,
  files: readonly LockedFile[],
  policy: LockPolicy,
  version: ProjectVersion,
): Finding[] {
  if (mayRenew(base, version)) return [];
  const isLower = version.ok && version.major < base.major;
  const changes = compareLockedFiles(base.files, files);
  if (changes.length === 0 && !isLower) return [];
  const current = version.ok
    ? `the version is ${showText(version.text)}`
    : "the version is unknown";
  const message = `${current} and the base lock is of major version ${base.major}` +
    summarize(changes);
  return [makeFinding("lock.not_elevated", message, {
    path: policy.path,
    hint: "undo the changes, or raise the major version above the base branch's",
  })];
}

function summarize(changes: readonly GovernedChange[]): string {
  const [first] = changes;
  if (first === undefined) return "";
  const others = changes.length === 1 ? "" : ` and ${changes.length - 1} more`;
  return `, which has other files: ${quote(first.path)} ${first.change}${others}`;
}
