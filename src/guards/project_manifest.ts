/**
 * What a project's manifest says of the project: its name, its version and its repository.
 *
 * @module
 */

import { KprovError } from "../base/error.ts";
import { findJsonValue, findTomlValues, parseToml } from "../base/located_values.ts";

/** A file that names a project. */
export interface ProjectManifest {
  /** Its path. */
  readonly path: string;
  /** The project's name in it, or null. */
  readonly name: string | null;
  /** The project's version in it, where a governance lock can be taken at it, and the pointer to it. */
  readonly version: { readonly text: string; readonly pointer: string } | null;
  /** The address of the project's repository, as it is written, or null. */
  readonly repository: string | null;
  /** Whether it says that it is published nowhere. */
  readonly isPrivate: boolean;
  /** Why it cannot be read, without a final period, or null. */
  readonly fault: string | null;
}

/** What is looked for in a manifest: for each the pointers that may lead to it, the first that does counts. */
interface Pointers {
  readonly name: readonly string[];
  readonly version: readonly string[];
  readonly repository: readonly string[];
}

const JSON_POINTERS: Pointers = {
  name: ["/name"],
  version: ["/version"],
  repository: ["/repository/url", "/repository"],
};

const TOML_POINTERS: Readonly<Record<string, Pointers>> = {
  "pyproject.toml": {
    name: ["/project/name", "/tool/poetry/name"],
    version: ["/project/version", "/tool/poetry/version"],
    repository: ["/tool/poetry/repository"],
  },
  "Cargo.toml": {
    name: ["/package/name"],
    version: ["/package/version", "/workspace/package/version"],
    repository: ["/package/repository", "/workspace/package/repository"],
  },
};

/** The files that name a project, in the order in which they are asked. */
export const MANIFEST_PATHS: readonly string[] = [
  "deno.json",
  "deno.jsonc",
  "pyproject.toml",
  "Cargo.toml",
  "package.json",
  "setup.cfg",
];

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
    return path === "setup.cfg" ? parseSetupCfg(path, text) : parseJsonManifest(path, text);
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
  return { path, name: null, version: null, repository: null, isPrivate: false, fault };
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
  return { path, ...lookUp(JSON_POINTERS, find), isPrivate, fault: null };
}

function parseTomlManifest(path: string, text: string, pointers: Pointers): ProjectManifest {
  const root = parseToml(text);
  const find = (pointer: string): string | null => {
    const [found] = findTomlValues(root, pointer.split("/").slice(1));
    return typeof found?.value === "string" && found.value !== "" ? found.value : null;
  };
  const known = lookUp(pointers, find);
  // `[project.urls]` has names of the author's choice.
  const [url = null] = findTomlValues(root, ["project", "urls", "*"])
    .filter(({ keys }) =>
      /^(?:repository|source|source[ _-]?code|code|git(?:hub|lab))$/i.test(keys[2] ?? "")
    )
    .flatMap(({ value }) => typeof value === "string" ? [value] : []);
  return { path, ...known, repository: known.repository ?? url, isPrivate: false, fault: null };
}

function lookUp(
  pointers: Pointers,
  find: (pointer: string) => string | null,
): Pick<ProjectManifest, "name" | "version" | "repository"> {
  const first = (candidates: readonly string[]): string | null =>
    candidates.map(find).find((text) => text !== null) ?? null;
  const [version = null] = pointers.version.flatMap((pointer) => {
    const text = find(pointer);
    return text === null ? [] : [{ text, pointer }];
  });
  return { name: first(pointers.name), version, repository: first(pointers.repository) };
}

/** A `name` that only the program knows, such as `attr: …`, is none. */
function parseSetupCfg(path: string, text: string): ProjectManifest {
  const [, section = ""] = /^\[metadata\][^\n]*\n([\s\S]*?)(?=^\[|(?![\s\S]))/m.exec(text) ?? [];
  const [, name = null] = /^name\s*=\s*([\w.-]+)\s*$/m.exec(section) ?? [];
  return { path, name, version: null, repository: null, isPrivate: false, fault: null };
}
