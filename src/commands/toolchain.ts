import { type Finding, KprovError, makeFinding } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { basename, join, resolve } from "../base/std.ts";
import type { RecordedFile } from "../evidence/provenance.ts";
import type { RuntimeCheck } from "../evidence/run_summary.ts";
import { buildToolchain } from "../evidence/toolchain.ts";
import { isInPolicyRange, RUNTIMES } from "../guards/runtime/declaration.ts";
import { type FoundTool, gatherProgram, gatherTool, isPath, joinTools } from "../io/tools.ts";
import type { Host } from "../io/host.ts";
import { resolveRoot, type Root } from "../io/paths.ts";
import { hintAtFlag, requireRun } from "../io/permissions.ts";
import type { PolicyFile } from "../io/policy_file.ts";
import { type FoundRuntime, gatherRuntimes, type RuntimeVersion } from "../io/runtimes/runtimes.ts";
import { renderLogSafeJson } from "../show/text.ts";
import { type Argv, type Command, EXITS, type ParsedFlags, readArgv } from "./command.ts";
import {
  checkDocumentFormat,
  DOCUMENT_FORMAT_FLAG,
  NO_PROGRESS_FLAG,
  readToolchainFlags,
  refuseFlags,
  ROOT_FLAG,
  TOOL_FLAGS,
} from "./flags.ts";
import { gatherToolchainFacts, reportNotes } from "./write_run.ts";

/** `kprov toolchain`. */
export const TOOLCHAIN: Command = {
  usage: [
    "kprov toolchain",
    "kprov toolchain [--root DIR] [--tool NAME]... [--no-packages] -- COMMAND ARG...",
  ],
  description: [
    "Prints toolchain.json as a run on this machine would write it: the versions of kprov, Deno, V8 " +
    "and TypeScript, the target, and every package that the lockfile inside this kprov pins.",
    "With -- COMMAND, it also prints what kprov run would record of the command: its programs by" +
    " digest, and the runtimes among them with their versions and packages. The command is not " +
    "run, but its runtime is started to ask for its version. The policy is not applied.",
  ],
  flags: [
    { ...ROOT_FLAG, summary: "Where the command would run (default: the working directory)" },
    ...TOOL_FLAGS,
    DOCUMENT_FORMAT_FLAG,
    NO_PROGRESS_FLAG,
  ],
  permissions:
    "none; for -- COMMAND --allow-read=DIR, --allow-run=COMMAND and read access to its file, and to the real " +
    "executable of a runtime. --tool NAME takes what it takes for kprov run.",
  examples: [
    ["kprov toolchain", "Print what kprov records of itself"],
    ["kprov toolchain -- python3", "See which Python a run would record (--allow-run=python3)"],
  ],
  exitCodes: [
    [0, "printed"],
    EXITS.usage,
    [65, "a tool is missing, or its interpreter cannot be determined"],
    EXITS.reading,
    EXITS.permission,
    EXITS.notStarted,
    EXITS.notFound,
  ],
  execute: toolchain,
};

async function toolchain(flags: ParsedFlags, host: Host): Promise<number> {
  if (flags.positionals.length > 0) {
    throw new KprovError("usage", "Cannot use arguments: kprov toolchain takes none", {
      hint: "a command goes after --",
    });
  }
  checkDocumentFormat(flags);
  if (flags.rest === null) {
    refuseFlags(flags, ["root", "tool", "no-packages"], "it needs a command, after --");
    host.writeStdout(renderLogSafeJson(buildToolchain(gatherToolchainFacts())));
    return 0;
  }
  const request = { argv: readArgv(flags.rest), ...readToolchainFlags(flags) };
  const command = await gatherCommandToolchain(request, resolveRoot(flags.value("root") ?? "."));
  reportNotes(command.notes, { isQuiet: flags.has("quiet") }, host);
  host.writeStdout(renderLogSafeJson(buildToolchain(gatherToolchainFacts(command))));
  return 0;
}

/** What a pipeline runs on, as it is found before it runs. */
export interface CommandToolchain {
  /** Its programs, each name once. */
  readonly tools: readonly FoundTool[];
  /** Those of them that are runtimes. */
  readonly runtimes: readonly FoundRuntime[];
  /** What could not be told, and what is known not to be seen, as notes. */
  readonly notes: readonly Finding[];
}

/** What is looked for: the programs of a command, and others by their names. */
interface ToolchainRequest {
  /** Null where somebody else runs it. */
  readonly argv: Argv | null;
  readonly tools: readonly string[];
  readonly wantsPackages: boolean;
}

/**
 * Finds the programs that a command uses, and asks the runtimes among them about themselves. Throws
 * `permission` where kprov may not start the command, and what the functions of io/ throw.
 */
export async function gatherCommandToolchain(
  request: ToolchainRequest,
  root: Root,
): Promise<CommandToolchain> {
  const { argv, wantsPackages } = request;
  if (argv !== null) requireProgram(argv[0], root);
  const tools = joinTools([
    ...(argv === null ? [] : gatherProgram(argv, root)),
    ...request.tools.flatMap((name) => gatherTool(name, root)),
  ]);
  const runtimes = await gatherRuntimes({ tools, root, wantsPackages });
  const notes = [
    ...runtimes.flatMap((runtime) => runtime.notes),
    ...(argv === null || request.tools.length > 0 ? [] : noteLauncher(argv[0])),
  ];
  return { tools, runtimes, notes };
}

/** Demands the permission to start a command's program. Throws `permission`. */
export function requireProgram(given: string, root: Root): void {
  const name = toPermissionName(given, root);
  requireRun(name, isPath(given) && resolve(given) !== name ? name : given);
}

/** What Deno's run permission knows a program by: its name in PATH, or its path. */
export function toPermissionName(given: string, root: Root): string {
  return isPath(given) ? resolve(root.path, given) : given;
}

/** Programs that find and start the interpreter themselves. */
const LAUNCHERS =
  /^(uv|uvx|poetry|pipenv|pdm|hatch|rye|tox|nox|pixi|conda|mamba|micromamba|npm|npx|pnpm|pnpx|yarn|bunx)$/;

function noteLauncher(program: string): Finding[] {
  const name = basename(program);
  if (!LAUNCHERS.test(name)) return [];
  const why = "starts programs that kprov does not see, so that they are not recorded";
  const hint = "name the interpreter with --tool, such as --tool .venv/bin/python";
  return [makeFinding("runtime.unseen", `${quote(name)} ${why}`, { level: "note", hint })];
}

/** What counts of a runtime for the policy. */
export function toRuntimeVersion({ recorded, tool, fault }: FoundRuntime): RuntimeVersion {
  return { name: recorded.name, version: recorded.version, program: tool.name, fault };
}

/** What holds of a runtime for the policy, and why that refuses it; null where the policy names it not. */
function judgeRuntime(
  policy: PolicyFile | null,
  runtime: RuntimeVersion,
): { readonly check: RuntimeCheck; readonly fault: KprovError | null } | null {
  const named = RUNTIMES.find((name) => name === runtime.name);
  const range = named && policy?.policy.runtime?.[named];
  if (policy === null || named === undefined || range === undefined) return null;
  const { version } = runtime;
  const origin = `the range of ${policy.path} is ${range}`;
  const isInside = version !== null && isInPolicyRange(named, version, range);
  const check = { runtime: named, range, version, satisfied: isInside };
  return { check, fault: isInside ? null : refuseRuntime(runtime, origin) };
}

function refuseRuntime(runtime: RuntimeVersion, origin: string): KprovError {
  const { version, fault } = runtime;
  const shown = describe(runtime);
  if (version !== null) return new KprovError("runtime", `Cannot run on ${shown}: ${origin}`);
  if (fault !== null && fault.flag !== null) {
    const missing = `Cannot ask ${shown} for its version: Deno's run permission is missing`;
    const hint = hintAtFlag(fault.flag);
    return new KprovError("permission", `${missing}, and ${origin}`, { hint });
  }
  const reason = `its version is not known${fault === null ? "" : ` (${fault.reason})`}`;
  return new KprovError("runtime", `Cannot run on ${shown}: ${reason}, and ${origin}`);
}

/**
 * Refuses a runtime outside the range that the policy has for it, or of which that cannot be told.
 * Throws `runtime`, or `permission` where kprov was not permitted to ask.
 */
export function checkRuntimes(
  policy: PolicyFile | null,
  runtimes: readonly RuntimeVersion[],
): RuntimeCheck[] {
  const checks = runtimes.flatMap((runtime) => {
    const judged = judgeRuntime(policy, runtime);
    if (judged !== null && judged.fault !== null) throw judged.fault;
    return judged === null ? [] : [judged.check];
  });
  return [...new Map(checks.map((check) => [`${check.runtime} ${check.version}`, check])).values()];
}

/** Holds runtimes that a command was seen to start against the policy's ranges: it has run already. */
export function holdRuntimes(
  policy: PolicyFile | null,
  runtimes: readonly RuntimeVersion[],
): { readonly checks: readonly RuntimeCheck[]; readonly findings: readonly Finding[] } {
  const judged = runtimes.flatMap((runtime) => judgeRuntime(policy, runtime) ?? []);
  const faults = judged.flatMap(({ fault }) => fault ?? []);
  return {
    checks: judged.map(({ check }) => check),
    findings: faults.map(({ message, hint }) =>
      makeFinding("runtime.out_of_range", message, { hint })
    ),
  };
}

function describe({ name, version, program }: RuntimeVersion): string {
  return `${name}${version === null ? "" : ` ${version}`} (${quote(program)})`;
}

/** What runtimes pin their packages with; names in the root. */
const LOCKFILES: Readonly<Record<string, readonly string[]>> = {
  python: [
    ...["requirements.txt", "uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml"],
    ...["conda-lock.yml", "pixi.lock"],
  ],
  node: ["package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock"],
};

/**
 * Notes lockfiles that stand in the root and are no input: what is installed is recorded, but not
 * what was to be.
 */
export function noteLockfiles(
  runtimes: readonly FoundRuntime[],
  root: Root,
  materials: readonly RecordedFile[],
): Finding[] {
  const inputs = new Set(materials.map(({ name }) => name));
  const used = new Set(runtimes.map(({ recorded }) => recorded.name));
  const hint = "name it among the inputs, so that a changed lockfile is seen";
  return [...used].flatMap((runtime) => {
    const message = `it pins packages of ${runtime} and is not an input`;
    return (LOCKFILES[runtime] ?? [])
      .filter((name) => !inputs.has(name) && isFile(join(root.path, name)))
      .map((path) => makeFinding("lockfile.not_input", message, { level: "note", path, hint }));
  });
}

function isFile(path: string): boolean {
  try {
    return Deno.lstatSync(path).isFile;
  } catch {
    return false;
  }
}
