import {
  buildEvidence,
  buildRunDocuments,
  type Circumstances,
  readRun,
  type Run,
  type RunFacts,
} from "../mod.ts";
import { assert, assertEquals } from "./assert.ts";
import { SAMPLE_CIRCUMSTANCES } from "./sample_facts.ts";

/** The run directory's name of every run that is made here. */
export const RUN_ID = "2026-02-15T20-13-00Z";

/**
 * Makes a run in memory, and fails the test where it does not verify.
 *
 * @param facts What it is made of
 * @param circumstances When and under which conditions
 */
export function makeRun(
  facts: RunFacts,
  circumstances: Circumstances = SAMPLE_CIRCUMSTANCES,
): Run {
  const { deno } = facts.toolchain.runtime;
  const runtime_policy = circumstances.runtime_policy.map((check) => ({ ...check, version: deno }));
  const all = { ...circumstances, runtime_policy };
  const documents = buildRunDocuments(buildEvidence(facts), all, RUN_ID);
  const files = Object.entries(documents).map(([name, text]) =>
    [name, new TextEncoder().encode(text)] as const
  );
  const { run, findings } = readRun({ name: RUN_ID, files: new Map(files) });
  assertEquals(findings, []);
  assert(run !== null);
  return run;
}
