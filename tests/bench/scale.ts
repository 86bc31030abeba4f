import type { Inputs } from "./inputs.ts";
import { measureOnce, medianOf, type Sample } from "./measure.ts";
import type { Kprov } from "./programs.ts";

/** How one step did with a number of files. */
export interface ScaleRow {
  /** The files. */
  readonly files: number;
  /** What kprov did with them. */
  readonly step: string;
  /** By the clock, the median. */
  readonly wallMs: number;
  /** The most memory at once, the median; null where Python is missing. */
  readonly peakBytes: number | null;
  /** The time for each file over that of the first number of files. */
  readonly growth: number;
}

/** The most memory that a step may take. */
export const MOST_PEAK_BYTES = 2 ** 30;

const SHARDS = 8;
/** All shards of a run are recorded at one time. */
const AT = "2026-01-01T00:00:00Z";

/** How often a number of files is measured. */
function roundsOf(files: number): number {
  return files > 100_000 ? 1 : 3;
}

/**
 * Measures run, verify, and the run and merge of eight shards, with rising numbers of files; gives the rows
 * of each number as soon as they are measured.
 *
 * @param kprov How it is started
 * @param inputs Where the files are
 * @param counts The numbers
 */
export async function* measureScale(
  kprov: Kprov,
  inputs: Inputs,
  counts: readonly number[],
): AsyncGenerator<readonly ScaleRow[]> {
  const rows: ScaleRow[] = [];
  for (const files of counts) {
    const samples = new Map<string, Sample[]>();
    const tree = await inputs.smallFiles(files);
    for (let round = 0; round < roundsOf(files); round++) {
      for (const [step, sample] of await measureSteps(kprov, inputs, tree)) {
        samples.set(step, [...samples.get(step) ?? [], sample]);
      }
    }
    const measured = [...samples].map(([step, taken]) => toRow(files, step, { taken, rows }));
    rows.push(...measured);
    yield measured;
  }
}

function toRow(
  files: number,
  step: string,
  { taken, rows }: { readonly taken: readonly Sample[]; readonly rows: readonly ScaleRow[] },
): ScaleRow {
  const wallMs = medianOf(taken, (sample) => sample.wallMs) ?? NaN;
  const first = rows.find((row) => row.step === step) ?? { wallMs, files };
  return {
    files,
    step,
    wallMs,
    peakBytes: medianOf(taken, (sample) => sample.peakBytes),
    growth: wallMs / files / (first.wallMs / first.files),
  };
}

async function measureSteps(
  kprov: Kprov,
  inputs: Inputs,
  tree: string,
): Promise<readonly (readonly [step: string, sample: Sample])[]> {
  const out = inputs.freshDirectory();
  const name = tree.slice(inputs.path.length + 1);
  const measure = (...args: readonly string[]): Promise<Sample> =>
    measureOnce({ ...kprov, args: [...kprov.args, ...args] }, inputs.path);
  try {
    const run = await measure("run", name, "--out", `${out}/whole`, "--quiet");
    const shards: Sample[] = [];
    for (let i = 1; i <= SHARDS; i++) {
      const shard = ["--shard", `${i}/${SHARDS}`, "--at", AT, "--out", `${out}/shards`, "--quiet"];
      shards.push(await measure("run", name, ...shard));
    }
    const whole = `${out}/whole/${[...Deno.readDirSync(`${out}/whole`)][0]?.name}`;
    return [
      ["run", run],
      ["verify the documents", await measure("verify", whole)],
      ["verify the files too", await measure("verify", whole, "--root", ".")],
      [`run one of ${SHARDS} shards`, slowest(shards)],
      [
        `merge ${SHARDS} shards`,
        await measure("merge", `${out}/shards`, "--out", `${out}/merged`, "--quiet"),
      ],
    ];
  } finally {
    Deno.removeSync(out, { recursive: true });
  }
}

/** On machines of their own, all wait for the slowest. */
function slowest(samples: readonly Sample[]): Sample {
  return samples.reduce((a, b) => a.wallMs > b.wallMs ? a : b);
}
