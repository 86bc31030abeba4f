/**
 * The guards as pure functions: facts about a repository and its policy go in, findings come out.
 * They are an entry of their own, `@kprov/cli/guards`, because their parsers are large: programs
 * that need evidence alone do not load them.
 *
 * @example Check a list of tracked files against a policy
 * ```ts
 * import { ARTIFACTS, makeGuardResult, parsePolicy, type RepositoryFacts } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const policy = parsePolicy(
 *   { schema: "kprovengine.policy.v1", artifacts: { deny: ["runs/**"] } },
 *   "the policy",
 * );
 * const facts: RepositoryFacts = {
 *   tracked: [{ path: "README.md", kind: "file" }, { path: "runs/a.json", kind: "file" }],
 *   contents: new Map(),
 *   yaml: new Map(),
 *   hits: [],
 *   runningDeno: "2.9.6",
 *   governance: null,
 * };
 * const { ok, findings } = makeGuardResult(ARTIFACTS.name, ARTIFACTS.check(facts, policy));
 * assertEquals(ok, false);
 * assertEquals(findings.map(({ code, path }) => [code, path]), [
 *   ["artifacts.tracked", "runs/a.json"],
 * ]);
 * ```
 *
 * @example Check a workflow from its text
 * ```ts
 * import { PARITY, parsePolicy, parseYaml, type RepositoryFacts } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const path = ".github/workflows/ci.yml";
 * const policy = parsePolicy({
 *   schema: "kprovengine.policy.v1",
 *   parity: { workflow: path, command: "make check" },
 * }, "the policy");
 *
 * function check(run: string) {
 *   const workflow = `
 * on: {push: {branches: [main]}, pull_request: {}}
 * jobs:
 *   check:
 *     runs-on: ubuntu-latest
 *     steps: [{run: ${run}}]
 * `;
 *   const facts: RepositoryFacts = {
 *     tracked: [{ path, kind: "file" }],
 *     contents: new Map(),
 *     yaml: new Map([[path, parseYaml(workflow)]]),
 *     hits: [],
 *     runningDeno: "2.9.6",
 *     governance: null,
 *     defaultBranch: "main",
 *   };
 *   return PARITY.check(facts, policy).map(({ code, line }) => [code, line]);
 * }
 *
 * assertEquals(check("make check"), []);
 * assertEquals(check("make check || true"), [["parity.missing", 6]]);
 * ```
 *
 * @module
 */
export type { Finding, FindingLevel } from "../base/error.ts";
export { type AllowanceContext, applyAllowances } from "./guard.ts";
export { ARTIFACTS } from "./artifacts.ts";
export {
  type ContentScanner,
  createContentScanner,
  type PiecewiseScan,
} from "./identity/scanner.ts";
export type {
  ContentHit,
  FileContent,
  Guard,
  IndexFault,
  RepositoryFacts,
  TrackedEntry,
  TrackedKind,
} from "./guard.ts";
export type { GovernanceLock, LockedFile } from "./lock/governance_lock.ts";
export { type GuardResult, makeGuardResult } from "./guard.ts";
export { IDENTITY } from "./identity/identity.ts";
export type {
  GovernanceFacts,
  LockReading,
  UnreadableGoverned,
  VersionReading,
} from "./lock/governance_lock.ts";
export { LOCK } from "./lock/lock.ts";
export { PARITY } from "./parity/parity.ts";
export {
  type Allowance,
  type ArtifactsPolicy,
  type IdentityPolicy,
  type LockPolicy,
  type ParityPolicy,
  parsePolicy,
  type Policy,
  type PreflightPolicy,
  type ReviewPolicy,
  type RunPolicy,
  type RuntimePolicy,
  type Surface,
} from "./policy.ts";
export { parseYaml } from "./actions/yaml.ts";
export { RUNTIME } from "./runtime/runtime.ts";
export type {
  Position,
  YamlEntry,
  YamlMap,
  YamlNode,
  YamlResult,
  YamlScalar,
  YamlSeq,
} from "./actions/yaml.ts";
