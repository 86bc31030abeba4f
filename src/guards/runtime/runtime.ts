/**
 * The runtime guard: for each runtime that the policy names, everything by which the repository
 * declares or pins it lies inside the policy's range. Nothing is executed.
 *
 * What is written decides how it is judged:
 *
 * - one full version (`2.9.6`, `v2.9.6`, the tag `22.1.0-alpine`) is pinned and must be in the range;
 * - a line or range of versions (`20`, `3.12`, `pypy3.11`, `lts/iron`, `2.8.x`, `>=20`, the tag
 *   `22-alpine`) must lie inside the range as a whole: `v2.x` is everything from 2.0.0 up to 3.0.0;
 * - everything else floats and is unpinned: what stands for the newest (`latest`, `lts/*`, `canary`),
 *   `*`, no version at all, a tag without a version, and every expression that only the run can
 *   evaluate.
 *
 * Pre-releases are in a range only where it names one, as npm and PEP 440 have it.
 *
 * A file that may declare a runtime and cannot be read is unpinned as well, and a runtime of the policy
 * that no file declares is undeclared.
 *
 * @module
 */

import { KprovError } from "../../base/error.ts";
import { type Finding, makeFinding, sortFindings } from "../../base/finding.ts";
import { escapeText, quote, showText } from "../../base/quote.ts";
import type { Guard, RepositoryFacts } from "../guard.ts";
import type { Policy } from "../policy.ts";
import { claimVersion, type Declaration, type RuntimeName, RUNTIMES } from "./declaration.ts";
import { parsePolicyRange } from "./policy_range.ts";
import { collectDeclarations, markerOf, sourcesOf, type UnreadableFile } from "./sources.ts";
import { isRangeInside, isVersionInside, type VersionRange } from "./version_range.ts";

/** A range of the policy: as it is written, and what it means. */
interface Rule {
  readonly text: string;
  readonly range: VersionRange;
}

type Rules = ReadonlyMap<RuntimeName, Rule>;

/**
 * Holds every declared version of Deno, Node and Python against the policy's ranges.
 *
 * @example
 * ```ts
 * import { type Policy, type RepositoryFacts, RUNTIME } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const policy: Policy = { schema: "kprovengine.policy.v1", runtime: { node: "^22 || ^24" } };
 * const facts: RepositoryFacts = {
 *   tracked: [{ path: ".nvmrc", kind: "file" }],
 *   contents: new Map([[".nvmrc", { ok: true, bytes: new TextEncoder().encode("20.11.0\n") }]]),
 *   yaml: new Map(),
 *   hits: [],
 *   runningDeno: "2.9.6",
 *   governance: null,
 * };
 * assertEquals(RUNTIME.wantsContent(".nvmrc", policy), true);
 * assertEquals(RUNTIME.check(facts, policy).map(({ code, path }) => [code, path]), [
 *   ["runtime.out_of_range", ".nvmrc"],
 * ]);
 * ```
 */
export const RUNTIME: Guard = {
  name: "runtime",
  isConfigured: (policy) => namedRuntimes(policy).length > 0,
  wantsContent: (path, policy) => listReaders(path, policy).includes("text"),
  contentMarker: (path, policy) => markerOf(sourcesOf(path, policy, namedRuntimes(policy))),
  wantsYaml: (path, policy) => listReaders(path, policy).some((it) => it !== "text"),
  check: checkRuntime,
};

function listReaders(path: string, policy: Policy): string[] {
  return sourcesOf(path, policy, namedRuntimes(policy)).map(({ reader }) => reader.as);
}

function namedRuntimes(policy: Policy): RuntimeName[] {
  return RUNTIMES.filter((runtime) => policy.runtime?.[runtime] !== undefined);
}

function checkRuntime(facts: RepositoryFacts, policy: Policy): Finding[] {
  const rules = parseRules(policy);
  if (rules.size === 0) return [];
  const running = judge(declareRunning(facts), rules);
  if ("code" in facts.tracked) {
    return [...running, makeFinding(facts.tracked.code, facts.tracked.message)];
  }
  const { declarations, unreadable } = collectDeclarations(facts, policy, namedRuntimes(policy));
  return sortFindings(dropRepeated([
    ...running,
    ...declarations.flatMap((declaration) => judge(declaration, rules)),
    ...unreadable.map(reportUnreadable),
    // What cannot be read may declare it.
    ...(unreadable.length > 0 ? [] : listUndeclared(rules, declarations).map(reportUndeclared)),
  ]));
}

function parseRules(policy: Policy): Rules {
  return new Map(
    namedRuntimes(policy).map((runtime) => {
      const text = policy.runtime?.[runtime] ?? "";
      const result = parsePolicyRange(runtime, text);
      if (!result.ok) {
        throw new KprovError(
          "policy",
          `Cannot use the policy's range ${quote(text)} for ${runtime}: ${result.reason}`,
        );
      }
      return [runtime, { text, range: result.range }];
    }),
  );
}

function declareRunning({ runningDeno }: RepositoryFacts): Declaration {
  return {
    runtime: "deno",
    source: "this run",
    path: null,
    position: null,
    text: runningDeno,
    claim: claimVersion("deno", runningDeno),
  };
}

function judge(declaration: Declaration, rules: Rules): Finding[] {
  const { runtime, claim } = declaration;
  // What may be any runtime is held against the first that the policy names.
  const rule = runtime === null ? [...rules.values()][0] : rules.get(runtime);
  if (rule === undefined) return [];
  switch (claim.kind) {
    case "floating":
      return [reportUnpinned(declaration, claim.reason, rule)];
    case "pinned":
      return isVersionInside(claim.version, rule.range) ? [] : [reportOutside(declaration, rule)];
    case "range":
      return isRangeInside(claim.range, rule.range) ? [] : [reportOutside(declaration, rule)];
  }
}

/** The running Deno stands for a declaration: it is what the policy is held against. */
function listUndeclared(
  rules: Rules,
  declarations: readonly Declaration[],
): (readonly [RuntimeName, Rule])[] {
  return [...rules].filter(([runtime]) =>
    runtime !== "deno" && declarations.every((it) => it.runtime !== runtime)
  );
}

function reportUndeclared([runtime, rule]: readonly [RuntimeName, Rule]): Finding {
  const message = `the policy names ${runtime} ${
    quote(rule.text)
  }, and no tracked file declares one`;
  return makeFinding("runtime.undeclared", message, {
    hint: `declare a version inside ${escapeText(rule.text)} where the project's tools look for ` +
      `it, or take ${runtime} out of the policy's runtime`,
  });
}

function reportOutside(declaration: Declaration, rule: Rule): Finding {
  const { runtime, source, text, note } = declaration;
  const explanation = note === undefined ? "" : `; ${note}`;
  const message =
    `${source} declares ${runtime} ${showText(text)}, which is not inside the policy's ` +
    `${quote(rule.text)}${explanation}`;
  const hint = note === undefined
    ? `write a version or a range inside ${escapeText(rule.text)}`
    : `Put the version between quotation marks and keep it inside ${escapeText(rule.text)}`;
  return report("runtime.out_of_range", message, declaration, hint);
}

function reportUnpinned(declaration: Declaration, reason: string, rule: Rule): Finding {
  const { runtime, source, text } = declaration;
  const what = runtime ?? "an image";
  const declared = text === "" ? source : `${source} ${showText(text)}`;
  const message = `${declared} does not pin ${what}: ${reason}`;
  const hint = runtime === null
    ? "write the image's name and version out"
    : `write a version or a range inside ${escapeText(rule.text)}`;
  return report("runtime.unpinned", message, declaration, hint);
}

function report(
  code: string,
  message: string,
  { path, position }: Declaration,
  hint: string,
): Finding {
  return makeFinding(code, message, {
    path,
    line: position?.line ?? null,
    column: position?.column ?? null,
    hint,
  });
}

function reportUnreadable({ path, reason, position }: UnreadableFile): Finding {
  return makeFinding(
    "runtime.unpinned",
    `it may declare a runtime and cannot be read: ${reason}`,
    {
      path,
      line: position?.line ?? null,
      column: position?.column ?? null,
      hint: "repair the file, or stop tracking it",
    },
  );
}

/** An alias or a matrix brings one place up several times. */
function dropRepeated(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}
