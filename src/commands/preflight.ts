import { KprovError } from "../base/error.ts";
import { escapeText, quote, shellQuote } from "../base/quote.ts";
import type { Guard, GuardResult } from "../guards/guard.ts";
import { type EndedChild, runChild } from "../io/child.ts";
import { type Host, Interruption } from "../io/host.ts";
import type { Root } from "../io/paths.ts";
import { describeSystemError, requireRun } from "../io/permissions.ts";
import { type PolicyFile, requirePolicy } from "../io/policy_file.ts";
import { askVersions, type RuntimeVersion } from "../io/runtimes/runtimes.ts";
import { renderGuardText } from "../show/guard_formats.ts";
import {
  type EndedStep,
  type PreflightRow,
  renderPreflight,
  renderPreflightJson,
} from "../show/results.ts";
import { type Command, EXITS, type ParsedFlags } from "./command.ts";
import {
  FAILURES_FLAG,
  FORMAT_FLAG,
  openRepositoryRoot,
  readFormat,
  REPOSITORY_FLAG,
} from "./flags.ts";
import { chooseIndex, listConfigured, renderFindings, runGuards, secondsSince } from "./guard.ts";
import { checkRuntimes } from "./toolchain.ts";

/** `kprov preflight`. */
export const PREFLIGHT: Command = {
  usage: ["kprov preflight [--root DIR] [--fail-fast] [--format text|json] [--quiet]"],
  description: [
    "Runs every guard that the policy configures, and then the commands of its preflight " +
    "section, in order, in the root. The output of a command is passed through, after a line " +
    "with the version of the runtime that it starts. If the policy does not allow that version, " +
    "nothing is run. A table at the end shows each guard and step with its verdict and time, and" +
    " the time to read the repository. With --format json, the output of the steps goes to " +
    "standard error. A step named deno runs the Deno that runs kprov. SIGINT, SIGTERM and SIGHUP" +
    " are passed on to the running step and then end kprov.",
  ],
  flags: [
    REPOSITORY_FLAG,
    { name: "fail-fast", summary: "Stop at the first guard or step that fails" },
    FORMAT_FLAG,
    FAILURES_FLAG,
  ],
  permissions: "--allow-read=DIR, and --allow-run=PROGRAM for the programs of the steps.",
  examples: [
    ["kprov preflight", "Check everything before a push"],
    ["kprov preflight --fail-fast", "Stop at the first failure"],
  ],
  exitCodes: [
    [0, "everything passed"],
    [1, "a guard or a step failed, or a step uses a runtime outside of the policy's range"],
    EXITS.usage,
    EXITS.repository,
    EXITS.reading,
    EXITS.permission,
    [
      78,
      "the policy is missing or cannot be used, configures no guard and no step, or has a step that " +
      "cannot be started",
    ],
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
      "Cannot run preflight: the policy configures no guard and no step",
      { hint: "add a section for a guard, or /preflight/steps" },
    );
  }
  // Before anything runs, so that nothing stops in the middle for a reason known at the start.
  for (const [program] of steps) requireRun(program ?? "", program ?? "");
  const versions = await askSteps(steps, policyFile, root);

  const show: PreflightShow = {
    isJson: readFormat(flags.value("format")) === "json",
    isQuiet: flags.has("quiet"),
    host,
  };
  const checked = guards.length === 0
    ? { results: [], rows: [] }
    : await checkGuards({ root, policyFile, guards }, show);
  const isFailFast = flags.has("fail-fast");
  const hasFailed = (): boolean => [...checked.rows, ...done].some(({ ok }) => ok === false);
  const done: EndedStep[] = [];
  for (const step of steps) {
    if (isFailFast && hasFailed()) break;
    done.push(await runStep(step, versions.get(step) ?? [], root, show));
  }
  const ok = !hasFailed();
  if (show.isJson) host.writeStdout(renderPreflightJson(checked.results, done));
  else if (!show.isQuiet || !ok) {
    host.writeStdout(renderPreflight([...checked.rows, ...done], host));
  }
  return ok ? 0 : 1;
}

/** How it is told what is done, and to whom. */
interface PreflightShow {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly host: Host;
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

async function checkGuards(
  { root, policyFile, guards }: GuardSetting,
  { isJson, isQuiet, host }: PreflightShow,
): Promise<{ readonly results: readonly GuardResult[]; readonly rows: readonly PreflightRow[] }> {
  const { policy, path } = policyFile;
  const index = chooseIndex({ value: () => null }, host);
  const request = { root, policy, guards, tracked: null, index, baseLock: null };
  const { results, files, seconds } = await runGuards(request, path, host);
  const options = { isColored: host.isColored, files };
  const isShown = !isJson && !(isQuiet && results.every(({ ok }) => ok));
  if (isShown) host.writeStdout(renderFindings((all) => renderGuardText(all, options), results));
  const rows = results.map(({ guard, ok }, i) => ({
    name: `guard ${guard}`,
    ok,
    seconds: seconds.guards[i] ?? 0,
  }));
  const reading = { name: "reading the repository", ok: null, seconds: seconds.reading };
  return { results, rows: [reading, ...rows] };
}

async function runStep(
  step: readonly string[],
  versions: readonly RuntimeVersion[],
  root: Root,
  { isJson, isQuiet, host }: PreflightShow,
): Promise<EndedStep> {
  const [program = "", ...args] = step;
  const name = step.map(shellQuote).join(" ");
  const known = versions.map(({ name, version }) =>
    `${name} ${version ?? "of an unknown version"}`
  );
  if (!isJson && !isQuiet) {
    host.writeStdout(`\n$ ${escapeText(name)}\n`);
    if (known.length > 0) host.writeStdout(`on ${escapeText(known.join(", "))}\n`);
  }
  const start = performance.now();
  // Standard output is for the one document.
  const pass = (bytes: Uint8Array): Promise<void> => host.passOn("stderr", bytes);
  const ended = await startStep({
    program: findProgram(program),
    name: program,
    args,
    directory: root.path,
    stdin: "null",
    output: isJson ? { stdout: pass, stderr: pass } : "inherit",
  });
  // What ended this step is to end the others too.
  if (ended.received !== null) throw new Interruption(ended.received);
  const { exitCode } = ended;
  return { name, command: step, ok: exitCode === 0, exitCode, seconds: secondsSince(start) };
}

/** The steps of one preflight all run on the version of Deno that is being checked. */
function findProgram(program: string): string {
  return program === "deno" && !Deno.build.standalone ? Deno.execPath() : program;
}

async function startStep(request: Parameters<typeof runChild>[0]): Promise<EndedChild> {
  try {
    return await runChild(request);
  } catch (error) {
    if (!(error instanceof KprovError) || error.code !== "cannot_start") throw error;
    const isUnknown = error.cause instanceof Deno.errors.NotFound && !request.name.includes("/");
    const reason = isUnknown ? "it is not in PATH" : describeSystemError(error.cause);
    throw new KprovError("policy", `Cannot start step ${quote(request.name)}: ${reason}`, {
      cause: error,
    });
  }
}
