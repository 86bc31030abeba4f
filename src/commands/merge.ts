import { KprovError } from "../base/error.ts";
import { DocumentMeter, type Progress } from "../base/progress.ts";
import { mergeRuns, readShardRun, type ShardRun } from "../evidence/merge.ts";
import type { Host } from "../io/host.ts";
import { requirePermission } from "../io/permissions.ts";
import { findRuns, measureRuns, openRun } from "../io/run_files.ts";
import { type Command, EXITS, type ParsedFlags } from "./command.ts";
import {
  AT_FLAG,
  FORMAT_FLAG,
  OUT_FLAG,
  QUIET_FLAG,
  readOutputRequest,
  readProjectDefaults,
  readRunsHome,
  RESULT_FLAG,
} from "./flags.ts";
import { checkDeno, probeTargets, reportRun, writeRun } from "./write_run.ts";

/** `kprov merge`. */
export const MERGE: Command = {
  usage: [
    "kprov merge SHARD_RUN... [--out DIR] [--at TIME] [--format text|json] [--quiet] [--result FILE]",
  ],
  description: [
    "Joins the N runs of kprov run --shard I/N. provenance.json, toolchain.json and human_review.json of " +
    "the result are, to the byte, those of a single run over the same inputs, in whatever order the shards " +
    "are given. SHARD_RUN is a run directory or a directory of runs, in which every run must be one of the " +
    "shards.",
    "Every shard must verify and be there once. Shards of other inputs, exclusions, toolchains, policies or " +
    "commits, or of another version of kprov, are refused. No file is read but the documents of the shards.",
    "The result is a run like any other, and waits for its own review: decisions about shards are not carried " +
    "over.",
  ],
  flags: [OUT_FLAG, AT_FLAG, FORMAT_FLAG, QUIET_FLAG, RESULT_FLAG],
  permissions:
    "--allow-read=SHARD_RUN,OUT --allow-write=OUT; --result FILE takes read and write access to " +
    "the directory of FILE. SOURCE_DATE_EPOCH is read where --allow-env grants it.",
  examples: [
    ["kprov merge runs --out merged", "Join the shards in runs"],
    [
      "kprov merge machine-1/runs machine-2/runs --out merged",
      "Join those that two machines recorded",
    ],
  ],
  exitCodes: [
    [0, "the run directory stands"],
    [1, "this Deno is outside the range of the shards"],
    EXITS.usage,
    [
      65,
      "a shard is missing, is there twice, does not verify or is not of the same run as the others",
    ],
    EXITS.output,
    EXITS.writing,
    EXITS.permission,
    EXITS.policy,
  ],
  execute: merge,
};

async function merge(flags: ParsedFlags, host: Host): Promise<number> {
  if (flags.positionals.length === 0 || flags.rest !== null) {
    throw new KprovError("usage", "Cannot merge: no shard is given", {
      hint: "kprov merge SHARD_RUN... joins the runs of kprov run --shard I/N",
    });
  }
  const home = await readRunsHome(flags.positionals);
  const request = readOutputRequest(flags, host, await readProjectDefaults(null));
  requirePermission("write", request.out);
  requirePermission("read", request.out);
  await probeTargets(request);
  const paths = flags.positionals.flatMap((word) => findRuns(word, home));
  const { facts, circumstances } = mergeRuns(readShards(paths, request.effort.progress));
  for (const { runtime, range } of circumstances.runtime_policy) {
    if (runtime === "deno") checkDeno(range, "the range of the shards");
  }
  const setting = { ...circumstances, runtimePolicy: circumstances.runtime_policy };
  const used = { read: paths[0] ?? request.out };
  await reportRun(request, await writeRun(request, setting, facts, { host, used }), host);
  return 0;
}

function readShards(paths: readonly string[], progress: Progress | null): ShardRun[] {
  using meter = new DocumentMeter(progress, measureRuns(paths));
  return paths.map((path) => readShardRun(path, openRun(path, meter)));
}
