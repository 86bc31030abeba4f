import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { basename, join, resolve } from "../base/std.ts";
import {
  describeSystemError,
  isMissing,
  isRunPermitted,
  permissionFlag,
  refuseRun,
  requireEnv,
  requirePermission,
  requireRun,
  toKprovError,
} from "./permissions.ts";
import { readHead } from "./read_file.ts";

/** What stands where a program is looked for. */
export type Located =
  | { readonly state: "found"; readonly path: string }
  | { readonly state: "missing" }
  | { readonly state: "unstartable"; readonly reason: string };

/**
 * Finds the file of a program as the system does when it starts one: a name with a `/` is a path, any
 * other is looked for in PATH. Where kprov may start that name, Deno itself is asked, so that what is
 * found is what would be started; else PATH is read, which takes the permission for that variable.
 *
 * @param name The name
 * @param directory The directory that relative paths are relative to
 * @throws {KprovError} `permission` where Deno does not let it be found
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
    throw toKprovError(error, `Cannot look for a program at ${quote(path)}`, {
      refused: "io",
      flag: permissionFlag("read", path),
    });
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
  /** A script, but the program that reads it cannot be told. */
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

/**
 * Tells from the first bytes of a program what executes it.
 *
 * @param head The first 256 bytes, or all where there are fewer
 */
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

/** What env is told to start; nothing where that takes more than plain words to tell. */
function parseEnvArgument(argument: string): string[] {
  const isSplit = /^(-S|--split-string=?)/.test(argument);
  const words = isSplit
    ? argument.replace(/^(-S|--split-string=?)/, "").split(/[ \t]+/).filter((word) => word !== "")
    : [argument];
  const first = words.findIndex((candidate) => !/^[A-Za-z_][A-Za-z0-9_]*=/.test(candidate));
  const isPlain = /^[A-Za-z0-9_./+][A-Za-z0-9_./+-]*$/.test(words[first] ?? "");
  return isPlain ? words.slice(first) : [];
}

/**
 * Reads from a program's file what executes it.
 *
 * @param path Where it is
 * @param name What it is called, for the message
 * @throws {KprovError} `io` or `permission` where it cannot be read, `data` where it is no regular file
 * or changes meanwhile
 */
export function gatherProgramForm(path: string, name: string): ProgramForm {
  try {
    return parseProgramForm(readHead(path, LONGEST_LINE + 1));
  } catch (error) {
    if (error instanceof KprovError) {
      throw new KprovError("data", `Cannot read tool ${quote(name)}: ${error.message}`);
    }
    throw toKprovError(error, `Cannot read tool ${quote(name)}`, {
      refused: "io",
      flag: permissionFlag("read", path),
    });
  }
}

/** What Deno makes of a program's name. */
interface ProcessResolution {
  /** The file that it would start, absolute; null where it finds none. */
  readonly path: string | null;
}

/**
 * Asks Deno which file it would start for a name, without starting it: no system passes on an
 * argument with a NUL character, and the error names the file. That is the only way to learn it that
 * needs nothing but the permission to start that program; the file is then started by its path, so
 * that a wrong answer could only lead to an error, never to evidence about another file.
 *
 * @param name A name without `/` that kprov is permitted to start
 * @param directory The working directory of the program
 * @returns The answer, or null where this Deno gives none
 * @throws {KprovError} `permission`
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

/**
 * Finds a program that kprov itself is to start.
 *
 * @param helper Which
 * @param directory The directory that relative paths are relative to
 * @returns Its file, absolute
 * @throws {KprovError} `permission`, `not_found`, or `cannot_start` where it is no program
 */
export function locateHelper({ name, action, flag, debian }: Helper, directory: string): string {
  requireRun(name, name);
  const located = locateExecutable(name, directory);
  if (located.state === "found") return located.path;
  const isMissing = located.state === "missing";
  const reason = !isMissing
    ? located.reason
    : isPath(name)
    ? "it does not exist"
    : "it is not in PATH";
  throw new KprovError(
    isMissing ? "not_found" : "cannot_start",
    `${action}: ${flag} needs ${quote(name)}, and ${reason}`,
    debian === null ? {} : { hint: `install it, such as with apt-get install ${debian}` },
  );
}

/** What a helper printed in answer to a short question. */
interface HelperAnswer {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Asks a helper something that it answers at once.
 *
 * @param path Its file, absolute
 * @param args Its arguments
 * @param env The variables that it gets, and no other; by default kprov's own
 * @throws {KprovError} `cannot_start` where the system does not start it, `permission` where Deno does
 * not
 */
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
