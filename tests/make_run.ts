import {
  buildEvidence,
  buildRunDocuments,
  type Circumstances,
  DOCUMENT_NAMES,
  readRun,
  type Run,
  type RunFacts,
  type RunFiles,
} from "../mod.ts";
import { assert, assertEquals } from "./assert.ts";
import { SAMPLE_CIRCUMSTANCES } from "./sample_facts.ts";

/** The run directory's name of every run that is made here. */
export const RUN_ID = "2026-02-15T20-13-00Z";

/** A run directory in memory, each document whole. */
export interface WholeRunFiles extends RunFiles {
  /** The bytes of the documents. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * Makes the files of a run in memory.
 *
 * @param facts What it is made of
 * @param circumstances When and under which conditions
 */
export function makeRunFiles(
  facts: RunFacts,
  circumstances: Circumstances = SAMPLE_CIRCUMSTANCES,
): WholeRunFiles {
  const documents = buildRunDocuments(buildEvidence(facts), circumstances, RUN_ID);
  const encoder = new TextEncoder();
  const files = DOCUMENT_NAMES.map((name) => [name, encoder.encode(documents[name])] as const);
  return { name: RUN_ID, files: new Map(files) };
}

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
  const { run, findings } = readRun(makeRunFiles(facts, { ...circumstances, runtime_policy }));
  assertEquals(findings, []);
  assert(run !== null);
  return run;
}
