import { KprovError } from "../base/error.ts";
import { escapeText, quote, shellQuote } from "../base/quote.ts";
import type { Guard } from "../guards/guard.ts";
import { type Host, Interruption, SignalWatch } from "../io/host.ts";
import type { Root } from "../io/paths.ts";
import { describeSystemError, refuseRun, requireRun } from "../io/permissions.ts";
import { type PolicyFile, requirePolicy } from "../io/policy_file.ts";
import { askVersions, type RuntimeVersion } from "../io/runtimes/runtimes.ts";
import { renderGuardText } from "../show/guard_formats.ts";
import { type PreflightRow, renderPreflight } from "../show/results.ts";
import { type Command, EXITS, type ParsedFlags } from "./command.ts";
import { openRepositoryRoot, REPOSITORY_FLAG } from "./flags.ts";
import { chooseIndex, listConfigured, renderFindings, runGuards } from "./guard.ts";
import { checkRuntimes } from "./toolchain.ts";

/** `kprov preflight`. */
export const PREFLIGHT: Command = {
  usage: ["kprov preflight [--root DIR] [--fail-fast]"],
  description: [
    "Runs every guard that the policy configures, and then the commands of its preflight section, in " +
    "order, in the root. The output of a command is passed through, below the version of the runtime " +
    "that it starts. Where the policy does not allow that version, nothing is run. A table at the end " +
    "shows each with its verdict and wall time. A step that is named deno runs the Deno that runs " +
    "kprov. SIGINT, SIGTERM and SIGHUP are passed on to the running step and then end kprov.",
  ],
  flags: [
    REPOSITORY_FLAG,
    { name: "fail-fast", summary: "Stop at the first that fails" },
  ],
  permissions: "--allow-read=DIR, and --allow-run=PROGRAM for the programs of the steps.",
  examples: [
    ["kprov preflight", "Check everything before a push"],
    ["kprov preflight --fail-fast", "Stop at the first failure"],
  ],
  exitCodes: [
    [0, "everything passed"],
    [1, "a guard or a step failed, or a step starts a runtime outside the policy's range"],
    EXITS.usage,
    EXITS.repository,
    EXITS.reading,
    EXITS.permission,
    [78, "the policy is missing or cannot be used, or configures neither guard nor step"],
  ],
  execute: preflight,
};

async function preflight(flags: ParsedFlags, host: Host): Promise<number> {
  if (flags.positionals.length > 0 || flags.rest !== null) {
    throw new KprovError("usage", "Cannot use arguments: kprov preflight takes none");
  }
  const root = openRepositoryRoot(flags, host);
  const policyFile = await requirePolicy(root);
  const { policy } = policyFile;
  const steps = policy.preflight?.steps ?? [];
  const guards = await listConfigured(policy);
  if (guards.length === 0 && steps.length === 0) {
    throw new KprovError(
      "policy",
      "Cannot run preflight: the policy configures neither guard nor step",
      { hint: "add a section for a guard, or /preflight/steps" },
    );
  }
  // Before anything runs, so that nothing stops in the middle for a reason known at the start.
  for (const [program] of steps) requireRun(program ?? "", program ?? "");
  const versions = await askSteps(steps, policyFile, root);

  const isFailFast = flags.has("fail-fast");
  const rows = guards.length === 0 ? [] : await guardRows({ root, policyFile, guards }, host);
  for (const step of steps) {
    if (isFailFast && rows.some(({ ok }) => !ok)) break;
    rows.push(await runStep(step, versions.get(step) ?? [], root, host));
  }
  host.writeStdout(renderPreflight(rows, host));
  return rows.every(({ ok }) => ok) ? 0 : 1;
}

/** Asks what the steps run on, and refuses what the policy does. */
async function askSteps(
  steps: readonly (readonly string[])[],
  policy: PolicyFile,
  root: Root,
): Promise<ReadonlyMap<readonly string[], readonly RuntimeVersion[]>> {
  const asked = new Map<readonly string[], readonly RuntimeVersion[]>();
  const own = new Map<readonly string[], readonly RuntimeVersion[]>();
  for (const step of steps) {
    const [program = "", ...args] = step;
    if (findProgram(program) === program) {
      asked.set(step, await askVersions([program, ...args], root));
    } else {
      const version = Deno.version.deno;
      own.set(step, [{ name: "deno", version, program, fault: null }]);
    }
  }
  // The Deno that runs kprov is what the runtime guard looks at.
  checkRuntimes(policy, [...asked.values()].flat());
  return new Map([...asked, ...own]);
}

/** Which guards run, over which repository. */
interface GuardSetting {
  readonly root: Root;
  readonly policyFile: PolicyFile;
  readonly guards: readonly Guard[];
}

async function guardRows(
  { root, policyFile, guards }: GuardSetting,
  host: Host,
): Promise<PreflightRow[]> {
  const start = performance.now();
  const { policy, path } = policyFile;
  const index = chooseIndex({ value: () => null }, host);
  const request = { root, policy, guards, tracked: null, index, baseLock: null };
  const { results, files } = await runGuards(request, path, host);
  const options = { isColored: host.isColored, files };
  host.writeStdout(renderFindings((all) => renderGuardText(all, options), results));
  const seconds = (performance.now() - start) / 1000;
  // The guards share one reading of the repository, so its time is shown once.
  return results.map(({ guard, ok }, i) => ({
    name: `guard ${guard}`,
    ok,
    seconds: i === 0 ? seconds : null,
  }));
}

async function runStep(
  step: readonly string[],
  versions: readonly RuntimeVersion[],
  root: Root,
  host: Host,
): Promise<PreflightRow> {
  const [program = "", ...args] = step;
  const name = step.map(shellQuote).join(" ");
  host.writeStdout(`\n$ ${escapeText(name)}\n`);
  const known = versions.map(({ name, version }) =>
    `${name} ${version ?? "of an unknown version"}`
  );
  if (known.length > 0) host.writeStdout(`on ${escapeText(known.join(", "))}\n`);
  const start = performance.now();
  const ok = await succeeds(findProgram(program), args, root);
  return { name, ok, seconds: (performance.now() - start) / 1000 };
}

/** The steps of one preflight all run on the version of Deno that is being checked. */
function findProgram(program: string): string {
  return program === "deno" && !Deno.build.standalone ? Deno.execPath() : program;
}

async function succeeds(program: string, args: readonly string[], root: Root): Promise<boolean> {
  const child = startStep(program, args, root);
  using signals = new SignalWatch();
  const { success } = await signals.superviseCommand(child);
  await signals.settle();
  // What ended this step is to end the others too.
  if (signals.received !== null) throw new Interruption(signals.received);
  return success;
}

function startStep(program: string, args: readonly string[], root: Root): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args: [...args],
      cwd: root.path,
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw refuseRun(program, error);
    throw new KprovError(
      "policy",
      `Cannot start step ${quote(program)}: ${describeSystemError(error)}`,
      { cause: error },
    );
  }
}
