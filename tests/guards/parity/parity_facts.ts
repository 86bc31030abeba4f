/**
 * Facts for the tests of the parity guard.
 *
 * @module
 */

import type { Finding } from "../../../src/base/error.ts";
import type { FileContent, RepositoryFacts } from "../../../src/guards/guard.ts";
import { PARITY } from "../../../src/guards/parity/parity.ts";
import type { Policy } from "../../../src/guards/policy.ts";
import { parseYamlFile } from "../../../src/guards/actions/yaml.ts";

/** Options of a test that needs no permission. */
export const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

/** The workflow that the tests' policies name. */
export const CI = ".github/workflows/ci.yml";

/** The policy of most tests. */
export const POLICY: Policy = {
  schema: "kprovengine.policy.v1",
  runtime: { deno: ">=2.8.2 <2.10.0" },
  parity: { workflow: CI, command: "deno task preflight" },
};

/** A policy of a project that does not use Deno itself. */
export function policyFor(command: string): Policy {
  return { schema: "kprovengine.policy.v1", parity: { workflow: CI, command } };
}

/** The facts that gathering would give of files, asking the guard what it wants. */
export function factsOf(
  files: Readonly<Record<string, string>>,
  policy: Policy,
  defaultBranch: string | null = null,
): RepositoryFacts {
  const entries = Object.entries(files).map(([path, text]): readonly [string, FileContent] => [
    path,
    { ok: true, bytes: new TextEncoder().encode(text) },
  ]);
  return {
    tracked: entries.map(([path]) => ({ path, kind: "file" })),
    contents: new Map(entries.filter(([path]) => PARITY.wantsContent(path, policy))),
    yaml: new Map(
      entries.filter(([path]) => PARITY.wantsYaml(path, policy))
        .map(([path, content]) => [path, parseYamlFile(content, path)]),
    ),
    hits: [],
    runningDeno: "2.9.6",
    governance: null,
    defaultBranch,
  };
}

/** What the guard finds in a workflow, or in files. */
export function check(
  files: string | Readonly<Record<string, string>>,
  policy: Policy = POLICY,
  defaultBranch: string | null = null,
): Finding[] {
  const all = typeof files === "string" ? { [CI]: files } : files;
  return PARITY.check(factsOf(all, policy, defaultBranch), policy);
}

/** What the guard finds, as `code message`. */
export function describe(
  files: string | Readonly<Record<string, string>>,
  policy: Policy = POLICY,
  defaultBranch: string | null = null,
): string[] {
  return check(files, policy, defaultBranch).map(({ code, line, message }) =>
    `${code.replace("parity.", "")} ${line}: ${message}`
  );
}

/** The codes of what the guard finds, each once. */
export function codes(
  files: string | Readonly<Record<string, string>>,
  policy: Policy = POLICY,
  defaultBranch: string | null = null,
): string[] {
  return [
    ...new Set(check(files, policy, defaultBranch).map(({ code }) => code.replace("parity.", ""))),
  ].sort();
}

/** A workflow in which the guard finds nothing, and whose lines the tests change. */
export const CLEAN = `name: ci
on:
  push:
    branches: [main]
  pull_request:
permissions:
  contents: read
jobs:
  preflight:
    runs-on: \${{ matrix.os }}
    strategy:
      matrix:
        os: [ubuntu-latest]
        deno: [v2.8.x, v2.9.x]
    steps:
      - uses: actions/checkout@v4
        with:
          persist-credentials: false
      - uses: denoland/setup-deno@v2
        with:
          deno-version: \${{ matrix.deno }}
      - run: deno task preflight
`;

/** The clean workflow with a part of it replaced; the part must be in it. */
export function change(...pairs: readonly (readonly [string, string])[]): string {
  let text = CLEAN;
  for (const [part, replacement] of pairs) {
    if (!text.includes(part)) throw new Error(`the clean workflow has no ${part}`);
    text = text.replace(part, () => replacement);
  }
  return text;
}

/** The clean workflow with another script in place of the command. */
export function withScript(script: string, settings = ""): string {
  const lines = script.split("\n").map((line) => `          ${line}`).join("\n");
  return change(["      - run: deno task preflight\n", `      - run: |\n${lines}\n${settings}`]);
}

/** The clean workflow with settings of the step that runs the command. */
export function withStep(settings: string): string {
  return change([
    "- run: deno task preflight\n",
    `- run: deno task preflight\n        ${settings}\n`,
  ]);
}

/** The clean workflow with settings of the job. */
export function withJob(settings: string): string {
  return change(["    strategy:", `    ${settings}\n    strategy:`]);
}
