/**
 * Runs a command where nothing else is: in bubblewrap, with the system's files and those of the recorded
 * programs to read, a scratch copy to write, and no network, no other process, no home.
 *
 * @module
 */

import { type Finding, KprovError, makeFinding } from "../base/error.ts";
import { escapeText, quote } from "../base/quote.ts";
import { dirname, join, resolve } from "../base/std.ts";
import { compareUtf8 } from "../base/text.ts";
import type { Variation, VariationKind } from "../evidence/reproduction.ts";
import { deferSignals, type Host, sendSignal } from "./host.ts";
import { MOST_LINKS } from "./list_directory.ts";
import type { Root } from "./paths.ts";
import {
  describeSystemError,
  isPermitted,
  requireEnv,
  requirePermission,
  requireRun,
} from "./permissions.ts";
import { makeScratchDirectory } from "./atomic_file.ts";
import { askHelper, type FoundTool, locateHelper, type Started } from "./tools.ts";
import { isSystemFile, listBesidePrograms } from "./trace/tracer.ts";

/** The program that isolates. */
const SANDBOX = "bwrap";

const HELPER = {
  name: SANDBOX,
  action: "Cannot isolate the command",
  flag: "--isolate",
  debian: "bubblewrap",
} as const;

/** The home that an isolated command has: empty, and nobody's. */
export const ISOLATED_HOME = "/home/kprov";

/** Where the system keeps what programs are made of, on one system or another. */
const SYSTEM_DIRECTORIES: readonly string[] = [
  ...["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"],
  ...["/nix/store", "/gnu/store", "/var/lib/texmf", "/var/lib/ghostscript"],
];

/**
 * No other process, network, queue or host name; ended with kprov; out of reach of the terminal; with no
 * right that a plain user has not.
 */
const ISOLATION: readonly string[] = [
  ...["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"],
  ...["--hostname", "localhost", "--proc", "/proc", "--dev", "/dev"],
  ...["--tmpfs", "/tmp", "--tmpfs", ISOLATED_HOME],
];

/** What a command runs in. */
export interface Sandbox {
  /** The file of bubblewrap, absolute. */
  readonly path: string;
  /** Its arguments that make up what can be read. */
  readonly mounts: readonly string[];
  /** The variables that are set for the command, and no other is. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Makes sure that a command can be isolated, before it is started: bubblewrap is there, and the
 * system lets it make namespaces. The inputs in the root are not shown; `names` are passed on
 * beside PATH and LANG.
 */
export async function findSandbox(
  root: Root,
  names: readonly string[],
  host: Host,
): Promise<Sandbox> {
  if (Deno.build.os !== "linux") {
    throw new KprovError("usage", "Cannot isolate the command: --isolate works only on Linux");
  }
  const path = locateHelper(HELPER, root.path);
  const mounts = listSystemMounts();
  const env = readVariables(names, host);
  const fault = await tryOut(path, mounts);
  if (fault === null) return { path, mounts, env };
  throw new KprovError(
    "cannot_start",
    `Cannot isolate the command: bubblewrap does not work here`,
    {
      reason: escapeText(fault),
      hint: "it needs user namespaces, which containers and some systems do not allow",
    },
  );
}

/** Lets bubblewrap start itself in there, which needs no other program. */
async function tryOut(path: string, mounts: readonly string[]): Promise<string | null> {
  const itself = ["--ro-bind", path, path];
  const args = [...ISOLATION, ...mounts, ...itself, "--", path, "--version"];
  const { success, stdout, stderr } = await askHelper(path, args, {});
  if (success && stdout.startsWith("bubblewrap ")) return null;
  const line = stderr.trim().split("\n").at(-1)?.replace(/^bwrap: /, "") ?? "";
  return line === "" ? "it does not start" : line;
}

function readVariables(names: readonly string[], host: Host): Record<string, string> {
  const given = ["PATH", "LANG", ...names.filter((name) => name !== "HOME")];
  const set = given.flatMap((name) => {
    requireEnv(name, `Cannot pass on variable ${quote(name)}`);
    const value = host.readEnv(name);
    return value === null ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(set), HOME: ISOLATED_HOME };
}

/** A program's path, and where links lead from there. */
type ShownProgram = Pick<FoundTool, "path" | "real">;

/** Shows programs in a sandbox, with what stands beside them and is theirs. */
export function showPrograms(sandbox: Sandbox, tools: readonly ShownProgram[]): Sandbox {
  return { ...sandbox, mounts: [...sandbox.mounts, ...listProgramMounts(tools)] };
}

/**
 * Starts a command in a sandbox, in the first of the directories that it may write to, under their
 * own paths. Its variables come on top of the sandbox's.
 */
export function isolate(
  { path, mounts, env }: Sandbox,
  places: readonly [scratch: string, ...others: string[]],
  { program, args, env: more = {} }: Started,
): Started {
  const variables = { ...env, ...more };
  const writable = places.flatMap((place) => ["--bind", place, place]);
  // Deno starts nothing with what loads libraries, which would go for bubblewrap too.
  const isLoader = ([name]: readonly [string, string]): boolean => /^(LD|DYLD)_/.test(name);
  const entries = Object.entries(variables);
  const loaders = entries.filter(isLoader).flatMap(([name, value]) => ["--setenv", name, value]);
  return {
    program: path,
    args: [
      ...[...ISOLATION, ...mounts, ...loaders, ...writable, "--remount-ro", "/"],
      ...["--chdir", places[0], "--", program, ...args],
    ],
    env: Object.fromEntries(entries.filter((entry) => !isLoader(entry))),
  };
}

/** What bubblewrap says where it cannot start a command, on standard error. */
export const SANDBOX_FAULT = /^bwrap: (?:execvp [^\n]*: )?([^\n]+)\n/;

function listSystemMounts(): string[] {
  const settings = listNames("/etc").map((name) => `/etc/${name}`)
    .filter((path) => isSystemFile(path));
  return [...SYSTEM_DIRECTORIES, ...settings].flatMap(mount);
}

function listNames(directory: string): string[] {
  requirePermission("read", directory);
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort(compareUtf8);
}

/** A link of the system's, such as /bin, stays one. */
function mount(path: string): string[] {
  requirePermission("read", path);
  try {
    if (!Deno.lstatSync(path).isSymlink) return ["--ro-bind", path, path];
    return dirname(path) === "/"
      ? ["--symlink", Deno.readLinkSync(path), path]
      : ["--ro-bind", Deno.realPathSync(path), path];
  } catch {
    return [];
  }
}

function listProgramMounts(tools: readonly ShownProgram[]): string[] {
  const files = tools.flatMap(({ path, real }) => [...listLinks(path), real]);
  const paths = [...new Set(files.flatMap((file) => [file, ...listBesidePrograms(file)]))]
    .filter((path) => !SYSTEM_DIRECTORIES.some((system) => path.startsWith(`${system}/`)));
  // What stands in another comes after it.
  return paths.sort(compareUtf8).flatMap((path) => ["--ro-bind-try", path, path]);
}

/** A path and the links that it leads to, but for the last file. */
function listLinks(path: string): string[] {
  const links: string[] = [];
  for (let next = path; links.length < MOST_LINKS;) {
    links.push(next);
    requirePermission("read", next);
    if (!Deno.lstatSync(next).isSymlink) break;
    next = resolve(dirname(next), Deno.readLinkSync(next));
  }
  return links;
}

/** One thing that is changed, and how. */
export interface Setting extends Variation {
  /** Variables that are set. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where in the scratch directory the copy stands. */
  readonly directory?: string;
  /** The clock that the command sees. */
  readonly clock?: Clock;
  /** The program that lists directories backwards. */
  readonly reverser?: string;
  /** What keeps the command to one core. */
  readonly onOneCore?: (started: Started) => Started;
}

/** Another clock. */
interface Clock {
  /** The file of faketime, absolute. */
  readonly faketime: string;
  /** The file of env(1), absolute; null where the variables are set by other means. */
  readonly env: string | null;
  /** The library that it loads into programs. */
  readonly library: string;
}

/** Where and how the command runs. */
interface Surroundings {
  readonly root: Root;
  /** Where scratch directories go. */
  readonly place: string;
  /** The variables that the command gets where it is isolated; null where it gets kprov's own. */
  readonly isolatedEnv: Readonly<Record<string, string>> | null;
}

/** The settings of some kinds, and what is not varied as far as it could be. */
interface GatheredSettings {
  readonly settings: readonly Setting[];
  readonly notes: readonly Finding[];
}

/**
 * Finds how each kind can be varied here, before anything is run; throws where that does not work.
 */
export async function gatherSettings(
  kinds: readonly VariationKind[],
  surroundings: Surroundings,
): Promise<GatheredSettings> {
  if (kinds.length > 0 && Deno.build.os !== "linux") {
    throw new KprovError("usage", "Cannot vary the runs: --vary works only on Linux");
  }
  const gathered: GatheredSettings[] = [];
  for (const kind of kinds) gathered.push(await GATHERERS[kind](surroundings));
  return {
    settings: gathered.flatMap(({ settings }) => settings),
    notes: gathered.flatMap(({ notes }) => notes),
  };
}

type Gather = (surroundings: Surroundings) => Promise<GatheredSettings>;

const GATHERERS: Readonly<Record<VariationKind, Gather>> = {
  time: gatherTimes,
  locale: gatherLocales,
  cwd: () =>
    gather({ kind: "cwd", how: "a deeper directory with another name", directory: DEEPER }),
  order: gatherOrders,
  cores: gatherCores,
};

const DEEPER = "another-name/and/deeper-still/copy";

function gather(...settings: readonly Setting[]): Promise<GatheredSettings> {
  return Promise.resolve({ settings, notes: [] });
}

/** Finds the program that varies something. */
function locateVarier(
  kind: VariationKind,
  { root }: Surroundings,
  helper: { readonly name: string; readonly debian: string },
): string {
  const words = { action: describeRefusal(kind), flag: `--vary ${kind}` };
  return locateHelper({ ...helper, ...words }, root.path);
}

function describeRefusal(kind: VariationKind): string {
  return `Cannot vary the ${NOUNS[kind]}`;
}

/** Another year, month, day and day of the week, whenever that is. */
const OFFSET = "+400d";

const OFFSET_SECONDS = 400 * 24 * 60 * 60;

/** A day from the earliest zone of all. */
const ZONES = { named: "Pacific/Kiritimati", posix: "<+14>-14" } as const;

async function gatherTimes(surroundings: Surroundings): Promise<GatheredSettings> {
  const { isolatedEnv } = surroundings;
  const faketime = locateVarier("time", surroundings, { name: "faketime", debian: "faketime" });
  const env = isolatedEnv === null
    ? locateVarier("time", surroundings, { name: "env", debian: "coreutils" })
    : null;
  const script = 'printf "%s\\n%s\\n" "$LD_PRELOAD" "$(date +%s)"';
  const args = ["-f", OFFSET, "sh", "-c", script];
  const { stdout, stderr } = await askHelper(faketime, args);
  const [library = "", told = ""] = stdout.split("\n");
  const ahead = Number(told) - Date.now() / 1000;
  if (!(Math.abs(ahead - OFFSET_SECONDS) < 24 * 60 * 60)) {
    const reason = stderr.trim().split("\n")[0] || "a program does not see the changed time";
    throw refuse("time", `"faketime" does not work here: ${escapeText(reason)}`);
  }
  if (isolatedEnv !== null && !/^\/(?:usr|lib|lib64|nix\/store|gnu\/store)\//.test(library)) {
    throw refuse(
      "time",
      `the library of "faketime" is not among the system's, which --isolate shows`,
    );
  }
  return await gather(
    { kind: "time", how: "a clock 400 days ahead", clock: { faketime, env, library } },
    { kind: "time", how: "the time zone UTC+14", env: { TZ: chooseZone() } },
  );
}

function chooseZone(): string {
  const path = `/usr/share/zoneinfo/${ZONES.named}`;
  try {
    if (isPermitted("read", path) && Deno.statSync(path).isFile) return ZONES.named;
  } catch {
    // Programs then read the rule itself, where they can.
  }
  return ZONES.posix;
}

function refuse(kind: VariationKind, reason: string): KprovError {
  return new KprovError("cannot_start", `${describeRefusal(kind)}: ${reason}`);
}

const NOUNS: Readonly<Record<VariationKind, string>> = {
  time: "time",
  locale: "locale",
  cwd: "directory",
  order: "order of directories",
  cores: "cores",
};

/** Languages that sort letters or write numbers otherwise than most. */
const TELLING_LOCALES = ["et_EE.utf8", "tr_TR.utf8", "de_DE.utf8", "sv_SE.utf8", "en_US.utf8"];

async function gatherLocales(surroundings: Surroundings): Promise<GatheredSettings> {
  const path = locateVarier("locale", surroundings, { name: "locale", debian: "libc-bin" });
  const env = surroundings.isolatedEnv ?? undefined;
  const installed = (await askHelper(path, ["-a"], env)).stdout.trim().split("\n");
  const { stdout } = await askHelper(path, [], env);
  const current = normaliseLocale(/^LC_COLLATE="?([^"\n]*)/m.exec(stdout)?.[1] ?? "");
  const languages = [...TELLING_LOCALES, ...installed]
    .filter((name) => installed.includes(name) && /^[a-z]{2,3}_.*utf8$/.test(name));
  const language = languages.find((name) => name !== current);
  const plain = current === "C"
    ? installed.find((name) => normaliseLocale(name) === "C.utf8")
    : "C";
  const names = [language, plain].filter((name) => name !== undefined);
  if (names.length === 0) throw refuse("locale", "no other is installed");
  const message = "only the locale C is installed, so other sort orders are not tried";
  return {
    settings: names.map((name): Setting => ({
      kind: "locale",
      how: `the locale ${escapeText(name)}`,
      env: { LC_ALL: name, LANGUAGE: name },
    })),
    notes: language === undefined
      ? [makeFinding("variation.limited", message, { level: "note" })]
      : [],
  };
}

/** As `locale -a` writes it. */
function normaliseLocale(name: string): string {
  const written = name.replace(/\.utf-8$/i, ".utf8");
  return written === "" || written === "POSIX" ? "C" : written;
}

async function gatherOrders(surroundings: Surroundings): Promise<GatheredSettings> {
  const helper = { name: "disorderfs", debian: "disorderfs" };
  const reverser = locateVarier("order", surroundings, helper);
  await deferSignals(async () => {
    using scratch = makeScratchDirectory(surroundings.place);
    const [source, target] = [join(scratch.path, "source"), join(scratch.path, "target")];
    for (const path of [source, target]) Deno.mkdirSync(path);
    const reversed = await mountReversed(reverser, source, target);
    await reversed[Symbol.asyncDispose]();
  });
  return await gather({ kind: "order", how: "directories listed backwards", reverser });
}

async function gatherCores(surroundings: Surroundings): Promise<GatheredSettings> {
  const taskset = locateVarier("cores", surroundings, { name: "taskset", debian: "util-linux" });
  const { stdout } = await askHelper(taskset, ["-pc", String(Deno.pid)]);
  const [first, ...more] = /: *([0-9]+)([,-][0-9])?/.exec(stdout)?.slice(1) ?? [];
  if (first === undefined) throw refuse("cores", '"taskset" does not tell those that may be used');
  if (more[0] === undefined) throw refuse("cores", "there is only one");
  const onOneCore = ({ program, args, ...rest }: Started): Started => ({
    ...rest,
    program: taskset,
    args: ["-c", first, program, ...args],
  });
  return await gather({ kind: "cores", how: "one core", onOneCore });
}

/** How long a file system or a clock may take to come up. */
const PATIENCE_MS = 10_000;

const LOOK_MS = 10;

/**
 * Shows a directory at another, empty place on the same disk, where its entries are listed
 * backwards; what is returned takes it away again.
 */
export async function mountReversed(
  reverser: string,
  source: string,
  target: string,
): Promise<AsyncDisposable> {
  const args = ["-f", "--sort-dirents=yes", "--reverse-dirents=yes", source, target];
  const child = spawnBeside(reverser, args, { stdin: "null", stdout: "null", stderr: "piped" });
  const stderr = new Response(child.stderr).text();
  let isOver = false;
  const status = child.status.then(() => isOver = true);
  const stop = async (): Promise<void> => {
    sendSignal(child, "SIGTERM");
    await status;
  };
  const isMounted = (): boolean =>
    Deno.lstatSync(target).dev !== Deno.lstatSync(dirname(target)).dev;
  const end = performance.now() + PATIENCE_MS;
  while (!isOver && !isMounted()) {
    if (performance.now() > end) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  if (!isOver && isMounted()) return { [Symbol.asyncDispose]: stop };
  await stop();
  const lines = (await stderr).trim().split("\n");
  const reason = lines.findLast((line) => !line.startsWith("disorderfs: ")) ?? "it does not start";
  throw refuse("order", `"disorderfs" does not work here: ${escapeText(reason)}`);
}

/** Signals of a terminal do not reach it: what it holds outlives the command. */
function spawnBeside<O extends Deno.CommandOptions>(
  path: string,
  args: readonly string[],
  options: O,
): Deno.ChildProcess {
  try {
    return new Deno.Command(path, { ...options, args: [...args], detached: true }).spawn();
  } catch (error) {
    requireRun(path, path);
    throw new KprovError(
      "cannot_start",
      `Cannot run ${quote(path)}: ${describeSystemError(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** A clock that a command can be started with. */
interface StartedClock extends AsyncDisposable {
  /** Makes the start of a command one that sees it. */
  readonly apply: (started: Started) => Started;
}

/**
 * Starts another clock. Outside of a sandbox, programs share memory for it, which goes when this is
 * disposed of, and also where kprov is killed.
 */
export async function startClock({ faketime, env, library }: Clock): Promise<StartedClock> {
  const variables = { LD_PRELOAD: library, FAKETIME: OFFSET };
  if (env === null) {
    return {
      apply: (started) => ({ ...started, env: { ...started.env, ...variables } }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const args = ["-f", OFFSET, "sh", "-c", 'echo "$FAKETIME_SHARED"; exec cat'];
  const child = spawnBeside(faketime, args, { stdin: "piped", stdout: "piped", stderr: "null" });
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const shared = new TextDecoder().decode(value).trim();
  const words = Object.entries({ ...variables, FAKETIME_SHARED: shared })
    .map(([name, text]) => `${name}=${text}`);
  return {
    apply: ({ program, args, ...rest }) => {
      // env(1) would take it for a variable.
      if (program.includes("=")) throw refuse("time", `the path of ${quote(program)} holds a "="`);
      return { ...rest, program: env, args: [...words, program, ...args] };
    },
    [Symbol.asyncDispose]: async () => {
      await child.stdin.close();
      await reader.cancel();
      await child.status;
    },
  };
}
