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
  NO_PACKAGES_FLAG,
  NO_PROGRESS_FLAG,
  refuseFlags,
  ROOT_FLAG,
  TOOL_FLAG,
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
    TOOL_FLAG,
    NO_PACKAGES_FLAG,
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
  const argv = readArgv(flags.rest);
  const root = resolveRoot(flags.value("root") ?? ".");
  const tools = flags.values("tool");
  const wantsPackages = !flags.has("no-packages");
  const command = await gatherCommandToolchain({ argv, tools, wantsPackages }, root);
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

/** What is looked for. */
interface ToolchainRequest {
  /** The words of the command; null where somebody else runs it. */
  readonly argv: Argv | null;
  /** The names of other programs. */
  readonly tools: readonly string[];
  /** Whether packages are recorded. */
  readonly wantsPackages: boolean;
}

/**
 * Finds the programs that a command uses, and asks the runtimes among them about themselves.
 *
 * @param request The command and its tools
 * @param root Where it runs
 * @throws {KprovError} `permission` where kprov may not start the command; as `gatherProgram()`,
 * `gatherTool()` and `gatherRuntimes()` do
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

/**
 * What Deno's run permission knows a program by: its name in PATH, or its path.
 *
 * @param given The first word of a command
 * @param root Where it runs
 */
export function toPermissionName(given: string, root: Root): string {
  return isPath(given) ? resolve(root.path, given) : given;
}

/** Programs that find and start the interpreter themselves. */
const LAUNCHERS =
  /^(uv|uvx|poetry|pipenv|pdm|hatch|rye|tox|nox|pixi|conda|mamba|micromamba|npm|npx|pnpm|pnpx|yarn|bunx)$/;

function noteLauncher(program: string): Finding[] {
  const name = basename(program);
  if (!LAUNCHERS.test(name)) return [];
  return [makeFinding(
    "runtime.unseen",
    `${quote(name)} starts programs that kprov does not see, so that they are not recorded`,
    { level: "note", hint: "name the interpreter with --tool, such as --tool .venv/bin/python" },
  )];
}

/** What counts of a runtime for the policy. */
export function toRuntimeVersion({ recorded, tool, fault }: FoundRuntime): RuntimeVersion {
  return { name: recorded.name, version: recorded.version, program: tool.name, fault };
}

/**
 * Refuses a runtime outside the range that the policy has for it, or of which that cannot be told.
 *
 * @param policy The repository's policy
 * @param runtimes The runtimes that are used
 * @returns What run_summary.json records of those that the policy names
 * @throws {KprovError} `runtime`, or `permission` where kprov was not permitted to ask
 */
export function checkRuntimes(
  policy: PolicyFile | null,
  runtimes: readonly RuntimeVersion[],
): RuntimeCheck[] {
  const checks = runtimes.flatMap((runtime): RuntimeCheck[] => {
    const named = RUNTIMES.find((name) => name === runtime.name);
    const range = named && policy?.policy.runtime?.[named];
    if (policy === null || named === undefined || range === undefined) return [];
    const { version } = runtime;
    const origin = `the range of ${policy.path} is ${range}`;
    if (version === null) throw refuseUnknown(runtime, origin);
    if (!isInPolicyRange(named, version, range)) {
      throw new KprovError("runtime", `Cannot run on ${describe(runtime)}: ${origin}`);
    }
    return [{ runtime: named, range, version, satisfied: true }];
  });
  return [...new Map(checks.map((check) => [`${check.runtime} ${check.version}`, check])).values()];
}

/** What came of holding runtimes against the policy when a command had already run. */
interface HeldRuntimes {
  /** What run_summary.json records. */
  readonly checks: readonly RuntimeCheck[];
  /** Findings `runtime.out_of_range`. */
  readonly findings: readonly Finding[];
}

/**
 * Holds runtimes that a command was seen to start against the range that the policy has for each.
 *
 * @param policy The repository's policy
 * @param runtimes The runtimes
 */
export function holdRuntimes(
  policy: PolicyFile | null,
  runtimes: readonly RuntimeVersion[],
): HeldRuntimes {
  const checks: RuntimeCheck[] = [];
  const findings: Finding[] = [];
  for (const runtime of runtimes) {
    try {
      checks.push(...checkRuntimes(policy, [runtime]));
    } catch (error) {
      if (!(error instanceof KprovError)) throw error;
      const named = RUNTIMES.find((name) => name === runtime.name);
      const range = named && policy?.policy.runtime?.[named];
      if (range === undefined) throw error;
      const { name, version } = runtime;
      checks.push({ runtime: name, range, version, satisfied: false });
      findings.push(makeFinding("runtime.out_of_range", error.message, { hint: error.hint }));
    }
  }
  return { checks, findings };
}

function refuseUnknown(runtime: RuntimeVersion, origin: string): KprovError {
  const { name, fault } = runtime;
  if (fault !== null && fault.flag !== null) {
    return new KprovError(
      "permission",
      `Cannot ask ${
        describe(runtime)
      } for its version: Deno's run permission is missing, and ${origin}`,
      { hint: hintAtFlag(fault.flag) },
    );
  }
  const reason = fault === null
    ? "its version is not known"
    : `its version is not known (${fault.reason})`;
  return new KprovError(
    "runtime",
    `Cannot run on ${describe({ ...runtime, name })}: ${reason}, and ${origin}`,
  );
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
 * Notes lockfiles that stand in the root and are no input: what is installed is recorded, but not what
 * was to be.
 *
 * @param runtimes The runtimes that are used
 * @param root The root
 * @param materials The files that go in
 */
export function noteLockfiles(
  runtimes: readonly FoundRuntime[],
  root: Root,
  materials: readonly RecordedFile[],
): Finding[] {
  const inputs = new Set(materials.map(({ name }) => name));
  const used = new Set(runtimes.map(({ recorded }) => recorded.name));
  return [...used].flatMap((runtime) =>
    (LOCKFILES[runtime] ?? [])
      .filter((name) => !inputs.has(name) && isFile(join(root.path, name)))
      .map((name) =>
        makeFinding("lockfile.not_input", `it pins packages of ${runtime} and is not an input`, {
          level: "note",
          path: name,
          hint: "name it among the inputs, so that a changed lockfile is seen",
        })
      )
  );
}

function isFile(path: string): boolean {
  try {
    return Deno.lstatSync(path).isFile;
  } catch {
    return false;
  }
}
