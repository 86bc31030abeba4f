import type { FileContent, RepositoryFacts } from "../../../src/guards/guard.ts";
import type { Policy, RuntimePolicy } from "../../../src/guards/policy.ts";
import { RUNTIME } from "../../../src/guards/runtime/runtime.ts";
import { parseYamlFile } from "../../../src/guards/actions/yaml.ts";
import { assertEquals } from "../../assert.ts";

/** The files of a repository: their text, their bytes, or what stands for them. */
export type Files = Readonly<Record<string, string | Uint8Array | FileContent>>;

/** The ranges that the tests hold their repositories against. */
export const RANGES: RuntimePolicy = {
  deno: ">=2.8.2 <2.10.0",
  python: ">=3.11 <3.13",
  node: ">=20",
};

/** Any digest of an image. */
export const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;

/** Makes a policy with runtime ranges and nothing else. */
export function makePolicy(runtime: RuntimePolicy = RANGES): Policy {
  return { schema: "kprovengine.policy.v1", runtime };
}

/** Makes the facts that gathering would give of a repository, asking the guard what it wants. */
export function makeFacts(files: Files, policy: Policy): RepositoryFacts {
  const entries = Object.entries(files).map(([path, file]) => [path, toContent(file)] as const);
  return {
    tracked: entries.map(([path]) => ({ path, kind: "file" })),
    contents: new Map(entries.filter(([path]) => RUNTIME.wantsContent(path, policy))),
    yaml: new Map(
      entries.filter(([path]) => RUNTIME.wantsYaml(path, policy))
        .map(([path, content]) => [path, parseYamlFile(content, path)]),
    ),
    hits: [],
    runningDeno: "2.9.6",
    governance: null,
  };
}

function toContent(file: string | Uint8Array | FileContent): FileContent {
  if (typeof file === "string") return { ok: true, bytes: new TextEncoder().encode(file) };
  return file instanceof Uint8Array ? { ok: true, bytes: file } : file;
}

/** What the guard finds, one line each: `code path:line:column message`. */
export function checkFiles(files: Files, policy: Policy = makePolicy()): string[] {
  return RUNTIME.check(makeFacts(files, policy), policy).map((finding) =>
    `${finding.code} ${finding.path}:${finding.line}:${finding.column} ${finding.message}`
  );
}

/** The same of repositories that do not declare every runtime of the policy. */
export function checkDeclared(files: Files, policy: Policy = makePolicy()): string[] {
  return checkFiles(files, policy).filter((line) => !line.startsWith("runtime.undeclared "));
}

/** A case: a file, and the codes with their places that the guard finds in it, in order. */
export type Case = readonly [path: string, text: string, findings: readonly string[]];

/** Holds each case against the start of what the guard finds: the code and the place. */
export function assertCases(cases: readonly Case[], policy: Policy = makePolicy()): void {
  for (const [path, text, expected] of cases) {
    const found = checkDeclared({ [path]: text }, policy).map((line) => {
      const [code = "", place = ""] = line.split(" ", 2);
      return `${code.replace("runtime.", "")} ${place.slice(path.length + 1)}`;
    });
    assertEquals(found, [...expected], `${path}\n${text}`);
  }
}
