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
}

/** What the tests reach: by the mutants' numbers, how often at most, and in which tests. */
export interface Coverage {
  /** The tests in the order in which they are registered, with the milliseconds that each takes. */
  readonly tests: readonly (readonly [name: string, ms: number])[];
  /** Those that fail here although nothing is broken. */
  readonly failing: readonly string[];
  /** The mutants that are reached while modules are loaded. */
  readonly loaded: readonly number[];
  /** The mutants that tests reach. */
  readonly reached: readonly Reached[];
}

/** A mutant, how often it was reached, and the tests that do, by their index, the quick ones first. */
export type Reached = readonly [id: number, hits: number, tests: readonly number[]];

/** What is to be done. */
export type Job =
  & { readonly directory: string; readonly files: readonly string[] }
  & (
    | { readonly task: "cover"; readonly count: number }
    | {
      readonly task: "judge";
      readonly mutants: readonly Reached[];
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

const state: MutationSwitch = { active: -1, counts: null, hits: 0, most: 0 };
Object.assign(globalThis, { kprovMutation: state });

let stray: unknown = null;
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  stray ??= event.reason;
});

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
  const tests: [string, number][] = [];
  const failing: string[] = [];
  const reached = new Map<number, { hits: number; tests: number[] }>();
  for (const [index, test] of collected.entries()) {
    state.counts.fill(0);
    const before = cpuMilliseconds();
    const isPassed = await passes(test);
    tests.push([test.name, cpuMilliseconds() - before]);
    if (!isPassed) failing.push(test.name);
    for (const id of isPassed ? listReached() : []) {
      const known = reached.get(id) ?? { hits: 0, tests: [] };
      known.hits = Math.max(known.hits, state.counts[id] ?? 0);
      known.tests.push(index);
      reached.set(id, known);
    }
  }
  const msOf = (index: number): number => tests[index]?.[1] ?? 0;
  const sorted = [...reached].map(([id, { hits, tests }]): Reached => [
    id,
    hits,
    tests.sort((a, b) => msOf(a) - msOf(b)),
  ]);
  return { tests, failing, loaded, reached: sorted };
}

async function judge(job: Job & { task: "judge" }): Promise<void> {
  const { directory, files, mutants, longestMs } = job;
  const tests = await collectTests(files, directory);
  const killers = new Set<CollectedTest>();
  for (const mutant of mutants) {
    report(JSON.stringify({ begin: mutant[0] }));
    const killer = await findKiller(tests, mutant, longestMs);
    if (typeof killer === "object") killers.add(killer);
    const name = typeof killer === "object" ? killer.name : null;
    report(JSON.stringify({ id: mutant[0], killer: name, isCutOff: killer === "cut off" }));
  }
  // What a mutant leaves in memory must not be what fails the next one's tests.
  for (const test of killers) {
    if (!await passes(test)) report(JSON.stringify({ spoiled: test.name }));
  }
}

async function findKiller(
  tests: readonly CollectedTest[],
  [id, hits, indexes]: Reached,
  longestMs: number,
): Promise<CollectedTest | "none" | "cut off"> {
  const end = cpuMilliseconds() + longestMs;
  const reaching = new Set(indexes);
  for (const index of new Set([...recent.filter((it) => reaching.has(it)), ...indexes])) {
    const test = tests[index];
    if (test === undefined) continue;
    if (cpuMilliseconds() > end) return "cut off";
    Object.assign(state, { active: id, hits: 0, most: 4 * hits + 10_000 });
    const isKilled = !await passes(test);
    state.active = -1;
    if (!isKilled) continue;
    if (recent.includes(index)) recent.splice(recent.indexOf(index), 1);
    recent.unshift(index);
    recent.length = Math.min(recent.length, MOST_RECENT);
    return test;
  }
  return "none";
}
