import { KprovError } from "../base/error.ts";
import { dirname } from "../base/std.ts";
import { type Change, diffRuns, nameUpstreamRuns } from "../evidence/diff.ts";
import type { Host } from "../io/host.ts";
import { isPermitted } from "../io/permissions.ts";
import { findRun, listRuns, openLineage, openRun } from "../io/run_files.ts";
import { describeDiff, listDiffLines } from "../show/results.ts";
import { streamLines, streamLogSafeJson } from "../show/text.ts";
import { type Command, EXITS, type ParsedFlags } from "./command.ts";
import { FORMAT_FLAG, NO_PROGRESS_FLAG, readFormat, readRunsHome } from "./flags.ts";

/** `kprov diff`. */
export const DIFF: Command = {
  usage: ["kprov diff RUN_A RUN_B [--format text|json] [--quiet]"],
  description: [
    "Lists how two runs differ, grouped by cause: inputs, products, how the command ended, " +
    "parameters (the command itself included), runtimes of the command and their packages, " +
    "toolchain (kprov's own, and the tools), policy. Where the evidence digests are equal, " +
    "nothing differs.",
    "Where an input differs because another run made it differently, that run is named. kprov looks " +
    "for it beside the two runs.",
  ],
  flags: [FORMAT_FLAG, NO_PROGRESS_FLAG],
  permissions:
    "--allow-read=RUN_A,RUN_B, and of the directories that they are in for what made an input.",
  examples: [
    [
      "kprov diff runs/2026-02-15T20-13-00Z runs/2026-02-16T20-13-00Z",
      "Compare yesterday with today",
    ],
  ],
  exitCodes: [
    [0, "the evidence is identical"],
    [1, "the runs differ"],
    EXITS.usage,
    [65, "a run is missing or does not verify"],
    EXITS.reading,
    EXITS.permission,
    EXITS.policy,
  ],
  execute: diff,
};

async function diff(flags: ParsedFlags, host: Host): Promise<number> {
  const [before, after, ...more] = flags.positionals;
  if (before === undefined || after === undefined || more.length > 0 || flags.rest !== null) {
    throw new KprovError("usage", "Cannot compare: expected two runs", {
      hint: "kprov diff RUN_A RUN_B",
    });
  }
  const format = readFormat(flags.value("format"));
  const home = await readRunsHome([before, after]);
  const paths = { before: findRun(before, home), after: findRun(after, home) };
  const runs = { before: openRun(paths.before), after: openRun(paths.after) };
  const changes = findUpstream(diffRuns(runs.before, runs.after), paths);
  const digest = runs.before.digests["provenance.json"];
  if (format === "json") streamLogSafeJson(describeDiff(changes), host.writeStdout);
  else streamLines(listDiffLines(changes, digest, host), host.writeStdout);
  return changes.length === 0 ? 0 : 1;
}

/** The runs beside the two tell who made their inputs, as far as Deno lets them be read. */
function findUpstream(
  changes: readonly Change[],
  paths: { readonly before: string; readonly after: string },
): readonly Change[] {
  if (!changes.some(({ kind }) => kind === "input")) return changes;
  const directories = [...new Set([dirname(paths.before), dirname(paths.after)])];
  const beside = directories.filter((path) => isPermitted("read", path)).flatMap(listRuns);
  const all = [...new Set([paths.before, paths.after, ...beside])];
  const { lineage } = openLineage(all, { progress: null, takesBroken: false });
  return nameUpstreamRuns(changes, lineage, paths);
}
