/**
 * Measures kprov against its peers, in turn and in one run (A B A B), and how it grows with the
 * number of files; prints the tables of docs/performance.md. A peer that is not installed is said to
 * be missing, and what is held against it left out. Nothing is asserted.
 *
 * `deno task bench` runs everything but the million files, which take half an hour: `--million` adds
 * them. Names select: `deno task bench identity scale`.
 *
 * @module
 */

import { type Comparison, COMPARISONS, ITSELF } from "./comparisons.ts";
import { fromFileUrl } from "../paths.ts";
import { decode } from "../run_kprov.ts";
import { Inputs } from "./inputs.ts";
import type { LineageRow } from "./lineage.ts";
import { describeMachine } from "./machine.ts";
import { measureInTurn, medianOf, type Sample } from "./measure.ts";
import { type Kprov, listKprovs, readVersion } from "./programs.ts";
import { measureScale } from "./scale.ts";
import {
  COMPARISON_HEAD,
  type ComparisonRow,
  type Medians,
  renderComparisons,
  renderLineage,
  renderScale,
  SCALE_HEAD,
} from "./table.ts";

const SCALE = "scale";
const LINEAGE = "lineage";

/** What was asked for on the command line. */
interface Selection {
  readonly comparisons: readonly Comparison[];
  readonly isScaleWanted: boolean;
  readonly isLineageWanted: boolean;
  readonly counts: readonly number[];
}

function select(args: readonly string[]): Selection {
  const names = args.filter((arg) => arg !== "--million" && arg !== "--");
  const known = [...COMPARISONS.map(({ name }) => name), SCALE, LINEAGE];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    console.error(`error: there is no bench "${unknown}"; there are ${known.join(", ")}`);
    Deno.exit(64);
  }
  const isWanted = (name: string): boolean => names.length === 0 || names.includes(name);
  return {
    comparisons: COMPARISONS.filter(({ name }) => isWanted(name)),
    isScaleWanted: isWanted(SCALE),
    isLineageWanted: isWanted(LINEAGE),
    counts: [10_000, 100_000, ...args.includes("--million") ? [1_000_000] : []],
  };
}

const NOTHING: Medians = { wallMs: NaN, cpuMs: null };

function toMedians(samples: readonly Sample[]): Medians {
  return {
    wallMs: medianOf(samples, ({ wallMs }) => wallMs) ?? NaN,
    cpuMs: medianOf(samples, ({ cpuMs }) => cpuMs),
  };
}

/** Waits until the inputs are on the disk, so that writing them costs no program its time. */
async function settle(): Promise<void> {
  try {
    await new Deno.Command("sync").output();
  } catch {
    // Without it, the first round is slower, and the median is not.
  }
}

async function compare(
  comparison: Comparison,
  inputs: Inputs,
  kprovs: readonly [Kprov, ...Kprov[]],
): Promise<readonly ComparisonRow[]> {
  const { what, peer, target, isOfProcessors = false, isOfEveryForm = false, rounds } = comparison;
  const task = await comparison.prepare(inputs);
  const [bundle] = kprovs;
  const measured = isOfEveryForm ? kprovs : [bundle];
  const forms = measured.map((form) => ({ ...form, args: [...form.args, ...task.kprov] }));
  const other = peer.command === ITSELF
    ? { ...bundle, name: peer.name, args: [...bundle.args, ...task.peer] }
    : { ...peer, args: task.peer };
  const programs = [...forms, other];
  await settle();
  const samples = await measureInTurn(programs, { cwd: task.cwd, rounds });
  const medians = samples.map(toMedians);
  return forms.map(({ name }, i) => ({
    what,
    kprov: name,
    own: medians[i] ?? NOTHING,
    peer: peer.name,
    others: medians.at(-1) ?? NOTHING,
    target,
    isOfProcessors,
  }));
}

async function bench(selection: Selection, inputs: Inputs): Promise<void> {
  const { comparisons, isScaleWanted, counts } = selection;
  const versions = new Map<string, string | null>();
  for (const { peer: { command } } of comparisons) {
    if (command !== Deno.execPath() && command !== ITSELF) {
      versions.set(command, await readVersion(command));
    }
  }
  console.log((await describeMachine(versions)).join("\n"));
  const kprovs = await listKprovs(inputs.path);
  if (comparisons.length > 0) console.log(`\n${COMPARISON_HEAD}`);
  for (const comparison of comparisons) {
    if (versions.get(comparison.peer.command) === null) continue;
    console.error(`measuring ${comparison.name}`);
    console.log(renderComparisons(await compare(comparison, inputs, kprovs)));
  }
  if (selection.isLineageWanted) {
    console.error("measuring lineage");
    console.log(`\n${renderLineage(await callLineage())}`);
  }
  if (!isScaleWanted) return;
  console.error("measuring scale");
  console.log(`\n${SCALE_HEAD}`);
  for await (const rows of measureScale(kprovs[0], inputs, counts)) console.log(renderScale(rows));
}

/** A process of its own, so that nothing but the runs is in its memory. */
async function callLineage(): Promise<LineageRow> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--v8-flags=--expose-gc", fromFileUrl(new URL("lineage.ts", import.meta.url))],
  }).output();
  return JSON.parse(decode(stdout));
}

const selection = select(Deno.args);
const directory = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "kprov-bench-" }));
const clear = (): void => Deno.removeSync(directory, { recursive: true });
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM"];
for (const signal of SIGNALS) {
  Deno.addSignalListener(signal, () => {
    clear();
    Deno.exit(1);
  });
}
try {
  await bench(selection, new Inputs(directory));
} finally {
  clear();
}
