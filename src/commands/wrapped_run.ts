import { EXIT_CODE_OF_ERROR, KprovError } from "../base/error.ts";
import { type Finding, makeFinding } from "../base/finding.ts";
import { quote } from "../base/quote.ts";
import { compareUtf8 } from "../base/utf8_order.ts";
import { describeVariableFault } from "../evidence/check_names.ts";
import { type CommandEnd, hasFailed } from "../evidence/command_end.ts";
import type { RecordedFile } from "../evidence/provenance.ts";
import {
  type EndedChild,
  ENDING_SIGNALS,
  relaySignals,
  runChild,
  type SignalRelay,
} from "../io/child.ts";
import type { Host } from "../io/host.ts";
import { gatherInputs } from "../io/inputs.ts";
import type { NamedPath, Root } from "../io/paths.ts";
import { requireEnv } from "../io/permissions.ts";
import {
  findChangedInputs,
  findChangedTools,
  gatherProducts,
  resolveProducts,
} from "../io/products.ts";
import type { FoundTool } from "../io/tools.ts";
import type { RunResult } from "../show/results.ts";
import type { Argv } from "./command.ts";
import type { OutputRequest } from "./flags.ts";
import {
  checkRuntimes,
  gatherCommandToolchain,
  noteLockfiles,
  toPermissionName,
  toRuntimeVersion,
} from "./runtimes.ts";
import { gatherToolchainFacts } from "./toolchain.ts";
import {
  openSetting,
  probeTargets,
  reportFindings,
  reportRun,
  type RunSetting,
  writeRun,
} from "./write_run.ts";

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
  /** Whether the packages of its runtimes are recorded. */
  readonly wantsPackages: boolean;
  /** The names of environment variables to record as set. */
  readonly env: readonly string[];
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
  const env = checkVariables(request.env);
  const command = await gatherCommandToolchain(request, root);
  const [program] = command.tools;
  if (program === undefined) throw new KprovError("fault", "Cannot run: no program is found");
  const checks = checkRuntimes(setting.policy, command.runtimes.map(toRuntimeVersion));
  const inputs = await gatherInputs({ ...request, ...setting });
  const notes = [...command.notes, ...noteLockfiles(command.runtimes, root, inputs.materials)];
  reportFindings(notes, host);
  probeTargets(request);

  // Until the evidence is written, no signal ends kprov.
  using signals = relaySignals(ENDING_SIGNALS);
  const child = await startCommand(argv, { program, root, signals, host });
  const tools = [...command.tools, ...command.runtimes.map(({ executable }) => executable)];
  const before = { ...inputs, globs: request.exclude, tools, products };
  const after = await readAfterCommand(before, setting, host);
  const runtimePolicy = [...setting.runtimePolicy, ...checks];
  const result = writeRun(request, { ...setting, runtimePolicy }, {
    inputs: inputs.inputs,
    materials: inputs.materials,
    exclude: after.exclude,
    toolchain: gatherToolchainFacts(command),
    command: { ...after, ...child, argv, env },
  }, {
    findings: [...notes, ...after.findings],
    used: {
      run: toPermissionName(argv[0], root),
      ...(env[0] === undefined ? {} : { env: env[0] }),
    },
  });
  tellResult(request, result, child, host);
  return isIncomplete(child, after) ? EXIT_CODE_OF_ERROR.data : child.exitCode;
}

interface Start {
  readonly program: FoundTool;
  readonly root: Root;
  readonly signals: SignalRelay;
  readonly host: Host;
}

function startCommand(argv: Argv, { program, root, signals, host }: Start): Promise<EndedChild> {
  return runChild({
    program: program.path,
    name: argv[0],
    args: argv.slice(1),
    directory: root.path,
    stdin: "inherit",
    stdout: (bytes) => host.passOn("stdout", bytes),
    stderr: (bytes) => host.passOn("stderr", bytes),
    signals,
  });
}

/** A result on standard output begins on a line of its own, whatever the command left there. */
function tellResult(
  request: OutputRequest,
  result: RunResult,
  child: EndedChild,
  host: Host,
): void {
  const isPrinted = request.result === null && (request.format === "json" || !request.isQuiet);
  if (isPrinted && child.isLineOpen) host.writeStdout("\n");
  reportRun(request, result, host);
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

/** What was read before a command. */
interface BeforeCommand {
  /** The files that go in. */
  readonly materials: readonly RecordedFile[];
  /** The globs of what was left out of directory inputs. */
  readonly exclude: readonly string[];
  /** The globs of `--exclude`, as given. */
  readonly globs: readonly string[];
  /** The tools at hand; none where somebody else runs the command. */
  readonly tools: readonly FoundTool[];
  /** What the command is to make. */
  readonly products: readonly NamedPath[];
}

/** What is there after a command. */
interface AfterCommand {
  /** The product paths, normalised. */
  readonly productPaths: readonly string[];
  /** The files that came out. */
  readonly products: readonly RecordedFile[];
  /** The globs of what was left out of directories, inputs and products. */
  readonly exclude: readonly string[];
  /** Findings `product.missing`. */
  readonly findings: readonly Finding[];
}

/**
 * Reads what a command made, after making sure that it made nothing else of what went in.
 *
 * @param before What was read before it
 * @param setting What holds for the run
 * @param host The process, which is told the findings
 * @throws {KprovError} `data` where an input or a tool is not what it was, or a product cannot be
 * recorded exactly
 */
export async function readAfterCommand(
  before: BeforeCommand,
  setting: RunSetting,
  host: Host,
): Promise<AfterCommand> {
  const productPaths = before.products.map(({ name }) => name);
  refuseChanges([
    ...await findChangedInputs(before.materials, productPaths, setting),
    ...findChangedTools(before.tools, productPaths),
  ], host);
  const { files, missing, exclude } = await gatherProducts(before.products, {
    ...setting,
    exclude: before.globs,
  });
  const findings = missing.map((name) =>
    makeFinding("product.missing", "the command made no such product", { path: name })
  );
  reportFindings(findings, host);
  return {
    productPaths,
    products: files,
    exclude: [...new Set([...before.exclude, ...exclude])].sort(compareUtf8),
    findings,
  };
}

/** Evidence that says what went in would be wrong if that is not what stands there. */
function refuseChanges(findings: readonly Finding[], host: Host): void {
  const [first] = findings;
  if (first === undefined) return;
  reportFindings(findings, host);
  const what = first.path === null ? "a tool" : `input ${quote(first.path)}`;
  throw new KprovError("data", `Cannot record the run: ${what} changed under the command`, {
    hint: first.path === null
      ? undefined
      : "what the command changes in place is a product too: name it with --products",
  });
}

/**
 * Whether a command that says all is well, or of which nothing is known, left a product out.
 *
 * @param end How it ended
 * @param after What is there after it
 */
export function isIncomplete(end: CommandEnd, after: AfterCommand): boolean {
  return !hasFailed(end) && after.findings.length > 0;
}
