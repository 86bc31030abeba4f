/**
 * Facts for the tests of the lock guard.
 *
 * @module
 */

import type { Finding } from "../../../src/base/error.ts";
import { sha256Hex } from "../../../src/base/canonical_json.ts";
import type { RepositoryFacts } from "../../../src/guards/guard.ts";
import {
  buildGovernanceLock,
  type GovernanceFacts,
  type GovernanceLock,
  type LockedFile,
  type LockReading,
} from "../../../src/guards/lock/governance_lock.ts";
import { LOCK } from "../../../src/guards/lock/lock.ts";
import type { LockPolicy, Policy } from "../../../src/guards/policy.ts";

/** Options of a test that needs no permission. */
export const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

/** The policy that the tests' repositories keep. */
export const LOCK_POLICY: LockPolicy = {
  path: "docs/governance/governance.lock.json",
  version_from: { path: "deno.json", pointer: "/version" },
  governs: ["docs/governance/policy.json", "src/guards/**"],
};

/** Files by path, each by a text that stands for its content. */
export type Governed = Readonly<Record<string, string>>;

/** The governed files of the clean repository. */
export const FILES: Governed = {
  "docs/governance/policy.json": "policy",
  "src/guards/a.ts": "a",
  "src/guards/b.ts": "b",
};

/** The digests of such files. */
export function digestsOf(files: Governed): LockedFile[] {
  return Object.entries(files).map(([path, text]) => ({ path, sha256: sha256Hex(text) }));
}

/** The lock of such files. */
export function lockOf(files: Governed, major: number): GovernanceLock {
  return buildGovernanceLock(digestsOf(files), major);
}

/** A lock as it is read. */
export function readingOf(lock: GovernanceLock): LockReading {
  return { state: "read", lock };
}

/** A repository at version 1.2.0 whose locks hold. */
export const CLEAN: GovernanceFacts = {
  files: digestsOf(FILES),
  unreadable: [],
  lock: readingOf(lockOf(FILES, 1)),
  baseLock: readingOf(lockOf(FILES, 1)),
  version: "1.2.0",
};

/** Facts around what is known of the governed files. */
export function factsOf(
  governance: GovernanceFacts | null,
  paths: readonly string[] = Object.keys(FILES),
): RepositoryFacts {
  return {
    tracked: paths.map((path) => ({ path, kind: "file" })),
    contents: new Map(),
    yaml: new Map(),
    hits: [],
    runningDeno: "2.9.6",
    governance,
  };
}

/** A policy with a lock and nothing else. */
export function policyOf(lock: LockPolicy = LOCK_POLICY): Policy {
  return { schema: "kprovengine.policy.v1", lock };
}

/** What the guard finds where the clean repository is changed. */
export function checkWith(change: Partial<GovernanceFacts>): Finding[] {
  return LOCK.check(factsOf({ ...CLEAN, ...change }), policyOf());
}

/** Findings as `code path`. */
export function codesOf(findings: readonly Finding[]): string[] {
  return findings.map(({ code, path }) => path === null ? code : `${code} ${path}`);
}
