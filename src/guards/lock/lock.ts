/**
 * The lock guard: the rules of a repository change only with its major version.
 *
 * The lock holds the major version at which it was taken and the digest of every governed file.
 *
 * - `lock.changed`: a governed file is not what the lock holds, or the lock is of a lower major
 *   version than the project. Where the major version was raised, or the version is a pre-release,
 *   the lock must be renewed; else the file must go back.
 * - `lock.not_elevated`: the lock is of a higher major version than the project, or the base lock
 *   (`--base-lock`) has the project's major version, or a higher one, and other files: then the lock
 *   was edited together with them. A pre-release may differ from a base of its own major version.
 * - `lock.missing`: what the judgement rests on is not there or not readable: the lock, the base
 *   lock, the version, or what a glob of `governs` should match.
 * - `lock.not_proven`, a note: without a base lock, nothing shows that the lock is the one that the
 *   files were reviewed under.
 *
 * Governed are the tracked files that a glob matches, as the working tree has them; one that git
 * tracks and that is gone counts as removed. The lock never governs itself.
 *
 * @module
 */

import { type Finding, makeFinding, sortFindings } from "../../base/error.ts";
import { compileGlobFinder, compileGlobs } from "../../base/glob.ts";
import { escapeText, quote, showText } from "../../base/quote.ts";
import type { Guard, RepositoryFacts } from "../guard.ts";
import type { LockPolicy, Policy } from "../policy.ts";
import {
  buildGovernanceLock,
  compareLockedFiles,
  describeLockFault,
  type GovernanceFacts,
  type GovernanceLock,
  type GovernedChange,
  type LockedFile,
  type LockReading,
  parseProjectVersion,
  type ProjectVersion,
} from "./governance_lock.ts";

/**
 * Compares the governed files with the governance lock.
 *
 * @example
 * ```ts
 * import { sha256Hex } from "@kprov/cli";
 * import { type GovernanceFacts, LOCK, type Policy } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const policy: Policy = {
 *   schema: "kprovengine.policy.v1",
 *   lock: {
 *     path: "rules.lock.json",
 *     version_from: { path: "package.json", pointer: "/version" },
 *     governs: ["rules/*.json"],
 *   },
 * };
 * const locked = { path: "rules/a.json", sha256: sha256Hex("as it was locked") };
 * const governance: GovernanceFacts = {
 *   files: [{ path: "rules/a.json", sha256: sha256Hex("as it is") }],
 *   unreadable: [{ path: "rules/b.json", reason: "permission denied" }],
 *   lock: {
 *     state: "read",
 *     lock: {
 *       schema: "kprovengine.governance_lock.v1",
 *       major: 1,
 *       files: [locked],
 *       sha256: sha256Hex(`${locked.sha256}  ${locked.path}\n`),
 *     },
 *   },
 *   baseLock: null,
 *   version: "1.2.0",
 * };
 * const findings = LOCK.check({
 *   tracked: [{ path: "rules/a.json", kind: "file" }, { path: "rules/b.json", kind: "file" }],
 *   contents: new Map(),
 *   yaml: new Map(),
 *   hits: [],
 *   runningDeno: "2.9.6",
 *   governance,
 * }, policy);
 * assertEquals(findings.map(({ code, path }) => [code, path]), [
 *   ["lock.not_proven", "rules.lock.json"],
 *   ["lock.changed", "rules/a.json"],
 *   ["lock.changed", "rules/b.json"],
 * ]);
 * ```
 */
export const LOCK: Guard = {
  name: "lock",
  isConfigured: (policy) => policy.lock !== undefined,
  wantsContent: () => false,
  wantsYaml: () => false,
  check: checkLock,
};

/**
 * Checks a repository against its lock.
 *
 * @throws {KprovError} `policy` on a glob that is malformed or could never match
 */
function checkLock(facts: RepositoryFacts, { lock: policy }: Policy): Finding[] {
  if (policy === undefined) return [];
  const { tracked, governance } = facts;
  if ("code" in tracked) return [makeFinding(tracked.code, tracked.message)];
  if (governance === null) {
    return [makeFinding("lock.missing", "the governed files were not gathered")];
  }
  const version = parseProjectVersion(governance.version);
  return sortFindings([
    ...checkGlobs(policy, tracked.map(({ path }) => path)),
    ...checkReadable(governance, policy, version),
    ...checkFiles(governance, policy, version),
    ...checkBase(governance, policy, version),
  ]);
}

function checkGlobs(policy: LockPolicy, paths: readonly string[]): Finding[] {
  return listIdleGlobs(policy, paths).map((glob) =>
    makeFinding(
      "lock.missing",
      `no tracked file matches ${quote(glob)}, which the policy governs`,
      {
        hint: "correct or drop the glob in the policy's lock.governs",
      },
    )
  );
}

/**
 * Checks that everything governed, and the version, could be read.
 *
 * @param governance What is known
 * @param policy The policy's `lock`
 * @param version The project's version
 */
function checkReadable(
  governance: GovernanceFacts,
  policy: LockPolicy,
  version: ProjectVersion,
): Finding[] {
  const findings = governance.unreadable.map(({ path, reason }) =>
    makeFinding("lock.changed", `it is governed and cannot be read: ${reason}`, {
      path,
      hint: "repair it, or remove it from the policy's lock.governs",
    })
  );
  if (version.ok) return findings;
  const { path, pointer } = policy.version_from;
  const where = pointer === undefined ? "" : ` at ${quote(pointer)}`;
  return [
    ...findings,
    makeFinding("lock.missing", `it gives no version${where}: ${version.reason}`, {
      path,
      hint: "the policy's lock.version_from says where the project's version is",
    }),
  ];
}

function checkFiles(
  governance: GovernanceFacts,
  policy: LockPolicy,
  version: ProjectVersion,
): Finding[] {
  const reading = usableLock(governance.lock);
  if (reading.state !== "read") {
    const reason = reading.state === "missing" ? "it does not exist" : reading.reason;
    return [makeFinding("lock.missing", `the governance lock cannot be used: ${reason}`, {
      path: policy.path,
      hint: reading.state === "missing"
        ? "kprov init --renew-lock writes it"
        : "restore it from the last commit in which it is valid",
    })];
  }
  const unreadable = new Set(governance.unreadable.map(({ path }) => path));
  const changes = compareLockedFiles(reading.lock.files, governance.files)
    .filter(({ path }) => !unreadable.has(path));
  return [
    ...changes.map((change) => reportChange(change, reading.lock, version)),
    ...checkLockMajor(reading.lock, policy, version),
  ];
}

function checkBase(
  { baseLock, files }: GovernanceFacts,
  policy: LockPolicy,
  version: ProjectVersion,
): Finding[] {
  if (baseLock === null) {
    const message = "nothing shows that the lock was not edited together with the files";
    return [makeFinding("lock.not_proven", message, {
      level: "note",
      path: policy.path,
      hint: "give the lock of the base branch with --base-lock",
    })];
  }
  const base = usableLock(baseLock);
  if (base.state === "read") return checkBaseLock(base.lock, files, policy, version);
  const reason = base.state === "missing" ? "it does not exist" : base.reason;
  return [makeFinding("lock.missing", `the base lock cannot be used: ${escapeText(reason)}`, {
    hint: "give the lock file of the base branch",
  })];
}

/**
 * Takes a lock for invalid that contradicts itself.
 *
 * @param reading The lock as it was found
 */
function usableLock(reading: LockReading): LockReading {
  if (reading.state !== "read") return reading;
  const reason = describeLockFault(reading.lock);
  return reason === null ? reading : { state: "invalid", reason };
}

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
function listIdleGlobs(policy: LockPolicy, paths: readonly string[]): string[] {
  const others = paths.filter((path) => path !== policy.path);
  return policy.governs.filter((glob, index) => {
    const find = compileGlobFinder([glob], `${POINTER}/${index}`);
    return !others.some((path) => find(path) !== null);
  });
}

const RENEW = "kprov init --renew-lock renews the lock";
const RAISE = "undo the change, or raise the major version and renew the lock";

const CHANGES: Readonly<Record<GovernedChange["change"], string>> = {
  added: "it is governed and not in the lock",
  removed: "it is in the lock and no longer exists",
  changed: "it differs from the lock",
};

/**
 * Whether the rule lets a lock be renewed at a version: the major version is higher than the lock's,
 * or it is the same and the version a pre-release.
 *
 * @param lock The lock that would be replaced
 * @param version The project's version
 */
function mayRenew(lock: GovernanceLock, version: ProjectVersion): boolean {
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
function reportChange(
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
  return `the version is ${current}, and only a higher major version than ${lock.major} may change it`;
}

/**
 * Checks that a lock is of the project's major version.
 *
 * @param lock The lock of the working tree
 * @param policy The policy's `lock`
 * @param version The project's version
 */
function checkLockMajor(
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
function checkBaseLock(
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
    ...checkRenewedBase(governance, policy, version),
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

function checkRenewedBase(
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
    hint: "restore it from the last commit in which it is valid",
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
