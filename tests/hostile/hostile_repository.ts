import { assert } from "../assert.ts";
import { buildIndex } from "../io/git/build_index.ts";
import type { Ended } from "../run_kprov.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { assertVerdict, callKprov } from "./call_kprov.ts";

/** Where the policy is. */
export const POLICY = "docs/governance/policy.json";
/** Where the workflow is. */
export const WORKFLOW = ".github/workflows/ci.yml";

/** A policy that makes every guard look at everything. */
export const EVERYTHING = {
  schema: "kprovengine.policy.v1",
  identity: {
    technical_name: "kprovengine",
    display_name: "AcmeTool",
    repository: "https://github.com/carcodez1/kprovengine",
    surfaces: [
      { path: "deno.json", pointer: "/name", equals: "@kprov/cli" },
      { path: "README.md", contains: "kprovengine" },
    ],
    display_name_allowed: ["README.md"],
    forbidden_tokens: ["forbidden"],
    dockerfiles: ["**/Dockerfile"],
    docker_labels: { "org.opencontainers.image.title": "kprovengine" },
  },
  artifacts: { deny: ["dist/**"] },
  runtime: { deno: ">=2.8.2 <2.10.0", node: ">=20", python: ">=3.11" },
  parity: { workflow: WORKFLOW, command: "deno task preflight" },
  lock: {
    path: "docs/governance/governance.lock.json",
    version_from: { path: "deno.json", pointer: "/version" },
    governs: [POLICY],
  },
};

/** The repository before anything is done to it. */
export const FILES: Readonly<Record<string, string>> = {
  ".git/HEAD": "ref: refs/heads/main\n",
  ".git/objects/.keep": "",
  ".git/refs/.keep": "",
  ".git/config": "[core]\n\trepositoryformatversion = 0\n",
  [POLICY]: JSON.stringify(EVERYTHING),
  [WORKFLOW]: "on: push\njobs: {}\n",
  "deno.json": '{"name": "@kprov/cli", "version": "1.0.0"}\n',
  "README.md": "kprovengine\n",
  Dockerfile: "FROM denoland/deno:2.9.6\n",
  "package.json": "{}\n",
  "pyproject.toml": "",
  ".tool-versions": "deno 2.9.6\n",
};

/** The paths of files that git tracks. */
export function trackedOf(files: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(files).filter((name) => !name.startsWith(".git/"));
}

/** Writes git's index of some paths, in git's order. */
export function writeIndex(tree: TemporaryTree, paths: readonly string[]): void {
  const bytes = (path: string): number[] => [...new TextEncoder().encode(path)];
  const order = (a: string, b: string): number => {
    const [x, y] = [bytes(a), bytes(b)];
    const i = x.findIndex((byte, at) => byte !== y[at]);
    return i < 0 ? x.length - y.length : (x[i] ?? 0) - (y[i] ?? -1);
  };
  const entries = paths.toSorted(order).map((path) => ({ path }));
  Deno.writeFileSync(tree.at(".git/index"), buildIndex({ entries }));
}

/** Makes the repository, with changes. */
export function makeRepository(
  changes: Readonly<Record<string, string | Uint8Array>> = {},
): TemporaryTree {
  const files = { ...FILES, ...changes };
  const tree = makeTree(files);
  writeIndex(tree, trackedOf(files));
  return tree;
}

/** Runs every guard, which end with a verdict. */
export async function judge(tree: TemporaryTree, what: string): Promise<Ended> {
  const ended = await callKprov(["guard", "--root", tree.path]);
  assertVerdict(ended, what);
  assert([1, 65, 74, 78].includes(ended.code), `${what}: exit code ${ended.code}: ${ended.stderr}`);
  return ended;
}

/** What the guards read whole. */
export const READ_FILES: readonly string[] = trackedOf(FILES).filter((name) =>
  name !== "README.md"
);
