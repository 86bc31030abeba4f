import { renderCanonicalJson } from "../base/canonical_json.ts";
import { KprovError } from "../base/error.ts";
import { findJsonValue } from "../base/json_value.ts";
import { quote, shellQuote } from "../base/quote.ts";
import { SUPPORTED_DENO } from "../base/semver.ts";
import { canParseVersion, dirname, join } from "../base/std.ts";
import { decodeText } from "../base/text.ts";
import { makeGuardResult, type TrackedEntry } from "../guards/guard.ts";
import { checkRenewal } from "../guards/lock/renewal.ts";
import type { IdentityPolicy, LockPolicy, Policy, Surface } from "../guards/policy.ts";
import { readPyprojectName } from "../guards/runtime/manifests.ts";
import { createFileAtomically, writeFileAtomically } from "../io/atomic_file.ts";
import { checkTrackedPath } from "../io/git/index_entries.ts";
import { gatherOrigin } from "../io/git/source.ts";
import { gatherTrackedFiles } from "../io/git/tracked_files.ts";
import { gatherGovernance } from "../io/governance.ts";
import type { Host } from "../io/host.ts";
import { DirectoriesBelow } from "../io/path_watch.ts";
import { resolveRoot, type Root } from "../io/paths.ts";
import { gatherPolicy, POLICY_NAME, requirePolicy } from "../io/policy_file.ts";
import { readTracked } from "../io/tracked_content.ts";
import { renderGuardText } from "../show/guard_formats.ts";
import { makeJsonLogSafe, renderLogSafeJson } from "../show/text.ts";
import { type Command, EXITS, type ParsedFlags } from "./command.ts";
import { BASE_LOCK_FLAG, REPOSITORY_FLAG } from "./flags.ts";

/** `kprov init`. */
export const INIT: Command = {
  usage: [
    "kprov init [--root DIR] [--dry-run]",
    "kprov init --renew-lock [--base-lock FILE] [--root DIR] [--dry-run]",
  ],
  description: [
    "Writes docs/governance/policy.json, with the name and the version from deno.json, package.json or " +
    "pyproject.toml and the repository from git's metadata, and the lock of the files that make up the " +
    "rules. Nothing is ever overwritten.",
    "With --renew-lock, writes the lock anew for the rules as they stand. It refuses where a rule changed " +
    "without a higher major version; a pre-release may renew freely.",
  ],
  flags: [
    REPOSITORY_FLAG,
    { name: "renew-lock", summary: "Write the lock anew" },
    BASE_LOCK_FLAG,
    { name: "dry-run", summary: "Print what would be written, and write nothing" },
  ],
  permissions: "--allow-read=DIR --allow-write=DIR/docs/governance.",
  examples: [
    ["kprov init --dry-run", "Show the policy that would be written"],
    ["kprov init", "Write the policy and its lock"],
    ["kprov init --renew-lock", "Take the lock anew after a new major version"],
  ],
  exitCodes: [
    [0, "written, or nothing to do"],
    [1, "the lock must not be renewed: the findings say why"],
    EXITS.usage,
    EXITS.repository,
    [73, "a file is there already, or cannot be created"],
    EXITS.writing,
    EXITS.permission,
    [78, "the policy is missing or cannot be used, or has no lock"],
  ],
  execute: init,
};

async function init(flags: ParsedFlags, host: Host): Promise<number> {
  if (flags.positionals.length > 0 || flags.rest !== null) {
    throw new KprovError("usage", "Cannot use arguments: kprov init takes none");
  }
  const baseLock = flags.value("base-lock");
  const isRenewal = flags.has("renew-lock");
  if (baseLock !== null && !isRenewal) {
    throw new KprovError("usage", "Cannot use --base-lock: it goes with --renew-lock");
  }
  const root = resolveRoot(flags.value("root") ?? ".");
  const isDryRun = flags.has("dry-run");
  return await (isRenewal
    ? renewLock({ root, isDryRun, baseLock }, host)
    : writePolicy(root, isDryRun, host));
}

async function writePolicy(root: Root, isDryRun: boolean, host: Host): Promise<number> {
  checkPlace(root, POLICY_NAME);
  if (await gatherPolicy(root) !== null) {
    throw new KprovError(
      "cannot_create",
      `Cannot create ${quote(POLICY_NAME)}: it exists already`,
      {
        hint: "kprov init --renew-lock writes its lock anew",
      },
    );
  }
  const project = gatherProject(root);
  const policy = buildStarterPolicy(project, POLICY_NAME);
  const text = `${JSON.stringify(policy, null, 2)}\n`;
  if (isDryRun) {
    host.writeStdout(makeJsonLogSafe(text));
    return 0;
  }
  await writeInside(root, POLICY_NAME, text, createFileAtomically, host);
  const code = policy.lock === undefined
    ? 0
    : await renewLock({ root, isDryRun, baseLock: null }, host);
  if (policy.lock === undefined) {
    host.writeStderr("note: no lock is taken, since no JSON manifest has a version\n");
  }
  host.writeStdout(`Next     git add ${dirname(POLICY_NAME)}\n         kprov guard\n`);
  return code;
}

interface RenewalRequest {
  readonly root: Root;
  readonly isDryRun: boolean;
  readonly baseLock: string | null;
}

async function renewLock(
  { root, isDryRun, baseLock }: RenewalRequest,
  host: Host,
): Promise<number> {
  const { policy } = await requirePolicy(root);
  const lockPolicy = requireLockPolicy(policy);
  const governance = gatherGovernance(root, lockPolicy, listGovernable(root), baseLock);
  const renewal = checkRenewal(governance, lockPolicy);
  if (!renewal.ok) {
    const results = [makeGuardResult("lock", renewal.findings)];
    host.writeStdout(renderGuardText(results, host));
    return 1;
  }
  if (isDryRun) host.writeStdout(renderLogSafeJson(renewal.lock));
  else if (renewal.change === "unchanged") {
    host.writeStdout(`Holds    ${shellQuote(lockPolicy.path)}\n`);
  } else {
    await writeInside(
      root,
      lockPolicy.path,
      renderCanonicalJson(renewal.lock),
      writeFileAtomically,
      host,
    );
  }
  return 0;
}

function requireLockPolicy(policy: Policy): LockPolicy {
  if (policy.lock !== undefined) return policy.lock;
  throw new KprovError("policy", "Cannot renew the lock: the policy has no section for it", {
    hint: "add /lock to the policy",
  });
}

/** What git tracks, and the policy that was just written and is about to be. */
function listGovernable(root: Root): readonly TrackedEntry[] {
  const tracked = gatherTrackedFiles(root.path);
  // A lock over a part of the rules would look like one over all of them.
  if ("code" in tracked) throw new KprovError("data", `Cannot take the lock: ${tracked.message}`);
  return tracked.some(({ path }) => path === POLICY_NAME)
    ? tracked
    : [...tracked, { path: POLICY_NAME, kind: "file" }];
}

/** How a file is written: as a new one, or in place of one that is there. */
type WriteFile = (path: string, text: string) => Promise<void>;

async function writeInside(
  root: Root,
  name: string,
  text: string,
  write: WriteFile,
  host: Host,
): Promise<void> {
  checkPlace(root, name);
  await write(join(root.path, name), text);
  // A directory may have been swapped, or made, since the look.
  checkPlace(root, name);
  host.writeStdout(`Written  ${shellQuote(name)}\n`);
}

/** Nothing is written outside of the root: not by a name that leads out of it, and not through a link. */
function checkPlace(root: Root, name: string): void {
  try {
    checkTrackedPath(name);
  } catch (error) {
    throw error instanceof KprovError ? refusePlace(name, error.message) : error;
  }
  const link = new DirectoriesBelow(root.path).describeLink(name);
  if (link !== null) throw refusePlace(name, link);
}

function refusePlace(name: string, reason: string): KprovError {
  return new KprovError("cannot_create", `Cannot write ${quote(name)}: ${reason}`);
}

/** The files that name a project, in the order in which they are asked. */
const MANIFESTS = ["deno.json", "deno.jsonc", "package.json", "pyproject.toml"] as const;

/**
 * Reads what a project says of itself: its manifest, and git's metadata.
 *
 * @param root The project
 * @throws {KprovError} Where a manifest that is tracked cannot be read
 */
function gatherProject(root: Root): ProjectFacts {
  const index = gatherTrackedFiles(root.path);
  const tracked = "code" in index ? [] : index.map(({ path }) => path);
  const path = MANIFESTS.find((candidate) => tracked.includes(candidate));
  const address = gatherOrigin(root.path);
  return {
    manifest: path === undefined ? null : readManifest(root, path),
    repository: address === null ? null : toCanonicalUrl(address),
    tracked,
    denoRange: SUPPORTED_DENO,
  };
}

function readManifest(root: Root, path: ProjectManifest["path"]): ProjectManifest {
  const content = readTracked(root.path, path);
  const decoded = content.ok ? decodeText(content.bytes) : null;
  if (!decoded?.ok) return { path, name: null, version: null };
  if (path === "pyproject.toml") {
    return { path, name: readPyprojectName(decoded.text), version: null };
  }
  const version = findText(decoded.text, "/version");
  const isVersion = version !== null && canParseVersion(version);
  return { path, name: findText(decoded.text, "/name"), version: isVersion ? version : null };
}

function findText(text: string, pointer: string): string | null {
  const value = findJsonValue(text, pointer);
  return value.ok && value.text !== "" ? value.text : null;
}

/** What a project says of itself. */
export interface ProjectFacts {
  /** The file that names it, or null where there is none that is known. */
  readonly manifest: ProjectManifest | null;
  /** The canonical URL of its repository, or null where it is not known. */
  readonly repository: string | null;
  /** Every path that git tracks. */
  readonly tracked: readonly string[];
  /** The range of Deno versions that the running kprov supports. */
  readonly denoRange: string;
}

/** A file that names a project. */
interface ProjectManifest {
  /** Its path. */
  readonly path: "deno.json" | "deno.jsonc" | "package.json" | "pyproject.toml";
  /** The project's name in it, or null. */
  readonly name: string | null;
  /** The project's version in it, where a governance lock can be taken at it. */
  readonly version: string | null;
}

/** Where the starter policy keeps its lock. */
const STARTER_LOCK_PATH = "docs/governance/governance.lock.json";

/**
 * Makes the policy that a project starts with. It holds only what is true of the project as it
 * stands, so that its guards pass, and is meant to be made stricter by hand.
 *
 * @param project What the project says of itself
 * @param policyPath Where the policy will stand
 */
export function buildStarterPolicy(project: ProjectFacts, policyPath: string): Policy {
  const identity = buildIdentity(project);
  const lock = buildLock(project, policyPath);
  const usesDeno = project.manifest?.path.startsWith("deno.") ?? false;
  return {
    schema: "kprovengine.policy.v1",
    ...(identity === null ? {} : { identity }),
    artifacts: {},
    ...(usesDeno ? { runtime: { deno: project.denoRange } } : {}),
    ...(lock === null ? {} : { lock }),
  };
}

function buildIdentity({ manifest, repository }: ProjectFacts): IdentityPolicy | null {
  const name = manifest?.name ?? null;
  if (name === null && repository === null) return null;
  const surfaces: Surface[] = manifest === null || name === null ? [] : [
    manifest.path === "pyproject.toml"
      ? { path: manifest.path, contains: name }
      : { path: manifest.path, pointer: "/name", equals: name },
  ];
  return {
    ...(name === null ? {} : { technical_name: name }),
    ...(repository === null ? {} : { repository }),
    ...(surfaces.length === 0 ? {} : { surfaces }),
  };
}

function buildLock({ manifest, tracked }: ProjectFacts, policyPath: string): LockPolicy | null {
  if (manifest === null || manifest.version === null) return null;
  const workflows = ".github/workflows/";
  const hasWorkflows = tracked.some((path) => path.startsWith(workflows));
  return {
    path: STARTER_LOCK_PATH,
    version_from: { path: manifest.path, pointer: "/version" },
    governs: [policyPath, ...(hasWorkflows ? [`${workflows}**`] : [])],
  };
}

/**
 * The canonical URL of a repository, from the address that git fetches from.
 *
 * @param address Such as `https://github.com/a/b.git` or `github.com:a/b.git`, without credentials
 * @returns Such as `https://github.com/a/b`, or null where it is no address of that kind
 */
export function toCanonicalUrl(address: string): string | null {
  const match =
    /^(?:(?:https?|ssh|git):\/\/)?([A-Za-z0-9.-]+\.[A-Za-z]+)(?::[0-9]+)?[/:](.+?)(?:\.git)?\/?$/
      .exec(address);
  return match === null ? null : `https://${match[1]}/${match[2]}`;
}
