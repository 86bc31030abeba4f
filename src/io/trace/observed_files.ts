import { compareUtf8 } from "../../base/text.ts";
import { basename, dirname } from "../../base/std.ts";
import { describeNameFault, findCovering } from "../../evidence/check_names.ts";
import type { ObservedFiles, UndeclaredFile } from "../../evidence/observation.ts";
import type { RecordedFile } from "../../evidence/provenance.ts";
import { isMissing } from "../permissions.ts";
import type { Root } from "../paths.ts";
import type { FoundTool } from "../tools.ts";
import type { FileHistory } from "./file_history.ts";

/** What a run knows of files when its command has ended. */
export interface DeclaredFiles {
  /** Where recorded paths start. */
  readonly root: Root;
  /** The files that went in. */
  readonly materials: readonly RecordedFile[];
  /** The names of the product paths. */
  readonly products: readonly string[];
  /** The names of the files that stood there before the command. */
  readonly standing: readonly string[];
  /** The names below the root of what kprov itself writes. */
  readonly ownNames: readonly string[];
  /** Every program that ran, and the real executables of runtimes. */
  readonly tools: readonly FoundTool[];
  /** When the command was started, in milliseconds. */
  readonly startedAt: number;
}

/** Begins every name below the root. */
function makeNamer({ path }: Root): (absolute: string) => string | null {
  const prefix = path === "/" ? "/" : `${path}/`;
  return (absolute) => absolute.startsWith(prefix) ? absolute.slice(prefix.length) : null;
}

/**
 * Holds what a command did with files against what the run records of them.
 *
 * @param history What the command did
 * @param declared What the run records
 */
export function findObservedFiles(history: FileHistory, declared: DeclaredFiles): ObservedFiles {
  const nameOf = makeNamer(declared.root);
  const inputs = new Set(declared.materials.map(({ name }) => name));
  const programs = new Set(declared.tools.flatMap(({ path, real }) => [path, real]));
  const isBelonging = makeBelongings(declared.tools);
  const undeclared = new Map<string, UndeclaredFile>();
  const outside: string[] = [];
  for (const [path, given] of history.read) {
    if (programs.has(path)) continue;
    const names = [nameOf(path), given === null ? null : nameOf(given)];
    const own = names.filter((name) => name !== null);
    if (own.some((name) => inputs.has(name))) continue;
    const state = lookAt(path, history.doubtful.has(path), declared);
    if (state === null) continue;
    const [name] = own;
    if (name === undefined) {
      if (!isSystemFile(path) && !isBelonging(path)) outside.push(path);
    } else undeclared.set(name, describe(name, names[0] === null ? "link" : state, declared));
  }
  for (const { from, to } of history.moved) {
    const [name, product] = [nameOf(from), nameOf(to)];
    if (name === null || product === null || inputs.has(name)) continue;
    if (findCovering(product, new Set(declared.products)) === null) continue;
    undeclared.set(name, describe(name, "moved", declared));
  }
  return {
    undeclared: [...undeclared.values()].sort((a, b) => compareUtf8(a.name, b.name)),
    outside: outside.sort(compareUtf8),
    products: findUndeclaredProducts(history, declared, inputs),
  };
}

function describe(
  name: string,
  state: UndeclaredFile["state"],
  { ownNames }: DeclaredFiles,
): UndeclaredFile {
  const isOwn = findCovering(name, new Set(ownNames)) !== null;
  return { name, state: isOwn || describeNameFault(name) !== null ? "unfit" : state };
}

/** What stands at a path that was read; null where that is the command's own, or no file. */
function lookAt(
  path: string,
  isDoubtful: boolean,
  declared: DeclaredFiles,
): "unchanged" | "changed" | "gone" | null {
  if (!path.isWellFormed()) return "changed";
  try {
    const stats = Deno.lstatSync(path);
    if (stats.isDirectory) return null;
    if (isDoubtful && !stoodBefore(path, stats, declared)) return null;
    const changed = stats.ctime?.getTime() ?? Infinity;
    return stats.isFile && changed < secondOf(declared.startedAt) ? "unchanged" : "changed";
  } catch (error) {
    // What could be made and is gone is taken for a temporary file.
    if (isMissing(error)) return isDoubtful ? null : "gone";
    return isDoubtful ? null : "changed";
  }
}

/** A file that was opened so that it is made where it is not there yet. */
function stoodBefore(
  path: string,
  { birthtime, mtime }: Deno.FileInfo,
  { root, products, standing, startedAt }: DeclaredFiles,
): boolean {
  const name = makeNamer(root)(path);
  if (name !== null && findCovering(name, new Set(products)) !== null) {
    return standing.includes(name);
  }
  if (birthtime !== null) return birthtime.getTime() < startedAt;
  return (mtime?.getTime() ?? 0) < startedAt;
}

/** Deno tells when a file changed in whole seconds. */
function secondOf(milliseconds: number): number {
  return 1000 * Math.floor(milliseconds / 1000);
}

function findUndeclaredProducts(
  { written, opened }: FileHistory,
  { root, products, ownNames, startedAt }: DeclaredFiles,
  inputs: ReadonlySet<string>,
): string[] {
  const nameOf = makeNamer(root);
  const known = new Set([...products, ...ownNames]);
  const changed = opened.filter((path) => isChangedSince(path, startedAt));
  return [...written, ...changed].flatMap((path) => {
    const name = nameOf(path);
    if (name === null || inputs.has(name) || findCovering(name, known) !== null) return [];
    return isFileOrLink(path) ? [name] : [];
  }).sort(compareUtf8);
}

/** A file that was opened for writing, and then perhaps only read, as databases are. */
function isChangedSince(path: string, startedAt: number): boolean {
  try {
    return (Deno.lstatSync(path).mtime?.getTime() ?? Infinity) >= startedAt;
  } catch {
    return true;
  }
}

function isFileOrLink(path: string): boolean {
  // Deno cannot name it; that it was written is known.
  if (!path.isWellFormed()) return true;
  try {
    const { isFile, isSymlink } = Deno.lstatSync(path);
    return isFile || isSymlink;
  } catch {
    return false;
  }
}

/** What the system itself brings: its programs, libraries and data, and what they are set up by. */
const SYSTEM_FILES: readonly RegExp[] = [
  /^\/(?:bin|sbin|lib|lib32|lib64|libx32|proc|sys|dev|nix\/store|gnu\/store)\//,
  /^\/usr\/(?!local\/)/,
  /^\/run\/(?:nscd|systemd|current-system)\//,
  /^\/etc\/(?:ld\.so|alternatives|ssl|pki|ca-certificates|crypto-policies|fonts|terminfo|java)/,
  /^\/etc\/(?:localtime|timezone|locale|nsswitch|passwd|group|hosts|host\.conf|resolv|gai|services)/,
  /^\/etc\/(?:protocols|mime\.types|os-release|debian_version|lsb-release|inputrc|mailcap|magic)/,
  /^\/etc\/(?:R|perl|python[0-9.]*|texmf|ghostscript)(?:\/|$)/,
  /^\/var\/(?:cache\/(?:fontconfig|ldconfig)|lib\/(?:ca-certificates|locales|texmf|ghostscript))\//,
];

/** Whether a path, absolute, is of the system itself. */
export function isSystemFile(path: string): boolean {
  return SYSTEM_FILES.some((pattern) => pattern.test(path));
}

/** What stands beside the directory of programs and belongs to them. */
const BESIDE_PROGRAMS = [
  ...["lib", "lib32", "lib64", "libexec", "include", "share", "etc", "ssl", "src", "pkg"],
  ...["pyvenv.cfg", "conda-meta", "jre", "conf", "jmods", "modules", "release"],
];

/** A shim finds the version that it starts beside itself. */
const BESIDE_SHIMS = [
  ...["bin", "libexec", "plugins", "versions", "version", "lib", "shims", "completions"],
];

/** A home holds more than what its programs need. */
const HOMES = /^\/(?:root|(?:home|Users)\/[^/]+)$/;

/**
 * Lists what stands beside the directory of a program and belongs to it.
 *
 * @param path The program, absolute
 * @returns Paths, whether something is there or not
 */
export function listBesidePrograms(path: string): string[] {
  const directory = dirname(path);
  const above = dirname(directory);
  const kind = basename(directory);
  const isOfPrograms = kind === "bin" || kind === "sbin";
  if (HOMES.test(above)) return [];
  const beside = kind === "shims" ? BESIDE_SHIMS : isOfPrograms ? BESIDE_PROGRAMS : [];
  // ~/.local/share holds whatever programs of one user keep.
  const isShared = basename(above) === ".local";
  return beside.filter((name) => !isShared || name !== "share").map((name) => `${above}/${name}`);
}

/** What belongs to programs that ran: they are recorded, and runtimes with their packages. */
function makeBelongings(tools: readonly FoundTool[]): (path: string) => boolean {
  const prefixes = new Set(
    tools.flatMap(({ path, real }) => [path, real].flatMap(listBesidePrograms)),
  );
  const list = [...prefixes];
  return (path) =>
    /\/(?:site|dist)-packages\//.test(path) ||
    list.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}
