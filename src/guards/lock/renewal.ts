import { type Finding, makeFinding, sortFindings } from "../../base/finding.ts";
import type { LockPolicy } from "../policy.ts";
import {
  buildGovernanceLock,
  compareLockedFiles,
  type GovernanceFacts,
  type GovernanceLock,
  type LockReading,
  parseProjectVersion,
  type ProjectVersion,
} from "./governance_lock.ts";
import {
  checkBaseLock,
  checkLockMajor,
  checkReadable,
  mayRenew,
  reportChange,
  usableLock,
} from "./lock.ts";

/** What `kprov init --renew-lock` is to do. */
export type Renewal =
  | {
    readonly ok: true;
    /** Whether there was none, it is replaced, or it holds already. */
    readonly change: "created" | "renewed" | "unchanged";
    /** The lock to write. */
    readonly lock: GovernanceLock;
  }
  | {
    readonly ok: false;
    /** Why the lock must not be renewed; at least one. */
    readonly findings: readonly Finding[];
  };

/**
 * Decides whether the lock may be renewed, and makes the new one. It may where there was none, where
 * it changes nothing, where the major version is higher than the lock's, and for a pre-release of
 * the lock's own major version; with a base lock, the same is asked of that one.
 *
 * @param governance What is known of the governed files
 * @param policy The policy's `lock`
 */
export function checkRenewal(governance: GovernanceFacts, policy: LockPolicy): Renewal {
  const version = parseProjectVersion(governance.version);
  const findings = [
    ...checkReadable(governance, policy, version),
    ...checkExisting(governance, policy, version),
    ...checkBase(governance, policy, version),
  ];
  if (findings.length > 0 || !version.ok) return { ok: false, findings: sortFindings(findings) };
  const lock = buildGovernanceLock(governance.files, version.major);
  return { ok: true, change: describeChange(governance.lock, lock), lock };
}

function checkExisting(
  { lock, files }: GovernanceFacts,
  policy: LockPolicy,
  version: ProjectVersion,
): Finding[] {
  const existing = usableLock(lock);
  switch (existing.state) {
    case "missing":
      return [];
    case "read":
      if (mayRenew(existing.lock, version)) return [];
      return [
        ...compareLockedFiles(existing.lock.files, files)
          .map((change) => reportChange(change, existing.lock, version)),
        ...checkLockMajor(existing.lock, policy, version),
      ];
    case "invalid":
      // Without the old lock's major version, only a pre-release is free to start again.
      if (version.ok && version.isPrerelease) return [];
      return [refuseUnusable("the lock that would be replaced", existing.reason, policy)];
  }
}

function checkBase(
  { baseLock, files }: GovernanceFacts,
  policy: LockPolicy,
  version: ProjectVersion,
): Finding[] {
  const base = baseLock === null ? null : usableLock(baseLock);
  if (base === null) return [];
  if (base.state === "read") return checkBaseLock(base.lock, files, policy, version);
  const reason = base.state === "missing" ? "it does not exist" : base.reason;
  return [refuseUnusable("the base lock", reason, policy)];
}

function refuseUnusable(what: string, reason: string, { path }: LockPolicy): Finding {
  return makeFinding("lock.missing", `${what} cannot be used: ${reason}`, {
    path,
    hint: "restore it from the last commit that has it whole",
  });
}

function describeChange(
  before: LockReading,
  after: GovernanceLock,
): "created" | "renewed" | "unchanged" {
  const existing = usableLock(before);
  if (existing.state === "missing") return "created";
  if (existing.state === "invalid" || existing.lock.major !== after.major) return "renewed";
  return compareLockedFiles(existing.lock.files, after.files).length === 0
    ? "unchanged"
    : "renewed";
}
