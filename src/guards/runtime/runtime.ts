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

import { type Finding, KprovError, makeFinding, sortFindings } from "../../base/error.ts";
import { escapeText, quote, showText } from "../../base/quote.ts";
import { decodeUtf8 } from "../../base/strict_json.ts";
import { type Position, resolveMergeKeys, type YamlNode } from "../actions/yaml.ts";
import type { Guard, RepositoryFacts } from "../guard.ts";
import type { Policy } from "../policy.ts";
import type { ImageBuild } from "./container_files.ts";
import {
  type Claim,
  claimVersion,
  type Declaration,
  parsePolicyRange,
  type RuntimeName,
  RUNTIMES,
} from "./declaration.ts";
import { markerOf, type RuntimeSource, SCRIPT, sourcesOf } from "./sources.ts";
import { isRangeInside, isVersionInside, type VersionRange } from "./version_range.ts";
import { readWorkflows, type VersionFiles } from "./workflow_runtime.ts";

/** A range of the policy: as it is written, and what it means. */
interface Rule {
  readonly text: string;
  readonly range: VersionRange;
}

type Rules = ReadonlyMap<RuntimeName, Rule>;

/**
 * The runtime guard: every declared version of Deno, Node and Python is inside the policy's ranges.
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
  wantsContent: (path, policy) =>
    sourcesOf(path, policy, namedRuntimes(policy)).some(({ reader }) => reader.as === "text"),
  contentMarker: (path, policy) => markerOf(sourcesOf(path, policy, namedRuntimes(policy))),
  wantsYaml: (path, policy) =>
    sourcesOf(path, policy, namedRuntimes(policy)).some(({ reader }) => reader.as !== "text"),
  check: checkRuntime,
};

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

/** Largest file that is read for declarations, in bytes; a script's metadata is found in any. */
const MAX_BYTES = 2 ** 20;

/** A file that may declare a runtime and cannot be read. */
interface UnreadableFile {
  readonly path: string;
  readonly position: Position | null;
  /** Why, without a final period, already safe to show. */
  readonly reason: string;
}

/** What a repository declares of runtimes, and where that is not known. */
interface Declarations {
  readonly declarations: readonly Declaration[];
  readonly unreadable: readonly UnreadableFile[];
}

/**
 * Collects every declaration of a runtime in the tracked files.
 *
 * @param facts What is known of the repository
 * @param policy Says which files are Dockerfiles, where it does
 * @param runtimes The runtimes that the policy names
 */
export function collectDeclarations(
  facts: RepositoryFacts,
  policy: Policy,
  runtimes: readonly RuntimeName[],
): Declarations {
  const paths = listPaths(facts);
  const found = paths.flatMap((path) =>
    sourcesOf(path, policy, runtimes).map((source) => ({ path, source }))
  );
  const builds = found.flatMap(({ path, source }) => listBuilds(facts, path, source));
  const files = found.map(({ path, source }) => readSource(facts, path, source, builds));
  const workflows = found.filter(({ source }) => source.reader.as === "workflow")
    .map(({ path }) => path);
  const versionFiles = readVersionFiles(facts, policy, runtimes);
  const { declarations, cut } = readWorkflows(workflows, facts.yaml, versionFiles);
  return {
    declarations: [...files.flatMap((file) => file.declarations), ...declarations],
    unreadable: [
      ...files.flatMap((file) => file.unreadable),
      ...cut.flatMap((path) => refuse(path, "it has too many steps").unreadable),
    ],
  };
}

/**
 * What version files declare, for those who look them up by name.
 *
 * @param facts What is known of the repository
 * @param policy Says which files are Dockerfiles, where it does
 * @param runtimes The runtimes that are asked for
 */
export function readVersionFiles(
  facts: RepositoryFacts,
  policy: Policy,
  runtimes: readonly RuntimeName[],
): VersionFiles {
  const claims = new Map<string, Claim[]>();
  for (const path of listPaths(facts)) {
    for (const source of sourcesOf(path, policy, runtimes)) {
      if (source.isVersionFile !== true) continue;
      for (const { runtime, claim } of readSource(facts, path, source).declarations) {
        const key = `${runtime} ${path}`;
        const known = claims.get(key);
        if (known === undefined) claims.set(key, [claim]);
        else known.push(claim);
      }
    }
  }
  return (runtime, path) => claims.get(`${runtime} ${path}`) ?? [];
}

function listPaths({ tracked }: RepositoryFacts): string[] {
  if ("code" in tracked) return [];
  return tracked.filter(({ kind }) => kind !== "submodule").map(({ path }) => path);
}

function refuse(path: string, reason: string, position: Position | null = null): Declarations {
  return { declarations: [], unreadable: [{ path, reason, position }] };
}

/** The builds of Dockerfiles that a file asks for; one that cannot be read is found where it is read. */
function listBuilds(
  facts: RepositoryFacts,
  path: string,
  { reader, ...source }: RuntimeSource,
): ImageBuild[] {
  if (reader.as === "workflow" || reader.listBuilds === undefined) return [];
  if (reader.as === "yaml") {
    const result = facts.yaml.get(path);
    return result?.ok === true ? reader.listBuilds(path, resolveMergeKeys(result.node)) : [];
  }
  const builds: ImageBuild[] = [];
  readText(facts, path, { ...source, reader }, (_, text) => {
    builds.push(...reader.listBuilds?.(path, text) ?? []);
    return [];
  });
  return builds;
}

function readSource(
  facts: RepositoryFacts,
  path: string,
  source: RuntimeSource,
  builds: readonly ImageBuild[] = [],
): Declarations {
  const { reader } = source;
  const own = builds.filter(({ dockerfile }) => dockerfile === path);
  return reader.as === "text"
    ? readText(facts, path, source, (_, text) => reader.read(path, text, own))
    : readYaml(facts, path, source, reader.as === "yaml" ? reader.read : () => []);
}

function readText(
  facts: RepositoryFacts,
  path: string,
  source: RuntimeSource,
  read: (path: string, text: string) => Declaration[],
): Declarations {
  const content = facts.contents.get(path);
  if (content === undefined) return refuse(path, "its content was not gathered");
  if (!content.ok) return refuse(path, content.reason);
  if (source === SCRIPT) return attempt(path, () => read(path, decodeScript(content.bytes)));
  if (content.bytes.length > MAX_BYTES) {
    return refuse(path, `it is larger than ${MAX_BYTES} bytes`);
  }
  return attempt(path, () => read(path, decode(content.bytes, source)));
}

function attempt(path: string, read: () => Declaration[]): Declarations {
  try {
    return { declarations: read(), unreadable: [] };
  } catch (error) {
    if (error instanceof KprovError && error.code === "data") return refuse(path, error.message);
    throw error;
  }
}

function decode(bytes: Uint8Array, { allowsMark }: RuntimeSource): string {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return decodeUtf8(allowsMark === true && hasMark ? bytes.subarray(3) : bytes);
}

/** Python lets a file be in any encoding that holds ASCII; the metadata is ASCII or read as it is. */
function decodeScript(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function readYaml(
  facts: RepositoryFacts,
  path: string,
  { isGuess }: RuntimeSource,
  read: (path: string, root: YamlNode) => Declaration[],
): Declarations {
  const result = facts.yaml.get(path);
  if (result === undefined) return refuse(path, "its content was not gathered");
  if (result.ok) return { declarations: read(path, resolveMergeKeys(result.node)), unreadable: [] };
  const { message, line, column } = result;
  // What was read and is no YAML is no environment of conda either.
  if (isGuess && line !== null) return { declarations: [], unreadable: [] };
  return refuse(path, message, line === null || column === null ? null : { line, column });
}
