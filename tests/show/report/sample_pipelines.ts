import {
  buildEvidence,
  buildRunDocuments,
  DOCUMENT_NAMES,
  readRun,
  type RecordedFile,
  sha256Hex,
} from "../../../mod.ts";
import { formatRunId, formatUtcSecond } from "../../../src/evidence/run_summary.ts";
import type { ReportedRun } from "../../../src/show/report/verdict.ts";
import { assertEquals } from "../../assert.ts";
import { SAMPLE_CIRCUMSTANCES, SAMPLE_FACTS } from "../../sample_facts.ts";
import { decide } from "./sample_runs.ts";

/** A run of a sample pipeline: names of files with their contents. */
export interface SampleStep {
  readonly command: readonly [program: string, ...args: string[]];
  readonly inputs: Readonly<Record<string, string>>;
  readonly products: Readonly<Record<string, string>>;
  /** The paths that it was to make, where they are not those that it made. */
  readonly given?: readonly string[];
  readonly exitCode?: number;
  readonly decision?: "APPROVED" | "REJECTED";
}

/** Runs that verify, a minute apart. */
export function makePipeline(steps: readonly SampleStep[]): ReportedRun[] {
  return steps.map((step, i) => {
    const createdAt = formatUtcSecond(new Date(Date.UTC(2026, 1, 15, 10, i)));
    const id = formatRunId(createdAt, 1);
    const names = Object.keys(step.inputs);
    const evidence = buildEvidence({
      ...SAMPLE_FACTS,
      inputs: names,
      exclude: [],
      materials: list(step.inputs),
      command: {
        argv: step.command,
        productPaths: step.given ?? Object.keys(step.products),
        products: list(step.products),
        exitCode: step.exitCode ?? 0,
        signal: null,
        output: null,
      },
      toolchain: {
        ...SAMPLE_FACTS.toolchain,
        tools: [{ name: "sh", sha256: sha256Hex("sh") }],
        runtimes: [],
      },
    });
    const texts = buildRunDocuments(
      evidence,
      { ...SAMPLE_CIRCUMSTANCES, created_at: createdAt },
      id,
    );
    const encoder = new TextEncoder();
    const files = new Map(DOCUMENT_NAMES.map((name) => [name, encoder.encode(texts[name])]));
    const reading = readRun({ name: id, files });
    assertEquals(reading.findings, []);
    const run = { ...reading, name: id };
    return step.decision === undefined ? run : decide(run, { status: step.decision, day: 20 });
  });
}

function list(files: Readonly<Record<string, string>>): RecordedFile[] {
  return Object.entries(files).map(([name, content]) => ({
    name,
    kind: "file",
    size: content.length,
    sha256: sha256Hex(content),
  }));
}

/** Raw data to a table to a model and a report; the model was made again, and a check failed. */
export const THREE_STEPS: readonly SampleStep[] = [
  {
    command: ["python", "clean.py"],
    inputs: { "clean.py": "c", "raw/a.csv": "1", "raw/b.csv": "2" },
    products: { "clean.csv": "t" },
    decision: "APPROVED",
  },
  {
    command: ["python", "train.py"],
    inputs: { "clean.csv": "t", "train.py": "1" },
    products: { "model.json": "m1" },
  },
  {
    command: ["python", "report.py"],
    inputs: { "clean.csv": "t", "model.json": "m1", "report.py": "r" },
    products: { "report.md": "r1" },
  },
  {
    command: ["python", "train.py", "--rounds", "20"],
    inputs: { "clean.csv": "t", "train.py": "2" },
    products: { "model.json": "m2" },
    decision: "REJECTED",
  },
  {
    command: ["python", "check.py"],
    inputs: { "check.py": "k", "model.json": "m2" },
    products: {},
    given: ["check.json"],
    exitCode: 3,
  },
];

/** Nineteen samples in three steps each, and one summary of all: 58 runs; then two that repeat some. */
export function listManySteps(): SampleStep[] {
  const samples = Array.from({ length: 19 }, (_, i) => `sample-${String(i + 1).padStart(2, "0")}`);
  return [
    ...samples.map((name): SampleStep => ({
      command: ["align", "--threads", "4", `${name}.fastq.gz`],
      inputs: { [`reads/${name}.fastq.gz`]: name, "reference/genome.fa": "g" },
      products: { [`aligned/${name}.bam`]: `${name} bam` },
      decision: "APPROVED",
    })),
    ...samples.map((name, i): SampleStep => ({
      command: ["call-variants", `aligned/${name}.bam`],
      inputs: { [`aligned/${name}.bam`]: `${name} bam`, "reference/genome.fa": "g" },
      products: i === 7 ? {} : { [`calls/${name}.vcf`]: `${name} vcf` },
      given: [`calls/${name}.vcf`],
      exitCode: i === 7 ? 139 : 0,
    })),
    ...samples.filter((_, i) => i !== 7).map((name): SampleStep => ({
      command: ["filter", `calls/${name}.vcf`],
      inputs: { [`calls/${name}.vcf`]: `${name} vcf`, "filter.yaml": "f" },
      products: { [`filtered/${name}.vcf`]: `${name} filtered` },
    })),
    {
      command: ["summarise", "filtered", "--out", "summary.html"],
      inputs: Object.fromEntries(
        samples.filter((_, i) => i !== 7).map((
          name,
        ) => [`filtered/${name}.vcf`, `${name} filtered`]),
      ),
      products: { "summary.html": "s", "summary.tsv": "t" },
    },
    {
      command: ["align", "--threads", "4", "sample-03.fastq.gz"],
      inputs: { "reads/sample-03.fastq.gz": "again", "reference/genome.fa": "g" },
      products: { "aligned/sample-03.bam": "sample-03 bam again" },
    },
  ];
}

/** A chain of so many steps, each with a script of its own. */
export function listChain(count: number): SampleStep[] {
  return Array.from({ length: count }, (_, i): SampleStep => ({
    command: ["python", `steps/step_${i}.py`],
    inputs: { [`stage/${i}.parquet`]: `${i}`, [`steps/step_${i}.py`]: "s" },
    products: { [`stage/${i + 1}.parquet`]: `${i + 1}` },
  }));
}
