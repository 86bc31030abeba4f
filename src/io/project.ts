import { findJsonValue } from "../base/json_value.ts";
import { SUPPORTED_DENO } from "../base/semver.ts";
import { canParseVersion } from "../base/std.ts";
import { decodeText } from "../base/text.ts";
import { readPyprojectName } from "../guards/runtime/python_manifests.ts";
import {
  type ProjectFacts,
  type ProjectManifest,
  toCanonicalUrl,
} from "../guards/starter_policy.ts";
import { gatherSource } from "./git/source.ts";
import { gatherTrackedFiles } from "./git/tracked_files.ts";
import type { Root } from "./paths.ts";
import { readTracked } from "./tracked_content.ts";

/** The files that name a project, in the order in which they are asked. */
const MANIFESTS = ["deno.json", "deno.jsonc", "package.json", "pyproject.toml"] as const;

/**
 * Reads what a project says of itself: its manifest, and git's metadata.
 *
 * @param root The project
 * @throws {KprovError} Where a manifest that is tracked cannot be read
 */
export function gatherProject(root: Root): ProjectFacts {
  const index = gatherTrackedFiles(root.path);
  const tracked = "code" in index ? [] : index.map(({ path }) => path);
  const path = MANIFESTS.find((candidate) => tracked.includes(candidate));
  const address = gatherSource(root.path)?.repository ?? null;
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
