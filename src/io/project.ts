import { SUPPORTED_DENO } from "../base/semver.ts";
import { join } from "../base/std.ts";
import { decodeText } from "../base/text.ts";
import type { TrackedEntry } from "../guards/guard.ts";
import { PARITY } from "../guards/parity/parity.ts";
import { RUNTIME } from "../guards/runtime/runtime.ts";
import {
  MANIFEST_PATHS,
  parseManifest,
  type ProjectFacts,
  type ProjectManifest,
  refuseManifest,
  WIDE_POLICY,
} from "../guards/starter_policy.ts";
import { gatherOrigin } from "./git/source.ts";
import { gatherTrackedFiles } from "./git/index_file.ts";
import type { Root } from "./paths.ts";
import { gatherRepository } from "./repository.ts";
import { readTracked } from "./tracked_content.ts";

/** The directories whose files count before git tracks them: the root, and that of the workflows. */
const OWN_DIRECTORIES: readonly string[] = ["", ".github/workflows/"];

/**
 * Reads what a project says of itself: its manifests, what declares its runtimes, its workflows, and
 * git's metadata.
 *
 * @param root The project
 * @throws {KprovError} Where a file cannot be read
 */
export async function gatherProject(root: Root): Promise<ProjectFacts> {
  const files = listProjectFiles(root);
  const guards = [RUNTIME, PARITY];
  const request = { root, policy: WIDE_POLICY, guards, tracked: files, baseLock: null };
  return {
    manifests: MANIFEST_PATHS.filter((path) => files.some((file) => file.path === path))
      .map((path) => readManifest(root, path)),
    origin: gatherOrigin(root.path),
    repository: await gatherRepository(request),
    denoRange: SUPPORTED_DENO,
  };
}

/**
 * Lists what git tracks and is there, and the files of the root and of the workflows that it does not
 * track yet.
 *
 * @param root The project
 */
export function listProjectFiles(root: Root): TrackedEntry[] {
  const index = gatherTrackedFiles(root.path);
  const entries = new Map<string, TrackedEntry>();
  for (const entry of "code" in index ? [] : index) {
    if (entry.kind === "submodule" || isThere(root, entry.path)) entries.set(entry.path, entry);
  }
  for (const directory of OWN_DIRECTORIES) {
    for (const name of listFiles(join(root.path, directory))) {
      const path = `${directory}${name}`;
      if (!entries.has(path)) entries.set(path, { path, kind: "file" });
    }
  }
  return [...entries.values()].toSorted((a, b) => a.path < b.path ? -1 : 1);
}

function isThere(root: Root, path: string): boolean {
  try {
    Deno.lstatSync(join(root.path, path));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}

function listFiles(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].filter(({ isFile }) => isFile).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return [];
    }
    throw error;
  }
}

function readManifest(root: Root, path: string): ProjectManifest {
  const content = readTracked(root.path, path);
  if (!content.ok) return refuseManifest(path, content.reason);
  const decoded = decodeText(content.bytes);
  return decoded.ok ? parseManifest(path, decoded.text) : refuseManifest(path, decoded.reason);
}
