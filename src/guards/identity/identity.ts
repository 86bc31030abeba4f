import { type Finding, makeFinding, sortFindings } from "../../finding.ts";
import { quote } from "../../quote.ts";
import type { Guard, RepositoryFacts, TrackedEntry } from "../facts.ts";
import { compileGlobs } from "../glob/glob.ts";
import { applyAllowances } from "./identity_allowances.ts";
import { describeHit } from "./identity_content.ts";
import { checkDockerLabels, dropDescriptionHits, listDockerfileGlobs } from "./identity_docker.ts";
import { checkPaths } from "./identity_paths.ts";
import { checkSurfaces } from "./identity_surfaces.ts";
import type { IdentityPolicy, Policy } from "../policy.ts";

/**
 * The identity guard: the project is called what the policy says, wherever it must be and nowhere
 * else, and nothing can be mistaken for it.
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
  wantsYaml: () => false,
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
  ];
  return sortFindings(applyAllowances(findings, identity.allowances ?? []));
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
