import { KprovError } from "../base/error.ts";
import { escapeText, quote, shellQuote } from "../base/quote.ts";
import type { Host } from "../io/host.ts";
import { describeSystemError } from "../io/os_error.ts";
import { resolveRoot, type Root } from "../io/paths.ts";
import { refuseRun, requireRun } from "../io/permissions.ts";
import { type PolicyFile, requirePolicy } from "../io/policy_file.ts";
import { Interruption, SignalWatch } from "../io/signals.ts";
import { renderGuardText } from "../show/guard_formats.ts";
import { type PreflightRow, renderPreflight } from "../show/results.ts";
import type { Command, ParsedFlags } from "./command.ts";
import { chooseGuards, chooseIndex, renderFindings, runGuards } from "./guard.ts";

/** `kprov preflight`. */
export const PREFLIGHT: Command = {
  name: "preflight",
  summary: "Run every guard, then the policy's steps, as CI does",
  usage: ["kprov preflight [--root DIR] [--fail-fast]"],
  description: [
    "Runs every guard that the policy configures and then the commands of its preflight section, in " +
    "order, in the root, with their output passed through. In the end a table shows each with its " +
    "verdict and wall time. A step that is named deno runs the Deno that runs kprov. SIGINT, SIGTERM and " +
    "SIGHUP are passed on to the step that runs, and then end kprov.",
  ],
  flags: [
    { name: "root", value: "DIR", summary: "The repository (default: the working directory)" },
    { name: "fail-fast", summary: "Stop at the first that fails" },
  ],
  permissions: "--allow-read=DIR, and --allow-run=PROGRAM for the programs of the steps.",
  examples: [
    ["kprov preflight", "Check everything before a push"],
    ["kprov preflight --fail-fast", "Stop at the first failure"],
  ],
  exitCodes: [
    [0, "everything passed"],
    [1, "a guard or a step failed"],
    [64, "the command line is wrong"],
    [65, "the root or a tracked file is missing"],
    [74, "reading failed"],
    [77, "a permission of Deno is missing; the message names its flag"],
    [78, "the policy is missing or cannot be used, or configures neither guard nor step"],
  ],
  execute: preflight,
};

async function preflight(flags: ParsedFlags, host: Host): Promise<number> {
  if (flags.positionals.length > 0 || flags.rest !== null) {
    throw new KprovError("usage", "Cannot use arguments: kprov preflight takes none");
  }
  const root = resolveRoot(flags.value("root") ?? ".");
  const policyFile = await requirePolicy(root);
  const { policy } = policyFile;
  const steps = policy.preflight?.steps ?? [];
  // Before anything runs, so that nothing stops in the middle for a reason known at the start.
  for (const [program] of steps) requireRun(program ?? "", program ?? "");

  const isFailFast = flags.has("fail-fast");
  const rows = await guardRows(root, policyFile, host);
  for (const step of steps) {
    if (isFailFast && rows.some(({ ok }) => !ok)) break;
    rows.push(await runStep(step, root, host));
  }
  host.writeStdout(renderPreflight(rows, host));
  return rows.every(({ ok }) => ok) ? 0 : 1;
}

async function guardRows(
  root: Root,
  { policy, path }: PolicyFile,
  host: Host,
): Promise<PreflightRow[]> {
  const start = performance.now();
  const guards = await chooseGuards([], policy);
  const index = chooseIndex({ value: () => null }, host);
  const request = { root, policy, guards, tracked: null, index, baseLock: null };
  const results = await runGuards(request, path, host);
  host.writeStdout(renderFindings((all) => renderGuardText(all, host), results));
  const seconds = (performance.now() - start) / 1000;
  // The guards share one reading of the repository, so its time is shown once.
  return results.map(({ guard, ok }, i) => ({
    name: `guard ${guard}`,
    ok,
    seconds: i === 0 ? seconds : null,
  }));
}

async function runStep(step: readonly string[], root: Root, host: Host): Promise<PreflightRow> {
  const [program = "", ...args] = step;
  const name = step.map(shellQuote).join(" ");
  host.writeStdout(`\n$ ${escapeText(name)}\n`);
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
