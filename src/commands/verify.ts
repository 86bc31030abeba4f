import { type Finding, KprovError, sortFindings } from "../base/error.ts";
import { DocumentMeter, type Progress } from "../base/progress.ts";
import { quote } from "../base/quote.ts";
import { basename, toPosixPath } from "../base/std.ts";
import { compareUtf8 } from "../base/text.ts";
import {
  checkKnownFiles,
  type FileClaims,
  listClaims,
  NewestWords,
} from "../evidence/check_files.ts";
import { areDistinctShards, ShardSet } from "../evidence/merge.ts";
import { isInShard } from "../evidence/provenance.ts";
import { compareRunIds } from "../evidence/run_summary.ts";
import { checkRequirements, readRun } from "../evidence/verify.ts";
import { type Host, letGo } from "../io/host.ts";
import { observeFiles, type Reading } from "../io/observe.ts";
import { resolveRoot } from "../io/paths.ts";
import { checkRuntime, gatherPolicy } from "../io/policy_file.ts";
import {
  type FoundRuns,
  gatherRun,
  glanceAtShard,
  locateRuns,
  measureRuns,
  noteLeftovers,
} from "../io/run_files.ts";
import {
  describeVerified,
  isVerified,
  listVerifyLines,
  type VerifiedRun,
} from "../show/results.ts";
import { streamLines, streamLogSafeJson } from "../show/text.ts";
import { type Command, EXITS, type ParsedFlags } from "./command.ts";
import {
  isAtOrBelow,
  nameInRoot,
  readEffort,
  readFormat,
  READING_FLAGS,
  readRequirements,
  readRunsHome,
  REQUIRE_FLAG,
  type Requirements,
  ROOT_FLAG,
} from "./flags.ts";
import { reportFindings } from "./write_run.ts";

/** `kprov verify`. */
export const VERIFY: Command = {
  usage: [
    "kprov verify RUN... [--root DIR] [--only PATH]... [--require completed|approved]... " +
    "[--format text|json] [--jobs N] [--quiet]",
  ],
  description: [
    "Checks that a run has exactly its four documents, in canonical bytes and strict form, that they " +
    "name each other by their right digests, and that everything in run_summary.json that can be " +
    "recomputed is true. It needs no key and no network.",
    "With --root, every input and product is read again and compared: changed, missing, replaced" +
    " by something else, or new in a directory that was an input. --only limits that to some " +
    "files, for those who have one product and its evidence. PATH is a path below the root " +
    "(without --root: the working directory), or a name as recorded in the run.",
    "RUN is a run directory, a directory of runs, the id of a run in runs (or in the policy's " +
    "/run/out), or latest, the last run there. In a directory of runs, each file is compared " +
    "with the newest run that has it; a note says where an older run has other content. The " +
    "files of a run that is named by itself are compared with that run.",
    "Shards in the given directories of runs must be one set: each of the N once, with the same " +
    "inputs, exclusions, toolchain, policy and commit. They need not be merged, and only one is " +
    "held in memory at a time. Other runs beside them, and shards that are named by themselves, " +
    "are not part of the set.",
    "A run whose command failed verifies if its evidence is right, and so does a run without a " +
    "review. The result says so, and --require makes either a finding. Each person's approval " +
    "counts once; review.approvals in the root's policy says how many are needed (default: 1).",
    "Evidence is not signed: whoever can rewrite a whole run can make one that verifies.",
  ],
  flags: [
    { ...ROOT_FLAG, summary: "Read the inputs and products below DIR again" },
    {
      name: "only",
      value: "PATH",
      isRepeatable: true,
      summary: "Look at this input, product or directory alone",
    },
    REQUIRE_FLAG,
    ...READING_FLAGS,
  ],
  permissions: "--allow-read=RUN, and --allow-read=DIR with --root DIR.",
  examples: [
    ["kprov verify runs", "Check the documents of every run in runs"],
    ["kprov verify runs/2026-02-15T20-13-00Z --root .", "Re-check one run and its files"],
    ["kprov verify latest --only model.bin --require approved", "Re-check one product"],
  ],
  exitCodes: [
    [0, "every run verifies, and shards are one set"],
    [1, "there are findings, or the policy does not allow this Deno version"],
    EXITS.usage,
    [65, "there is no such run or root, or no run names a PATH of --only"],
    EXITS.reading,
    EXITS.permission,
    EXITS.rootPolicy,
  ],
  execute: verify,
};

async function verify(flags: ParsedFlags, host: Host): Promise<number> {
  if (flags.positionals.length === 0 || flags.rest !== null) {
    throw new KprovError("usage", "Cannot verify: no run is given", {
      hint: "kprov verify RUN... re-checks runs",
    });
  }
  const format = readFormat(flags.value("format"));
  const only = flags.values("only");
  const given = flags.value("root") ?? (only.length > 0 ? "." : null);
  const effort = readEffort(flags, host);
  const requirements = await readRequirements(flags, given ?? ".");
  const root = given === null ? null : resolveRoot(given);
  // Files are looked at only by a Deno that the root's policy, or the built-in range, admits.
  if (root !== null) checkRuntime(await gatherPolicy(root));
  const selection = new Selection(root === null ? [] : only.map((path) => nameInRoot(path, root)));
  const home = await readRunsHome(flags.positionals);
  const found = flags.positionals.map((word) => locateRuns(word, home));
  const set = new ShardSet();
  const plan = { reading: root === null ? null : { root, effort }, requirements, selection, set };
  const runs = await verifyRuns(found, plan, effort.progress);
  const result = { runs, shards: set.judge() };
  reportFindings(noteLeftovers(found), host);
  // What a run that does not verify speaks of is not known.
  if (runs.every(({ outcome }) => outcome !== null)) selection.checkAllMet();
  if (format === "json") streamLogSafeJson(describeVerified(result), host.writeStdout);
  else streamLines(listVerifyLines(result, host), host.writeStdout);
  return [...runs, ...result.shards === null ? [] : [result.shards]].every(isVerified) ? 0 : 1;
}

/** The files that `--only` names; all where it names none. */
class Selection {
  readonly #paths: readonly string[];
  readonly #met = new Set<string>();

  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  /** Whether a file is selected; what selects it has been of use then. */
  readonly has = (name: string): boolean => {
    if (this.#paths.length === 0) return true;
    const paths = this.#paths.filter((path) => isAtOrBelow(name, path));
    for (const path of paths) this.#met.add(path);
    return paths.length > 0;
  };

  /** The files that are selected. */
  select<File extends { readonly name: string }>(files: readonly File[]): readonly File[] {
    return this.#paths.length === 0 ? files : files.filter(({ name }) => this.has(name));
  }

  /** Whether something below a directory may be selected. */
  readonly reaches = (directory: string): boolean =>
    this.#paths.length === 0 ||
    this.#paths.some((path) => isAtOrBelow(path, directory) || isAtOrBelow(directory, path));

  checkAllMet(): void {
    const unused = this.#paths.find((path) => !this.#met.has(path));
    if (unused === undefined) return;
    throw new KprovError("data", `Cannot verify ${quote(unused)}: no run names it`);
  }
}

/** How runs are verified. */
interface VerifyPlan {
  readonly reading: Reading | null;
  readonly requirements: Requirements;
  readonly selection: Selection;
  /** Takes the shards of directories; null for a run that is named by itself. */
  readonly set: ShardSet | null;
  readonly meter: DocumentMeter;
}

/** Runs of directories are held against the disk together, the newest first; a run by itself is alone. */
async function verifyRuns(
  found: readonly FoundRuns[],
  given: Omit<VerifyPlan, "meter">,
  progress: Progress | null,
): Promise<VerifiedRun[]> {
  using meter = new DocumentMeter(progress, measureRuns(found.flatMap(({ paths }) => paths)));
  const plan = { ...given, meter };
  const joined = found.filter(({ isDirectory }) => isDirectory).flatMap((runs) => runs.paths);
  const newestFirst = [...new Set(joined)]
    .sort((a, b) => compareRunIds(basename(b), basename(a)) || compareUtf8(b, a));
  const words = new NewestWords();
  // Where no two runs can speak of one file, what one says need not be kept for the others.
  const areApart = plan.reading !== null && areDistinctShards(newestFirst.map(glanceAtShard));
  const verified = new Map<string, VerifiedRun>();
  for (const path of newestFirst) {
    verified.set(path, await verifyPath(path, plan, areApart ? new NewestWords() : words));
  }
  const alone = { ...plan, set: null };
  const runs: VerifiedRun[] = [];
  for (const { paths, isDirectory } of found) {
    for (const path of paths) {
      const known = isDirectory ? verified.get(path) : undefined;
      runs.push(known ?? await verifyPath(path, alone, new NewestWords()));
    }
  }
  return runs;
}

async function verifyPath(
  path: string,
  plan: VerifyPlan,
  words: NewestWords,
): Promise<VerifiedRun> {
  const { reading, selection } = plan;
  const { verified, claims } = verifyDocuments(path, plan);
  if (claims === null || reading === null) return verified;
  letGo();
  const { current, notes } = words.take(selection.select(claims.files));
  const { shard = null, ...parameters } = claims.parameters;
  const given = { ...parameters, inputs: parameters.inputs.filter(selection.reaches) };
  const isWanted = (name: string): boolean =>
    !words.has(name) && isInShard(name, shard) && selection.has(name);
  const seen = await observeFiles({ expected: current, given, isWanted }, reading);
  const changes = checkKnownFiles(claims, current, seen);
  words.addListed(claims.run, changes);
  return { ...verified, findings: sortFindings([...verified.findings, ...changes, ...notes]) };
}

/** A run's documents are let go when this returns: while files are read, what they say of files is enough. */
function verifyDocuments(
  path: string,
  { reading, requirements, set, meter }: VerifyPlan,
): { readonly verified: VerifiedRun; readonly claims: FileClaims | null } {
  const gathered = gatherRun(path, meter);
  const { run, findings } = readRun(gathered);
  const all: Finding[] = [...gathered.faults, ...findings];
  // What a run that does not verify says of files is not looked at: its names may lead anywhere.
  if (run === null || all.length > 0) {
    const unknown = { outcome: null, exitCode: null, review: null };
    return { verified: { path, findings: sortFindings(all), ...unknown }, claims: null };
  }
  set?.add(toPosixPath(path), run);
  const { outcome, exit_code: exitCode } = run.documents["run_summary.json"];
  const review = run.documents["human_review.json"].status;
  const unmet = sortFindings(checkRequirements(run, requirements));
  return {
    verified: { path, findings: unmet, outcome, exitCode, review },
    claims: reading === null ? null : listClaims(run),
  };
}
