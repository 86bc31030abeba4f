import { compareUtf8 } from "../compare_utf8.ts";
import { describeVariableFault } from "../evidence/environment_name.ts";
import type { RecordedTool } from "../evidence/toolchain.ts";
import { type Finding, makeFinding, sortFindings } from "../finding.ts";
import { isPath } from "../gather/executable.ts";
import type { Root } from "../gather/input_path.ts";
import { gatherInputs } from "../gather/inputs.ts";
import { refuseLinkedProducts, resolveProducts } from "../gather/products.ts";
import { type FoundTool, gatherProgram, gatherTool, joinTools } from "../gather/tools.ts";
import { stampBeforeCommand } from "../gather/unchanged.ts";
import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import { resolve } from "../std.ts";
import { type EndedChild, runChild } from "../system/child_process.ts";
import type { Host } from "../system/host.ts";
import { requireEnv, requireRun } from "../system/permissions.ts";
import { SIGNALS_BEFORE_COMMAND } from "../system/signals.ts";
import type { RunResult } from "../write/run_result.ts";
import { decideExitCode, readAfterCommand } from "./after_command.ts";
import type { OutputRequest } from "./run_request.ts";
import { openSetting, probeTargets } from "./run_setting.ts";
import { gatherToolchainFacts } from "./toolchain.ts";
import { reportFindings, reportRun, writeRun } from "./write_run.ts";

/** The words of a command: the program and its arguments. */
export type Argv = readonly [program: string, ...args: string[]];

/** A run around a command. */
export interface WrappedRequest extends OutputRequest {
  /** The inputs, as given. */
  readonly inputs: readonly string[];
  /** The globs of `--exclude`, as given. */
  readonly exclude: readonly string[];
  /** The product paths, as given. */
  readonly products: readonly string[];
  /** The names of other programs that the command uses. */
  readonly tools: readonly string[];
  /** The names of environment variables to record as set. */
  readonly env: readonly string[];
  /** Whether what it prints is digested on its way. */
  readonly isCaptured: boolean;
  /** The command. */
  readonly argv: Argv;
}

/**
 * Runs a command and writes the evidence of it. What can fail without the command having run is
 * looked at before it is started.
 *
 * @param request The command, and what it is to be recorded with
 * @param host The process
 * @returns The command's exit code; 65 where that is 0 and a product is missing
 * @throws {KprovError} where the run is refused: before the command, or after it where an input or a
 * tool changed under it or a product cannot be recorded
 */
export async function runWrapped(request: WrappedRequest, host: Host): Promise<number> {
  const { argv } = request;
  const setting = await openSetting(request, request.result === null ? [] : [request.result]);
  const { root } = setting;
  const products = resolveProducts(request.products, root);
  refuseLinkedProducts(products, root);
  const env = checkVariables(request.env);
  requireProgram(argv[0], root);
  const program = gatherProgram(argv[0], root);
  const tools = joinTools([...program, ...request.tools.flatMap((name) => gatherTool(name, root))]);
  const inputs = await gatherInputs({ ...request, ...setting });
  await probeTargets(request, SIGNALS_BEFORE_COMMAND);
  const stamps = await stampBeforeCommand({ ...inputs, tools }, root);

  const child = await startCommand(argv, {
    program: program[0],
    root,
    isCaptured: request.isCaptured,
    host,
  });
  const after = await readAfterCommand({ ...inputs, tools, stamps, products }, setting, host);
  const result = await writeRun(request, setting, {
    inputs: inputs.inputs,
    materials: inputs.materials,
    exclude: after.exclude,
    toolchain: { ...gatherToolchainFacts(), tools: listTools(tools) },
    command: { ...after, argv, env, exitCode: child.exitCode, output: child.output },
  }, { run: toPermissionName(argv[0], root), ...(env[0] === undefined ? {} : { env: env[0] }) });
  const notes = child.openOutput.map(noteOpenOutput);
  if (!request.isQuiet) reportFindings(notes, host);
  const findings = sortFindings([...after.findings, ...notes]);
  await tellResult(request, { ...result, findings }, child, host);
  return decideExitCode(child.exitCode, after);
}

/** Something that the command started and left behind still has its output. */
function noteOpenOutput(name: string): Finding {
  return makeFinding(
    "output.open",
    `${name} was still open when the command had ended: its digest is of what came by then`,
    { level: "note", hint: "let the command wait for what it starts, or give that another output" },
  );
}

interface Start {
  readonly program: FoundTool;
  readonly root: Root;
  readonly isCaptured: boolean;
  readonly host: Host;
}

function startCommand(argv: Argv, { program, root, isCaptured, host }: Start): Promise<EndedChild> {
  return runChild({
    program: program.path,
    name: argv[0],
    args: argv.slice(1),
    directory: root.path,
    stdin: "inherit",
    output: isCaptured
      ? {
        stdout: (bytes) => host.passOn("stdout", bytes),
        stderr: (bytes) => host.passOn("stderr", bytes),
      }
      : "inherit",
  });
}

/** A result begins on a line of its own, whatever the command left there. */
async function tellResult(
  request: OutputRequest,
  result: RunResult,
  { isLineOpen }: EndedChild,
  host: Host,
): Promise<void> {
  if (request.result === null && request.format === "json") {
    if (isLineOpen.stdout) host.writeStdout("\n");
  } else if (request.result === null && !request.isQuiet) {
    // On a terminal both streams show on one line.
    const isOpen = isLineOpen.stderr || (isLineOpen.stdout && host.messageWidth() !== null);
    if (isOpen) host.writeStderr("\n");
  }
  await reportRun(request, result, host, "stderr");
}

/**
 * Demands the permission to start a command's program.
 *
 * @param given The first word of the command
 * @param root Where it runs
 * @throws {KprovError} `permission`
 */
export function requireProgram(given: string, root: Root): void {
  const name = toPermissionName(given, root);
  requireRun(name, isPath(given) && resolve(given) !== name ? name : given);
}

/** What Deno's run permission knows a program by: its name in PATH, or its path. */
function toPermissionName(given: string, root: Root): string {
  return isPath(given) ? resolve(root.path, given) : given;
}

/**
 * Makes sure that environment variables are set, under the permission for each.
 *
 * @param names Their names, as given
 * @returns Each name once
 * @throws {KprovError} `usage` on what is no name, `permission`, or `data` where one is not set
 */
export function checkVariables(names: readonly string[]): string[] {
  for (const name of names) {
    const fault = describeVariableFault(name);
    if (fault !== null) {
      throw new KprovError("usage", `Cannot use --env ${quote(name)}: it ${fault}`);
    }
    requireEnv(name, `Cannot record variable ${quote(name)}`);
    if (!Deno.env.has(name)) {
      throw new KprovError("data", `Cannot record variable ${quote(name)}: it is not set`);
    }
  }
  return [...new Set(names)];
}

function listTools(tools: readonly FoundTool[]): RecordedTool[] {
  return tools
    .map(({ name, sha256 }) => ({ name, sha256 }))
    .sort((a, b) => compareUtf8(a.name, b.name));
}
