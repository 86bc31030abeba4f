/**
 * Runs a command where nothing else is: in bubblewrap, with the system's files and those of the recorded
 * programs to read, a scratch copy to write, and no network, no other process, no home.
 *
 * @module
 */

import { KprovError } from "../base/error.ts";
import { escapeText, quote } from "../base/quote.ts";
import { dirname, resolve } from "../base/std.ts";
import { compareUtf8 } from "../base/text.ts";
import { askHelper, type FoundTool, locateHelper, type Started } from "./tools.ts";
import type { Host } from "./host.ts";
import type { Root } from "./paths.ts";
import { requireEnv, requirePermission } from "./permissions.ts";
import { isSystemFile, listBesidePrograms } from "./trace/tracer.ts";

/** The program that isolates. */
const SANDBOX = "bwrap";

const HELPER = {
  name: SANDBOX,
  action: "Cannot isolate the command",
  flag: "--isolate",
  debian: "bubblewrap",
} as const;

/** The home that a command has: empty, and nobody's. */
const HOME = "/home/kprov";

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
  ...["--tmpfs", "/tmp", "--tmpfs", HOME],
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
 * Makes sure that a command can be isolated, before it is started: bubblewrap is there, and the system
 * lets it.
 *
 * @param root Where the inputs are, which are not shown
 * @param names The variables that are passed on, beside PATH and LANG
 * @param host The process
 * @throws {KprovError} `usage` where the system is not Linux, `permission`, `not_found` where bubblewrap
 * is not there, `cannot_start` where the system does not let it make namespaces
 */
export async function findSandbox(
  root: Root,
  names: readonly string[],
  host: Host,
): Promise<Sandbox> {
  if (Deno.build.os !== "linux") {
    throw new KprovError("usage", "Cannot isolate the command: --isolate works on Linux alone");
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
      hint: "it takes user namespaces, which containers and some systems do not let a user have",
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
  return { ...Object.fromEntries(set), HOME };
}

/**
 * Shows programs in a sandbox, with what stands beside them and is theirs.
 *
 * @param sandbox The sandbox
 * @param tools The programs
 */
export function showPrograms(sandbox: Sandbox, tools: readonly FoundTool[]): Sandbox {
  return { ...sandbox, mounts: [...sandbox.mounts, ...listProgramMounts(tools)] };
}

/**
 * Starts a command in a sandbox.
 *
 * @param sandbox Where
 * @param scratch The directory that it may write to, under its own path
 * @param started The command; its variables come on top of the sandbox's
 */
export function isolate(
  { path, mounts, env }: Sandbox,
  scratch: string,
  { program, args, env: more = {} }: Started,
): Started {
  const variables = { ...env, ...more };
  // Deno starts nothing with what loads libraries, which would go for bubblewrap too.
  const isLoader = ([name]: readonly [string, string]): boolean => /^(LD|DYLD)_/.test(name);
  const entries = Object.entries(variables);
  const loaders = entries.filter(isLoader).flatMap(([name, value]) => ["--setenv", name, value]);
  return {
    program: path,
    args: [
      ...[...ISOLATION, ...mounts, ...loaders, "--bind", scratch, scratch, "--remount-ro", "/"],
      ...["--chdir", scratch, "--", program, ...args],
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

function listProgramMounts(tools: readonly FoundTool[]): string[] {
  const files = tools.flatMap(({ path, real }) => [...listLinks(path), real]);
  const paths = [...new Set(files.flatMap((file) => [file, ...listBesidePrograms(file)]))]
    .filter((path) => !SYSTEM_DIRECTORIES.some((system) => path.startsWith(`${system}/`)));
  // What stands in another comes after it.
  return paths.sort(compareUtf8).flatMap((path) => ["--ro-bind-try", path, path]);
}

const MOST_LINKS = 40;

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
