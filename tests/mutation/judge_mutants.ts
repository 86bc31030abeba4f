import type { Coverage, Job, Verdict } from "./run_mutants.ts";

/** The tree whose code holds the mutants, and its tests. */
export interface MutatedTree {
  /** Its path. */
  readonly directory: string;
  /** The files of tests, in it. */
  readonly files: readonly string[];
  /** Where no test ends for so many milliseconds, whatever the processor does, the process is stopped. */
  readonly patience: number;
}

/** What became of a mutant: the test that fails, or what else stopped it; null where it survives. */
export type Killer = string | null;

/** How long the tests of a mutant may take together: first, and where that did not suffice for all of them. */
const TRIALS_MS: readonly number[] = [500, 5000];

/** How many mutants one process tries: what they leave in its memory goes with it. */
const MOST_IN_PROCESS = 400;

/**
 * Runs all tests once, and tells which mutants they reach.
 *
 * @param tree Where
 * @param count How many mutants there are
 */
export async function coverMutants(tree: MutatedTree, count: number): Promise<Coverage> {
  const { directory, files } = tree;
  let coverage: Coverage | null = null;
  await runJob({ directory, files, task: "cover", count }, tree.patience * 6, (line) => {
    coverage = JSON.parse(line);
  });
  if (coverage === null) throw new Error("the tests did not come to an end");
  return coverage;
}

/**
 * Tries mutants, each with the tests that reach it, until one fails.
 *
 * @param coverage The mutants, and what is known of the tests
 * @param tree Where
 * @param take Is given each verdict
 * @returns Tests that fail when all is mended: what is said of them is in doubt
 */
export async function judgeMutants(
  coverage: Pick<Coverage, "tests" | "reached">,
  tree: MutatedTree,
  take: (id: number, killer: Killer) => void,
): Promise<readonly string[]> {
  const spoiled: string[] = [];
  const { tests } = coverage;
  let left = coverage.reached;
  for (const longestMs of TRIALS_MS) {
    const cutOff = new Set<number>();
    spoiled.push(
      ...await judgeFor(longestMs, { tests, reached: left }, tree, ({ id, killer, isCutOff }) => {
        if (isCutOff) cutOff.add(id);
        take(id, killer);
      }),
    );
    left = left.filter(([id]) => cutOff.has(id));
  }
  return [...new Set(spoiled)];
}

async function judgeFor(
  longestMs: number,
  { tests, reached: mutants }: Pick<Coverage, "tests" | "reached">,
  { directory, files, patience }: MutatedTree,
  take: (verdict: Extract<Verdict, { id: number }>) => void,
): Promise<readonly string[]> {
  const spoiled: string[] = [];
  for (let next = 0; next < mutants.length;) {
    const batch = mutants.slice(next, next + MOST_IN_PROCESS);
    let tried: number | null = null;
    let ended = 0;
    const job: Job = { directory, files, task: "judge", mutants: batch, tests, longestMs };
    await runJob(job, patience + longestMs, (line) => {
      const verdict: Verdict = JSON.parse(line);
      if ("spoiled" in verdict) spoiled.push(verdict.spoiled);
      else if ("begin" in verdict) tried = verdict.begin;
      else {
        ended++;
        tried = null;
        take(verdict);
      }
    });
    if (tried !== null) {
      take({ id: tried, killer: "no end, or the end of the process", isCutOff: false });
    }
    if (tried === null && ended === 0) throw new Error("no mutant could be tried");
    next += ended + (tried === null ? 0 : 1);
  }
  return spoiled;
}

/** Runs run_mutants.ts over a job, and stops it where it says nothing for too long. */
async function runJob(job: Job, patience: number, take: (line: string) => void): Promise<void> {
  const path = Deno.makeTempFileSync({ prefix: "kprov-mutate-", suffix: ".json" });
  Deno.writeTextFileSync(path, JSON.stringify(job));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", `--config=${job.directory}/deno.json`]
      .concat([`--lock=${job.directory}/tests/deno.lock`, import.meta.resolve("./run_mutants.ts")])
      .concat([path]),
    cwd: job.directory,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  // Not a test's sleep: a broken loop has no end that could be awaited.
  const stop = (): void => child.kill("SIGKILL");
  let timer = setTimeout(stop, patience);
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    clearTimeout(timer);
    timer = setTimeout(stop, patience);
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(take);
  }
  await child.status;
  clearTimeout(timer);
  Deno.removeSync(path);
}
