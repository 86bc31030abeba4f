import { compileGlobs } from "../glob/glob.ts";
import type { Policy } from "../policy.ts";
import type { RuntimeName } from "./runtime_declaration.ts";
import { runtimesOfVersionFile } from "./version_file.ts";

/** What kind of declaring file a path is, by its name. */
export type SourceKind = "dockerfile" | "package.json" | "pyproject.toml" | "version-file";

const WORKFLOW = /^\.github\/workflows\/[^/]+\.ya?ml$/i;
const ACTION = /(?:^|\/)action\.ya?ml$/i;
const DOCKERFILE = /^(?:dockerfile|containerfile)(?:\..+)?$|.\.(?:dockerfile|containerfile)$/i;
/** Written next to a Dockerfile and no Dockerfile itself. */
const DOCKERIGNORE = /\.dockerignore$/i;

/** The policy's globs, compiled once for each policy. */
const compiledGlobs = new WeakMap<readonly string[], (path: string) => boolean>();

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** What packages bring along declares their runtimes, not the repository's. */
function isInstalled(path: string): boolean {
  return path.startsWith("node_modules/") || path.includes("/node_modules/");
}

/** Whether a path is a workflow of GitHub, or an action that workflows can use. */
export function isYamlSource(path: string): boolean {
  return !isInstalled(path) && (WORKFLOW.test(path) || ACTION.test(path));
}

/**
 * Whether a file's content can declare one of the runtimes.
 *
 * @param path The file's path
 * @param policy Says which files are Dockerfiles, where it does
 * @param runtimes The runtimes that the policy names
 */
export function isContentSource(
  path: string,
  policy: Policy,
  runtimes: readonly RuntimeName[],
): boolean {
  return kindOfSource(path, policy, runtimes) !== null;
}

/**
 * Tells what kind of declaring file a path is.
 *
 * @param path The file's path
 * @param policy Says which files are Dockerfiles, where it does
 * @param runtimes The runtimes that the policy names
 * @returns Null where it can declare none of the runtimes
 */
export function kindOfSource(
  path: string,
  policy: Policy,
  runtimes: readonly RuntimeName[],
): SourceKind | null {
  if (runtimes.length === 0 || isInstalled(path)) return null;
  const name = nameOf(path);
  if (name === "package.json") return runtimes.some((it) => it !== "python") ? name : null;
  if (name === "pyproject.toml") return runtimes.includes("python") ? name : null;
  if (runtimesOfVersionFile(name).some((it) => runtimes.includes(it))) return "version-file";
  return isDockerfile(path, policy) ? "dockerfile" : null;
}

function isDockerfile(path: string, policy: Policy): boolean {
  const globs = policy.identity?.dockerfiles;
  if (globs === undefined) {
    const name = nameOf(path);
    return DOCKERFILE.test(name) && !DOCKERIGNORE.test(name);
  }
  return compile(globs)(path);
}

function compile(globs: readonly string[]): (path: string) => boolean {
  const known = compiledGlobs.get(globs);
  if (known !== undefined) return known;
  const matches = compileGlobs(globs, "/identity/dockerfiles");
  compiledGlobs.set(globs, matches);
  return matches;
}
