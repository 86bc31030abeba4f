/**
 * Measures, in a process of its own, how long it takes to join many runs and to ask them, and how much
 * memory they keep: `deno run tests/bench/lineage.ts RUNS FILES`. The runs are a pipeline of ten steps,
 * done again and again; one product in ten comes out otherwise each time.
 *
 * @module
 */

import {
  checkTrace,
  type FileDescriptor,
  judgePipeline,
  Lineage,
  type ObservedFile,
  planStatus,
  type RunRecord,
  traceFile,
} from "../../mod.ts";

/** What joining and asking runs took. */
export interface LineageRow {
  /** The runs. */
  readonly runs: number;
  /** The files of each. */
  readonly files: number;
  /** Reading them in, with the time it takes to make them up. */
  readonly readMs: number;
  /** Judging every product. */
  readonly statusMs: number;
  /** Tracing a product back and checking the way. */
  readonly traceMs: number;
  /** What is kept of the runs. */
  readonly keptBytes: number;
}

const STEPS = 10;

/** Digits that are spread as those of a digest are, and cost nothing. */
function makeDigest(seed: number): string {
  let digits = "";
  for (let word = 0; word < 8; word++) {
    let mixed = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(word + 1, 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0xc2b2ae35);
    digits += ((mixed ^ (mixed >>> 13)) >>> 0).toString(16).padStart(8, "0");
  }
  return digits;
}

function describeFile(step: number, file: number, round: number): FileDescriptor {
  return {
    name: `step${step}/${file}.csv`,
    digest: { sha256: makeDigest((round * STEPS + step) * 100_000 + file) },
    annotations: { kind: "file", size: 1 },
  };
}

/** The files of each step; one in ten comes out otherwise in each round. */
function listFiles(count: number): (step: number, round: number) => FileDescriptor[] {
  const first = Array.from(
    { length: STEPS + 1 },
    (_, step) => Array.from({ length: count }, (_, file) => describeFile(step, file, 0)),
  );
  return (step, round) =>
    (first[step] ?? []).map((same, file) =>
      file % 10 === 0 ? describeFile(step, file, round) : same
    );
}

function describeRecord(index: number): RunRecord {
  const createdAt = new Date(Date.UTC(2026, 0, 1, 0, index)).toISOString().replace(".000", "");
  const runId = createdAt.replaceAll(":", "-");
  return {
    run: `runs/${runId}`,
    runId,
    createdAt,
    verifies: true,
    outcome: "completed",
    exitCode: 0,
    review: "APPROVED",
    approvals: 1,
    reviewers: ["Ada"],
    command: ["make"],
    evidenceDigest: makeDigest(index),
    toolchain: {},
    given: { inputs: [], exclude: [] },
    inputs: { count: 1, bytes: 1 },
    products: { count: 1, bytes: 1 },
  };
}

/**
 * Joins runs and asks them.
 *
 * @param runs How many
 * @param files How many files each has, inputs and products together
 */
export function measureLineage(runs: number, files: number): LineageRow {
  const start = keptBytes();
  const lineage = new Lineage();
  const list = listFiles(files / 2);
  const [, readMs] = clock(() => {
    for (let index = 0; index < runs; index++) {
      const [step, round] = [index % STEPS, Math.floor(index / STEPS)];
      const inputs = list(step, step === 0 ? 0 : round);
      lineage.add(describeRecord(index), { inputs, products: list(step + 1, round) });
    }
  });
  const kept = keptBytes() - start;
  const observed = new Map<string, ObservedFile>();
  const [, statusMs] = clock(() => {
    const plan = planStatus(lineage);
    judgePipeline(lineage, plan, { files: observed, listed: new Map(), changedTools: () => [] });
  });
  const [last = 0] = lineage.fileIds(runs - 1, "products");
  const [, traceMs] = clock(() =>
    checkTrace(lineage, traceFile(lineage, lineage.fileOf(last)), {
      approvals: 1,
      isOrigin: () => true,
    })
  );
  return { runs, files, readMs, statusMs, traceMs, keptBytes: kept };
}

function clock<T>(action: () => T): readonly [result: T, ms: number] {
  const start = performance.now();
  return [action(), performance.now() - start];
}

/** What is not garbage: the flag --v8-flags=--expose-gc lets it be told. */
function keptBytes(): number {
  const collect: unknown = Reflect.get(globalThis, "gc");
  if (typeof collect === "function") collect();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

if (import.meta.main) {
  const [runs = 10_000, files = 1000] = Deno.args.map(Number);
  console.log(JSON.stringify(measureLineage(runs, files)));
}
