import { type Finding, makeFinding } from "../../finding.ts";
import { quote } from "../../quote.ts";
import { compileGlobs } from "../glob/glob.ts";
import type { Allowance } from "../policy.ts";

/** Whether a glob may match anything but itself. */
const GLOB = /[*?[{\\]/;

/** Which allowances allow a code at a path, by their index. */
type FindAllowances = (code: string, path: string) => readonly number[];

/**
 * Takes out what the policy allows, and adds a finding for each allowance that nothing used.
 *
 * @param findings Of the identity guard
 * @param allowances As the policy lists them
 */
export function applyAllowances(
  findings: readonly Finding[],
  allowances: readonly Allowance[],
): Finding[] {
  const find = compileAllowances(allowances);
  const used = new Set<number>();
  const left = findings.filter(({ code, path }) => {
    const allowing = path === null ? [] : find(code, path);
    for (const index of allowing) used.add(index);
    return allowing.length === 0;
  });
  return [...left, ...allowances.filter((_, index) => !used.has(index)).map(describeUnused)];
}

/** A file may have a hundred findings of one code, and a policy a thousand allowances of one file. */
function compileAllowances(allowances: readonly Allowance[]): FindAllowances {
  const matchers = allowances.map(({ path }) => compileGlobs([path]));
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

function describeUnused({ code, path, reason }: Allowance): Finding {
  return makeFinding(
    "identity.unused_allowance",
    `allowance of ${quote(code)} at ${quote(path)} (${quote(reason)}) allows nothing`,
    { hint: "remove it from identity.allowances in the policy" },
  );
}
