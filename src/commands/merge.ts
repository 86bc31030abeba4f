import { KprovError } from "../base/error.ts";
import { DocumentMeter, type Progress } from "../base/progress.ts";
import { isShardRun, mergeRuns, readShardRun, type ShardRun } from "../evidence/merge.ts";
import type { Host } from "../io/host.ts";
import { requirePermission } from "../io/permissions.ts";
import { checkDeno } from "../io/policy_file.ts";
import { type FoundRuns, locateRuns, measureRuns, openRun } from "../io/run_files.ts";
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
import { probeTargets, reportRun, writeRun } from "./write_run.ts";

/** `kprov merge`. */
export const MERGE: Command = {
  usage: [
    "kprov merge SHARD_RUN... [--out DIR] [--at TIME] [--format text|json] [--quiet] [--result FILE]",
  ],
  description: [
    "Joins the N runs of kprov run --shard I/N. provenance.json, toolchain.json and " +
    "human_review.json of the result are the same, to the byte, as those of a single run over " +
    "the same inputs, in any order of the shards. SHARD_RUN is a run directory or a directory of" +
    " runs; other runs there, such as the steps of a pipeline, are left out.",
    "Every shard must verify and be there once. Shards with other inputs, exclusions, " +
    "toolchains, policies or commits, or of another version of kprov, are refused. Only the " +
    "documents of the shards are read, not the inputs.",
    "The result is a run like any other and needs its own review: decisions about shards do not " +
    "count for it.",
  ],
  flags: [OUT_FLAG, AT_FLAG, FORMAT_FLAG, QUIET_FLAG, RESULT_FLAG],
  permissions:
    "--allow-read=SHARD_RUN,OUT --allow-write=OUT; --result FILE takes read and write access to " +
    "the directory of FILE. SOURCE_DATE_EPOCH is read where --allow-env grants it.",
  examples: [
    ["kprov merge runs --out merged", "Join the shards in runs"],
    [
      "kprov merge machine-1/runs machine-2/runs --out merged",
      "Join the shards that two machines recorded",
    ],
  ],
  exitCodes: [
    [0, "the run was written"],
    [1, "this Deno version is outside the range of the shards"],
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
  const found = flags.positionals.map((word) => locateRuns(word, home));
  const shards = readShards(found, request.effort.progress);
  const { facts, circumstances } = mergeRuns(shards);
  for (const { runtime, range } of circumstances.runtime_policy) {
    if (runtime === "deno") checkDeno(range, "the range of the shards");
  }
  const setting = { ...circumstances, runtimePolicy: circumstances.runtime_policy };
  const used = { read: shards[0]?.path ?? request.out };
  await reportRun(request, await writeRun(request, setting, facts, { host, used }), host);
  return 0;
}

/** In a directory of runs, those of other steps are left out; a run that is named must be a shard. */
function readShards(found: readonly FoundRuns[], progress: Progress | null): ShardRun[] {
  const paths = found.flatMap(({ paths }) => paths);
  using meter = new DocumentMeter(progress, measureRuns(paths));
  return found.flatMap(({ paths, isDirectory }) =>
    paths.flatMap((path) => {
      const run = openRun(path, meter);
      return isDirectory && !isShardRun(run) ? [] : [readShardRun(path, run)];
    })
  );
}
