import { KprovError } from "../../base/error.ts";
import { compileGlobs } from "../../base/glob.ts";
import { decodeUtf8 } from "../../base/strict_json.ts";
import type { VersionFiles } from "../actions/setup_action.ts";
import type { Position } from "../actions/yaml.ts";
import type { RepositoryFacts } from "../guard.ts";
import type { Policy } from "../policy.ts";
import type { Claim, Declaration, RuntimeName } from "./declaration.ts";
import { readDockerfile } from "./dockerfile.ts";
import {
  readPackageJson,
  readPyproject,
  readVersionFile,
  runtimesOfVersionFile,
} from "./manifests.ts";
import { readWorkflows } from "./workflow_runtime.ts";

/** What kind of declaring file a path is, by its name. */
type SourceKind = "dockerfile" | "package.json" | "pyproject.toml" | "version-file";

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

/** Largest file that is read for declarations, in bytes. */
const MAX_BYTES = 2 ** 20;

/** A file that may declare a runtime and cannot be read. */
export interface UnreadableFile {
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
  const files = readFiles(facts, paths, (path) => kindOfSource(path, policy, runtimes));
  const workflows = paths.filter(isYamlSource);
  const { declarations, cut } = readWorkflows(workflows, facts.yaml, makeVersionFiles(files));
  const unreadable = [
    ...files.map((file) => file.unreadable),
    ...workflows.map((path) => checkYaml(facts, path)),
    ...cut.map((path) => refuse(path, "it has too many steps").unreadable),
  ];
  return {
    declarations: [...files.flatMap((file) => file.declarations), ...declarations],
    unreadable: unreadable.flat(),
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
  return makeVersionFiles(
    readFiles(facts, listPaths(facts), (path) => {
      const kind = kindOfSource(path, policy, runtimes);
      return kind === "dockerfile" ? null : kind;
    }),
  );
}

function readFiles(
  facts: RepositoryFacts,
  paths: readonly string[],
  kindOf: (path: string) => SourceKind | null,
): Declarations[] {
  return paths.flatMap((path) => {
    const kind = kindOf(path);
    return kind === null ? [] : [readContent(facts, path, kind)];
  });
}

function listPaths({ tracked }: RepositoryFacts): string[] {
  if ("code" in tracked) return [];
  return tracked.filter(({ kind }) => kind !== "submodule").map(({ path }) => path);
}

function refuse(path: string, reason: string, position: Position | null = null): Declarations {
  return { declarations: [], unreadable: [{ path, reason, position }] };
}

function readContent(facts: RepositoryFacts, path: string, kind: SourceKind): Declarations {
  const content = facts.contents.get(path);
  if (content === undefined) return refuse(path, "its content was not gathered");
  if (!content.ok) return refuse(path, content.reason);
  if (content.bytes.length > MAX_BYTES) {
    return refuse(path, `it is larger than ${MAX_BYTES} bytes`);
  }
  try {
    return { declarations: parseContent(path, kind, content.bytes), unreadable: [] };
  } catch (error) {
    if (error instanceof KprovError && error.code === "data") return refuse(path, error.message);
    throw error;
  }
}

function parseContent(path: string, kind: SourceKind, bytes: Uint8Array): Declaration[] {
  switch (kind) {
    case "package.json":
      return readPackageJson(path, bytes);
    case "pyproject.toml":
      return readPyproject(path, decodeUtf8(bytes));
    case "version-file":
      return readVersionFile(path, decodeUtf8(bytes));
    case "dockerfile":
      return readDockerfile(path, decodeUtf8(bytes));
  }
}

function makeVersionFiles(files: readonly Declarations[]): VersionFiles {
  const claims = new Map<string, Claim[]>();
  for (const { runtime, path, claim } of files.flatMap((file) => file.declarations)) {
    const key = `${runtime} ${path}`;
    claims.set(key, [...claims.get(key) ?? [], claim]);
  }
  return (runtime, path) => claims.get(`${runtime} ${path}`) ?? [];
}

/** Why a workflow or action cannot be read. */
function checkYaml(facts: RepositoryFacts, path: string): readonly UnreadableFile[] {
  const result = facts.yaml.get(path);
  if (result === undefined) return refuse(path, "its content was not gathered").unreadable;
  if (result.ok) return [];
  const { message, line, column } = result;
  return refuse(path, message, line === null || column === null ? null : { line, column })
    .unreadable;
}
