/**
 * The policy that a project starts with. It holds only what is true of the project as it stands, and is
 * meant to be made stricter by hand. Its name, version and repository are those of the project's
 * manifest.
 *
 * @module
 */

import { KprovError } from "../base/error.ts";
import { findJsonValue, findTomlValues, parseToml } from "../base/located_values.ts";
import { quote, showName } from "../base/quote.ts";
import { compareVersions, type SemVer } from "../base/std.ts";
import { resolveText } from "./actions/expression.ts";
import { listCommands } from "./actions/steps.ts";
import { expandWorkflow } from "./actions/workflow.ts";
import type { RepositoryFacts } from "./guard.ts";
import { parseProjectVersion } from "./lock/governance_lock.ts";
import { isChecker } from "./parity/commands.ts";
import { PARITY } from "./parity/parity.ts";
import type { IdentityPolicy, LockPolicy, ParityPolicy, Policy, Surface } from "./policy.ts";
import { type Declaration, type RuntimeName, RUNTIMES } from "./runtime/declaration.ts";
import { collectDeclarations } from "./runtime/runtime.ts";
import type { Interval } from "./runtime/version_range.ts";

/** What a project says of itself. */
export interface ProjectFacts {
  /** The files that name it, in the order in which they are asked. */
  readonly manifests: readonly ProjectManifest[];
  /** The remote that git fetches from, its URL without credentials, or null where it is not known. */
  readonly origin: { readonly name: string; readonly url: string } | null;
  /** What its files declare, gathered for {@linkcode WIDE_POLICY}. */
  readonly repository: RepositoryFacts;
  /** The range of Deno versions that the running kprov supports. */
  readonly denoRange: string;
}

/** A policy under which every declaration of a runtime is gathered. */
export const WIDE_POLICY: Policy = {
  schema: "kprovengine.policy.v1",
  runtime: { deno: ">=0.0.1", node: ">=0.0.1", python: ">=0.0.1" },
};

/** A starter policy, and what it was made from. */
export interface StarterPolicy {
  readonly policy: Policy;
  /** What was taken from where, and what could not be read: one line each, safe to show. */
  readonly notes: readonly string[];
}

/** Where the starter policy keeps its lock. */
const STARTER_LOCK_PATH = "docs/governance/governance.lock.json";

/**
 * Makes the policy that a project starts with.
 *
 * @param project What the project says of itself
 * @param policyPath Where the policy will stand
 */
export function buildStarterPolicy(project: ProjectFacts, policyPath: string): StarterPolicy {
  const notes = project.manifests.flatMap(({ path, fault }) =>
    fault === null ? [] : [`${showName(path)} cannot be read: ${fault}`]
  );
  const identity = buildIdentity(project, notes);
  const runtime = buildRuntime(project, notes);
  const lock = buildLock(project, policyPath, notes);
  const policy: Policy = {
    schema: "kprovengine.policy.v1",
    ...(identity === null ? {} : { identity }),
    artifacts: {},
    ...(Object.keys(runtime).length === 0 ? {} : { runtime }),
  };
  const parity = findGate(project.repository, policy);
  if (parity !== null) {
    notes.push(`the command ${quote(parity.command)} is from ${showName(parity.workflow)}`);
  }
  return {
    policy: {
      ...policy,
      ...(parity === null ? {} : { parity }),
      ...(lock === null ? {} : { lock }),
    },
    notes,
  };
}

function buildIdentity(project: ProjectFacts, notes: string[]): IdentityPolicy | null {
  const origin = toCanonicalUrl(project.origin?.url ?? "");
  const own = origin?.slice(origin.lastIndexOf("/") + 1) ?? null;
  const manifest = chooseManifest(project.manifests, own);
  const name = manifest?.name ?? own;
  const declared = listRepositories(project.manifests, manifest)[0];
  const repository = declared?.url ?? origin;
  const from = `git's remote ${showName(project.origin?.name ?? "")}`;
  if (name !== null) notes.push(`the name ${quote(name)} is from ${manifest?.path ?? from}`);
  if (repository !== null) {
    notes.push(`the repository ${quote(repository)} is from ${declared?.path ?? from}`);
  }
  if (name === null && repository === null) return null;
  const surfaces = manifest === null ? [] : [toSurface(manifest, name ?? "")];
  return {
    ...(name === null ? {} : { technical_name: name }),
    ...(repository === null ? {} : { repository }),
    ...(surfaces.length === 0 ? {} : { surfaces }),
  };
}

/** Of several manifests, the one that is called as the repository, or else the first that is published. */
function chooseManifest(
  manifests: readonly ProjectManifest[],
  repository: string | null,
): ProjectManifest | null {
  const named = manifests.filter(({ name }) => name !== null);
  const plain = (text: string | null): string =>
    (text ?? "").slice((text ?? "").lastIndexOf("/") + 1).toLowerCase().replace(/[._-]+/g, "-");
  return named.find(({ name }) => plain(name) === plain(repository)) ??
    named.find(({ isPrivate }) => !isPrivate) ?? named[0] ?? null;
}

/** The canonical URLs that manifests name, the chosen one's first. */
function listRepositories(
  manifests: readonly ProjectManifest[],
  chosen: ProjectManifest | null,
): { readonly path: string; readonly url: string }[] {
  return [chosen, ...manifests].flatMap((manifest) => {
    const url = toCanonicalUrl(manifest?.repository ?? "");
    return manifest === null || url === null ? [] : [{ path: manifest.path, url }];
  });
}

function toSurface({ path, namePointer }: ProjectManifest, name: string): Surface {
  return namePointer === null
    ? { path, contains: name }
    : { path, pointer: namePointer, equals: name };
}

/** Most files that a note names. */
const MOST_NAMED = 3;

function nameSources(declarations: readonly Declaration[]): string {
  const paths = [...new Set(declarations.flatMap(({ path }) => path ?? []))];
  if (paths.length === 0) return "what kprov supports";
  const rest = paths.length - MOST_NAMED;
  const shown = paths.slice(0, MOST_NAMED).map(showName).join(", ");
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}

/** What declares a runtime, by how much the project itself stands behind it. */
const TIERS: readonly ((declaration: Declaration) => boolean)[] = [
  ({ path, claim }) =>
    claim.kind === "range" &&
    /^(?:pyproject\.toml|setup\.(?:cfg|py)|package\.json)$/.test(path ?? ""),
  ({ path }) => path !== null && !path.includes("/"),
  ({ path, claim }) =>
    claim.kind === "range" &&
    /^(?!\.|(?:docs?|examples?|tests?|fixtures|site|website)\/)[^/]+\/(?:pyproject\.toml|setup\.(?:cfg|py)|package\.json)$/
      .test(path ?? ""),
  ({ path }) => path?.startsWith(".github/workflows/") === true,
  () => true,
];

/**
 * For each runtime that is declared, the range that the project's manifest names, or else one around what
 * the files of the root declare, or manifests one directory below it, or the workflows; fixtures and
 * examples count where nothing else does.
 */
function buildRuntime(project: ProjectFacts, notes: string[]): Readonly<Record<string, string>> {
  const { repository, denoRange } = project;
  if ("code" in repository.tracked) return {};
  const { declarations } = collectDeclarations(repository, WIDE_POLICY, RUNTIMES);
  const ranges: Record<string, string> = {};
  for (const runtime of RUNTIMES) {
    const own = declarations.filter((it) => it.runtime === runtime);
    const usesDeno = project.manifests.some(({ path }) => path.startsWith("deno."));
    const tiers = TIERS.map((isOfTier) => own.filter(isOfTier));
    const counting = tiers.find((tier) => spanRange(runtime, tier) !== null) ?? [];
    const range = spanRange(runtime, counting) ??
      (runtime === "deno" && usesDeno ? denoRange : null);
    if (range === null) continue;
    ranges[runtime] = range;
    notes.push(`${runtime} ${range} is from ${nameSources(counting)}`);
  }
  return ranges;
}

/** The range from the first version that is declared to the last; null where none is. */
function spanRange(runtime: RuntimeName, declarations: readonly Declaration[]): string | null {
  const intervals = declarations.flatMap(({ claim }): Interval[] => {
    if (claim.kind === "range") return [...claim.range.releases];
    if (claim.kind === "floating" || (claim.version.prerelease?.length ?? 0) > 0) return [];
    return [{ from: claim.version, to: nextLine(runtime, claim.version) }];
  });
  const [first] = intervals.map(({ from }) => from).toSorted(compareVersions);
  if (first === undefined) return null;
  const ends = intervals.map(({ to }) => to);
  const last = ends.includes(null) ? null : ends.filter((to) => to !== null)
    .toSorted(compareVersions).at(-1) ?? null;
  const upper = last === null ? "" : `${runtime === "python" ? "," : " "}<${shorten(last)}`;
  return `>=${shorten(first)}${upper}`;
}

/** Node's lines are major versions, those of the others minor ones. */
function nextLine(runtime: RuntimeName, { major, minor }: SemVer): SemVer {
  return runtime === "node"
    ? { major: major + 1, minor: 0, patch: 0 }
    : { major, minor: minor + 1, patch: 0 };
}

function shorten({ major, minor, patch }: SemVer): string {
  if (patch > 0) return `${major}.${minor}.${patch}`;
  return minor > 0 ? `${major}.${minor}` : `${major}`;
}

/** The rules themselves: an update of an action in a workflow is no new major version. */
function buildLock(
  { manifests }: ProjectFacts,
  policyPath: string,
  notes: string[],
): LockPolicy | null {
  const [version_from] = manifests.flatMap(({ path, version }) =>
    version !== null && parseProjectVersion(version.text).ok
      ? [{ path, pointer: version.pointer }]
      : []
  );
  if (version_from !== undefined) {
    return { path: STARTER_LOCK_PATH, version_from, governs: [policyPath] };
  }
  notes.push("no lock is taken, since no manifest has a version");
  return null;
}

/** Most commands of the workflows that are tried as the project's own. */
const MOST_CANDIDATES = 24;
const WORKFLOW = /^\.github\/workflows\/([^/]+)\.ya?ml$/i;
/** What the workflow that people look at first is called. */
const MAIN_WORKFLOW = /^(?:ci|tests?|main|build|checks?)(?:[-_.].*)?$|[-_](?:ci|tests?)$/i;

/** Commands that test, or that may do everything, before those that only lint. */
const MAIN_COMMAND =
  /(?:^|[\s:/_-])(?<!\s-{1,2})(?:tests?|check|verify|validate|preflight|ci|ok|tox|nox|pytest|vitest|jest)\b/;

/**
 * The step of the workflows that is nearest to a gate: of a workflow that every change starts, and by
 * its name the main one, a step that tests; of several the shortest, which does most by itself.
 */
function findGate(facts: RepositoryFacts, policy: Policy): ParityPolicy | null {
  const isMain = ({ workflow }: ParityPolicy): boolean =>
    MAIN_WORKFLOW.test(WORKFLOW.exec(workflow)?.[1] ?? "");
  const candidates = listCandidates(facts).toSorted((a, b) =>
    Number(isMain(b)) - Number(isMain(a))
  );
  const judged = candidates.slice(0, MOST_CANDIDATES).map((parity) => {
    const codes = PARITY.check(facts, { ...policy, parity }).map(({ code }) => code);
    const isStarted = !codes.includes("parity.missing");
    const { length } = parity.command;
    const flags = [isStarted, isMain(parity), MAIN_COMMAND.test(parity.command)];
    // Whichever it is, all the others are extra gates.
    const faults = codes.filter((code) => code !== "parity.extra_gate").length;
    return { parity, order: [...flags.map((flag) => Number(!flag)), length, faults] };
  });
  return judged.toSorted((a, b) => compareOrder(a.order, b.order))[0]?.parity ?? null;
}

function compareOrder(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((number, index) => number !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

/** The steps that are one command that is known to check. */
function listCandidates(facts: RepositoryFacts): ParityPolicy[] {
  const found = new Map<string, ParityPolicy>();
  for (const [workflow, result] of facts.yaml) {
    if (!result.ok || !WORKFLOW.test(workflow)) continue;
    const { jobs } = expandWorkflow(workflow, result.node, facts.yaml, new Map());
    for (const { run, scope } of jobs.flatMap(({ steps }) => steps)) {
      const command = run === null ? null : resolveText(run, scope).text?.trim() ?? null;
      if (command === null || !isCheck(command)) continue;
      found.set(`${workflow}\n${command}`, { workflow, command });
    }
  }
  return [...found.values()];
}

/** One command, whose output goes to the log. */
function isCheck(command: string): boolean {
  const [only, ...others] = /[\n<>|&]/.test(command) ? [] : listCommands(command);
  const rules = { added: [], allowed: new Set<string>(), scripts: new Map() };
  return only !== undefined && others.length === 0 && isChecker(only.words, rules);
}

const HOSTS: Readonly<Record<string, string>> = {
  github: "github.com",
  gitlab: "gitlab.com",
  bitbucket: "bitbucket.org",
};

/**
 * The canonical URL of a repository, from the address that git fetches from or that a manifest names.
 *
 * @param address Such as `https://github.com/a/b.git`, `git@github.com:a/b.git`, `github:a/b` or
 * `git@ssh.dev.azure.com:v3/organization/project/repository`
 * @returns Such as `https://github.com/a/b`, or null where it is no address of that kind
 */
export function toCanonicalUrl(address: string): string | null {
  const plain = address.trim().replace(/^git\+/, "").replace(/[?#].*$/, "");
  const [, service = "", short] =
    /^(?:(github|gitlab|bitbucket):)?([\w.-]+\/[\w.-]+)$/.exec(plain) ?? [];
  if (short !== undefined) {
    return `https://${HOSTS[service || "github"]}/${short.replace(/\.git$/, "")}`;
  }
  const match =
    /^(?:(https?|ssh|git):\/\/)?(?:[^@/\s]+@)?([A-Za-z0-9.-]+\.[A-Za-z]+)(:[0-9]+(?=\/))?[/:]\/?(.+?)(?:\.git)?\/?$/
      .exec(plain);
  if (match === null) return null;
  const [, scheme = "", host = "", port = "", path = ""] = match;
  // That of SSH is none for a browser.
  const kept = /^https?$/i.test(scheme) && !/^:(?:80|443)$/.test(port) ? port : "";
  return toAzureUrl(host, path) ?? `https://${host}${kept}/${path}`;
}

/** The services and hosts whose pages with two names are repositories. */
const CODE_HOST =
  /^https:\/\/(?:github\.com|gitlab\.com|bitbucket\.org|codeberg\.org|gitlab\.[^/]+)\/[^/]+\/[^/]+$/i;

/** The address of a project's page, where that is its repository. */
function takeHomepage(address: string | null): string | null {
  return CODE_HOST.test(toCanonicalUrl(address ?? "") ?? "") ? address : null;
}

/** Azure's address for SSH has another form than the one for the browser. */
function toAzureUrl(host: string, path: string): string | null {
  if (!/^(?:ssh\.dev\.azure\.com|vs-ssh\.visualstudio\.com)$/i.test(host)) return null;
  const [, organization, project, repository] = /^v3\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  return organization === undefined
    ? null
    : `https://dev.azure.com/${organization}/${project}/_git/${repository}`;
}

/** A file that names a project. */
export interface ProjectManifest {
  /** Its path. */
  readonly path: string;
  /** The project's name in it, or null. */
  readonly name: string | null;
  /** The pointer to the name, or null where none leads to it. */
  readonly namePointer: string | null;
  /** The project's version in it, where a governance lock can be taken at it, and the pointer to it. */
  readonly version: { readonly text: string; readonly pointer: string } | null;
  /** The address of the project's repository, as it is written, or null. */
  readonly repository: string | null;
  /** Whether it says that it is published nowhere. */
  readonly isPrivate: boolean;
  /** Why it cannot be read, without a final period, or null. */
  readonly fault: string | null;
}

/**
 * What is looked for in a manifest: for each the pointers that may lead to it, the first that does
 * counts.
 */
interface Pointers {
  readonly name: readonly string[];
  readonly version: readonly string[];
  readonly repository: readonly string[];
  /** A page, which may be the repository. */
  readonly homepage: readonly string[];
}

const JSON_POINTERS: Pointers = {
  name: ["/name"],
  version: ["/version"],
  repository: ["/repository/url", "/repository"],
  homepage: ["/homepage"],
};

const TOML_POINTERS: Readonly<Record<string, Pointers>> = {
  "pyproject.toml": {
    name: ["/project/name", "/tool/poetry/name"],
    version: ["/project/version", "/tool/poetry/version"],
    repository: ["/tool/poetry/repository"],
    homepage: ["/project/urls/Homepage", "/project/urls/homepage", "/tool/poetry/homepage"],
  },
  "Cargo.toml": {
    name: ["/package/name"],
    version: ["/package/version", "/workspace/package/version"],
    repository: ["/package/repository", "/workspace/package/repository"],
    homepage: ["/package/homepage", "/workspace/package/homepage"],
  },
  "pixi.toml": {
    name: ["/workspace/name", "/project/name"],
    version: ["/workspace/version", "/project/version"],
    repository: ["/workspace/repository", "/project/repository"],
    homepage: ["/workspace/homepage", "/project/homepage"],
  },
};

/** The files that name a project, in the order in which they are asked. */
export const MANIFEST_PATHS: readonly string[] = [
  "deno.json",
  "deno.jsonc",
  "pyproject.toml",
  "Cargo.toml",
  "package.json",
  "pixi.toml",
  "setup.cfg",
  "setup.py",
  "DESCRIPTION",
];

/** How manifests that no pointer leads into are read. */
const TEXT_READERS: Readonly<Record<string, (text: string) => NamedProject>> = {
  "setup.cfg": readSetupCfg,
  "setup.py": readSetupPy,
  "DESCRIPTION": readDescription,
};

/**
 * Reads a manifest.
 *
 * @param path Its path, one of {@linkcode MANIFEST_PATHS}
 * @param text Its content
 */
export function parseManifest(path: string, text: string): ProjectManifest {
  const pointers = TOML_POINTERS[path];
  try {
    if (pointers !== undefined) return parseTomlManifest(path, text, pointers);
    const read = TEXT_READERS[path];
    if (read === undefined) return parseJsonManifest(path, text);
    return { ...refuseManifest(path, ""), ...read(text), fault: null };
  } catch (error) {
    if (!(error instanceof KprovError) || error.code !== "data") throw error;
    return refuseManifest(path, error.message);
  }
}

/**
 * Makes a manifest of which nothing is known.
 *
 * @param path Its path
 * @param fault Why it cannot be read
 */
export function refuseManifest(path: string, fault: string): ProjectManifest {
  return {
    path,
    name: null,
    namePointer: null,
    version: null,
    repository: null,
    isPrivate: false,
    fault,
  };
}

function parseJsonManifest(path: string, text: string): ProjectManifest {
  const root = findJsonValue(text, "");
  if (!root.ok) return refuseManifest(path, root.reason);
  const find = (pointer: string): string | null => {
    const value = findJsonValue(text, pointer);
    return value.ok && value.text !== "" ? value.text : null;
  };
  const secret = findJsonValue(text, "/private");
  const isPrivate = secret.ok && secret.source === "true";
  return { path, ...lookUp(JSON_POINTERS, find, null), isPrivate, fault: null };
}

function parseTomlManifest(path: string, text: string, pointers: Pointers): ProjectManifest {
  const root = parseToml(text);
  const find = (pointer: string): string | null => {
    const [found] = findTomlValues(root, pointer.split("/").slice(1));
    return typeof found?.value === "string" && found.value !== "" ? found.value : null;
  };
  // `[project.urls]` has names of the author's choice.
  const [url = null] = findTomlValues(root, ["project", "urls", "*"])
    .filter(({ keys }) =>
      /^(?:repository|source|source[ _-]?code|code|git(?:hub|lab))$/i.test(keys[2] ?? "")
    )
    .flatMap(({ value }) => typeof value === "string" ? [value] : []);
  return { path, ...lookUp(pointers, find, url), isPrivate: false, fault: null };
}

function lookUp(
  pointers: Pointers,
  find: (pointer: string) => string | null,
  url: string | null,
): Omit<ProjectManifest, "path" | "isPrivate" | "fault"> {
  const first = (candidates: readonly string[]): ProjectManifest["version"] => {
    const [found = null] = candidates.flatMap((pointer) => {
      const text = find(pointer);
      return text === null ? [] : [{ text, pointer }];
    });
    return found;
  };
  const name = first(pointers.name);
  return {
    name: name?.text ?? null,
    namePointer: name?.pointer ?? null,
    version: first(pointers.version),
    repository: first(pointers.repository)?.text ?? url ??
      takeHomepage(first(pointers.homepage)?.text ?? null),
  };
}

type NamedProject = Pick<ProjectManifest, "name" | "repository">;

/** A `name` that only the program knows, such as `attr: …`, is none. */
function readSetupCfg(text: string): NamedProject {
  const [, section = ""] = /^\[metadata\][^\n]*\n([\s\S]*?)(?=^\[|(?![\s\S]))/m.exec(text) ?? [];
  const [, name = null] = /^name\s*=\s*([\w.-]+)\s*$/m.exec(section) ?? [];
  const [, source] = /^\s+(?:repository|source(?: code)?|code|git(?:hub|lab))\s*=\s*(\S+)\s*$/im
    .exec(section) ?? [];
  const [, homepage = null] = /^url\s*=\s*(\S+)\s*$/m.exec(section) ?? [];
  return { name, repository: source ?? takeHomepage(homepage) };
}

/** What `setup()` is given word by word; the rest only the program knows. */
function readSetupPy(text: string): NamedProject {
  const [call = ""] = /\bsetup\s*\([\s\S]*/.exec(text.replace(/^\s*#.*$/gm, "")) ?? [];
  const find = (key: string): string | null =>
    new RegExp(`[(,\\s]${key}\\s*=\\s*(["'])([^"'\\\\\\n]+)\\1\\s*[,)]`).exec(call)?.[2] ?? null;
  return { name: find("name"), repository: takeHomepage(find("url")) };
}

/** Of R's packages; another file of this name has no `Package`. */
function readDescription(text: string): NamedProject {
  const [, name = null] = /^Package:\s*([\w.]+)\s*$/m.exec(text) ?? [];
  const [, urls = ""] = /^URL:((?:.*\n?)(?:[ \t]+.*\n?)*)/m.exec(text) ?? [];
  const [repository = null] = urls.split(/[\s,]+/).flatMap((url) => takeHomepage(url) ?? []);
  return name === null ? { name, repository: null } : { name, repository };
}
