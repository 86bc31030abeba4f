/**
 * The runtimes that a command uses: interpreters and their kind, with version and packages.
 *
 * A program is recognised by what it is called, by the command or by the file that a link leads to,
 * and then asked about itself: where the command will run, with the command's environment, and under
 * the permission to start it. What it answers is its word; the digest is that of the file which it
 * names as its real executable, behind shims and links.
 *
 * @module
 */

import { type Finding, makeFinding } from "../../base/error.ts";
import { escapeText, quote } from "../../base/quote.ts";
import { basename, dirname, join, resolve } from "../../base/std.ts";
import type { RecordedPackage, RecordedRuntime } from "../../evidence/toolchain.ts";
import { DEEPEST_SCRIPT, type FoundTool, gatherProgramForm, isPath } from "../tools.ts";
import { hashFile } from "../hash/hash_files.ts";
import { sendSignal } from "../host.ts";
import { isBelow, type Root } from "../paths.ts";
import {
  describeSystemError,
  hintAtFlag,
  isMissing,
  isPermitted,
  isRunPermitted,
  refuseRun,
  requirePermission,
  toReadError,
} from "../permissions.ts";
import { readRequiredFile } from "../read_file.ts";
import { type Packages, parseObject, toPublicUrl, toText } from "./lockfiles.ts";
import { RUNTIME_READERS, type RuntimeCall, type RuntimeReader, type Told } from "./readers.ts";

/** A runtime with what only this machine needs to know of it. */
export interface FoundRuntime {
  /** What is recorded. */
  readonly recorded: RecordedRuntime;
  /** The tool that it is: as the command, a script or `--tool` calls it. */
  readonly tool: FoundTool;
  /** Its real executable, so that it can be digested again; the tool itself where it is that. */
  readonly executable: FoundTool;
  /** Why its version is not known; null where it is. */
  readonly fault: RuntimeFault | null;
  /** What is unknown, as notes. */
  readonly notes: readonly Finding[];
}

/** Why a version is not known. */
interface RuntimeFault {
  /** In words. */
  readonly reason: string;
  /** The flag that lets kprov ask, where it was not permitted to. */
  readonly flag: string | null;
}

/** What a runtime is held against the policy by. */
export interface RuntimeVersion {
  /** Which runtime. */
  readonly name: string;
  /** Its version; null where it is unknown. */
  readonly version: string | null;
  /** The program that it is, as it is called. */
  readonly program: string;
  /** Why the version is not known; null where it is, or where that is not known either. */
  readonly fault: RuntimeFault | null;
}

/** What is asked. */
interface RuntimesRequest {
  /** The tools that a run records. */
  readonly tools: readonly FoundTool[];
  /** Where the command runs. */
  readonly root: Root;
  /** Whether packages are recorded. */
  readonly wantsPackages: boolean;
}

/**
 * Finds the runtimes among tools and asks each about itself.
 *
 * @param request The tools, and where they run
 * @returns Those that are runtimes, in the order of the tools
 * @throws {KprovError} `permission` where a real executable or conda's records may not be read, or
 * Deno does not start a program that it was permitted to; `data` or `io` where one cannot be read
 */
export async function gatherRuntimes(request: RuntimesRequest): Promise<FoundRuntime[]> {
  const { tools, root, wantsPackages } = request;
  const runtimes = await Promise.all(tools.map((tool) => {
    const reader = findReader(tool, root);
    if (reader === undefined) return null;
    const call = { args: tool.args ?? [], root: root.path, wantsPackages };
    return gatherRuntime(reader, tool, call);
  }));
  return runtimes.filter((runtime) => runtime !== null);
}

/**
 * Asks a program that is about to be started for its version, by what it is called and without reading
 * more than scripts in the root. Interpreters of such a script are asked in its place.
 *
 * @param argv The words that start it
 * @param root Where it runs
 * @returns The version of each runtime; none where the program is none that kprov knows
 * @throws {KprovError} `permission` where Deno does not start a program that it was permitted to
 */
export async function askVersions(
  argv: readonly [program: string, ...args: string[]],
  root: Root,
): Promise<RuntimeVersion[]> {
  const [program, ...args] = findInterpreter(argv, root);
  const reader = RUNTIME_READERS.find(({ programs }) => programs.test(toProgramName(program)));
  if (reader === undefined) return [];
  const path = isPath(program) ? resolve(root.path, program) : program;
  const tool = { path, name: program, env: {} };
  const heard = await hear(reader, tool, { args, root: root.path, wantsPackages: false });
  const fault = "reason" in heard ? heard : null;
  const version = "reason" in heard ? null : heard.version;
  return [{ name: reader.name, version, program, fault }];
}

/** The words that start what a script in the root is read by; those given where it is none. */
function findInterpreter(
  argv: readonly [program: string, ...args: string[]],
  root: Root,
): readonly [program: string, ...args: string[]] {
  let words = argv;
  for (let depth = 0; depth < DEEPEST_SCRIPT; depth++) {
    const script = isPath(words[0]) ? readScript(resolve(root.path, words[0]), root) : null;
    if (script === null) break;
    words = [...script, ...words];
  }
  return words;
}

/** The words in front of a script's own, by its first line; null where it is none that can be read. */
function readScript(
  path: string,
  root: Root,
): readonly [program: string, ...args: string[]] | null {
  if (!isPermitted("read", path)) return null;
  try {
    const real = Deno.realPathSync(path);
    if (!isBelow(root.path, real)) return null;
    const form = gatherProgramForm(real, path);
    return form.form === "script" ? [form.searched ?? form.interpreter, ...form.args] : null;
  } catch {
    // Where it cannot be started, that is reported when it is.
    return null;
  }
}

/**
 * A script in the root is never started to be asked: it is the project's own, whatever it is called,
 * and what it would do with a question is not known.
 */
export function findReader(tool: FoundTool, root: Root): RuntimeReader | undefined {
  const isOwn = tool.name.startsWith("./") && isBelow(root.path, tool.real);
  if (tool.isScript && isOwn) return undefined;
  const names = [tool.real, tool.path, tool.name].map(toProgramName);
  return names.map((name) => RUNTIME_READERS.find(({ programs }) => programs.test(name)))
    .find((reader) => reader !== undefined);
}

function toProgramName(path: string): string {
  return basename(path).replace(/\.exe$/i, "");
}

async function gatherRuntime(
  reader: RuntimeReader,
  tool: FoundTool,
  call: RuntimeCall,
): Promise<FoundRuntime> {
  const heard = await hear(reader, tool, call);
  if ("reason" in heard) {
    const message = `the version of ${reader.name} ${
      quote(tool.name)
    } is not known: ${heard.reason}`;
    const hint = heard.flag === null ? null : hintAtFlag(heard.flag);
    return {
      recorded: record(reader, tool, null, null, call),
      tool,
      executable: tool,
      fault: heard,
      notes: [makeFinding("runtime.unknown_version", message, { level: "note", hint })],
    };
  }
  const executable = findExecutable(reader, tool, heard);
  const packages = call.wantsPackages ? joinConda(heard) : heard.packages;
  return {
    recorded: record(reader, executable ?? tool, heard, packages, call),
    tool,
    executable: executable ?? tool,
    fault: null,
    notes: [
      ...(executable === null ? [noteExecutable(reader, tool)] : []),
      ...(packages.ok || !call.wantsPackages ? [] : [notePackages(reader, tool, packages.reason)]),
    ],
  };
}

function record(
  { name }: RuntimeReader,
  { sha256 }: FoundTool,
  told: Told | null,
  packages: Packages | null,
  { wantsPackages }: RuntimeCall,
): RecordedRuntime {
  const { version = null, implementation = null } = told ?? {};
  const known = { name, version, implementation, sha256 };
  return wantsPackages
    ? { ...known, packages: packages?.ok ? packages.packages : null }
    : { ...known, packages: null, packages_omitted: true };
}

function noteExecutable({ name }: RuntimeReader, tool: FoundTool): Finding {
  return makeFinding(
    "runtime.unknown_executable",
    `${name} ${
      quote(tool.name)
    } does not report its real executable; the digest is that of the file that was started`,
    { level: "note" },
  );
}

function notePackages({ name }: RuntimeReader, tool: FoundTool, reason: string): Finding {
  const message = `the packages of ${name} ${quote(tool.name)} are not known: ${reason}`;
  return makeFinding("runtime.unknown_packages", message, { level: "note" });
}

async function hear(
  reader: RuntimeReader,
  tool: Pick<FoundTool, "path" | "name" | "env">,
  call: RuntimeCall,
): Promise<Told | RuntimeFault> {
  if (!isRunPermitted(tool.path)) {
    const flag = `--allow-run=${escapeText(tool.path)}`;
    return { reason: "kprov is not permitted to start it", flag };
  }
  const answer = await askProgram({
    program: tool.path,
    name: tool.name,
    args: reader.ask(call),
    directory: call.root,
    env: { ...listShimVariables(reader, call), ...listEnv(tool) },
  });
  if (!answer.ok) return { reason: answer.reason, flag: null };
  return reader.read(answer, call) ??
    { reason: "its answer is not that of such a runtime", flag: null };
}

/** Deno sets none of the variables that load libraries into a program. */
function listEnv({ env }: Pick<FoundTool, "env">): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(LD|DYLD)_/.test(name)));
}

/**
 * rbenv and nodenv look for a version file from the directory of the script on, where it is named by a
 * path.
 */
function listShimVariables(
  { name }: RuntimeReader,
  { args, root }: RuntimeCall,
): Record<string, string> {
  const variable = { ruby: "RBENV_DIR", node: "NODENV_DIR" }[name];
  const script = args.find((arg) => arg.includes("/") && !arg.startsWith("-"));
  if (variable === undefined || script === undefined) return {};
  return { [variable]: dirname(resolve(root, script)) };
}

function findExecutable(
  { name }: RuntimeReader,
  tool: FoundTool,
  { executable }: Told,
): FoundTool | null {
  if (executable === null) return tool.isScript ? null : tool;
  try {
    requirePermission("read", executable);
    const real = Deno.realPathSync(executable);
    if (real === tool.real) return tool;
    requirePermission("read", real);
    const { sha256 } = hashFile(real, name, "tool");
    return { ...tool, name, sha256, path: real, real, isScript: false };
  } catch (error) {
    if (isMissing(error)) return null;
    throw toReadError(error, `Cannot read ${name} ${quote(executable)}`, { path: executable });
  }
}

/** Larger than any record of one package. */
const MOST_RECORD_BYTES = 64 * 2 ** 20;

/** Adds what conda installed into the environment in which a runtime stands. */
function joinConda({ conda, packages }: Told): Packages {
  if (conda === null || !packages.ok) return packages;
  const names = listCondaRecords(conda);
  const installed = names.map((name) =>
    readCondaRecord(
      new TextDecoder().decode(
        readRequiredFile(join(conda, name), {
          action: `Cannot read record of conda ${quote(name)}`,
          maxBytes: MOST_RECORD_BYTES,
        }),
      ),
    )
  );
  const known = installed.filter((entry) => entry !== null);
  return known.length === installed.length
    ? { ok: true, packages: [...packages.packages, ...known] }
    : { ok: false, reason: "a record in conda-meta cannot be read" };
}

function listCondaRecords(conda: string): string[] {
  requirePermission("read", conda);
  try {
    return [...Deno.readDirSync(conda)].map(({ name }) => name)
      .filter((name) => name.endsWith(".json"));
  } catch (error) {
    throw toReadError(error, `Cannot read records of conda in ${quote(conda)}`, {
      path: conda,
      missing: "data",
    });
  }
}

function readCondaRecord(text: string): RecordedPackage | null {
  const file = parseObject(text);
  const name = toText(file?.["name"]);
  if (file === null || name === null) return null;
  const sha256 = toText(file["sha256"]);
  const md5 = toText(file["md5"]);
  const url = toPublicUrl(file["url"]);
  const archive = sha256 !== null ? `sha256:${sha256}` : md5 === null ? null : `md5:${md5}`;
  // Mirrors of a channel serve the same archive, so that its digest tells more than its address.
  const source = archive !== null ? { archive } : url === null ? null : { url };
  return {
    name,
    version: toText(file["version"]),
    manager: "conda",
    ...(source === null ? {} : { source }),
  };
}

/** How long a program may take to tell about itself. */
const LONGEST_ANSWER_MS = 60_000;

/** The longest answer: that of ten thousand packages is a fiftieth of it. */
const LONGEST_ANSWER_BYTES = 64 * 2 ** 20;

/** Variables that make a program load something of the user's before it answers. */
const WITHOUT_START_UP: Readonly<Record<string, string>> = {
  BASH_ENV: "",
  ENV: "",
  JAVA_TOOL_OPTIONS: "",
  JDK_JAVA_OPTIONS: "",
  _JAVA_OPTIONS: "",
  NODE_OPTIONS: "",
  PERL5OPT: "",
  RUBYOPT: "",
};

/** A question to a program about itself. */
interface Question {
  /** The file to start, absolute. */
  readonly program: string;
  /** What it is called, for the message. */
  readonly name: string;
  /** The arguments that make it answer. */
  readonly args: readonly string[];
  /** Its working directory: that of the command. */
  readonly directory: string;
  /** Variables to set for it, as the command's own way to it sets them. */
  readonly env: Readonly<Record<string, string>>;
}

/** What a program answered, or why it did not. */
type Answer =
  | { readonly ok: true; readonly stdout: string; readonly stderr: string }
  | { readonly ok: false; readonly reason: string };

/**
 * Starts a program that tells about itself and ends. It runs where the command will run and with the
 * command's environment, but for the variables that would load the user's code into it.
 *
 * @param question What is started, and how
 * @throws {KprovError} `permission` where Deno does not start it although it was permitted to
 */
async function askProgram(question: Question): Promise<Answer> {
  const { program, args, directory, env } = question;
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args: [...args],
      cwd: directory,
      env: { ...WITHOUT_START_UP, PWD: directory, ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw refuseRun(question.name, error);
    return { ok: false, reason: `it cannot be started: ${describeSystemError(error)}` };
  }
  return await hearOut(child);
}

async function hearOut(child: Deno.ChildProcess): Promise<Answer> {
  const readers = [child.stdout.getReader(), child.stderr.getReader()] as const;
  let fault: string | null = null;
  // What it started may hold its output open after it ended.
  const stop = (reason: string): void => {
    fault ??= reason;
    sendSignal(child, "SIGKILL");
    for (const reader of readers) reader.cancel().catch(() => {});
  };
  const timer = setTimeout(
    () => stop(`it did not answer within ${LONGEST_ANSWER_MS / 1000} s`),
    LONGEST_ANSWER_MS,
  );
  const limit = (): void => stop("its answer is too long");
  const [stdout, stderr, { success, code }] = await Promise.all([
    readText(readers[0], limit),
    readText(readers[1], limit),
    child.status,
  ]);
  clearTimeout(timer);
  if (fault !== null) return { ok: false, reason: fault };
  if (!success) {
    return { ok: false, reason: `asked for its version, it ended with exit code ${code}` };
  }
  return { ok: true, stdout, stderr };
}

async function readText(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  onLimit: () => void,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.length;
    if (size > LONGEST_ANSWER_BYTES) onLimit();
    else text += decoder.decode(next.value, { stream: true });
  }
  return text;
}
