/**
 * Runs tests against the mutants of a tree, in one process: `run_mutants.ts JOB`, where JOB is a file
 * with a {@linkcode Job}. It prints what it finds as lines of JSON.
 *
 * @module
 */

import process from "node:process";
import { type CollectedTest, collectTests } from "./collect_tests.ts";

/** What the mutated code looks at; see list_mutants.ts. */
interface MutationSwitch {
  /** The mutant that is on; -1 for none. */
  active: number;
  /** How often the place of each mutant was reached; null where that is not asked. */
  counts: Uint32Array | null;
  /** How often the active one was reached. */
  hits: number;
  /** When it is taken for one that has no end. */
  most: number;
  /** How often any mutant was looked at. */
  looks: number;
  /** When the active one is taken for one that has no end elsewhere. */
  mostLooks: number;
}

/** A test, the milliseconds that it takes, and how often it looks at any mutant. */
export type MeasuredTest = readonly [name: string, ms: number, looks: number];

/** What the tests reach. */
export interface Coverage {
  /** The tests in the order in which they are registered. */
  readonly tests: readonly MeasuredTest[];
  /** Those that fail here although nothing is broken. */
  readonly failing: readonly string[];
  /** The mutants that are reached while modules are loaded. */
  readonly loaded: readonly number[];
  /** The mutants that tests reach. */
  readonly reached: readonly Reached[];
}

/** A mutant, and the tests that reach it, by their index, and how often: the quick ones first. */
export type Reached = readonly [
  id: number,
  tests: readonly (readonly [index: number, hits: number])[],
];

/** What is to be done. */
export type Job =
  & { readonly directory: string; readonly files: readonly string[] }
  & (
    | { readonly task: "cover"; readonly count: number }
    | {
      readonly task: "judge";
      readonly mutants: readonly Reached[];
      /** All tests, as they were measured. */
      readonly tests: readonly MeasuredTest[];
      /** How long the tests of a mutant may take together: the quick ones come first. */
      readonly longestMs: number;
    }
  );

/**
 * What became of a mutant: the test that fails with it, or null, and whether the time did not suffice for
 * all tests. `begin` says that it is tried.
 */
export type Verdict =
  | { readonly begin: number }
  | { readonly id: number; readonly killer: string | null; readonly isCutOff: boolean }
  /** A test that fails after everything was mended: it cannot be trusted. */
  | { readonly spoiled: string };

/** The tests that killed last, the latest first: what kills one mutant often kills its neighbours. */
const recent: number[] = [];
const MOST_RECENT = 12;

/** What a test may take behind the time of its mutant, before it is taken for one without an end. */
const MOST_OVER_MS = 2000;

const unbounded = { active: -1, hits: 0, most: Infinity, looks: 0, mostLooks: Infinity };
const state: MutationSwitch = { ...unbounded, counts: null };
Object.assign(globalThis, { kprovMutation: state });

let stray: unknown = null;
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  stray ??= event.reason;
});

/** At which milliseconds of processor time {@linkcode watch_time.ts} ends this process. */
const deadline = new Float64Array(new SharedArrayBuffer(8)).fill(Infinity);

const job: Job = JSON.parse(Deno.readTextFileSync(Deno.args[0] ?? ""));
const report = console.log;
for (const name of ["log", "error", "warn", "info"] as const) console[name] = () => {};
if (job.task === "cover") report(JSON.stringify(await cover(job)));
else await judge(job);
Deno.exit(0);

/** The clock would tell how busy the machine is. */
function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function passes(test: CollectedTest): Promise<boolean> {
  stray = null;
  try {
    await test.run();
    return stray === null;
  } catch {
    return false;
  }
}

async function cover({ directory, files, count }: Job & { task: "cover" }): Promise<Coverage> {
  state.counts = new Uint32Array(count);
  const listReached = (): number[] =>
    [...state.counts ?? []].flatMap((hits, id) => hits > 0 ? [id] : []);
  const collected = await collectTests(files, directory);
  const loaded = listReached();
  const tests: MeasuredTest[] = [];
  const failing: string[] = [];
  const reached = new Map<number, [number, number][]>();
  for (const [index, test] of collected.entries()) {
    state.counts.fill(0);
    state.looks = 0;
    const before = cpuMilliseconds();
    const isPassed = await passes(test);
    tests.push([test.name, cpuMilliseconds() - before, state.looks]);
    if (!isPassed) failing.push(test.name);
    for (const id of isPassed ? listReached() : []) {
      const known = reached.get(id) ?? [];
      known.push([index, state.counts[id] ?? 0]);
      reached.set(id, known);
    }
  }
  const msOf = (index: number): number => tests[index]?.[1] ?? 0;
  const sorted = [...reached].map(([id, known]): Reached => [
    id,
    known.sort(([a], [b]) => msOf(a) - msOf(b)),
  ]);
  return { tests, failing, loaded, reached: sorted };
}

async function judge(job: Job & { task: "judge" }): Promise<void> {
  const { directory, files, mutants } = job;
  const tests = await collectTests(files, directory);
  const watch = new Worker(import.meta.resolve("./watch_time.ts"), { type: "module" });
  watch.postMessage(deadline);
  const killers = new Set<CollectedTest>();
  for (const mutant of mutants) {
    report(JSON.stringify({ begin: mutant[0] }));
    deadline[0] = cpuMilliseconds() + 4 * job.longestMs + MOST_OVER_MS;
    const killer = await findKiller(tests, mutant, job);
    if (typeof killer === "object") killers.add(killer);
    const name = typeof killer === "object" ? killer.name : null;
    report(JSON.stringify({ id: mutant[0], killer: name, isCutOff: killer === "cut off" }));
  }
  deadline[0] = Infinity;
  // What a mutant leaves in memory must not be what fails the next one's tests.
  for (const test of killers) {
    if (!await passes(test)) report(JSON.stringify({ spoiled: test.name }));
  }
}

async function findKiller(
  tests: readonly CollectedTest[],
  [id, reaching]: Reached,
  { longestMs, tests: measured }: Job & { task: "judge" },
): Promise<CollectedTest | "none" | "cut off"> {
  const end = cpuMilliseconds() + longestMs;
  const hitsOf = new Map(reaching);
  let isCutOff = false;
  for (const index of new Set([...recent.filter((it) => hitsOf.has(it)), ...hitsOf.keys()])) {
    const test = tests[index];
    const [, ms, looks] = measured[index] ?? ["", 0, 0];
    if (test === undefined) continue;
    if (cpuMilliseconds() > end) return "cut off";
    if (ms > longestMs) {
      isCutOff = true;
      continue;
    }
    const most = 4 * (hitsOf.get(index) ?? 0) + 10_000;
    Object.assign(state, { active: id, hits: 0, most, looks: 0, mostLooks: 20 * looks + 1e6 });
    const isKilled = !await passes(test);
    Object.assign(state, unbounded);
    if (!isKilled) continue;
    // A slow one would take the time of the quick ones.
    if (ms > longestMs / 20) return test;
    if (recent.includes(index)) recent.splice(recent.indexOf(index), 1);
    recent.unshift(index);
    recent.length = Math.min(recent.length, MOST_RECENT);
    return test;
  }
  return isCutOff ? "cut off" : "none";
}
