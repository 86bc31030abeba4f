import { EXIT_CODE_OF_ERROR, type Finding, KprovError, makeFinding } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import {
  describeVariableFault,
  notePrivateArguments,
  redactArguments,
} from "../evidence/command.ts";
import type { RecordedStdin } from "../evidence/provenance.ts";
import { joinSourceStates, type Source } from "../evidence/run_summary.ts";
import { describeStdin, digestStdin, type EndedChild, runChild, streamStdin } from "../io/child.ts";
import { listGlobs, noteUnusedGlobs } from "../io/exclusions.ts";
import { gatherSource, type RecordedInputs } from "../io/git/source.ts";
import { type Host, SignalWatch } from "../io/host.ts";
import { gatherInputs } from "../io/inputs.ts";
import { listStandingProducts, refuseLinkedProducts, resolveProducts } from "../io/observe.ts";
import type { Root } from "../io/paths.ts";
import { isPermitted, requireEnv } from "../io/permissions.ts";
import { makeOutputDirectory } from "../io/run_directory.ts";
import { compareWithStamps, stampBeforeCommand, waitForSecondToEnd } from "../io/stamps.ts";
import type { FoundTool } from "../io/tools.ts";
import { findTracer, Trace, type Tracer } from "../io/trace/tracer.ts";
import type { RunResult } from "../show/results.ts";
import { isIncomplete, observeCommand, readAfterCommand, readWishes } from "./after_command.ts";
import {
  gatherToolchainFacts,
  openSetting,
  probeTargets,
  reportFindings,
  reportNotes,
  reportRun,
  writeRun,
} from "./write_run.ts";
import type { Argv } from "./command.ts";
import type { GivenInputs, OutputRequest } from "./flags.ts";
import {
  checkRuntimes,
  gatherCommandToolchain,
  noteLockfiles,
  toPermissionName,
  toRuntimeVersion,
} from "./toolchain.ts";

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
  /** Which of its arguments are recorded as digests, as given. */
  readonly redacted: readonly string[];
  /**
   * What becomes of standard input: it is recorded by its digest, or left to the command and noted, or
   * kprov itself has read it, as the list of inputs.
   */
  readonly stdin: "recorded" | "inherited" | "read";
  /** What is asked of watching it; null where it is not watched. */
  readonly observe: readonly string[] | null;
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
 * @returns The command's exit code; 65 where that is 0 and a product was not made
 * @throws {KprovError} where the run is refused: before the command, or after it where an input or a
 * tool changed under it or a product cannot be recorded
 */
export async function runWrapped(request: WrappedRequest, host: Host): Promise<number> {
  const begun = await beginRun(request, host);
  return await finishRun(begun, await followCommand(begun, request, host), request, host);
}

/** A run whose command is about to start: everything that is known before it. */
type BegunRun = Awaited<ReturnType<typeof beginRun>>;

/** Finds the programs, reads the inputs, and notes the state of everything that must not change. */
async function beginRun(request: WrappedRequest, host: Host) {
  const { argv } = request;
  const wishes = request.observe === null ? null : readWishes(request.observe);
  const setting = await openSetting(request, request.result === null ? [] : [request.result]);
  const { root } = setting;
  const products = resolveProducts(request.products, root, setting.own);
  refuseLinkedProducts(products, root);
  const redacted = readRedacted(request.redacted, argv);
  const env = checkVariables(request.env);
  const command = await gatherCommandToolchain(request, root);
  const tracer = wishes === null ? null : await findTracer(root);
  const checks = checkRuntimes(setting.policy, command.runtimes.map(toRuntimeVersion));
  const globs = listGlobs(request.exclusions, root);
  const { usedGlobs, notes, ...inputs } = await gatherInputs({
    ...request,
    ...setting,
    exclude: globs,
  });
  const values = new Map(env.map((name) => [name, Deno.env.get(name) ?? ""]));
  const stdin = openStdin(request);
  const early = [
    ...stdin.notes,
    ...notePrivateArguments(argv, { redacted, values }),
    ...notes,
    ...command.notes.filter(({ code }) => tracer === null || code !== "runtime.unseen"),
    ...noteLockfiles(command.runtimes, root, inputs.materials),
  ];
  reportNotes(early, request, host);
  const source = gatherSource(root.path, inputs);
  await probeTargets(request);
  const tools = [...command.tools, ...command.runtimes.map(({ executable }) => executable)];
  const standing = listStandingProducts(products, { ...setting, exclude: globs });
  const stamps = await stampBeforeCommand({ ...inputs, tools, standing }, root);
  return {
    setting,
    wishes,
    tracer,
    command,
    checks,
    redacted,
    env,
    globs,
    usedGlobs,
    inputs,
    source,
    stdin,
    early,
    products,
    tools,
    standing,
    stamps,
  };
}

/** A command that has ended, with what was seen of it. */
type FollowedCommand = Awaited<ReturnType<typeof followCommand>>;

/** Runs the command, and finds what it did where it is watched. */
async function followCommand(begun: BegunRun, request: WrappedRequest, host: Host) {
  const { setting, command, wishes, tracer, inputs, products, standing, stdin } = begun;
  const { root } = setting;
  const [program] = command.tools;
  if (program === undefined) throw new KprovError("fault", "Cannot run: no program is found");
  if (wishes?.declares) await waitForSecondToEnd();
  const start = {
    program,
    root,
    stdin: stdin.stream ?? "inherit",
    isCaptured: request.isCaptured,
    host,
    watch: tracer === null ? null : { tracer, place: findTracePlace(request, host) },
  } as const;
  const startedAt = Date.now();
  const { child, trace: traced } = await startCommand(request.argv, start);
  using trace = traced;
  const fed = stdin.end(child);
  const observed = trace === null || wishes === null ? null : await observeCommand(trace, {
    before: inputs,
    toolchain: command,
    products: products.map(({ name }) => name),
    standing,
    startedAt,
    wishes,
    wantsPackages: request.wantsPackages,
  }, setting);
  return { child, fed, observed };
}

/** Reads what came out, writes the run and tells its result; returns the exit code. */
async function finishRun(
  begun: BegunRun,
  { child, fed, observed }: FollowedCommand,
  request: WrappedRequest,
  host: Host,
): Promise<number> {
  const { setting, command, redacted, env, globs, inputs, tools, stamps, products, source } = begun;
  const { root } = setting;
  const isUntouched = compareWithStamps(stamps.products, root);
  const after = await readAfterCommand(
    { ...inputs, globs, tools, stamps, isUntouched, products },
    setting,
    host,
  );
  const use = { used: begun.usedGlobs.union(after.usedGlobs), root, inputs: inputs.inputs };
  const late = [
    ...noteUnusedGlobs(request.exclusions, use),
    ...fed.notes,
    ...child.openOutput.map(noteOpenOutput),
    ...after.notes,
    ...observed?.findings.filter(({ level }) => level === "note") ?? [],
  ];
  const errors = observed?.findings.filter(({ level }) => level === "error") ?? [];
  reportFindings(errors, host);
  reportNotes(late, request, host);
  const read = observed?.inputs ?? inputs;
  const result = await writeRun(request, {
    ...setting,
    source: read === inputs ? source : joinSource(source, read, root),
    runtimePolicy: [...setting.runtimePolicy, ...begun.checks, ...observed?.checks ?? []],
  }, {
    ...read,
    exclude: after.exclude,
    toolchain: gatherToolchainFacts(observed?.toolchain ?? command),
    command: {
      ...after,
      ...child,
      argv: redactArguments(request.argv, redacted),
      redacted,
      env,
      stdin: fed.recorded,
    },
  }, {
    host,
    findings: [...begun.early, ...late, ...after.findings, ...errors],
    observation: observed?.observation ?? null,
    used: {
      run: toPermissionName(request.argv[0], root),
      ...(env[0] === undefined ? {} : { env: env[0] }),
    },
  });
  await tellResult(request, result, child, host);
  if (isIncomplete(child, after)) return EXIT_CODE_OF_ERROR.data;
  return child.exitCode === 0 && errors.length > 0 ? 1 : child.exitCode;
}

/** What a command read and nobody named is compared after it; the rest was before. */
function joinSource(source: Source | null, inputs: RecordedInputs, root: Root): Source | null {
  if (source === null) return null;
  const after = gatherSource(root.path, inputs);
  return { ...source, state: joinSourceStates([source.state, after?.state ?? "unknown"]) };
}

/** Where temporary files go, where kprov may write there, else where the run goes. */
function findTracePlace({ out }: OutputRequest, host: Host): string {
  const place = host.readEnv("TMPDIR") ?? "/tmp";
  if (isPermitted("write", place)) return place;
  makeOutputDirectory(out);
  return out;
}

/** Standard input of the command. */
interface GivenStdin {
  /** What kprov passes on of it; null where the command inherits it. */
  readonly stream: ReadableStream<Uint8Array> | null;
  /** What is to be said of it before. */
  readonly notes: readonly Finding[];
  /** What is known of it once the command has ended. */
  readonly end: (child: EndedChild) => {
    readonly recorded: RecordedStdin | null;
    readonly notes: readonly Finding[];
  };
}

/** A terminal brings what somebody types, /dev/null nothing; data from elsewhere is an input. */
function openStdin({ stdin }: WrappedRequest): GivenStdin {
  const source = stdin === "read" ? null : describeStdin();
  const inherited = { stream: null, notes: [], end: () => ({ recorded: null, notes: [] }) };
  if (source === null) return inherited;
  if (stdin === "inherited") {
    const note = noteStdin(`${source}, and what the command reads from it is not recorded`);
    return { ...inherited, notes: [note] };
  }
  if (source === "a pipe") return { stream: streamStdin(), notes: [], end: endPipe };
  const file = digestStdin();
  return {
    ...inherited,
    end: () =>
      file === null || file.hasChanged()
        ? { recorded: null, notes: [noteStdin("a file that changed, and is not recorded")] }
        : { recorded: { sha256: file.sha256, size: file.size }, notes: [] },
  };
}

function endPipe({ stdin }: EndedChild): ReturnType<GivenStdin["end"]> {
  if (stdin !== "open") return { recorded: stdin, notes: [] };
  const note = noteStdin("a pipe that did not end with the command, and is not recorded");
  return { recorded: null, notes: [note] };
}

function noteStdin(what: string): Finding {
  return makeFinding("stdin.not_recorded", `standard input is ${what}`, {
    level: "note",
    hint: "give the command a file that is an input, or < /dev/null where it reads nothing",
  });
}

/** Something that the command started and left behind still has its output. */
function noteOpenOutput(name: string): Finding {
  return makeFinding(
    "output.open",
    `${name} was still open when the command had ended: its digest covers what came until then`,
    { level: "note", hint: "let the command wait for what it starts, or give that another output" },
  );
}

interface Start {
  readonly program: FoundTool;
  readonly root: Root;
  readonly stdin: "inherit" | ReadableStream<Uint8Array>;
  readonly isCaptured: boolean;
  readonly host: Host;
  /** What watches the command, and where its trace goes; null where it is not watched. */
  readonly watch: { readonly tracer: Tracer; readonly place: string } | null;
}

/** Runs the command; a signal that ends kprov meanwhile leaves nothing of the trace. */
async function startCommand(
  argv: Argv,
  { watch, ...start }: Start,
): Promise<{ readonly child: EndedChild; readonly trace: Trace | null }> {
  using signals = new SignalWatch();
  const trace = watch === null ? null : new Trace(watch.tracer, watch.place);
  try {
    const child = await runTraced(argv, { ...start, trace, signals });
    await trace?.opened;
    return { child, trace };
  } catch (error) {
    trace?.[Symbol.dispose]();
    throw error;
  }
}

type TracedStart = Omit<Start, "watch"> & {
  readonly trace: Trace | null;
  readonly signals: SignalWatch;
};

function runTraced(
  argv: Argv,
  { program, root, stdin, isCaptured, host, trace, signals }: TracedStart,
): Promise<EndedChild> {
  const started = { program: program.path, args: argv.slice(1) };
  return runChild({
    signals,
    ...trace?.wrap(started) ?? started,
    ...(trace === null ? {} : { onStarted: (pid) => trace.open({ pid, directory: root.path }) }),
    name: argv[0],
    directory: root.path,
    stdin,
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

/** The program itself is recorded by its name and digest, whatever is redacted. */
function readRedacted(given: readonly string[], argv: Argv): number[] {
  const last = argv.length - 1;
  const numbers = given.map((text) => {
    const n = /^[0-9]{1,9}$/.test(text) ? Number(text) : 0;
    if (n >= 1 && n <= last) return n;
    const range = last === 0
      ? "the command has no argument"
      : `expected a number from 1 to ${last}`;
    throw new KprovError("usage", `Cannot use --redact-arg ${quote(text)}: ${range}`, {
      hint: "0 is the program, which is always recorded",
    });
  });
  return [...new Set(numbers)].sort((a, b) => a - b);
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
