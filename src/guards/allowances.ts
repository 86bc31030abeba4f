/**
 * The policy's allowances: deliberate exceptions from one rule at some paths, for every guard, each with
 * its reason and, where one is given, its last day.
 *
 * @module
 */

import { type Finding, makeFinding } from "../base/finding.ts";
import { compileGlobs } from "../base/glob.ts";
import { quote } from "../base/quote.ts";
import { type GuardResult, makeGuardResult } from "./guard.ts";
import type { Allowance } from "./policy.ts";

/** What the findings of the guards are held against. */
export interface AllowanceContext {
  /** As the policy lists them. */
  readonly allowances: readonly Allowance[];
  /** Today in UTC, `2027-06-30`. */
  readonly today: string;
  /** Where the policy stands in the repository, whose own lists are no findings; null where outside. */
  readonly policyPath: string | null;
}

/** Which allowances allow a code at a path, by their index. */
type FindAllowances = (code: string, path: string) => readonly number[];

/** Whether a glob may match anything but itself. */
const GLOB = /[*?[{\\]/;

/** What the policy itself must be able to name. */
const NAMED_IN_POLICY: readonly string[] = [
  "identity.forbidden_token",
  "identity.display_name",
  "identity.lookalike",
];

/**
 * Takes out what the policy allows, brings back what it allowed until a day that is over, and adds a
 * finding for each allowance that nothing used. An allowance belongs to the guard that its code names,
 * and is judged where that guard ran.
 *
 * @param results What the guards found
 * @param context The allowances, and what decides about them
 * @returns The results in the same order
 * @throws {KprovError} `policy` on a glob that is malformed or could never match
 *
 * @example
 * ```ts
 * import { applyAllowances, makeGuardResult, type Policy, RUNTIME } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const policy: Policy = { schema: "kprovengine.policy.v1", runtime: { node: ">=22" } };
 * const findings = RUNTIME.check({
 *   tracked: [{ path: "test/fixtures/.nvmrc", kind: "file" }],
 *   contents: new Map([[
 *     "test/fixtures/.nvmrc",
 *     { ok: true, bytes: new TextEncoder().encode("18\n") },
 *   ]]),
 *   yaml: new Map(),
 *   hits: [],
 *   runningDeno: "2.9.6",
 *   governance: null,
 * }, policy);
 * const allowances = [
 *   { code: "runtime.out_of_range", path: "test/fixtures/**", reason: "old on purpose" },
 * ];
 * const [result] = applyAllowances([makeGuardResult("runtime", findings)], {
 *   allowances,
 *   today: "2026-03-01",
 *   policyPath: null,
 * });
 * assertEquals(result?.findings, []);
 * ```
 */
export function applyAllowances(
  results: readonly GuardResult[],
  { allowances, today, policyPath }: AllowanceContext,
): GuardResult[] {
  const find = compileAllowances(allowances);
  return results.map(({ guard, findings }) => {
    const used = new Set<number>();
    const left = findings.flatMap((finding): Finding[] => {
      if (isPolicyItself(finding, policyPath)) return [];
      const allowing = finding.path === null ? [] : find(finding.code, finding.path);
      for (const index of allowing) used.add(index);
      const ended = allowing.flatMap((index) => allowances[index]?.until ?? []);
      const isAllowed = allowing.some((index) => isInForce(allowances[index], today));
      return isAllowed ? [] : [allowing.length === 0 ? finding : bringBack(finding, ended)];
    });
    const unused = allowances.filter((allowance, index) =>
      guardOf(allowance) === guard && !used.has(index)
    );
    return makeGuardResult(guard, [...left, ...unused.map(describeUnused)]);
  });
}

function isPolicyItself({ code, path, line }: Finding, policyPath: string | null): boolean {
  return path !== null && line !== null && path === policyPath && NAMED_IN_POLICY.includes(code);
}

/** A file may have a hundred findings of one code, and a policy a thousand allowances of one file. */
function compileAllowances(allowances: readonly Allowance[]): FindAllowances {
  const matchers = allowances.map(({ path }, index) =>
    compileGlobs([path], `/allowances/${index}/path`)
  );
  const exact = Map.groupBy(allowances.keys(), (index) => allowances[index]?.path ?? "");
  const globs = [...allowances.keys()].filter((index) => GLOB.test(allowances[index]?.path ?? ""));
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

/** The last day counts as a whole. */
function isInForce(allowance: Allowance | undefined, today: string): boolean {
  return allowance !== undefined && (allowance.until === undefined || today <= allowance.until);
}

function bringBack(finding: Finding, ended: readonly string[]): Finding {
  const last = ended.toSorted().at(-1) ?? "";
  return { ...finding, message: `${finding.message}; it was allowed until ${last}` };
}

function guardOf({ code }: Allowance): string {
  return code.split(".", 1)[0] ?? "";
}

const UNUSED: Readonly<Record<string, string>> = {
  artifacts: "artifacts.unused_allowance",
  identity: "identity.unused_allowance",
  runtime: "runtime.unused_allowance",
  parity: "parity.unused_allowance",
  lock: "lock.unused_allowance",
};

function describeUnused(allowance: Allowance): Finding {
  const { code, path, reason } = allowance;
  return makeFinding(
    UNUSED[guardOf(allowance)] ?? "identity.unused_allowance",
    `allowance of ${quote(code)} at ${quote(path)} (${quote(reason)}) allows nothing`,
    { hint: "remove it from the policy's allowances" },
  );
}
