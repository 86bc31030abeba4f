/**
 * Checks the tests: breaks the code of evidence and guards in small ways, one at a time, and shows
 * whether a test fails. All ways are put into a copy of the code at once, each behind a switch, so that
 * one process tries hundreds of them with the tests that reach them. A mutant that the type checker
 * refuses is passed over: no test has to find what cannot be written.
 * `deno task mutate [--count N] [--seed N] [--tests PATH,...] [PATH...]`; PATH is a file or directory
 * below src/, or below tests/ where only the tests there are to run.
 *
 * @module
 */

import { parseArgs } from "../../src/base/std.ts";
import { seedDraw } from "../fuzz/mutate_bytes.ts";
import { fromFileUrl } from "../paths.ts";
import { findUntyped } from "./find_untyped.ts";
import { coverMutants, judgeMutants, type MutatedTree } from "./judge_mutants.ts";
import { describeMutant, type Mutant, mutateFiles } from "./list_mutants.ts";
import type { Coverage, Reached } from "./run_mutants.ts";

const TOP = fromFileUrl(new URL("../..", import.meta.url));
/** Longer than the tests of a mutant may take on a busy machine. */
const PATIENCE = 10 * 60 * 1000;
/** The tests that see evidence and guards from outside; others start programs, which are not broken. */
const ELSEWHERE = "tests/laws_slow_test.ts";

const args = parseArgs(Deno.args, {
  string: ["count", "seed", "tests", "_"],
  "--": true,
  unknown: () => true,
});
const count = Number(args["count"] ?? Infinity);
const seed = Number(args["seed"] ?? Date.now() % 2 ** 31);
const testPaths = String(args["tests"] ?? "").split(",").filter((path) => path !== "");
const given = args["_"].map(String);
const paths = given.length > 0 ? given : ["src/evidence", "src/guards"];
if (!(count >= 1) || !Number.isInteger(seed)) {
  console.error("usage: deno task mutate [--count N] [--seed N] [--tests PATH,...] [PATH...]");
  Deno.exit(64);
}

const files = runGit(["ls-files", "-z"]).split("\0").filter((file) => file !== "");
const broken = files.filter((file) =>
  file.endsWith(".ts") && paths.some((path) => isInside(file, path))
);
const sources = new Map(broken.map((file) => [file, Deno.readTextFileSync(`${TOP}/${file}`)]));
const { mutants: every, code } = await mutateFiles(sources);
const mutants = drawSome(every);
if (mutants.length === 0) {
  console.error(`Cannot break anything: there is nothing to break in ${paths.join(" ")}`);
  Deno.exit(64);
}
console.log(`seed ${seed}: ${mutants.length} of ${every.length} mutants`);

const scratch = Deno.makeTempDirSync({ prefix: "kprov-mutate-" });
const removeScratch = (): void => Deno.removeSync(scratch, { recursive: true });
Deno.addSignalListener("SIGINT", () => {
  removeScratch();
  Deno.exit(130);
});
let survivors: readonly Mutant[] = [];
try {
  survivors = await judgeAll();
} finally {
  removeScratch();
}
Deno.exit(survivors.length === 0 ? 0 : 1);

function runGit(command: readonly string[]): string {
  const { stdout, success } = new Deno.Command("git", { args: [...command], cwd: TOP })
    .outputSync();
  if (!success) throw new Error("git ls-files fails here");
  return new TextDecoder().decode(stdout);
}

function isInside(file: string, path: string): boolean {
  return file === path || file.startsWith(`${path.replace(/\/$/, "")}/`);
}

/** As many as are wanted, by chance that the seed decides. */
function drawSome(from: readonly Mutant[]): readonly Mutant[] {
  const draw = seedDraw(seed);
  const left = [...from];
  while (left.length > count) left.splice(draw(left.length), 1);
  return left;
}

/** The quick tests of the areas that are broken, such as tests/guards/. */
function isTest(file: string): boolean {
  if (testPaths.length > 0) {
    return file.endsWith("_test.ts") && testPaths.some((path) => isInside(file, path));
  }
  if (file === ELSEWHERE) return true;
  if (!file.endsWith("_test.ts") || file.endsWith("_slow_test.ts")) return false;
  const areas = broken.map((path) => path.replace(/^src\/([^/]+)\/.*/, "tests/$1/"));
  return areas.some((area) => file.startsWith(area));
}

function copyTree(directory: string): void {
  for (const file of files) {
    const target = `${directory}/${file}`;
    Deno.mkdirSync(target.slice(0, target.lastIndexOf("/")), { recursive: true });
    Deno.copyFileSync(`${TOP}/${file}`, target);
  }
}

/** The tests must pass before: else every mutant would seem to fail them. */
async function judgeAll(): Promise<readonly Mutant[]> {
  const typed = `${scratch}/typed`;
  const tree: MutatedTree = {
    directory: `${scratch}/mutated`,
    files: files.filter(isTest),
    patience: PATIENCE,
  };
  if (tree.files.length === 0) throw new Error("there are no tests");
  copyTree(typed);
  copyTree(tree.directory);
  for (const [file, text] of code) Deno.writeTextFileSync(`${tree.directory}/${file}`, text);
  const coverage = await coverMutants(tree, 1 + Math.max(...every.map(({ id }) => id)));
  if (coverage.failing.length > 0) {
    throw new Error(`without a mutant there are failures: ${coverage.failing.join(", ")}`);
  }
  const killed: Mutant[] = [];
  const survivors: Mutant[] = [];
  let fixed = 0;
  for (const [file, own] of Map.groupBy(mutants, (mutant) => mutant.file)) {
    const judged = await judgeFile(own, coverage, tree);
    const refused = await findUntyped(judged.survivors, typed);
    const left = judged.survivors.filter(({ id }) => !refused.has(id));
    console.log(`${file}: ${judged.killed.length} of ${judged.killed.length + left.length}`);
    for (const mutant of left) {
      const what = coverage.reached.some(([id]) => id === mutant.id) ? "survives " : "unreached";
      const source = sources.get(file) ?? "";
      console.log(`  ${what}  ${file}:${mutant.line}  ${describeMutant(source, mutant)}`);
    }
    killed.push(...judged.killed);
    survivors.push(...left);
    fixed += judged.fixed;
  }
  let written = 0;
  for (const [, own] of Map.groupBy(killed, (mutant) => mutant.file)) {
    written += own.length - (await findUntyped(own, typed)).size;
  }
  console.log(`\n${written} of ${written + survivors.length} mutants fail a test`);
  console.log(`${fixed} more take effect only while a module is loaded, and are not judged`);
  return survivors;
}

interface Judged {
  readonly killed: readonly Mutant[];
  readonly survivors: readonly Mutant[];
  readonly fixed: number;
}

/** The tests of the file come first, then those near it; the quick ones before the others. */
function sortTests(file: string, [id, tests]: Reached, coverage: Coverage): Reached {
  const own = file.replace(/^src\//, "tests/").replace(/\.ts$/, "_test.ts");
  const room = own.slice(0, own.lastIndexOf("/") + 1);
  const distanceOf = (index: number): number => {
    const [name = ""] = coverage.tests[index] ?? [];
    return name.startsWith(`${own}:`) ? 0 : name.startsWith(room) ? 1 : 2;
  };
  return [id, tests.toSorted(([a], [b]) => distanceOf(a) - distanceOf(b))];
}

async function judgeFile(
  own: readonly Mutant[],
  coverage: Coverage,
  tree: MutatedTree,
): Promise<Judged> {
  const reached = new Map(coverage.reached.map((it) => [it[0], it]));
  const loaded = new Set(coverage.loaded);
  const judged = own.filter(({ id }) => reached.has(id) || !loaded.has(id));
  const tried = judged.flatMap(({ id, file }) => {
    const found = reached.get(id);
    return found === undefined ? [] : [sortTests(file, found, coverage)];
  });
  const killed = new Set<number>();
  const spoiled = await judgeMutants(
    { tests: coverage.tests, reached: tried },
    tree,
    (id, killer) => {
      if (killer !== null) killed.add(id);
    },
  );
  for (const test of spoiled) console.log(`in doubt: ${test} fails behind the mutants it judged`);
  return {
    killed: judged.filter(({ id }) => killed.has(id)),
    survivors: judged.filter(({ id }) => !killed.has(id)),
    fixed: own.length - judged.length,
  };
}
