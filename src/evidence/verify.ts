import { type Finding, makeFinding, sortFindings } from "../base/finding.ts";
import { isDenoInRange, KPROV_VERSION, SUPPORTED_DENO } from "../base/semver.ts";
import { checkNames } from "./check_names.ts";
import { readDocument } from "./read_document.ts";
import {
  DOCUMENT_NAMES,
  type DocumentName,
  type DocumentTypes,
  type Run,
  type RunFiles,
} from "./run.ts";
import { formatRunId, sumFiles } from "./run_summary.ts";

/** A run directory as it was read, with everything that is wrong in it. */
export interface RunReading {
  /** The run, or null where a document is missing or has not its form. */
  readonly run: Run | null;
  /** Those documents that have their form, whether or not all have. */
  readonly documents: Partial<DocumentTypes>;
  /** Digests of the bytes of those documents that are well-formed. */
  readonly digests: Partial<Readonly<Record<DocumentName, string>>>;
  /** Everything that is wrong, sorted; none where the run verifies. */
  readonly findings: readonly Finding[];
}

/**
 * Verifies the documents of a run against each other: offline, without a key, and without looking
 * at any file but these.
 *
 * 1. There are exactly the four documents.
 * 2. Each is well-formed, fits its schema and has canonical bytes.
 * 3. provenance.json names toolchain.json by its digest.
 * 4. human_review.json judges this evidence and no other.
 * 5. run_summary.json is true in every field that can be recomputed.
 * 6. Names are relative, sorted and distinct.
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
    findings.push(...checkBindings(run), ...checkSummary(run, files.name), ...checkNames(run));
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
 * Verifies a run, for who needs the findings and not the run.
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
  const judged = documents["human_review.json"].evidence_digest;
  if (judged !== digests["provenance.json"]) {
    findings.push(makeFinding(
      "review.foreign",
      `it judges the evidence ${judged}, but this run's is ${digests["provenance.json"]}`,
      { path: "human_review.json" },
    ));
  }
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
