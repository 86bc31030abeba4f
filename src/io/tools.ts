import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { basename, relative, toPosixPath } from "../base/std.ts";
import { compareUtf8 } from "../base/text.ts";
import type { Run } from "../evidence/documents.ts";
import type { RecordedTool, Toolchain } from "../evidence/toolchain.ts";
import { gatherProgramForm, isPath, type Located, locateExecutable } from "./executable.ts";
import { hashFile } from "./hash/hash_files.ts";
import type { Root } from "./paths.ts";
import { isMissing, permissionFlag, requirePermission, toKprovError } from "./permissions.ts";

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
 * Finds and digests the program that a command starts, and the one that env starts for it. Files are
 * looked for in PATH, or relative to the root, where the command runs.
 *
 * @param argv The words of the command
 * @param root Where the command runs
 * @throws {KprovError} `not_found` where it is not there, `cannot_start` where it is no program,
 * `data` where its interpreter cannot be told, `io` or `permission` where it cannot be read
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
 * Finds and digests a program that a command uses besides the one it starts.
 *
 * @param name Its name in PATH, or a path relative to the root
 * @param root Where the command runs
 * @throws {KprovError} `data` where it is not there or its interpreter cannot be told, `io` or
 * `permission` where it cannot be read
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

/** By its name in PATH; by its path in the root; elsewhere by its last part, for no absolute path is recorded. */
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
    throw toKprovError(error, `Cannot read tool ${quote(name)}`, {
      missing: "data",
      refused: "io",
      flag: permissionFlag("read", path),
    });
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
 * Joins tools to the list that toolchain.json records.
 *
 * @param tools Tools in any order, some perhaps twice
 * @returns Each name once
 * @throws {KprovError} `data` where two different programs have one name
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
 * Digests the programs that a command was seen to start, with the interpreters of scripts among them.
 *
 * @param paths Their paths, absolute
 * @param known The tools that are known already
 * @param root Where the command ran
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
    const tool = digestExecuted(path, root);
    if (tool === null) {
      unknown.push(path);
      continue;
    }
    const name = distinguish(tool, tools);
    if (!tools.has(name)) tools.set(name, { ...tool, name });
    const form = gatherProgramForm(tool.real, name);
    if (form.form !== "script" || seen.has(form.interpreter)) continue;
    seen.add(form.interpreter);
    pending.push(form.interpreter);
  }
  return { tools: [...tools.values()], unknown };
}

function digestExecuted(path: string, root: Root): FoundTool | null {
  try {
    const name = nameTool(path, path, root);
    const real = Deno.realPathSync(path);
    const { sha256 } = hashFile(real, name, "tool");
    const isScript = gatherProgramForm(real, name).form === "script";
    return { name, sha256, path, real, isScript, args: null, env: {} };
  } catch (error) {
    // It was started, and so was there; what became of it is not the command's failure.
    if (isMissing(error) || error instanceof KprovError) return null;
    throw error;
  }
}

/** Two programs of one name are told apart by as much of their paths as that takes. */
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
 * Finds, at hand, the tools that a run records: the program that its command starts, by the name that
 * the command gives it, and the others by the names that are recorded.
 *
 * @param run A run of a command that verifies
 * @param argv The words of its command
 * @param root Where the command is to run
 * @returns The program first, where it is there; each name once, those that are not there left out
 * @throws {KprovError} `io` or `permission` where one cannot be looked for or read
 */
export function findRecordedTools(
  run: ToolRecord,
  argv: readonly [program: string, ...args: string[]],
  root: Root,
): FoundTool[] {
  const found = new Map<string, FoundTool>();
  const add = (tools: readonly FoundTool[]): void => {
    for (const tool of tools) if (!found.has(tool.name)) found.set(tool.name, tool);
  };
  add(gatherWhereThere(() => gatherProgram(argv, root)));
  const { tools: recorded = [] } = run.documents["toolchain.json"];
  const others = recorded
    // Several parts of a path tell programs of one name apart, and lead nowhere.
    .filter(({ name }) => !found.has(name) && (name.startsWith("./") || !name.includes("/")))
    .map(({ name }) => gatherWhereThere(() => gatherTool(name, root)));
  // An interpreter is the one that its script names, which need not be the one in PATH.
  for (const [, ...interpreters] of others) add(interpreters);
  for (const [tool] of others) add(tool === undefined ? [] : [tool]);
  return [...found.values()];
}

/**
 * Says why recorded programs that are there cannot be started, such as a script that lost its mode.
 *
 * @param run A run that verifies
 * @param root What the names of programs in it are relative to
 * @returns The reasons by name; only of paths in the root
 * @throws {KprovError} `io` or `permission` where one cannot be looked at
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
