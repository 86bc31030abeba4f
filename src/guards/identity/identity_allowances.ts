import { type Finding, makeFinding } from "../../finding.ts";
import { quote } from "../../quote.ts";
import { compileGlobs } from "../glob/glob.ts";
import type { Allowance } from "../policy.ts";

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
  const matchers = allowances.map(({ code, path }) => {
    const matches = compileGlobs([path]);
    return (finding: Finding) =>
      finding.code === code && finding.path !== null && matches(finding.path);
  });
  const unused = allowances.filter((_, index) => !findings.some((f) => matchers[index]?.(f)));
  return [
    ...findings.filter((finding) => !matchers.some((matches) => matches(finding))),
    ...unused.map(describeUnused),
  ];
}

function describeUnused({ code, path, reason }: Allowance): Finding {
  return makeFinding(
    "identity.unused_allowance",
    `allowance of ${quote(code)} at ${quote(path)} (${quote(reason)}) allows nothing`,
    { hint: "remove it from identity.allowances in the policy" },
  );
}
