import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { basename, join, relative, resolve, toPosixPath } from "../base/std.ts";
import { compareUtf8 } from "../base/text.ts";
import type { Run } from "../evidence/documents.ts";
import type { RecordedTool, Toolchain } from "../evidence/toolchain.ts";
import { hashFile } from "./hash/hash_files.ts";
import type { Root } from "./paths.ts";
import {
  describeSystemError,
  isMissing,
  isRunPermitted,
  refuseRun,
  requireEnv,
  requirePermission,
  requireRun,
  systemCode,
  toReadError,
} from "./permissions.ts";
import { readHead } from "./read_file.ts";

/** What stands where a program is looked for. */
type Located =
  | { readonly state: "found"; readonly path: string }
  | { readonly state: "missing" }
  | { readonly state: "unstartable"; readonly reason: string };

/**
 * Finds the file of a program as the system does when it starts one: a name with a `/` is a path,
 * any other is looked for in PATH. Where kprov may start that name, Deno itself is asked, so that
 * what is found is what would be started; else PATH is read, which takes the permission for that
 * variable.
 */
export function locateExecutable(name: string, directory: string): Located {
  if (isPath(name)) return inspect(resolve(directory, name));
  if (name === "") return { state: "missing" };
  const answer = isRunPermitted(name) ? askResolution(name, directory) : null;
  if (answer !== null) return answer.path === null ? { state: "missing" } : inspect(answer.path);
  return searchPath(name, directory);
}

/** Whether a program's name is a path, which is not looked for in PATH. */
export function isPath(name: string): boolean {
  return name.includes("/") || (Deno.build.os === "windows" && /[\\:]/.test(name));
}

function inspect(path: string): Located {
  requirePermission("read", path);
  try {
    const { isFile, mode } = Deno.statSync(path);
    if (!isFile) return { state: "unstartable", reason: "it is not a regular file" };
    const isExecutable = mode === null || (mode & 0o111) !== 0;
    return isExecutable
      ? { state: "found", path }
      : { state: "unstartable", reason: "it is not marked as executable" };
  } catch (error) {
    if (isMissing(error)) return { state: "missing" };
    throw toReadError(error, `Cannot look for a program at ${quote(path)}`, { path });
  }
}

function searchPath(name: string, directory: string): Located {
  requireEnv("PATH", `Cannot look for ${quote(name)} in PATH`);
  const isWindows = Deno.build.os === "windows";
  const directories = (Deno.env.get("PATH") ?? "").split(isWindows ? ";" : ":");
  const names = isWindows ? [name, ...[".com", ".exe"].map((end) => `${name}${end}`)] : [name];
  let first: Located = { state: "missing" };
  for (const entry of directories) {
    for (const candidate of names) {
      const found = inspectEntry(join(resolve(directory, entry), candidate));
      if (found.state === "found") return found;
      if (first.state === "missing") first = found;
    }
  }
  return first;
}

/** A directory of PATH that the system does not open is passed over, as the system does. */
function inspectEntry(path: string): Located {
  try {
    return inspect(path);
  } catch (error) {
    if (error instanceof KprovError && error.code === "io") return { state: "missing" };
    throw error;
  }
}

/** As much of a `#!` line as Linux reads (BINPRM_BUF_SIZE); other systems read no less. */
const LONGEST_LINE = 255;

/** How a program's file is executed. */
export type ProgramForm =
  | { readonly form: "binary" }
  /**
   * Its `#!` line names another program; `searched` is what that, being env, looks for in PATH. `args`
   * are what the last of them gets before the script's path.
   */
  | {
    readonly form: "script";
    readonly interpreter: string;
    readonly searched: string | null;
    readonly args: readonly string[];
  }
  /** A script, but the program that reads it cannot be determined. */
  | { readonly form: "unclear" }
  /** Nothing that a system starts by itself; some C libraries would hand it to a shell. */
  | { readonly form: "unknown" };

/** The first bytes of ELF, of Mach-O in both byte orders and widths, of its fat form, and of PE. */
const MAGIC_NUMBERS: readonly (readonly number[])[] = [
  [0x7f, 0x45, 0x4c, 0x46],
  [0xfe, 0xed, 0xfa, 0xce],
  [0xfe, 0xed, 0xfa, 0xcf],
  [0xce, 0xfa, 0xed, 0xfe],
  [0xcf, 0xfa, 0xed, 0xfe],
  [0xca, 0xfe, 0xba, 0xbe],
  [0x4d, 0x5a],
];

/** Tells what executes a program from its first 256 bytes, or all where there are fewer. */
export function parseProgramForm(head: Uint8Array): ProgramForm {
  if (MAGIC_NUMBERS.some((magic) => magic.every((byte, i) => head[i] === byte))) {
    return { form: "binary" };
  }
  if (head[0] !== 0x23 || head[1] !== 0x21) return { form: "unknown" };
  const end = head.indexOf(0x0a);
  if (end > LONGEST_LINE || (end < 0 && head.length > LONGEST_LINE)) return { form: "unclear" };
  const line = new TextDecoder().decode(head.subarray(2, end < 0 ? head.length : end));
  return parseScriptLine(line);
}

/** What follows `#!`: a path, and after blanks one argument that may hold blanks itself. */
function parseScriptLine(line: string): ProgramForm {
  const match = /^[ \t]*([^ \t]+)(?:[ \t]+(.*?))?[ \t]*$/s.exec(line);
  const interpreter = match?.[1];
  if (interpreter === undefined || /[\uFFFD\0\r]/.test(line)) return { form: "unclear" };
  const argument = match?.[2] ?? "";
  if (!/(^|\/)env$/.test(interpreter)) {
    const args = argument === "" ? [] : [argument];
    return { form: "script", interpreter, searched: null, args };
  }
  const [searched, ...args] = parseEnvArgument(argument);
  return searched === undefined
    ? { form: "unclear" }
    : { form: "script", interpreter, searched, args };
}

/** The program that env starts; nothing where plain words do not say it. */
function parseEnvArgument(argument: string): string[] {
  const isSplit = /^(-S|--split-string=?)/.test(argument);
  const words = isSplit
    ? argument.replace(/^(-S|--split-string=?)/, "").split(/[ \t]+/).filter((word) => word !== "")
    : [argument];
  const first = words.findIndex((candidate) => !/^[A-Za-z_][A-Za-z0-9_]*=/.test(candidate));
  const isPlain = /^[A-Za-z0-9_./+][A-Za-z0-9_./+-]*$/.test(words[first] ?? "");
  return isPlain ? words.slice(first) : [];
}

/** Reads from a program's file what executes it. */
export function gatherProgramForm(path: string, name: string): ProgramForm {
  try {
    return parseProgramForm(readHead(path, LONGEST_LINE + 1));
  } catch (error) {
    if (error instanceof KprovError) {
      throw new KprovError("data", `Cannot read tool ${quote(name)}: ${error.message}`);
    }
    throw toReadError(error, `Cannot read tool ${quote(name)}`, { path });
  }
}

/** What Deno makes of a program's name. */
interface ProcessResolution {
  /** The file that it would start, absolute; null where it finds none. */
  readonly path: string | null;
}

/**
 * Asks Deno which file it would start for a name without `/` that kprov may start, without starting
 * it: no system passes on an argument with a NUL character, and the error names the file. That is
 * the only way to learn it that needs nothing but the permission to start that program; the file is
 * then started by its path, so that a wrong answer could only lead to an error, never to evidence
 * about another file.
 */
export function askResolution(name: string, directory: string): ProcessResolution | null {
  try {
    new Deno.Command(name, { args: ["\0"], cwd: directory, stdin: "null" }).spawn().kill("SIGKILL");
    return null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { path: null };
    if (error instanceof Deno.errors.NotCapable) throw refuseRun(name, error);
    const message = error instanceof Error ? error.message : "";
    const path = /^Failed to spawn '(.+)': nul byte found/s.exec(message)?.[1];
    return path === undefined || !/^(\/|[A-Za-z]:\\)/.test(path) ? null : { path };
  }
}

/** What is started, and with which arguments. */
export interface Started {
  /** The file, absolute. */
  readonly program: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Variables that are set for it. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that kprov itself starts for something that was asked for. */
interface Helper {
  /** Its name in PATH, or its path. */
  readonly name: string;
  /** What cannot be done without it, such as `Cannot observe the command`. */
  readonly action: string;
  /** The flag that asks for it. */
  readonly flag: string;
  /** The package of Debian's that has it; null where that is not known. */
  readonly debian: string | null;
}

/** Finds a program that kprov itself is to start; throws `cannot_start` where it is no program. */
export function locateHelper({ name, action, flag, debian }: Helper, directory: string): string {
  requireRun(name, name);
  const located = locateExecutable(name, directory);
  if (located.state === "found") return located.path;
  throw new KprovError(
    located.state === "missing" ? "not_found" : "cannot_start",
    `${action}: ${flag} needs ${quote(name)}, and ${describe(name, located)}`,
    debian === null ? {} : { hint: `install it, such as with apt-get install ${debian}` },
  );
}

/** What a helper printed in answer to a short question. */
interface HelperAnswer {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Asks a helper something that it answers at once; it gets `env` alone, where that is given. */
export async function askHelper(
  path: string,
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
): Promise<HelperAnswer> {
  const name = basename(path);
  try {
    const { success, stdout, stderr } = await new Deno.Command(path, {
      args: [...args],
      ...(env === undefined ? {} : { env: { ...env }, clearEnv: true }),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw refuseRun(name, error);
    throw new KprovError(
      "cannot_start",
      `Cannot run ${quote(name)}: ${describeSystemError(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** Linux follows a script's interpreter that is a script itself up to four times. */
export const DEEPEST_SCRIPT = 5;

/** A program with the file that it is. */
export interface FoundTool extends RecordedTool {
  /** The file to start, absolute. */
  readonly path: string;
  /** The file that was digested: the same, links resolved. */
  readonly real: string;
  /** Whether the file is a script, which an interpreter runs. */
  readonly isScript: boolean;
  /** The arguments that it is started with; null where they are not known. */
  readonly args: readonly string[] | null;
  /** The variables that env sets for it. */
  readonly env: Readonly<Record<string, string>>;
}

/** A program, followed by its interpreters where it is a script. */
type FoundProgram = readonly [program: FoundTool, ...interpreters: FoundTool[]];

/** For what a program is looked for: the command starts it, or uses it on its way. */
type ToolRole = "program" | "tool";

/** What the search is about: kept for the messages. */
interface Search {
  readonly root: Root;
  readonly role: ToolRole;
  readonly depth: number;
  /** As {@linkcode FoundTool} has them. */
  readonly args: readonly string[] | null;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Finds and digests the program that a command starts, and the one that env starts for it. Files
 * are looked for in PATH, or relative to the root, where the command runs.
 */
export function gatherProgram(
  [name, ...args]: readonly [program: string, ...args: string[]],
  root: Root,
): FoundProgram {
  const search = { root, role: "program", depth: 0, env: {} } as const;
  const program = gather(name, { ...search, args });
  const launched = basename(name) === "env" ? parseEnvArguments(args) : null;
  if (launched === null) return program;
  return [...program, ...gatherLaunched(launched.program, { ...search, ...launched })];
}

/** Where env does not find a program, env says so: that is the command's own failure. */
function gatherLaunched(name: string, search: Search): readonly FoundTool[] {
  try {
    return gather(name, search);
  } catch (error) {
    if (error instanceof KprovError && error.code === "not_found") return [];
    throw error;
  }
}

/** What env starts, where its arguments say so without an option. */
function parseEnvArguments(
  args: readonly string[],
): { readonly program: string } & Pick<Search, "args" | "env"> | null {
  const first = args.findIndex((word) => !/^[^=-][^=]*=/.test(word));
  const program = args[first];
  if (program === undefined || program.startsWith("-")) return null;
  const variables = args.slice(0, first).map((word) => {
    const end = word.indexOf("=");
    return [word.slice(0, end), word.slice(end + 1)] as const;
  });
  return { program, args: args.slice(first + 1), env: Object.fromEntries(variables) };
}

/**
 * Finds and digests a program that a command uses besides the one it starts: a name in PATH, or a
 * path.
 */
export function gatherTool(name: string, root: Root): FoundProgram {
  return gather(name, { root, role: "tool", depth: 0, args: null, env: {} });
}

function gather(given: string, search: Search): FoundProgram {
  const located = locateExecutable(given, search.root.path);
  if (located.state !== "found") throw refuse(given, describe(given, located), search, located);
  const name = nameTool(given, located.path, search.root);
  const real = resolveLinks(located.path, name);
  const { sha256 } = hashFile(real, name, "tool");
  const interpreters = gatherInterpreters(given, { path: located.path, real }, search);
  const { args, env } = search;
  const isScript = interpreters.length > 0;
  return [{ name, sha256, path: located.path, real, isScript, args, env }, ...interpreters];
}

function describe(name: string, located: Exclude<Located, { readonly state: "found" }>): string {
  if (located.state === "unstartable") return located.reason;
  return isPath(name) ? "it does not exist" : "it is not in PATH";
}

function refuse(name: string, reason: string, search: Search, located?: Located): KprovError {
  if (search.role === "tool") {
    return new KprovError("data", `Cannot record tool ${quote(name)}: ${reason}`);
  }
  const code = located?.state === "missing" && search.depth === 0 ? "not_found" : "cannot_start";
  const what = search.depth === 0 ? quote(name) : `interpreter ${quote(name)}`;
  return new KprovError(code, `Cannot run ${what}: ${reason}`);
}

/**
 * By its name in PATH; by its path in the root; elsewhere by its last part, for no absolute path is
 * recorded.
 */
function nameTool(given: string, path: string, root: Root): string {
  if (!isPath(given)) return given;
  const posix = toPosixPath(relative(root.path, path));
  return /^(\.\.(\/|$)|\/|[A-Za-z]:)/.test(posix) ? basename(path) : `./${posix}`;
}

function resolveLinks(path: string, name: string): string {
  try {
    const real = Deno.realPathSync(path);
    requirePermission("read", real);
    return real;
  } catch (error) {
    throw toReadError(error, `Cannot read tool ${quote(name)}`, { path, missing: "data" });
  }
}

function gatherInterpreters(
  given: string,
  { path, real }: Pick<FoundTool, "path" | "real">,
  search: Search,
): FoundTool[] {
  // Windows knows no #! lines.
  if (Deno.build.os === "windows") return [];
  const program = gatherProgramForm(real, given);
  if (program.form === "binary") return [];
  if (program.form === "unknown") {
    throw refuse(given, "it is neither a program nor a script with a #! line", search);
  }
  if (program.form === "unclear" || search.depth >= DEEPEST_SCRIPT) {
    throw new KprovError(
      "data",
      `Cannot record tool ${
        quote(given)
      }: its #! line does not name an interpreter that kprov can read`,
      { hint: "start the interpreter itself, with the script as its argument" },
    );
  }
  const { interpreter, searched } = program;
  const args = [...program.args, path, ...search.args ?? []];
  const depth = search.depth + 1;
  if (searched === null) return [...gather(interpreter, { ...search, depth, args })];
  return [
    ...gather(interpreter, { ...search, depth, args: null }),
    ...gather(searched, { ...search, depth, args }),
  ];
}

/**
 * Joins tools, some perhaps twice, to the list that toolchain.json records. Throws `data` where two
 * different programs have one name.
 */
export function joinTools(tools: readonly FoundTool[]): FoundTool[] {
  const joined = new Map<string, FoundTool>();
  for (const tool of tools) {
    const other = joined.get(tool.name);
    if (other !== undefined && other.sha256 !== tool.sha256) {
      throw new KprovError(
        "data",
        `Cannot record tool ${quote(tool.name)}: two different programs of that name are used`,
        { hint: "start the interpreter itself, with the script as its argument" },
      );
    }
    joined.set(tool.name, other ?? tool);
  }
  return [...joined.values()];
}

/** The programs that a command started. */
interface ExecutedTools {
  /** Those that are recorded, each name once; what is known already comes first. */
  readonly tools: readonly FoundTool[];
  /** The paths of those that are gone, or cannot be read. */
  readonly unknown: readonly string[];
}

/**
 * Digests the programs that a command was seen to start, with the interpreters of scripts among
 * them.
 */
export function gatherExecuted(
  paths: Iterable<string>,
  known: readonly FoundTool[],
  root: Root,
): ExecutedTools {
  const tools = new Map(known.map((tool) => [tool.name, tool]));
  const unknown: string[] = [];
  // In an order that does not depend on which process was faster.
  const pending = [...paths].sort(compareUtf8);
  const seen = new Set(pending);
  for (let path = pending.shift(); path !== undefined; path = pending.shift()) {
    const executed = digestExecuted(path, root);
    if (executed === null) {
      unknown.push(path);
      continue;
    }
    const { tool, form } = executed;
    const name = distinguish(tool, tools);
    if (!tools.has(name)) tools.set(name, { ...tool, name });
    if (form.form !== "script" || seen.has(form.interpreter)) continue;
    seen.add(form.interpreter);
    pending.push(form.interpreter);
  }
  return { tools: [...tools.values()], unknown };
}

function digestExecuted(
  path: string,
  root: Root,
): { readonly tool: FoundTool; readonly form: ProgramForm } | null {
  try {
    const name = nameTool(path, path, root);
    const real = Deno.realPathSync(path);
    const { sha256 } = hashFile(real, name, "tool");
    const form = gatherProgramForm(real, name);
    const isScript = form.form === "script";
    return { tool: { name, sha256, path, real, isScript, args: null, env: {} }, form };
  } catch (error) {
    // It was started, and so was there; what became of it is not the command's failure.
    if (error instanceof KprovError || systemCode(error) !== null) return null;
    throw error;
  }
}

/** Two programs with one name are told apart by the shortest ends of their paths that differ. */
function distinguish(tool: FoundTool, tools: ReadonlyMap<string, FoundTool>): string {
  const isFree = (name: string): boolean =>
    (tools.get(name)?.sha256 ?? tool.sha256) === tool.sha256;
  if (isFree(tool.name)) return tool.name;
  const parts = tool.path.split("/").filter((part) => part !== "");
  const names = parts.slice(0, -1).map((_, i) => parts.slice(-2 - i).join("/"));
  return names.find(isFree) ?? tool.path.slice(1);
}

/** As much of a run as tells its tools. */
interface ToolRecord {
  readonly documents: { readonly "toolchain.json": Pick<Toolchain, "tools"> };
}

/**
 * Finds, at hand, the tools that a run records: the program that its command starts, by the name
 * that the command gives it, null where it is not there; and all that are there, by the names that
 * are recorded.
 */
export function findRecordedTools(
  run: ToolRecord,
  argv: readonly [program: string, ...args: string[]],
  root: Root,
): { readonly program: FoundTool | null; readonly tools: readonly FoundTool[] } {
  const found = new Map<string, FoundTool>();
  const add = (tools: readonly FoundTool[]): void => {
    for (const tool of tools) if (!found.has(tool.name)) found.set(tool.name, tool);
  };
  const started = gatherWhereThere(() => gatherProgram(argv, root));
  add(started);
  const { tools: recorded = [] } = run.documents["toolchain.json"];
  const others = recorded
    // Several parts of a path tell programs of one name apart, and lead nowhere.
    .filter(({ name }) => !found.has(name) && (name.startsWith("./") || !name.includes("/")))
    .map(({ name }) => gatherWhereThere(() => gatherTool(name, root)));
  // An interpreter is the one that its script names, which need not be the one in PATH.
  for (const [, ...interpreters] of others) add(interpreters);
  for (const [tool] of others) add(tool === undefined ? [] : [tool]);
  return { program: started[0] ?? null, tools: [...found.values()] };
}

/**
 * Says why recorded programs in the root that are there cannot be started, such as a script that
 * lost its mode.
 */
export function findUnstartableTools(run: Run, root: Root): ReadonlyMap<string, string> {
  const { tools = [] } = run.documents["toolchain.json"];
  return new Map(tools.flatMap(({ name }) => {
    if (!name.startsWith("./")) return [];
    const located = locateExecutable(name, root.path);
    return located.state === "unstartable" ? [[name, located.reason] as const] : [];
  }));
}

function gatherWhereThere(gather: () => readonly FoundTool[]): readonly FoundTool[] {
  try {
    return gather();
  } catch (error) {
    const isAbsent = error instanceof KprovError &&
      (error.code === "not_found" || error.code === "cannot_start" || error.code === "data");
    if (isAbsent) return [];
    throw error;
  }
}
