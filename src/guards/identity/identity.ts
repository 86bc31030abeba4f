import { type Finding, makeFinding, sortFindings } from "../../base/error.ts";
import { compileGlobs } from "../../base/glob.ts";
import { escapeText, quote } from "../../base/quote.ts";
import type { ContentHit, Guard, RepositoryFacts, TrackedEntry } from "../guard.ts";
import type { IdentityPolicy, Policy } from "../policy.ts";
import { checkDockerLabels, dropDescriptionHits, listDockerfileGlobs } from "./docker_labels.ts";
import { describeDifference, isIgnorable, listProtectedNames } from "./lookalike.ts";
import { createContentScanner } from "./scanner.ts";
import { checkSurfaces, isYamlSurface } from "./surfaces.ts";

/**
 * The identity guard: the project has the name that the policy says, in every place that must have
 * it, the display name stands only where it is allowed, and no look-alike stands anywhere.
 *
 * @example
 * ```ts
 * import { createContentScanner, IDENTITY, type Policy } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const policy: Policy = {
 *   schema: "kprovengine.policy.v1",
 *   identity: { technical_name: "acme-etl", forbidden_tokens: ["acme-legacy"] },
 * };
 * const [path, bytes] = ["README.md", new TextEncoder().encode("# acme-legacy\n")];
 * const findings = IDENTITY.check({
 *   tracked: [{ path, kind: "file" }],
 *   contents: new Map(),
 *   yaml: new Map(),
 *   hits: createContentScanner(policy).scan(path, bytes),
 *   runningDeno: "2.9.6",
 *   governance: null,
 * }, policy);
 * assertEquals(findings.map(({ code, line, column }) => [code, line, column]), [
 *   ["identity.forbidden_token", 1, 3],
 * ]);
 * ```
 */
export const IDENTITY: Guard = {
  name: "identity",
  isConfigured: (policy) => policy.identity !== undefined,
  wantsContent,
  wantsYaml: (path, { identity }) =>
    (identity?.surfaces ?? []).some((surface) => surface.path === path && isYamlSurface(surface)),
  check: (facts, policy) => policy.identity === undefined ? [] : check(facts, policy.identity),
};

// The globs of one policy are compiled once, though each path is asked for by itself.
const dockerfileMatchers = new WeakMap<IdentityPolicy, (path: string) => boolean>();

function wantsContent(path: string, { identity }: Policy): boolean {
  if (identity === undefined) return false;
  return (identity.surfaces ?? []).some((surface) => surface.path === path) ||
    isDockerfile(path, identity);
}

function isDockerfile(path: string, identity: IdentityPolicy): boolean {
  let matches = dockerfileMatchers.get(identity);
  if (matches === undefined) {
    matches = compileGlobs(listDockerfileGlobs(identity));
    dockerfileMatchers.set(identity, matches);
  }
  return matches(path);
}

function check(facts: RepositoryFacts, identity: IdentityPolicy): Finding[] {
  const { tracked } = facts;
  if (!("length" in tracked)) return [makeFinding(tracked.code, tracked.message)];
  const hits = facts.hits.filter(({ code }) => code.startsWith("identity."));
  const dockerfiles = tracked.filter(({ path, kind }) =>
    kind !== "submodule" && isDockerfile(path, identity)
  );
  const findings = [
    ...checkSurfaces(identity.surfaces ?? [], facts, tracked),
    ...checkPaths(identity, tracked),
    ...checkDockerLabels(identity.docker_labels ?? {}, dockerfiles, facts),
    ...dropDescriptionHits(hits, dockerfiles, facts).map((hit) => describeHit(hit, "content")),
    ...tracked.flatMap(checkReachable),
    ...(facts.missing ?? []).map(reportMissing),
  ];
  return sortFindings(findings);
}

/** What git stores of it may hold anything. */
function reportMissing(path: string): Finding {
  return makeFinding("identity.missing_file", "git tracks it, and it is not there", {
    path,
    hint: "restore it, or take it out of git's index",
  });
}

/** Nobody knows what git stores at a path that lies behind a link. */
function checkReachable({ path, behindLink }: TrackedEntry): Finding[] {
  if (behindLink === undefined) return [];
  const message = `it lies behind the symbolic link ${quote(behindLink)}, and is not read`;
  return [makeFinding("identity.behind_link", message, {
    path,
    hint: "put the directory back in the link's place, or take the path out of git's index",
  })];
}

/** What stands where a hit was found. */
type HitPlace = "content" | "path";

/**
 * Makes the finding of a hit.
 *
 * @param hit What the content rules matched
 * @param place Whether it stands in the file or in its path, which has no line
 */
function describeHit(hit: ContentHit, place: HitPlace): Finding {
  const { path, code } = hit;
  const where = place === "content" ? { line: hit.line, column: hit.column } : {};
  const { message, hint } = explain(hit, place === "content" ? "the content" : "the path");
  return makeFinding(code, message, { path, ...where, hint });
}

function explain(
  { code, text, token, unlisted }: ContentHit,
  where: string,
): { readonly message: string; readonly hint: string } {
  if (unlisted !== undefined) return explainRest(code, unlisted, where);
  switch (code) {
    case "identity.forbidden_token":
      return {
        message: `forbidden token ${quote(token)} in ${where}`,
        hint: "remove it, or allow it for this path under allowances in the policy",
      };
    case "identity.display_name":
      return {
        message: `display name ${quote(token)} in ${where}, where it is not allowed`,
        hint: "use the technical name, or add the path to identity.display_name_allowed",
      };
    default:
      return {
        message: `${quote(text)} in ${where} looks like ${quote(token)} but is not`,
        hint: escapeText(`it has ${describeDifference(text, token)}`),
      };
  }
}

const RULE_NAMES: Readonly<Record<string, string>> = {
  "identity.forbidden_token": "a forbidden token",
  "identity.display_name": "the display name",
  "identity.lookalike": "a look-alike",
};

function explainRest(
  code: string,
  unlisted: number,
  where: string,
): { readonly message: string; readonly hint: string } {
  const places = unlisted === 1 ? "1 more place" : `${unlisted} more places`;
  return {
    message: `${RULE_NAMES[code] ?? code} stands in ${places} of ${where}, from here on`,
    hint: "only the first of them are listed one by one",
  };
}

/**
 * Checks the tracked paths as contents are checked: for forbidden tokens, for the display name
 * where it may not stand, and for look-alikes. In a path, unlike in prose, an invisible character
 * beside a name is a disguise too.
 *
 * @param identity The policy's section
 * @param tracked What git tracks
 */
export function checkPaths(
  identity: IdentityPolicy,
  tracked: readonly TrackedEntry[],
): Finding[] {
  const scanner = createContentScanner({ schema: "kprovengine.policy.v1", identity });
  const names = listCaseless(listProtectedNames(identity));
  const encode = makeEncoder();
  const findings: Finding[] = [];
  for (const { path } of tracked) {
    const hits = scanner.scan(path, encode(path));
    for (const hit of hits) findings.push(describeHit(hit, "path"));
    for (const hit of findFringed(path, names)) findings.push(describeHit(hit, "path"));
  }
  return findings;
}

/** An encoder to UTF-8 whose result lasts until the next: new memory for each path is half of the time. */
function makeEncoder(): (text: string) => Uint8Array {
  const encoder = new TextEncoder();
  let buffer = new Uint8Array(4096);
  return (text) => {
    if (buffer.length < 3 * text.length) buffer = new Uint8Array(3 * text.length);
    return buffer.subarray(0, encoder.encodeInto(text, buffer).written);
  };
}

/** Of names that differ in case alone, the first. */
function listCaseless(names: readonly string[]): readonly string[] {
  return [...Map.groupBy(names, (name) => name.toLowerCase()).values()].flatMap(([name]) =>
    name ?? []
  );
}

/** Names with an invisible character before or behind them. */
function findFringed(path: string, names: readonly string[]): ContentHit[] {
  if (!hasInvisible(path)) return [];
  const folded = foldCase(path);
  return names.flatMap((name) => {
    const hits: ContentHit[] = [];
    const wanted = foldCase(name);
    let start = folded.indexOf(wanted);
    for (; start !== -1; start = folded.indexOf(wanted, start + name.length)) {
      const text = path.slice(Math.max(0, start - 1), start + name.length + 1);
      if (!hasInvisible(text)) continue;
      hits.push({
        path,
        code: "identity.lookalike",
        line: 1,
        column: start + 1,
        text,
        token: name,
      });
    }
    return hits;
  });
}

const PLAIN = /^[\x20-\x7e]*$/;

function hasInvisible(text: string): boolean {
  return !PLAIN.test(text) && [...text].some(isIgnorable);
}

/** Lower case, but for the few characters that it would make longer: places must stay where they are. */
function foldCase(text: string): string {
  return text.replace(/./gsu, (character) => {
    const lower = character.toLowerCase();
    return lower.length === character.length ? lower : character;
  });
}
