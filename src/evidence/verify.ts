import { type Finding, makeFinding, sortFindings } from "../base/error.ts";
import { isDenoInRange, KPROV_VERSION, SUPPORTED_DENO } from "../base/std.ts";
import { checkNames } from "./check_names.ts";
import { nameOutcome, parseCommandEnd } from "./command.ts";
import {
  countApprovals,
  describeApprovals,
  describeMisdated,
  isApproved,
  listDecisions,
} from "./human_review.ts";
import { type FileDescriptor, listProducts, type Provenance } from "./provenance.ts";
import { readDocument } from "./read_document.ts";
import {
  DOCUMENT_NAMES,
  type DocumentName,
  type DocumentTypes,
  type Run,
  type RunFiles,
} from "./documents.ts";
import {
  type FileTotals,
  formatRunId,
  keyOfCheck,
  type RunSummary,
  sumFiles,
} from "./run_summary.ts";

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
  const review = read(files, "human_review.json");
  const provenance = read(files, "provenance.json");
  const summary = read(files, "run_summary.json");
  const toolchain = read(files, "toolchain.json");
  const findings = [
    ...checkListing(files),
    ...[review, provenance, summary, toolchain].flatMap((document) => document.findings),
  ];
  const documents = {
    ...review.values,
    ...provenance.values,
    ...summary.values,
    ...toolchain.values,
  };
  const digests = {
    ...review.digests,
    ...provenance.digests,
    ...summary.digests,
    ...toolchain.digests,
  };
  const run = hasAll(documents) && hasAll(digests) ? { documents, digests } : null;
  if (run !== null) {
    findings.push(
      ...checkBindings(run),
      ...checkReview(run),
      ...checkSummary(run, files.name),
      ...checkNames(run),
    );
  }
  return { run, documents, digests, findings: sortFindings(findings) };
}

/** A document that was read, its content and its digest under its name where it has them. */
interface NamedReading<N extends DocumentName> {
  readonly values: { readonly [K in N]?: DocumentTypes[N] };
  readonly digests: { readonly [K in N]?: string };
  readonly findings: readonly Finding[];
}

function read<N extends DocumentName>({ files }: RunFiles, name: N): NamedReading<N> {
  const bytes = files.get(name);
  if (bytes === undefined) return { values: {}, digests: {}, findings: [] };
  const { value, sha256, findings } = readDocument(name, bytes);
  return { values: hold(name, value), digests: hold(name, sha256), findings };
}

function hold<N extends DocumentName, T>(name: N, value: T | null): { readonly [K in N]?: T } {
  return value === null ? {} : { [name]: value } as { readonly [K in N]: T };
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
  return [
    ...names.filter((name) => !files.has(name)).map((name) =>
      makeFinding("document.missing", "the run has no such document", { path: name })
    ),
    ...[...files.keys()].filter((name) => !names.includes(name)).map((name) =>
      makeFinding("document.unexpected", "a run holds its four documents and nothing else", {
        path: name,
      })
    ),
  ];
}

function checkBindings({ documents, digests }: Run): Finding[] {
  const findings: Finding[] = [];
  const { builder } = documents["provenance.json"].predicate.runDetails;
  const toolchain = builder.builderDependencies[0].digest.sha256;
  if (toolchain !== digests["toolchain.json"]) {
    findings.push(makeFinding(
      "evidence.toolchain_mismatch",
      `it names toolchain.json as ${toolchain}, but that is ${digests["toolchain.json"]}`,
      { path: "provenance.json" },
    ));
  }
  if (builder.version.kprov !== documents["toolchain.json"].kprov) {
    findings.push(
      makeFinding(
        "evidence.toolchain_mismatch",
        "it and toolchain.json name two versions of kprov",
        {
          path: "provenance.json",
        },
      ),
    );
  }
  return findings;
}

function checkReview({ documents, digests }: Run): Finding[] {
  const review = documents["human_review.json"];
  const path = "human_review.json";
  const findings: Finding[] = [];
  if (review.evidence_digest !== digests["provenance.json"]) {
    findings.push(makeFinding(
      "review.foreign",
      `it judges the evidence ${review.evidence_digest}, but this run's is ${
        digests["provenance.json"]
      }`,
      { path },
    ));
  }
  const { created_at } = documents["run_summary.json"];
  const misdated = describeMisdated(listDecisions(review), created_at);
  if (misdated !== null) findings.push(makeFinding("review.misdated", misdated, { path }));
  return findings;
}

/** A field of the summary with what it must be. */
type Expectation = readonly [pointer: string, found: unknown, expected: unknown];

/**
 * Recomputes every field of run_summary.json that follows from something else.
 *
 * @param run The run
 * @param name The run directory's name, or null where it is not known
 * @returns Findings `summary.mismatch`
 */
function checkSummary(run: Run, name: string | null): Finding[] {
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
  const expected = new Set([formatRunId(created_at, ordinal), name ?? run_id]);
  return [...expected].map((id) => ["/run_id", run_id, id]);
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
    ...(command === undefined ? expectNoCommand(summary) : []),
  ];
}

/** Where kprov starts no command, nothing is printed and nothing can be watched. */
function expectNoCommand({ command_output, observation }: RunSummary): Expectation[] {
  return [["/command_output", command_output, null], ["/observation", observation, null]];
}

function sumDescriptors(files: readonly FileDescriptor[]): FileTotals {
  return sumFiles(files.map(({ annotations }) => annotations));
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

function show(value: unknown): string {
  return JSON.stringify(value);
}

/**
 * Holds a run that verifies against what is asked of runs beyond that.
 *
 * @param run The run
 * @param requirements Whether its command must have ended with 0, and how many people must approve
 * @returns Findings `run.not_completed` and `run.not_approved`
 */
export function checkRequirements(
  { documents }: Run,
  requirements: { readonly isCompleted: boolean; readonly approvals: number },
): Finding[] {
  const { outcome, exit_code } = documents["run_summary.json"];
  const review = documents["human_review.json"];
  const state = { review: review.status, approvals: countApprovals(review) };
  const findings: Finding[] = [];
  if (requirements.isCompleted && outcome !== "completed") {
    const message = outcome === "command_failed"
      ? `the command failed with exit code ${exit_code}`
      : "the end of the command was not observed";
    findings.push(makeFinding("run.not_completed", message, { path: "run_summary.json" }));
  }
  if (requirements.approvals > 0 && !isApproved(state, requirements.approvals)) {
    const message = describeApprovals(state, requirements.approvals);
    findings.push(makeFinding("run.not_approved", message, {
      path: "human_review.json",
      hint: state.review === "REJECTED" ? null : "kprov review RUN --approve --reviewer NAME",
    }));
  }
  return findings;
}
