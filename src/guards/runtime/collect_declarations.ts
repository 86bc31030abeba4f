import { KprovError } from "../../kprov_error.ts";
import { decodeUtf8 } from "../../strict_json.ts";
import { readDockerfile } from "./dockerfile_runtime.ts";
import type { RepositoryFacts } from "../facts.ts";
import { readPackageJson } from "./package_json.ts";
import type { Policy } from "../policy.ts";
import { readPyproject } from "./pyproject.ts";
import type { Declaration, RuntimeName } from "./runtime_declaration.ts";
import { isYamlSource, kindOfSource, type SourceKind } from "./runtime_sources.ts";
import type { DeclaringFiles } from "./setup_action.ts";
import { readVersionFile } from "./version_file.ts";
import { readWorkflow } from "./workflow_runtime.ts";
import type { Position } from "../yaml_node.ts";

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
export interface Declarations {
  readonly declarations: readonly Declaration[];
  readonly unreadable: readonly UnreadableFile[];
}

const NOTHING: Declarations = { declarations: [], unreadable: [] };

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
  const files = paths.map((path) => {
    const kind = kindOfSource(path, policy, runtimes);
    return kind === null ? NOTHING : readContent(facts, path, kind);
  });
  const declaring = listDeclaringFiles(files);
  const workflows = paths.filter(isYamlSource).map((path) => readYaml(facts, path, declaring));
  const all = [...files, ...workflows];
  return {
    declarations: all.flatMap((file) => file.declarations),
    unreadable: all.flatMap((file) => file.unreadable),
  };
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

function listDeclaringFiles(files: readonly Declarations[]): DeclaringFiles {
  const keys = new Set(
    files.flatMap(({ declarations }) =>
      declarations.map(({ runtime, path }) => `${runtime} ${path}`)
    ),
  );
  return { has: (runtime, path) => keys.has(`${runtime} ${path}`) };
}

function readYaml(facts: RepositoryFacts, path: string, files: DeclaringFiles): Declarations {
  const result = facts.yaml.get(path);
  if (result === undefined) return refuse(path, "its content was not gathered");
  if (result.ok) return { declarations: readWorkflow(path, result.node, files), unreadable: [] };
  const { message, line, column } = result;
  return refuse(path, message, line === null || column === null ? null : { line, column });
}
