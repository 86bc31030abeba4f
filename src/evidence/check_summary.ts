import { type Finding, makeFinding } from "../finding.ts";
import { isDenoInRange, SUPPORTED_DENO } from "../supported_deno.ts";
import { KPROV_VERSION } from "../version.ts";
import { formatRunId } from "./run_id.ts";
import { sumFiles } from "./run_summary.ts";
import type { Run } from "./run.ts";

/** A field of the summary with what it must be. */
type Expectation = readonly [pointer: string, found: unknown, expected: unknown];

/**
 * Recomputes every field of run_summary.json that follows from something else.
 *
 * @param run The run
 * @param name The run directory's name, or null where it is not known
 * @returns Findings `summary.mismatch`
 */
export function checkSummary(run: Run, name: string | null): Finding[] {
  return [
    ...expectName(run, name),
    ...expectDigests(run),
    ...expectContent(run),
    ...expectRuntime(run),
  ]
    .filter(([, found, expected]) => found !== expected)
    .map(([pointer, found, expected]) =>
      makeFinding("summary.mismatch", `${pointer} is ${show(found)}, expected ${show(expected)}`, {
        path: "run_summary.json",
      })
    );
}

function expectName({ documents }: Run, name: string | null): Expectation[] {
  const { run_id, created_at } = documents["run_summary.json"];
  const ordinal = Number(/Z-([0-9]+)$/.exec(run_id)?.[1] ?? 1);
  return [
    ["/run_id", run_id, formatRunId(created_at, ordinal)],
    ["/run_id", run_id, name ?? run_id],
  ];
}

function expectDigests({ documents, digests }: Run): Expectation[] {
  const summary = documents["run_summary.json"];
  return [
    ["/evidence_digest", summary.evidence_digest, digests["provenance.json"]],
    [
      "/documents/provenance.json",
      summary.documents["provenance.json"],
      digests["provenance.json"],
    ],
    ["/documents/toolchain.json", summary.documents["toolchain.json"], digests["toolchain.json"]],
  ];
}

function expectContent({ documents }: Run): Expectation[] {
  const summary = documents["run_summary.json"];
  const { subject, predicate: { buildDefinition } } = documents["provenance.json"];
  const { command, products: given } = buildDefinition.externalParameters;
  const inputs = sumFiles(
    buildDefinition.resolvedDependencies.map(({ annotations }) => annotations),
  );
  const products = given === undefined ? 0 : summary.products.count;
  return [
    ["/inputs/count", summary.inputs.count, inputs.count],
    ["/inputs/bytes", summary.inputs.bytes, inputs.bytes],
    ["/outcome", summary.outcome, summary.exit_code === 0 ? "completed" : "command_failed"],
    ["/exit_code", summary.exit_code, command === undefined ? 0 : summary.exit_code],
    ["/review_status", summary.review_status, "PENDING"],
    // A command's output may be null too, where it was not captured.
    ["/command_output", command === undefined ? summary.command_output : null, null],
    ["/products/count", summary.products.count, products === 0 ? 0 : subject.length],
    ["/products/bytes", summary.products.bytes, products === 0 ? 0 : summary.products.bytes],
  ];
}

function expectRuntime({ documents }: Run): Expectation[] {
  const { runtime_policy: { range, satisfied }, policy } = documents["run_summary.json"];
  const { deno, kprov } = documents["toolchain.json"];
  const isBuiltIn = policy === null && kprov === KPROV_VERSION;
  return [
    ["/runtime_policy/satisfied", satisfied, isDenoInRange(deno, range)],
    ["/runtime_policy/range", range, isBuiltIn ? SUPPORTED_DENO : range],
  ];
}

function show(value: unknown): string {
  return JSON.stringify(value);
}
