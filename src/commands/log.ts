import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { basename } from "../base/std.ts";
import { describeRun, type RunFileLists, type RunRecord } from "../evidence/lineage_records.ts";
import { compareRunIds } from "../evidence/run_summary.ts";
import type { Host } from "../io/host.ts";
import { findRuns, readRuns } from "../io/run_files.ts";
import { describeLog, listLogLines } from "../show/trace.ts";
import { streamLines, streamLogSafeJson } from "../show/text.ts";
import { type Command, EXITS, type ParsedFlags } from "./command.ts";
import {
  FORMAT_FLAG,
  isAtOrBelow,
  nameGiven,
  NO_PROGRESS_FLAG,
  readChoice,
  readEffort,
  readFormat,
  readRunsHome,
} from "./flags.ts";

const OUTCOMES = ["completed", "command_failed", "not_observed"] as const;

/** `kprov log`. */
export const LOG: Command = {
  usage: [
    "kprov log [RUNS]... [--limit N] [--product PATH] [--input PATH] [--reviewer NAME] [--outcome OUTCOME] " +
    "[--format text|json] [--quiet]",
  ],
  description: [
    "One line for each run: its id, how its command ended, its review, how many files went in " +
    "and came out, the runtimes, and the command. RUNS is a directory of runs, or one run " +
    "(default: the policy's /run/out, or runs). A run that does not verify is marked, and its " +
    "outcome is not shown.",
  ],
  flags: [
    { name: "limit", value: "N", summary: "List at most N runs" },
    { name: "product", value: "PATH", summary: "Only runs that made PATH, or a file below it" },
    { name: "input", value: "PATH", summary: "Only runs with the input PATH, or a file below it" },
    { name: "reviewer", value: "NAME", summary: "Only runs that NAME decided about" },
    {
      name: "outcome",
      value: "OUTCOME",
      choices: OUTCOMES,
      summary: "Only runs with this outcome: completed, command_failed or not_observed",
    },
    FORMAT_FLAG,
    NO_PROGRESS_FLAG,
  ],
  permissions: "--allow-read=RUNS.",
  examples: [
    ["kprov log", "List the runs in runs"],
    ["kprov log --product model.bin --limit 1", "Find the run that made a file last"],
  ],
  exitCodes: [
    [0, "the runs are listed, also where some do not verify"],
    EXITS.usage,
    [65, "there is no run"],
    EXITS.reading,
    EXITS.permission,
    EXITS.policy,
  ],
  execute: log,
};

async function log(flags: ParsedFlags, host: Host): Promise<number> {
  if (flags.rest !== null) {
    throw new KprovError("usage", "Cannot list runs: kprov log runs no command");
  }
  const format = readFormat(flags.value("format"));
  const limit = readLimit(flags.value("limit"));
  const isWanted = readFilter(flags);
  const { progress } = readEffort(flags, host);
  const home = await readRunsHome(flags.positionals);
  const records: RunRecord[] = [];
  // Where only some are wanted, those that are older are not read.
  for (
    const found of limit === 0 ? [] : readRuns(listNewestFirst(flags.positionals, home), progress)
  ) {
    const { record, files } = describeRun(found.path, found);
    if (isWanted(record, files) && records.push(record) === limit) break;
  }
  if (format === "json") streamLogSafeJson(describeLog(records), host.writeStdout);
  else streamLines(listLogLines(records, host), host.writeStdout);
  return 0;
}

/** A run that verifies has the name of its directory for an id. */
function listNewestFirst(given: readonly string[], home: string): string[] {
  const words = given.length === 0 ? [home] : given;
  const paths = words.flatMap((word) => findRuns(word, home));
  return [...new Set(paths)].sort((a, b) => compareRunIds(basename(b), basename(a)));
}

function readLimit(text: string | null): number {
  if (text === null) return Infinity;
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  throw new KprovError(
    "usage",
    `Cannot use --limit ${quote(text)}: expected a whole number of at most 9 digits`,
  );
}

type Filter = (record: RunRecord, files: RunFileLists) => boolean;

function readFilter(flags: ParsedFlags): Filter {
  const [product, input] = [readName(flags.value("product")), readName(flags.value("input"))];
  const reviewer = flags.value("reviewer");
  const given = flags.value("outcome");
  const outcome = given === null ? null : readChoice("outcome", given, OUTCOMES);
  return (record, files) =>
    (product === null || files.products.some(({ name }) => isAtOrBelow(name, product))) &&
    (input === null || files.inputs.some(({ name }) => isAtOrBelow(name, input))) &&
    (reviewer === null || record.reviewers.includes(reviewer)) &&
    (outcome === null || record.outcome === outcome);
}

function readName(given: string | null): string | null {
  return given === null ? null : nameGiven(given);
}
