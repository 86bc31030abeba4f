import { type Finding, makeFinding, sortFindings } from "../base/error.ts";
import { isDenoInRange, KPROV_VERSION, SUPPORTED_DENO } from "../base/std.ts";
import { checkNames } from "./check_names.ts";
import { nameOutcome, parseCommandEnd } from "./command.ts";
import { checkApprovals, checkReview } from "./human_review.ts";
import { listProducts, type Provenance } from "./provenance.ts";
import { readDocument } from "./read_document.ts";
import { DOCUMENT_NAMES, type DocumentName, type DocumentTypes } from "./documents.ts";
import type { Run, RunFiles } from "./documents.ts";
import { formatRunId, keyOfCheck, type RunSummary, sumDescriptors } from "./run_summary.ts";

/** A run directory as it was read, with everything that is wrong in it. */
export interface RunReading {
  /** The run, or null where a document is missing or invalid. */
  readonly run: Run | null;
  /** The valid documents, even if not all are valid. */
  readonly documents: Partial<DocumentTypes>;
  /** Digests of the bytes of those documents that are well-formed. */
  readonly digests: Partial<Readonly<Record<DocumentName, string>>>;
  /** Everything that is wrong, sorted; none where the run verifies. */
  readonly findings: readonly Finding[];
}

/**
 * Verifies the documents of a run against each other: offline, without a key, and without looking at
 * any other file.
 *
 * 1. There are exactly the four documents.
 * 2. Each is well-formed, fits its schema and has canonical bytes.
 * 3. provenance.json names toolchain.json by its digest.
 * 4. human_review.json judges this evidence and no other, and no decision is dated before the run or
 *    before the one before it.
 * 5. run_summary.json is true in every field that can be recomputed.
 * 6. Names are relative, sorted and distinct, and the subject is what came out.
 *
 * @param files The run directory
 * @returns The run and everything that is wrong with it
 *
 * @example
 * ```ts
 * import { readRun } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const { run, findings } = readRun({ name: null, files: new Map() });
 * assertEquals(run, null);
 * assertEquals(findings.map(({ code }) => code), Array(4).fill("document.missing"));
 * ```
 */
export function readRun(files: RunFiles): RunReading {
  const readings = DOCUMENT_NAMES.map((name) => read(files, name));
  const findings = [...checkListing(files), ...readings.flatMap((reading) => reading.findings)];
  const documents: Partial<DocumentTypes> = {};
  const digests: Partial<Record<DocumentName, string>> = {};
  for (const reading of readings) {
    Object.assign(documents, reading.documents);
    Object.assign(digests, reading.digests);
  }
  const run = hasAll(documents) && hasAll(digests) ? { documents, digests } : null;
  if (run !== null) {
    findings.push(
      ...checkBindings(run),
      ...checkReview(run.documents["human_review.json"], {
        evidence: run.digests["provenance.json"],
        createdAt: run.documents["run_summary.json"].created_at,
      }),
      ...checkSummary(run, files.name),
      ...checkNames(run),
    );
  }
  return { run, documents, digests, findings: sortFindings(findings) };
}

function read({ files }: RunFiles, name: DocumentName): Omit<RunReading, "run"> {
  const bytes = files.get(name);
  if (bytes === undefined) return { documents: {}, digests: {}, findings: [] };
  const { value, sha256, findings } = readDocument(name, bytes);
  return {
    documents: value === null ? {} : { [name]: value },
    digests: sha256 === null ? {} : { [name]: sha256 },
    findings,
  };
}

function hasAll<T extends Partial<Record<DocumentName, unknown>>>(parts: T): parts is Required<T> {
  return DOCUMENT_NAMES.every((name) => parts[name] !== undefined);
}

/**
 * Verifies a run, and returns the findings alone.
 *
 * @param files The run directory
 * @returns Everything that is wrong, sorted; none where the run verifies
 *
 * @example
 * ```ts
 * import { verifyRun } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const files = new Map([["notes.txt", new Uint8Array()]]);
 * const findings = verifyRun({ name: null, files });
 * assertEquals(findings.find(({ path }) => path === "notes.txt")?.code, "document.unexpected");
 * ```
 */
export function verifyRun(files: RunFiles): readonly Finding[] {
  return readRun(files).findings;
}

function checkListing({ files }: RunFiles): Finding[] {
  const names: readonly string[] = DOCUMENT_NAMES;
  const missing = names.filter((name) => !files.has(name));
  const unexpected = [...files.keys()].filter((name) => !names.includes(name));
  return [
    ...missing.map((path) =>
      makeFinding("document.missing", "the run has no such document", { path })
    ),
    ...unexpected.map((path) =>
      makeFinding("document.unexpected", "a run holds its four documents and nothing else", {
        path,
      })
    ),
  ];
}

function checkBindings({ documents, digests }: Run): Finding[] {
  const findings: Finding[] = [];
  const { builder } = documents["provenance.json"].predicate.runDetails;
  const toolchain = builder.builderDependencies[0].digest.sha256;
  if (toolchain !== digests["toolchain.json"]) {
    const message = `it names toolchain.json as ${toolchain}, but that is ${
      digests["toolchain.json"]
    }`;
    findings.push(makeFinding("evidence.toolchain_mismatch", message, { path: "provenance.json" }));
  }
  if (builder.version.kprov !== documents["toolchain.json"].kprov) {
    const message = "it and toolchain.json name two versions of kprov";
    findings.push(makeFinding("evidence.toolchain_mismatch", message, { path: "provenance.json" }));
  }
  return findings;
}

/** A field of the summary with what it must be. */
type Expectation = readonly [pointer: string, found: unknown, expected: unknown];

/** Recomputes every field of run_summary.json that follows from something else. */
function checkSummary(run: Run, name: string | null): Finding[] {
  const path = "run_summary.json";
  return [
    ...expectName(run, name),
    ...expectDigests(run),
    ...expectContent(run),
    ...expectRuntime(run),
  ]
    .filter(([, found, expected]) => found !== expected)
    .map(([pointer, ...values]) => {
      const [found, expected] = values.map((value) => JSON.stringify(value));
      const message = `${pointer} is ${found}, expected ${expected}`;
      return makeFinding("summary.mismatch", message, { path });
    });
}

function expectName({ documents }: Run, name: string | null): Expectation[] {
  const { run_id, created_at } = documents["run_summary.json"];
  const ordinal = Number(/Z-([0-9]+)$/.exec(run_id)?.[1] ?? 1);
  const expected = new Set([formatRunId(created_at, ordinal), name ?? run_id]);
  return [...expected].map((id) => ["/run_id", run_id, id]);
}

function expectDigests({ documents, digests }: Run): Expectation[] {
  const { evidence_digest, documents: named } = documents["run_summary.json"];
  return [
    ["/evidence_digest", evidence_digest, digests["provenance.json"]],
    ["/documents/provenance.json", named["provenance.json"], digests["provenance.json"]],
    ["/documents/toolchain.json", named["toolchain.json"], digests["toolchain.json"]],
  ];
}

function expectContent({ documents }: Run): Expectation[] {
  const summary = documents["run_summary.json"];
  const { command_output, observation } = summary;
  const provenance = documents["provenance.json"];
  const { command } = provenance.predicate.buildDefinition.externalParameters;
  const inputs = sumDescriptors(provenance.predicate.buildDefinition.resolvedDependencies);
  const products = sumDescriptors(listProducts(provenance));
  return [
    ...expectEnd(summary, provenance),
    ["/inputs/count", summary.inputs.count, inputs.count],
    ["/inputs/bytes", summary.inputs.bytes, inputs.bytes],
    ["/products/count", summary.products.count, products.count],
    ["/products/bytes", summary.products.bytes, products.bytes],
    ["/review_status", summary.review_status, "PENDING"],
    // Where kprov starts no command, nothing is printed and nothing can be watched.
    ["/command_output", command_output, command === undefined ? null : command_output],
    ["/observation", observation, command === undefined ? null : observation],
  ];
}

/** A command that kprov started has been seen to end; without one, a run completes. */
function expectEnd({ outcome, exit_code }: RunSummary, provenance: Provenance): Expectation[] {
  const { command } = provenance.predicate.buildDefinition.externalParameters;
  const [descriptor] = provenance.predicate.runDetails.byproducts ?? [null];
  const end = descriptor === null ? null : parseCommandEnd(descriptor.content);
  const isSeen = command === undefined || end?.exitCode !== null;
  return [
    ["/outcome", outcome, isSeen ? nameOutcome(end) : "completed or command_failed"],
    ["/exit_code", exit_code, end === null ? 0 : end.exitCode],
  ];
}

/** Of the ranges Deno's alone can be recomputed here; the others are of a recorded runtime. */
function expectRuntime({ documents }: Run): Expectation[] {
  const { runtime_policy, policy } = documents["run_summary.json"];
  const { deno, kprov, runtimes = [] } = documents["toolchain.json"];
  const recorded = new Set(
    runtimes.map(({ name, version }) => keyOfCheck({ runtime: name, version })),
  );
  const hasBuiltInRange = policy === null && kprov === KPROV_VERSION;
  const own = keyOfCheck({ runtime: "deno", version: deno });
  const isChecked = runtime_policy.some((check) => keyOfCheck(check) === own);
  return [
    ["/runtime_policy", isChecked ? "with Deno" : "without Deno", "with Deno"],
    ...runtime_policy.flatMap((check, i): Expectation[] => {
      const { runtime, range, version, satisfied } = check;
      const isDeno = runtime === "deno";
      const isKnown = keyOfCheck(check) === own || recorded.has(keyOfCheck(check));
      const isInRange = isDeno ? isDenoInRange(version ?? "", range) : satisfied;
      return [
        [`/runtime_policy/${i}/version`, version, isKnown ? version : "one of toolchain.json"],
        [`/runtime_policy/${i}/satisfied`, satisfied, isInRange && version !== null],
        [`/runtime_policy/${i}/range`, range, isDeno && hasBuiltInRange ? SUPPORTED_DENO : range],
      ];
    }),
  ];
}

/** Holds a run that verifies against what is asked of runs beyond that. */
export function checkRequirements(
  { documents }: Run,
  requirements: { readonly isCompleted: boolean; readonly approvals: number },
): Finding[] {
  const { outcome, exit_code } = documents["run_summary.json"];
  const unapproved = checkApprovals(documents["human_review.json"], requirements.approvals);
  if (!requirements.isCompleted || outcome === "completed") return unapproved;
  const message = outcome === "command_failed"
    ? `the command failed with exit code ${exit_code}`
    : "the end of the command was not observed";
  const path = "run_summary.json";
  return [makeFinding("run.not_completed", message, { path }), ...unapproved];
}
