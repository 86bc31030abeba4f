import { type Finding, makeFinding, sortFindings } from "../../finding.ts";
import { quote } from "../../quote.ts";
import { shellQuote } from "../../shell_quote.ts";
import { BUILT_IN_ALLOW, BUILT_IN_DENY, type ReasonedGlob } from "./built_in_deny.ts";
import type { Guard, IndexFault, RepositoryFacts, TrackedEntry } from "../facts.ts";
import { compileGlobFinder, compileGlobs } from "../glob/glob.ts";
import type { ArtifactsPolicy, Policy } from "../policy.ts";

/**
 * The guard against build products, caches and secrets that git tracks.
 *
 * @example Without a list of what git tracks it fails
 * ```ts
 * import { ARTIFACTS, type Policy, type RepositoryFacts } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const policy: Policy = { schema: "kprovengine.policy.v1", artifacts: { deny: ["runs/**"] } };
 * function check(tracked: RepositoryFacts["tracked"]) {
 *   const facts: RepositoryFacts = {
 *     tracked,
 *     contents: new Map(),
 *     yaml: new Map(),
 *     hits: [],
 *     runningDeno: "2.9.6",
 *     governance: null,
 *   };
 *   return ARTIFACTS.check(facts, policy).map(({ code, path }) => [code, path]);
 * }
 *
 * assertEquals(check([{ path: "README.md", kind: "file" }, { path: "runs/1", kind: "symlink" }]), [
 *   ["artifacts.tracked", "runs/1"],
 * ]);
 * assertEquals(check({ code: "artifacts.index_missing", message: "there is no git metadata" }), [
 *   ["artifacts.index_missing", null],
 * ]);
 * ```
 */
export const ARTIFACTS: Guard = {
  name: "artifacts",
  isConfigured: (policy) => policy.artifacts !== undefined,
  wantsContent: () => false,
  wantsYaml: () => false,
  check: checkArtifacts,
};

const HINT_OF_FAULT: Readonly<Record<IndexFault["code"], string>> = {
  "artifacts.index_missing":
    "for a tree without git's metadata, give its list with --files-from, as git ls-files -z prints it",
  "artifacts.index_invalid":
    "see that git status works here, or give the list of git ls-files -z with --files-from",
};

/**
 * Finds what git tracks and the policy denies. Where the policy has no `deny`, the built-in list
 * stands in, with what it allows.
 *
 * @throws {KprovError} `policy` on a glob that is malformed or could never match
 */
function checkArtifacts(facts: RepositoryFacts, policy: Policy): Finding[] {
  const findDenial = compileDenials(policy.artifacts ?? {});
  const { tracked } = facts;
  if ("code" in tracked) {
    return [makeFinding(tracked.code, tracked.message, { hint: HINT_OF_FAULT[tracked.code] })];
  }
  return sortFindings(tracked.flatMap((entry) => {
    const message = findDenial(entry.path);
    return message === null ? [] : [makeTracked(entry, message)];
  }));
}

/** Why a path must not be tracked, or null where it may be. */
function compileDenials(policy: ArtifactsPolicy): (path: string) => string | null {
  const isAllowed = compileGlobs(policy.allow ?? [], "/artifacts/allow");
  if (policy.deny === undefined) return compileBuiltIn(isAllowed);
  const deny = policy.deny;
  const find = compileGlobFinder(deny, "/artifacts/deny");
  return (path) => {
    const glob = deny[find(path) ?? -1];
    if (glob === undefined || isAllowed(path)) return null;
    return `it is tracked, and the policy denies ${quote(glob)}`;
  };
}

function compileBuiltIn(isAllowed: (path: string) => boolean): (path: string) => string | null {
  const find = compileGlobFinder(BUILT_IN_DENY.map(globOf));
  const isAllowedToo = compileGlobs(BUILT_IN_ALLOW.map(globOf));
  return (path) => {
    const denial = BUILT_IN_DENY[find(path) ?? -1];
    if (denial === undefined || isAllowed(path) || isAllowedToo(path)) return null;
    return `it is tracked, and the built-in list denies ${quote(denial.glob)}: ${denial.reason}`;
  };
}

function globOf({ glob }: ReasonedGlob): string {
  return glob;
}

function makeTracked({ path }: TrackedEntry, message: string): Finding {
  // Git takes these characters as a pattern, which could remove more than this one path.
  const isPattern = /^:|[*?[\\]/.test(path);
  const git = isPattern ? "git --literal-pathspecs" : "git";
  return makeFinding("artifacts.tracked", message, {
    path,
    hint: `${git} rm --cached -- ${shellQuote(path)}`,
  });
}
