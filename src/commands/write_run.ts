import { makeDocuments } from "../evidence/documents.ts";
import type { Circumstances, RunFacts } from "../evidence/run_facts.ts";
import type { Finding } from "../finding.ts";
import type { Host } from "../system/host.ts";
import { gatherPermissions, type UsedPermissions } from "../system/permissions.ts";
import { writeFileAtomically } from "../write/atomic_file.ts";
import { renderFindingLine } from "../write/finding_line.ts";
import { writeRunDirectory } from "../write/run_directory.ts";
import { renderRunJson, renderRunText, type RunResult } from "../write/run_result.ts";
import type { OutputRequest } from "./run_request.ts";
import type { RunSetting } from "./run_setting.ts";

/** What holds for a run, as far as its documents say it. */
export interface WriteSetting extends Pick<RunSetting, "runtime" | "source"> {
  /** The policy in force. */
  readonly policy: Circumstances["policy"];
}

/** A command that ran wild would else fill the terminal with a line for each of a million files. */
const MOST_FINDINGS = 20;

/**
 * Writes a run directory.
 *
 * @param request Where it goes
 * @param setting What holds for the run
 * @param facts What the evidence is made of
 * @param used What the run used its permissions for, beyond reading the root and writing the output
 * @throws {KprovError} `cannot_create`, `io`, or `data` where the run is larger than is supported
 */
export async function writeRun(
  request: OutputRequest,
  setting: WriteSetting,
  facts: RunFacts,
  used: Partial<UsedPermissions> = {},
): Promise<RunResult> {
  const { policy } = setting;
  const circumstances = {
    created_at: request.createdAt,
    runtime_policy: setting.runtime,
    policy: policy === null ? null : { path: policy.path, sha256: policy.sha256 },
    source: setting.source,
    permissions: gatherPermissions({ read: request.root, write: request.out, ...used }),
  };
  let evidenceDigest = "";
  const target = { ...request, progress: request.effort.progress };
  const written = await writeRunDirectory(target, function* (runId) {
    evidenceDigest = yield* makeDocuments({ facts, circumstances, runId });
  });
  const exitCode = facts.command?.exitCode ?? 0;
  return {
    runId: written.runId,
    runDirectory: written.path,
    evidenceDigest,
    outcome: exitCode === 0 ? "completed" : "command_failed",
    exitCode,
    materials: facts.materials,
    products: facts.command?.products ?? null,
    shard: facts.shard ?? null,
    findings: [],
  };
}

/**
 * Tells the result of a command that wrote a run, on standard output or in the file of `--result`.
 *
 * @param request How
 * @param result The result
 * @param host The process
 * @param text Where text goes that is no document; around a command, standard output is the command's
 */
export async function reportRun(
  request: OutputRequest,
  result: RunResult,
  host: Host,
  text: "stdout" | "stderr" = "stdout",
): Promise<void> {
  if (request.result !== null) await writeFileAtomically(request.result, renderRunJson(result));
  else if (request.format === "json") host.writeStdout(renderRunJson(result));
  else if (request.isQuiet) return;
  else if (text === "stdout") host.writeStdout(renderRunText(result, host));
  else host.writeStderr(renderRunText(result, { isColored: host.isMessageColored }));
}

/**
 * Tells findings and notes on standard error, a line each.
 *
 * @param findings The findings
 * @param host The process
 */
export function reportFindings(findings: readonly Finding[], host: Host): void {
  const lines = findings.slice(0, MOST_FINDINGS).map((finding) =>
    `${finding.level === "note" ? "note" : "finding"}: ${renderFindingLine(finding)}\n`
  );
  const more = findings.length - lines.length;
  host.writeStderr([...lines, ...(more > 0 ? [`finding: and ${more} more\n`] : [])].join(""));
}
