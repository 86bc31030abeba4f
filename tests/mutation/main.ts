/**
 * Checks the tests: breaks the code of evidence and guards in small ways, one at a time in a copy of
 * the tree, and shows whether a test fails. A mutant that the type checker refuses is passed over: no
 * test has to find what cannot be written.
 * `deno task mutate [--count N] [--seed N] [PATH...]`; PATH is a file or directory below src/.
 *
 * @module
 */

import { parseArgs } from "../../src/base/std.ts";
import { seedDraw } from "../fuzz/mutate_bytes.ts";
import { fromFileUrl } from "../paths.ts";
import { findKiller, isTyped, listStages, type TestRun } from "./check_mutant.ts";
import { applyMutant, describeMutant, listMutants, type Mutant } from "./list_mutants.ts";

const TOP = fromFileUrl(new URL("../..", import.meta.url));
/** Longer than any test takes on a busy machine. */
const PATIENCE = 120 * 1000;

interface Candidate {
  readonly file: string;
  readonly source: string;
  readonly mutant: Mutant;
}

const args = parseArgs(Deno.args, {
  string: ["count", "seed", "_"],
  "--": true,
  unknown: () => true,
});
const count = Number(args["count"] ?? 100);
const seed = Number(args["seed"] ?? Date.now() % 2 ** 31);
const given = args["_"].map(String);
const paths = given.length > 0 ? given : ["src/evidence", "src/guards"];
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) {
  console.error("usage: deno task mutate [--count N] [--seed N] [PATH...]");
  Deno.exit(64);
}

const files = runGit(["ls-files", "-z"]).split("\0").filter((file) => file !== "");
const candidates = files
  .filter((file) => file.endsWith(".ts") && paths.some((path) => isInside(file, path)))
  .flatMap((file): Candidate[] => {
    const source = Deno.readTextFileSync(`${TOP}/${file}`);
    return listMutants(source).map((mutant) => ({ file, source, mutant }));
  });
if (candidates.length === 0) {
  console.error(`Cannot break anything: there is nothing to break in ${paths.join(" ")}`);
  Deno.exit(64);
}
console.log(`seed ${seed}: ${count} of ${candidates.length} mutants`);

const copy = Deno.makeTempDirSync({ prefix: "kprov-mutate-" });
let judged = 0;
const survivors: Candidate[] = [];
const removeCopy = (): void => Deno.removeSync(copy, { recursive: true });
Deno.addSignalListener("SIGINT", () => {
  removeCopy();
  Deno.exit(130);
});
try {
  copyTree();
  await judgeSample();
} finally {
  removeCopy();
}
console.log(`\n${judged - survivors.length} of ${judged} mutants fail a test`);
for (const { file, source, mutant } of survivors) {
  console.log(`survives  ${file}:${mutant.line}  ${describeMutant(source, mutant)}`);
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

/** All of them, in an order that the seed decides. */
function* drawAll(from: number): Generator<Candidate> {
  const draw = seedDraw(from);
  const left = [...candidates];
  while (left.length > 0) yield* left.splice(draw(left.length), 1);
}

function copyTree(): void {
  for (const file of files) {
    const target = `${copy}/${file}`;
    Deno.mkdirSync(target.slice(0, target.lastIndexOf("/")), { recursive: true });
    Deno.copyFileSync(`${TOP}/${file}`, target);
  }
}

/** The tests must pass before: else every mutant would seem to fail them. */
async function judgeSample(): Promise<void> {
  const every = new Set(candidates.flatMap(({ file }) => listStages(file, exists)).flat());
  const run = { directory: copy, patience: PATIENCE };
  const killer = await findKiller([[...every]], run);
  if (killer !== null) throw new Error(`without a mutant there is a failure: ${killer}`);
  for (const candidate of drawAll(seed)) {
    if (judged === count) return;
    const { file, source, mutant } = candidate;
    Deno.writeTextFileSync(`${copy}/${file}`, applyMutant(source, mutant));
    if (await isTyped(file, copy)) await judge(candidate, run);
    Deno.writeTextFileSync(`${copy}/${file}`, source);
  }
}

async function judge({ file, source, mutant }: Candidate, run: TestRun): Promise<void> {
  const killer = await findKiller(listStages(file, exists), run);
  judged++;
  if (killer === null) survivors.push({ file, source, mutant });
  const verdict = killer === null ? "SURVIVES" : "killed  ";
  console.log(`${verdict}  ${file}:${mutant.line}  ${describeMutant(source, mutant)}`);
  if (killer !== null) console.log(`          by ${killer}`);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(`${copy}/${path}`);
    return true;
  } catch {
    return false;
  }
}
