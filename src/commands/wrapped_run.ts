import { EXIT_CODE_OF_ERROR, KprovError } from "../base/error.ts";
import { type Finding, makeFinding } from "../base/finding.ts";
import { quote } from "../base/quote.ts";
import { describeVariableFault } from "../evidence/check_names.ts";
import { type CommandEnd, hasFailed } from "../evidence/command_end.ts";
import type { RecordedFile } from "../evidence/provenance.ts";
import { type EndedChild, runChild } from "../io/child.ts";
import { joinExclusions, listExclusions, listGlobs, noteUnusedGlobs } from "../io/exclusions.ts";
import { gatherSource } from "../io/git/source.ts";
import type { Host } from "../io/host.ts";
import { gatherInputs, listOwnNames } from "../io/inputs.ts";
import type { NamedPath, Root } from "../io/paths.ts";
import { requireEnv } from "../io/permissions.ts";
import {
  type BeforeCommand,
  findChangedInputs,
  findChangedTools,
  gatherProducts,
  refuseLinkedProducts,
  resolveProducts,
  stampBeforeCommand,
  type Stamps,
} from "../io/products.ts";
import { SIGNALS_BEFORE_COMMAND } from "../io/signals.ts";
import type { FoundTool } from "../io/tools.ts";
import type { RunResult } from "../show/results.ts";
import type { Argv } from "./command.ts";
import type { GivenInputs, OutputRequest } from "./flags.ts";
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
  reportNotes,
  reportRun,
  type RunSetting,
  writeRun,
} from "./write_run.ts";

/** A run around a command. */
interface WrappedRequest extends OutputRequest, GivenInputs {
  /** The product paths, as given. */
  readonly products: readonly string[];
  /** The names of other programs that the command uses. */
  readonly tools: readonly string[];
  /** Whether the packages of its runtimes are recorded. */
  readonly wantsPackages: boolean;
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
  const products = resolveProducts(request.products, root, setting.own);
  refuseLinkedProducts(products, root);
  const env = checkVariables(request.env);
  const command = await gatherCommandToolchain(request, root);
  const [program] = command.tools;
  if (program === undefined) throw new KprovError("fault", "Cannot run: no program is found");
  const checks = checkRuntimes(setting.policy, command.runtimes.map(toRuntimeVersion));
  const globs = listGlobs(request.exclusions, root);
  const { usedGlobs, notes: inputNotes, ...inputs } = await gatherInputs({
    ...request,
    ...setting,
    exclude: globs,
  });
  const early = [
    ...inputNotes,
    ...command.notes,
    ...noteLockfiles(command.runtimes, root, inputs.materials),
  ];
  reportNotes(early, request, host);
  const source = gatherSource(root.path, inputs);
  await probeTargets(request, SIGNALS_BEFORE_COMMAND);
  const tools = [...command.tools, ...command.runtimes.map(({ executable }) => executable)];
  const stamps = await stampBeforeCommand({ ...inputs, tools }, root);

  const child = await startCommand(argv, { program, root, isCaptured: request.isCaptured, host });
  const after = await readAfterCommand(
    { ...inputs, globs, tools, stamps, products },
    setting,
    host,
  );
  const use = { used: usedGlobs.union(after.usedGlobs), root, inputs: inputs.inputs };
  const late = [
    ...noteUnusedGlobs(request.exclusions, use),
    ...child.openOutput.map(noteOpenOutput),
  ];
  reportNotes(late, request, host);
  const runtimePolicy = [...setting.runtimePolicy, ...checks];
  const result = await writeRun(request, { ...setting, source, runtimePolicy }, {
    ...inputs,
    exclude: after.exclude,
    toolchain: gatherToolchainFacts(command),
    command: { ...after, ...child, argv, env },
  }, {
    findings: [...early, ...late, ...after.findings],
    used: {
      run: toPermissionName(argv[0], root),
      ...(env[0] === undefined ? {} : { env: env[0] }),
    },
  });
  await tellResult(request, result, child, host);
  return isIncomplete(child, after) ? EXIT_CODE_OF_ERROR.data : child.exitCode;
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
 * Makes sure that environment variables are set, under the permission for each.
 *
 * @param names Their names, as given
 * @returns Each name once
 * @throws {KprovError} `usage` on what is no name, `permission`, or `data` where one is not set
 */
function checkVariables(names: readonly string[]): string[] {
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

/** What a run that ends begins with. */
interface BegunRun extends BeforeCommand {
  /** What tells whether the inputs and tools were changed since. */
  readonly stamps: Stamps;
  /** The globs of what was left out of directory inputs. */
  readonly exclude: readonly string[];
  /** The globs of what is left out of directories, as given. */
  readonly globs: readonly string[];
  /** Whether the inputs were read through links. */
  readonly links?: "follow";
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
  /** The globs that left something out of products. */
  readonly usedGlobs: ReadonlySet<string>;
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
  before: BegunRun,
  setting: RunSetting,
  host: Host,
): Promise<AfterCommand> {
  const productPaths = before.products.map(({ name }) => name);
  const { links } = before;
  const reading = { ...setting, ...(links === undefined ? {} : { links }) };
  refuseChanges([
    ...await findChangedInputs(before, productPaths, reading),
    ...findChangedTools({ tools: before.tools, stamps: before.stamps.tools }, productPaths),
  ], host);
  const { files, missing, directories, usedGlobs } = await gatherProducts(before.products, {
    ...setting,
    exclude: before.globs,
  });
  const exclude = listExclusions(before.globs, listOwnNames(setting.own), directories);
  const findings = missing.map((name) =>
    makeFinding("product.missing", "the command made no such product", { path: name })
  );
  reportFindings(findings, host);
  return {
    productPaths,
    products: files,
    exclude: joinExclusions(before.globs, before.exclude, exclude),
    usedGlobs: new Set(usedGlobs),
    findings,
  };
}

/** Evidence that says what went in would be wrong if that is not what stands there. */
function refuseChanges(findings: readonly Finding[], host: Host): void {
  const [first] = findings;
  if (first === undefined) return;
  const what = first.path === null ? "a tool" : `input ${quote(first.path)}`;
  const hint = first.path === null
    ? undefined
    : first.hint ?? "what the command changes in place is a product too: name it with --products";
  // The error, which comes last, has the hint once for all.
  reportFindings(findings.map((one) => one.hint === hint ? { ...one, hint: null } : one), host);
  throw new KprovError("data", `Cannot record the run: ${what} changed under the command`, {
    hint,
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
