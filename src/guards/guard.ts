/**
 * What a guard is: facts in, findings out. And what may be taken from its findings: the policy's
 * allowances, deliberate exceptions from one rule at some paths, each with its reason and, where one
 * is given, its last day.
 *
 * @module
 */

import { type Finding, makeFinding, sortFindings } from "../base/error.ts";
import { compileGlobs } from "../base/glob.ts";
import { quote } from "../base/quote.ts";
import type { YamlResult } from "./actions/yaml.ts";
import type { GovernanceFacts } from "./lock/governance_lock.ts";
import type { Allowance, Policy } from "./policy.ts";

/** What git tracks at a path. */
export type TrackedKind = "file" | "symlink" | "submodule";

/** One path that git tracks; in a conflict, all stages together are one entry. */
export interface TrackedEntry {
  /** Relative to the repository's root, with `/` between the parts. */
  readonly path: string;
  /** What git tracks there. */
  readonly kind: TrackedKind;
  /**
   * The directory on its path that is a link in the working tree, if there is one: files behind it do
   * not belong to the repository, and are not read.
   */
  readonly behindLink?: string;
}

/** Why git's list could not be read. */
export interface IndexFault {
  /** Which of the two it is. */
  readonly code: "artifacts.index_missing" | "artifacts.index_invalid";
  /** What is wrong, without a final period. */
  readonly message: string;
}

/** A whole file that a guard asked for: its bytes, or why there are none. */
export type FileContent =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reason: string };

/**
 * Dockerfiles, where the policy does not say which they are. `Dockerfile.dev` is one; notes on one,
 * what to leave out of its context, and code that reads them are none.
 */
export const DOCKERFILE_PATH =
  /(?:^|\/)(?:docker|container)file(?:\.(?!(?:.*\.)?(?:dockerignore|containerignore|md|rst|adoc|html?|[cm]?[jt]sx?|py|go|rs|rb|java|kt|cs|json|snap)$)[^/]+)?$|[^/]\.(?:docker|container)file$/i;

/** A place in a file's content that a content rule matched. */
export interface ContentHit {
  /** The file. */
  readonly path: string;
  /** The finding that this is, such as `identity.forbidden_token`. */
  readonly code: string;
  /** The line, from 1. */
  readonly line: number;
  /** The column in UTF-16 code units, from 1. */
  readonly column: number;
  /** What was found there, unescaped. */
  readonly text: string;
  /** What it stands for: the forbidden token, or the name that it looks like. */
  readonly token: string;
  /**
   * At the last hit of a rule in a file with too many to list: the number of hits that are not listed,
   * this one included.
   */
  readonly unlisted?: number;
}

/** Everything that the guards know of a repository. */
export interface RepositoryFacts {
  /** What git tracks, sorted by UTF-8 bytes, or why that is not known. */
  readonly tracked: readonly TrackedEntry[] | IndexFault;
  /** The files that the guards asked for, whole. */
  readonly contents: ReadonlyMap<string, FileContent>;
  /** The files that the guards asked for as YAML, parsed. */
  readonly yaml: ReadonlyMap<string, YamlResult>;
  /** What the content rules matched, over all tracked files. */
  readonly hits: readonly ContentHit[];
  /** Tracked files that do not exist, so that no content rule was applied to them. */
  readonly missing?: readonly string[];
  /** The version of the Deno that is running. */
  readonly runningDeno: string;
  /** The governed files and their locks; null where the policy has no `lock`. */
  readonly governance: GovernanceFacts | null;
  /** The default branch, as git's metadata names it; null or absent where it is not known. */
  readonly defaultBranch?: string | null;
}

/** What the branch that everything is merged into is usually called, where git does not tell. */
export const USUAL_BRANCHES: readonly string[] = ["main", "master", "trunk"];

/** A guard: which files it needs as a whole, and what it finds in the facts. */
export interface Guard {
  /** Its name, as `kprov guard NAME` takes it. */
  readonly name: string;
  /** Whether a policy configures it. */
  readonly isConfigured: (policy: Policy) => boolean;
  /** Whether it needs the content of a tracked file as a whole. */
  readonly wantsContent: (path: string, policy: Policy) => boolean;
  /**
   * An ASCII text that every file of interest to it holds; null or absent where any content may matter.
   * A file without the text is given to it as an empty one.
   */
  readonly contentMarker?: (path: string, policy: Policy) => string | null;
  /** Whether it needs a tracked file parsed as YAML. */
  readonly wantsYaml: (path: string, policy: Policy) => boolean;
  /** Checks the facts against the policy. */
  readonly check: (facts: RepositoryFacts, policy: Policy) => Finding[];
}

/** What one guard found. */
export interface GuardResult {
  /** The guard's name, as `kprov guard NAME` takes it. */
  readonly guard: string;
  /** Whether nothing that it found is an error. */
  readonly ok: boolean;
  /** What it found, sorted; notes stand among the errors. */
  readonly findings: readonly Finding[];
}

/**
 * Makes the result of a guard.
 *
 * @param guard The guard's name
 * @param findings What it found, in any order
 *
 * @example
 * ```ts
 * import { type Finding, makeGuardResult } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const place = { path: null, line: null, column: null, hint: null };
 * const note: Finding = { code: "lock.not_proven", level: "note", message: "no proof", ...place };
 * assertEquals(makeGuardResult("lock", [note]).ok, true);
 * assertEquals(makeGuardResult("lock", [note, { ...note, level: "error" }]).ok, false);
 * ```
 */
export function makeGuardResult(guard: string, findings: readonly Finding[]): GuardResult {
  const ok = findings.every(({ level }) => level !== "error");
  return { guard, ok, findings: sortFindings(findings) };
}

/** The context in which allowances are applied. */
export interface AllowanceContext {
  /** As the policy lists them. */
  readonly allowances: readonly Allowance[];
  /** Today in UTC, `2027-06-30`. */
  readonly today: string;
  /** The policy's path in the repository, for its own lists are no findings; null where outside. */
  readonly policyPath: string | null;
  /** The guards that the policy has a section for; an allowance of any other allows nothing. */
  readonly configured?: readonly string[];
}

/** Which allowances allow a code at a path, by their index. */
type FindAllowances = (code: string, path: string) => readonly number[];

/** The codes of what the policy itself must be able to name. */
const NAMED_IN_POLICY = /^identity\.(?:forbidden_token|display_name|lookalike)$/;

/**
 * Removes the findings that the policy allows, keeps those whose allowance has run out, and adds a
 * finding for each allowance that nothing used. An allowance belongs to the guard that its code names,
 * and is judged where that guard ran, or, where the policy has no section for it, with the first.
 *
 * @param results What the guards found
 * @param context The allowances, and what decides about them
 * @returns The results in the same order
 * @throws {KprovError} `policy` on a glob that is malformed or could never match
 *
 * @example
 * ```ts
 * import { applyAllowances, makeGuardResult } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const path = "test/fixtures/.nvmrc";
 * const rest = { line: 1, column: null, hint: null };
 * const found = { code: "runtime.out_of_range", level: "error", message: "18", path, ...rest } as const;
 * const allowances = [{ code: found.code, path: "test/fixtures/**", reason: "old on purpose" }];
 * const context = { allowances, today: "2026-03-01", policyPath: null };
 * const [result] = applyAllowances([makeGuardResult("runtime", [found])], context);
 * assertEquals(result?.findings, []);
 * ```
 */
export function applyAllowances(
  results: readonly GuardResult[],
  { allowances, today, policyPath, configured }: AllowanceContext,
): GuardResult[] {
  const find = compileAllowances(allowances);
  return results.map(({ guard, findings }, place) => {
    const used = new Set<number>();
    const left = findings.flatMap((finding): Finding[] => {
      if (isPolicyItself(finding, policyPath)) return [];
      const allowing = finding.path === null ? [] : find(finding.code, finding.path);
      for (const index of allowing) used.add(index);
      // The last day counts as a whole.
      if (allowing.some((index) => today <= (allowances[index]?.until ?? today))) return [];
      const [last] = allowing.flatMap((index) => allowances[index]?.until ?? []).sort().reverse();
      if (last === undefined) return [finding];
      return [{ ...finding, message: `${finding.message}; it was allowed until ${last}` }];
    });
    const unused = allowances.filter((allowance, index) => {
      const own = guardOf(allowance);
      const isJudged = own === guard || (place === 0 && configured?.includes(own) === false);
      return isJudged && !used.has(index);
    });
    return makeGuardResult(guard, [...left, ...unused.map(describeUnused)]);
  });
}

function isPolicyItself({ code, path, line }: Finding, policyPath: string | null): boolean {
  return path !== null && line !== null && path === policyPath && NAMED_IN_POLICY.test(code);
}

/** A file may have a hundred findings of one code, and a policy a thousand allowances of one file. */
function compileAllowances(allowances: readonly Allowance[]): FindAllowances {
  const matchers = allowances.map(({ path }, i) => compileGlobs([path], `/allowances/${i}/path`));
  const exact = Map.groupBy(allowances.keys(), (index) => allowances[index]?.path ?? "");
  const globs = [...allowances.keys()].filter((index) =>
    /[*?[{\\]/.test(allowances[index]?.path ?? "")
  );
  const answers = new Map<string, readonly number[]>();
  return (code, path) => {
    const key = `${code}\0${path}`;
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = [...new Set([...exact.get(path) ?? [], ...globs])]
      .filter((index) => allowances[index]?.code === code && matchers[index]?.(path));
    answers.set(key, answer);
    return answer;
  };
}

function guardOf({ code }: Allowance): string {
  return code.split(".", 1)[0] ?? "";
}

function describeUnused(allowance: Allowance): Finding {
  const { code, path, reason } = allowance;
  const message = `allowance of ${quote(code)} at ${quote(path)} (${quote(reason)}) allows nothing`;
  return makeFinding(`${guardOf(allowance)}.unused_allowance`, message, {
    hint: "remove it from the policy's allowances",
  });
}
