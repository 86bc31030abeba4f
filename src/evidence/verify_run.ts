import { type Finding, makeFinding, sortFindings } from "../finding.ts";
import { checkNames } from "./check_names.ts";
import { checkSummary } from "./check_summary.ts";
import { DOCUMENT_NAMES, type DocumentName } from "./documents.ts";
import { type DocumentTypes, readDocument } from "./parse_document.ts";
import type { Run, RunFiles } from "./run.ts";

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
