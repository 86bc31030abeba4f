import type { Source } from "../evidence/run_summary.ts";
import { gatherSource } from "../gather/git_metadata.ts";
import { findOutputName, resolveRoot, type Root } from "../gather/input_path.ts";
import { gatherPolicy, type PolicyFile } from "../gather/policy_file.ts";
import { requirePermission } from "../system/permissions.ts";
import type { Effort } from "../system/progress.ts";
import { probeFile } from "../write/atomic_file.ts";
import { probeOutput } from "../write/run_directory.ts";
import { checkRuntime } from "./check_runtime.ts";
import type { OutputRequest } from "./run_request.ts";

/** What holds for a run before anything is read for it. */
export interface RunSetting {
  /** What names are relative to. */
  readonly root: Root;
  /** The policy in force. */
  readonly policy: PolicyFile | null;
  /** The range in force. */
  readonly runtime: { readonly range: string; readonly satisfied: boolean };
  /** The names below the root of what kprov itself writes. */
  readonly ownNames: readonly string[];
  /** Where the inputs come from. */
  readonly source: Source | null;
  /** How much of the machine reading may take. */
  readonly effort: Effort;
}

/**
 * Looks at everything that can refuse a run before its inputs are read.
 *
 * @param request Where the run goes
 * @param ownFiles What else kprov writes, so that it is no input
 * @throws {KprovError} `permission`, `policy`, `runtime` or `data`
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
 * Does the same for what goes into a run that is written another time.
 *
 * @param request Where that run goes
 * @param ownFiles What else kprov writes, so that it is no input
 * @throws {KprovError} as {@linkcode openSetting} does
 */
export async function gatherSetting(
  request: OutputRequest,
  ownFiles: readonly string[],
): Promise<RunSetting> {
  const root = resolveRoot(request.root);
  const policy = await gatherPolicy(root);
  const runtime = checkRuntime(policy);
  requirePermission("read", request.out);
  const ownNames = [request.out, ...ownFiles]
    .map((path) => findOutputName(path, root))
    .filter((name) => name !== null);
  const source = gatherSource(root.path);
  return { root, policy, runtime, ownNames, source, effort: request.effort };
}

/**
 * Makes sure that a run and its result can be written, before a command is started.
 *
 * @param request Where they go
 * @param taken The signals that wait meanwhile, where they are not all
 * @throws {KprovError} `cannot_create` or `permission`
 */
export async function probeTargets(
  request: OutputRequest,
  taken?: readonly Deno.Signal[],
): Promise<void> {
  if (request.result !== null) await probeFile(request.result, taken);
  await probeOutput(request, taken);
}
