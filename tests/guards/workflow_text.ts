import type { Case } from "./runtime/runtime_facts.ts";

/** Where the tests put their workflow. */
export const CI = ".github/workflows/ci.yml";

/** A workflow with one job; the text is what the job holds, indented by four. */
export function job(text: string): string {
  return `on: [push]\njobs:\n  test:\n    runs-on: ubuntu-latest\n${text}`;
}

/** A workflow whose only step sets up a runtime with one input; the value is at 8:25 and on. */
export function setup(action: string, input: string): string {
  return job(`    steps:\n      - uses: ${action}\n        with:\n          ${input}\n`);
}

/** A case of such a workflow. */
export function caseOf(action: string, input: string, ...findings: string[]): Case {
  return [CI, setup(action, input), findings];
}

/** The setup actions, as workflows name them. */
export const NODE = "actions/setup-node@v4";
/** See {@linkcode NODE}. */
export const PYTHON = "actions/setup-python@v5";
/** See {@linkcode NODE}. */
export const DENO = "denoland/setup-deno@v2";
