import { KprovError } from "../base/error.ts";
import { diffRuns } from "../evidence/diff.ts";
import type { Host } from "../io/host.ts";
import { describeDiff, listDiffLines } from "../show/results.ts";
import { streamLines, streamLogSafeJson } from "../show/text.ts";
import { type Command, EXITS, type ParsedFlags } from "./command.ts";
import { FORMAT_FLAG, readFormat } from "./flags.ts";
import { openRun } from "./open_run.ts";

/** `kprov diff`. */
export const DIFF: Command = {
  usage: ["kprov diff RUN_A RUN_B [--format text|json]"],
  description: [
    "Answers why one run is not the other, grouped by cause: inputs, products, how the command ended, " +
    "parameters (the command among them), runtimes of the command with their packages, toolchain (kprov's " +
    "own, and the tools), policy. Where the evidence digests are equal, nothing differs.",
  ],
  flags: [FORMAT_FLAG],
  permissions: "--allow-read=RUN_A,RUN_B.",
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
  ],
  execute: diff,
};

function diff(flags: ParsedFlags, host: Host): number {
  const [before, after, ...more] = flags.positionals;
  if (before === undefined || after === undefined || more.length > 0 || flags.rest !== null) {
    throw new KprovError("usage", "Cannot compare: expected two runs", {
      hint: "kprov diff RUN_A RUN_B",
    });
  }
  const format = readFormat(flags.value("format"));
  const runs = { before: openRun(before), after: openRun(after) };
  const changes = diffRuns(runs.before, runs.after);
  const digest = runs.before.digests["provenance.json"];
  if (format === "json") streamLogSafeJson(describeDiff(changes), host.writeStdout);
  else streamLines(listDiffLines(changes, digest, host), host.writeStdout);
  return changes.length === 0 ? 0 : 1;
}
