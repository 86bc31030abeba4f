/**
 * Facts for the tests of the identity guard, made from files as they are gathered from a repository.
 *
 * @module
 */

import type { Finding } from "../../../src/base/error.ts";
import type { FileContent, RepositoryFacts, TrackedEntry } from "../../../src/guards/guard.ts";
import { IDENTITY } from "../../../src/guards/identity/identity.ts";
import { createContentScanner } from "../../../src/guards/identity/scanner.ts";
import { parseYamlFile } from "../../../src/guards/actions/yaml.ts";
import type { IdentityPolicy, Policy } from "../../../src/guards/policy.ts";

/** Options of a test that needs no permission. */
export const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

/** Contents by path. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

/** The policy that the clean files keep. */
export const POLICY: Policy = {
  schema: "kprovengine.policy.v1",
  identity: {
    technical_name: "kprovengine",
    display_name: "KProvEngine",
    repository: "https://github.com/carcodez1/kprovengine",
    surfaces: [
      { path: "deno.json", pointer: "/name", equals: "@kprov/cli" },
      { path: "README.md", contains: "https://github.com/carcodez1/kprovengine" },
    ],
    display_name_allowed: ["README.md", "docs/**"],
    forbidden_tokens: ["carcodez1/KProvEngine"],
    docker_labels: { "org.opencontainers.image.title": "kprovengine" },
  },
};

/** Files in which the guard finds nothing. */
export const CLEAN: Files = {
  "Dockerfile":
    'FROM scratch\nLABEL org.opencontainers.image.title="kprovengine" \\\n  org.opencontainers.image.description="KProvEngine in a box"\n',
  "README.md": "# KProvEngine\n\nSee https://github.com/carcodez1/kprovengine.\n",
  "deno.json": '{\n  // The package\n  "name": "@kprov/cli",\n}\n',
  "src/kprovengine.ts": "export const name = 'kprovengine';\n",
};

function toBytes(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

/** Facts as they are gathered from such files. */
export function factsOf(files: Files, policy: Policy = POLICY): RepositoryFacts {
  const scanner = createContentScanner(policy);
  const paths = Object.keys(files);
  return {
    tracked: paths.map((path): TrackedEntry => ({ path, kind: "file" })),
    contents: new Map(
      paths.filter((path) => IDENTITY.wantsContent(path, policy))
        .map((path): [string, FileContent] => [
          path,
          { ok: true, bytes: toBytes(files[path] ?? "") },
        ]),
    ),
    hits: paths.flatMap((path) => scanner.scan(path, toBytes(files[path] ?? ""))),
    yaml: new Map(
      paths.filter((path) => IDENTITY.wantsYaml(path, policy))
        .map((
          path,
        ) => [path, parseYamlFile({ ok: true, bytes: toBytes(files[path] ?? "") }, path)]),
    ),
    runningDeno: "2.9.6",
    governance: null,
  };
}

/** Each finding on one line: `identity.surface_missing README.md:1:2`. */
export function summarize(findings: readonly Finding[]): string[] {
  return findings.map(({ code, path, line, column }) =>
    `${code} ${path}${line === null ? "" : `:${line}:${column}`}`
  );
}

/** What the guard finds in the clean files with some changed, or taken out. */
export function check(changes: Readonly<Record<string, string | Uint8Array | null>>): string[] {
  return summarize(IDENTITY.check(factsOf(change(changes)), POLICY));
}

/** The clean files with some changed, or taken out. */
export function change(changes: Readonly<Record<string, string | Uint8Array | null>>): Files {
  return Object.fromEntries(
    Object.entries({ ...CLEAN, ...changes }).flatMap(([path, content]) =>
      content === null ? [] : [[path, content]]
    ),
  );
}

/** What the guard finds in the clean files under a policy with some parts changed. */
export function checkUnder(changes: Partial<IdentityPolicy>, files: Files = CLEAN): string[] {
  const policy: Policy = { ...POLICY, identity: { ...POLICY.identity, ...changes } };
  return summarize(IDENTITY.check(factsOf(files, policy), policy));
}

/** Encodes ASCII as UTF-16 with a byte order mark. */
export function utf16(text: string): Uint8Array {
  return Uint8Array.from([0xff, 0xfe, ...[...text].flatMap((c) => [c.charCodeAt(0), 0])]);
}
