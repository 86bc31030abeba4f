import lockfile from "../../deno.lock" with { type: "text" };
import { type Finding, KprovError, makeFinding, sortFindings } from "../base/error.ts";
import type { Effort } from "../base/progress.ts";
import { quote } from "../base/quote.ts";
import { join, KPROV_VERSION } from "../base/std.ts";
import { nameOutcome } from "../evidence/command.ts";
import { makeDocuments } from "../evidence/documents.ts";
import {
  type Circumstances,
  formatRunId,
  type RunFacts,
  type RuntimeCheck,
  type Source,
} from "../evidence/run_summary.ts";
import { parseLockfile, type Runtime, type ToolchainFacts } from "../evidence/toolchain.ts";
import { probeFile, writeFileAtomically } from "../io/atomic_file.ts";
import type { Host } from "../io/host.ts";
import { type OwnPath, resolveOwnPath, resolveRoot, type Root } from "../io/paths.ts";
import {
  gatherPermissions,
  requireOutputPlace,
  requirePermission,
  type UsedPermissions,
} from "../io/permissions.ts";
import { checkRuntime, gatherPolicy, type PolicyFile } from "../io/policy_file.ts";
import { probeOutput, removeLeftovers, writeRunDirectory } from "../io/run_directory.ts";
import type { FoundRuntime } from "../io/runtimes/runtimes.ts";
import type { FoundTool } from "../io/tools.ts";
import { renderRunJson, renderRunText, type RunResult } from "../show/results.ts";
import { renderFindingLine } from "../show/text.ts";
import type { OutputRequest } from "./flags.ts";

/** What holds for a run, as far as its documents say it. */
interface WriteSetting extends Pick<RunSetting, "runtimePolicy"> {
  /** The policy that holds for the run. */
  readonly policy: Circumstances["policy"];
  /** Where the inputs come from. */
  readonly source: Source | null;
}

/** What else {@linkcode writeRun} takes. */
interface WriteExtras {
  /** The process, which is told what was in the run's way. */
  readonly host: Host;
  /** What was found while the run was made, for its result; null where nothing was looked at. */
  readonly findings?: readonly Finding[] | null;
  /** What watched the command, and whether it saw everything. */
  readonly observation?: Circumstances["observation"];
  /** What the run used its permissions for, beyond reading the root and writing the output. */
  readonly used?: Partial<UsedPermissions>;
}

/** A command that ran wild would else fill the terminal with a line for each of a million files. */
const MOST_FINDINGS = 20;

/**
 * Writes a run directory. Throws `cannot_create`, `io`, or `data` where the run is larger than the
 * limits.
 */
export async function writeRun(
  request: OutputRequest,
  setting: WriteSetting,
  facts: RunFacts,
  { host, findings = null, used = {}, observation = null }: WriteExtras,
): Promise<RunResult> {
  const { policy } = setting;
  const circumstances = {
    created_at: request.createdAt,
    runtime_policy: setting.runtimePolicy,
    policy: policy === null ? null : { path: policy.path, sha256: policy.sha256 },
    source: setting.source,
    permissions: gatherPermissions({ read: request.root, write: request.out, ...used }),
    observation,
  };
  const leftovers = removeLeftovers(request.out);
  let evidenceDigest = "";
  const target = { ...request, progress: request.effort.progress };
  const written = await writeRunDirectory(target, function* (runId) {
    evidenceDigest = yield* makeDocuments({ facts, circumstances, runId });
  });
  const notes = [...leftovers, ...noteName(request, written.runId)];
  reportNotes(notes, request, host);
  return {
    runId: written.runId,
    runDirectory: written.path,
    evidenceDigest,
    outcome: nameOutcome(facts.command ?? null),
    exitCode: facts.command === undefined ? 0 : facts.command.exitCode,
    signal: facts.command?.signal ?? null,
    stdin: facts.command?.stdin ?? null,
    materials: facts.materials,
    products: facts.command?.products ?? null,
    shard: facts.shard ?? null,
    findings: findings === null ? null : [...findings, ...notes],
  };
}

/** Who gives a time expects its name; by the clock, two runs of one second are nothing to tell. */
function noteName({ createdAt, isTimeGiven, out }: OutputRequest, runId: string): Finding[] {
  const first = formatRunId(createdAt, 1);
  if (!isTimeGiven || runId === first) return [];
  const message = `the run is ${quote(runId)}, because ${
    quote(join(out, first))
  } is of the same second`;
  return [makeFinding("run.same_second", message, { level: "note" })];
}

/**
 * Tells the result of a command that wrote a run, on standard output or in the file of `--result`.
 * Around a command, standard output is the command's, and text goes to standard error.
 */
export async function reportRun(
  request: OutputRequest,
  result: RunResult,
  host: Host,
  text: "stdout" | "stderr" = "stdout",
): Promise<void> {
  try {
    await tell(request, result, host, text);
  } catch (error) {
    if (!(error instanceof KprovError) || error.code !== "io") throw error;
    const { message, cause } = error;
    throw new KprovError("io", message, {
      hint: `the run ${quote(result.runDirectory)} is complete, and only its result is lost`,
      cause,
    });
  }
}

async function tell(
  request: OutputRequest,
  result: RunResult,
  host: Host,
  text: "stdout" | "stderr",
): Promise<void> {
  if (request.tell !== undefined) request.tell(result);
  else if (request.result !== null) {
    await writeFileAtomically(request.result, renderRunJson(result));
  } else if (request.format === "json") host.writeStdout(renderRunJson(result));
  else if (request.isQuiet) return;
  else if (text === "stdout") host.writeStdout(renderRunText(result, host));
  else host.writeStderr(renderRunText(result, { isColored: host.isMessageColored }));
}

/** Tells findings and notes on standard error, a line each. */
export function reportFindings(findings: readonly Finding[], host: Host): void {
  const shown = findings.slice(0, MOST_FINDINGS);
  const lines = shown.map((finding, i) => {
    const line = `${wordOf(finding)}: ${renderFindingLine(finding)}\n`;
    // Several in a row that share a hint have it once.
    const { hint } = finding;
    return hint === null || shown[i + 1]?.hint === hint ? line : `${line}hint: ${hint}\n`;
  });
  const [next] = findings.slice(MOST_FINDINGS);
  const more = findings.length - shown.length;
  const rest = next === undefined ? [] : [`${wordOf(next)}: and ${more} more\n`];
  host.writeStderr([...lines, ...rest].join(""));
}

function wordOf({ level }: Finding): string {
  return level === "note" ? "note" : "finding";
}

/** Tells notes on standard error, unless `--quiet` is given; the result holds them as well. */
export function reportNotes(
  notes: readonly Finding[],
  { isQuiet }: Pick<OutputRequest, "isQuiet">,
  host: Host,
): void {
  if (!isQuiet) reportFindings(sortFindings(notes), host);
}

/** What holds for a run before anything is read for it. */
export interface RunSetting {
  /** Where recorded paths start. */
  readonly root: Root;
  /** The policy that holds for the run. */
  readonly policy: PolicyFile | null;
  /** The ranges of versions that are allowed, and the versions found. */
  readonly runtimePolicy: readonly RuntimeCheck[];
  /** What kprov itself writes. */
  readonly own: readonly OwnPath[];
  /** How much of the machine reading may take. */
  readonly effort: Effort;
}

/**
 * Looks at everything that can refuse a run before its inputs are read. Throws `permission`,
 * `policy`, `runtime` or `data`.
 */
export async function openSetting(
  request: OutputRequest,
  ownFiles: readonly string[],
): Promise<RunSetting> {
  const setting = await gatherSetting(request, ownFiles);
  requirePermission("write", request.out);
  return setting;
}

/**
 * Does the same for what goes into a run that is written another time. Throws as `openSetting()`.
 */
export async function gatherSetting(
  request: OutputRequest,
  ownFiles: readonly string[],
): Promise<RunSetting> {
  const root = resolveRoot(request.root);
  const policy = await gatherPolicy(root);
  const runtimePolicy = [checkRuntime(policy)];
  requireOutputPlace(request.out);
  const own = [request.out, ...ownFiles].map((path) => resolveOwnPath(path, root));
  return { root, policy, runtimePolicy, own, effort: request.effort };
}

/**
 * Makes sure that a run and its result can be written, before a command is started. Throws
 * `cannot_create` or `permission`.
 */
export async function probeTargets(request: OutputRequest): Promise<void> {
  if (request.result !== null) await probeFile(request.result);
  await probeOutput(request);
}

/** What every run records of kprov itself and its runtime. */
export function gatherToolchainFacts(
  command:
    | { readonly tools: readonly FoundTool[]; readonly runtimes: readonly FoundRuntime[] }
    | null = null,
): ToolchainFacts {
  return {
    kprov: KPROV_VERSION,
    runtime: gatherRuntime(),
    lockfile: parseLockfile(SHIPPED_LOCKFILE),
    ...(command === null ? {} : {
      tools: command.tools.map(({ name, sha256 }) => ({ name, sha256 })),
      runtimes: command.runtimes.map(({ recorded }) => recorded),
    }),
  };
}

/** Reads which runtime this is. */
function gatherRuntime(): Runtime {
  const { deno, v8, typescript } = Deno.version;
  const { target, os, arch, standalone } = Deno.build;
  return { deno, v8, typescript, target, os, arch, standalone };
}

/** The text of the deno.lock that this kprov shipped with: a checkout's, JSR's or the binary's own. */
export const SHIPPED_LOCKFILE: string = lockfile;
