import type { IdentityPolicy, LockPolicy, Policy, Surface } from "./policy.ts";

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
export interface ProjectManifest {
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
