import { KprovError } from "../base/error.ts";
import { type Finding, sortFindings } from "../base/finding.ts";
import { DocumentMeter, type Progress } from "../base/progress.ts";
import { checkFiles } from "../evidence/check_files.ts";
import { readRun } from "../evidence/verify.ts";
import type { Host } from "../io/host.ts";
import { observeFiles, type Reading } from "../io/observe.ts";
import { resolveRoot, type Root } from "../io/paths.ts";
import { gatherPolicy } from "../io/policy_file.ts";
import { findRuns, gatherRun, measureRuns } from "../io/run_files.ts";
import { describeVerified, listVerifyLines, type VerifiedRun } from "../show/results.ts";
import { streamLines, streamLogSafeJson } from "../show/text.ts";
import { type Command, EXITS, type ParsedFlags } from "./command.ts";
import {
  FORMAT_FLAG,
  JOBS_FLAG,
  NO_PROGRESS_FLAG,
  readEffort,
  readFormat,
  ROOT_FLAG,
} from "./flags.ts";
import { checkRuntime } from "./write_run.ts";

/** `kprov verify`. */
export const VERIFY: Command = {
  usage: ["kprov verify RUN... [--root DIR] [--format text|json] [--jobs N] [--quiet]"],
  description: [
    "Checks that a run holds exactly its four documents, in canonical bytes and strict form, that they " +
    "are bound to each other by their digests, and that everything in run_summary.json that can be " +
    "recomputed is true. It takes no key and no network.",
    "With --root, every input and product is read again: what changed, vanished, became something else, " +
    "or is new in a directory that was an input. RUN is a run directory or a directory of runs.",
    "Evidence is not signed: whoever can rewrite a whole run can make one that verifies.",
  ],
  flags: [
    { ...ROOT_FLAG, summary: "Read the inputs and products below DIR again" },
    FORMAT_FLAG,
    JOBS_FLAG,
    NO_PROGRESS_FLAG,
  ],
  permissions: "--allow-read=RUN, and --allow-read=DIR with --root DIR.",
  examples: [
    ["kprov verify runs", "Re-check the documents of every run in runs"],
    ["kprov verify runs/2026-02-15T20-13-00Z --root .", "Re-check one run and its files"],
  ],
  exitCodes: [
    [0, "every run verifies"],
    [1, "there are findings, or this Deno is outside the range in force"],
    EXITS.usage,
    [65, "there is no such run, or no such root"],
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
  const given = flags.value("root");
  const effort = readEffort(flags, host);
  const reading = given === null ? null : { root: await openRoot(given), effort };
  const runs = await verifyPaths(flags.positionals.flatMap(findRuns), reading, effort.progress);
  if (format === "json") streamLogSafeJson(describeVerified(runs), host.writeStdout);
  else streamLines(listVerifyLines(runs, host), host.writeStdout);
  return runs.every(({ findings }) => findings.length === 0) ? 0 : 1;
}

/** Files are looked at only by a Deno that the root's policy, or the built-in range, admits. */
async function openRoot(given: string): Promise<Root> {
  const root = resolveRoot(given);
  checkRuntime(await gatherPolicy(root));
  return root;
}

async function verifyPaths(
  paths: readonly string[],
  reading: Reading | null,
  progress: Progress | null,
): Promise<VerifiedRun[]> {
  using meter = new DocumentMeter(progress, measureRuns(paths));
  const runs: VerifiedRun[] = [];
  for (const path of paths) runs.push(await verifyPath(path, reading, meter));
  return runs;
}

async function verifyPath(
  path: string,
  reading: Reading | null,
  meter: DocumentMeter,
): Promise<VerifiedRun> {
  const gathered = gatherRun(path, meter);
  const { run, findings } = readRun(gathered);
  const all: Finding[] = [...gathered.faults, ...findings];
  // What a run that does not verify says of files is not looked at: its names may lead anywhere.
  if (run === null || all.length > 0) {
    return { path, findings: sortFindings(all), outcome: null, review: null };
  }
  const { outcome } = run.documents["run_summary.json"];
  const review = run.documents["human_review.json"].status;
  const changes = reading === null ? [] : checkFiles(run, await observeFiles(run, reading));
  return { path, findings: changes, outcome, review };
}
