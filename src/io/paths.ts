import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { basename, dirname, join, relative, resolve, toPosixPath } from "../base/std.ts";
import { describeNameFault } from "../evidence/check_names.ts";
import { DirectoriesBelow } from "./path_watch.ts";
import {
  isMissing,
  isPermitted,
  permissionFlag,
  requirePermission,
  toKprovError,
} from "./permissions.ts";

/** The directory that names are relative to. */
export interface Root {
  /** As it was given, for messages. */
  readonly given: string;
  /** Absolute, every symbolic link in it resolved. */
  readonly path: string;
}

/** A path that was given, as the evidence names it. */
export interface NamedPath {
  /** As it was given, for messages. */
  readonly given: string;
  /** Relative to the root, in POSIX form; `.` is the root itself. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

/**
 * Finds the root directory.
 *
 * @param given As `--root` gave it
 * @throws {KprovError} `permission` where it may not be read, `data` where it is no directory
 */
export function resolveRoot(given: string): Root {
  requirePermission("read", given);
  try {
    const path = Deno.realPathSync(given);
    if (Deno.statSync(path).isDirectory) return { given, path };
  } catch (error) {
    throw toKprovError(error, `Cannot use root ${quote(given)}`, {
      missing: "data",
      refused: "io",
      flag: permissionFlag("read", given),
    });
  }
  throw new KprovError("data", `Cannot use root ${quote(given)}: it is not a directory`);
}

/**
 * Gives a path its name in the evidence. Symbolic links on the way from the root to it are not
 * followed: what lies behind one is refused.
 *
 * @param given As it was given, relative to the working directory
 * @param root Where recorded paths start
 * @param role What the path is for, for the message
 * @throws {KprovError} `data` where it lies outside the root or cannot be named exactly
 */
export function resolveInside(given: string, root: Root, role: string): NamedPath {
  if (given.includes("\0") || given.includes("\uFFFD")) {
    throw refusePath(given, role, `it ${describeNameFault(given)}`);
  }
  return nameInside(given, root, { role, makeAbsolute: () => resolveParent(given, role) });
}

/**
 * Gives the path of something that a command will make its name in the evidence, as
 * {@linkcode resolveInside} does. It need not exist, nor the directories above it, but what exists of
 * them must be plain directories below the root.
 *
 * @param given As it was given, relative to the working directory
 * @param root Where recorded paths start
 * @throws {KprovError} `data` where it lies outside the root or cannot be named exactly
 */
export function resolveProduct(given: string, root: Root): NamedPath {
  if (given !== "" && expectBelow(given, root) === root.path) {
    return { given, name: ".", path: root.path };
  }
  const makeAbsolute = (): string => resolvePlanned(resolve(given));
  return nameInside(given, root, { role: "product", makeAbsolute });
}

/** How a path is resolved. */
interface Resolution {
  readonly role: string;
  /** Makes it absolute, with every link above it resolved. */
  readonly makeAbsolute: () => string;
}

function nameInside(given: string, root: Root, { role, makeAbsolute }: Resolution): NamedPath {
  const refuse = (reason: string, hint?: string): KprovError =>
    refusePath(given, role, reason, hint);
  const refuseOutside = (): KprovError =>
    refuse(`it lies outside the root ${quote(root.given)}`, "--root DIR sets the root");

  if (given === "") throw refuse("it is empty");
  const expected = expectBelow(given, root);
  if (expected === null && !isPermitted("read", dirname(resolve(given)))) throw refuseOutside();
  const path = makeAbsolute();
  if (expected !== null && path !== expected) {
    const follow = role === "input" ? "--follow reads through it, or " : "";
    throw refuse("it lies behind a symbolic link", `${follow}name the link's target`);
  }
  if (!isBelow(root.path, path)) throw refuseOutside();
  const name = toPosixPath(relative(root.path, path));
  if (name === "") return { given, name: ".", path };
  const fault = describeNameFault(name);
  if (fault !== null) throw refuse(`it ${fault}`);
  return { given, name, path };
}

/**
 * Gives a path its name in the evidence where inputs are read through links: the name that the path
 * spells, whatever links are in it.
 *
 * @param given As it was given, relative to the working directory
 * @param root Where recorded paths start
 * @param role What the path is for, for the message
 * @throws {KprovError} As {@linkcode resolveInside} does
 */
export function resolveThroughLinks(given: string, root: Root, role: string): NamedPath {
  const path = given === "" ? null : expectBelow(given, root);
  // Behind a link, `..` leads to where no name below the root does.
  if (path === null || /(^|[\\/])\.\.([\\/]|$)/.test(given)) {
    return resolveInside(given, root, role);
  }
  const name = toPosixPath(relative(root.path, path));
  const fault = name === "" ? null : describeNameFault(name);
  if (fault !== null) throw refusePath(given, role, `it ${fault}`);
  return { given, name: name || ".", path };
}

function refusePath(given: string, role: string, reason: string, hint?: string): KprovError {
  return new KprovError("data", `Cannot use ${role} ${quote(given)}: ${reason}`, { hint });
}

/** Makes a path absolute, with every link resolved in those directories above it that exist. */
function resolvePlanned(path: string): string {
  const parent = dirname(path);
  if (parent === path) return path;
  try {
    return join(Deno.realPathSync(parent), basename(path));
  } catch (error) {
    if (isMissing(error)) return join(resolvePlanned(parent), basename(path));
    throw toKprovError(error, `Cannot read product ${quote(path)}`, {
      refused: "io",
      flag: permissionFlag("read", parent),
    });
  }
}

/**
 * Where a path leads to if no symbolic link lies between the root and it; null where it leaves the
 * root.
 */
function expectBelow(given: string, root: Root): string | null {
  const lexical = resolve(given);
  const base = [resolve(root.given), root.path].find((candidate) => isBelow(candidate, lexical));
  return base === undefined ? null : resolve(root.path, relative(base, lexical));
}

/**
 * The link that stands at, or on the way to, a file that the command line names below the root.
 *
 * @param given As it was given, relative to the working directory
 * @param root The root
 * @returns In words why it is not followed, or null where there is none, or the path lies elsewhere
 * @throws {KprovError} `permission` where Deno does not let its directories be looked at
 */
export function describeLinkBelow(given: string, root: Root): string | null {
  const path = expectBelow(given, root);
  if (path === null) return null;
  const name = toPosixPath(relative(root.path, path));
  const directories = new DirectoriesBelow(root.path);
  const isLink = directories.findObstacle(name || ".")?.kind === "link";
  return isLink ? directories.describeLink(name) ?? "it is a symbolic link" : null;
}

/** Makes a path absolute, with every link in its parent resolved and its last part left alone. */
function resolveParent(given: string, role: string): string {
  try {
    if (/(^|[\\/])\.\.?[\\/]*$/.test(given)) return Deno.realPathSync(given);
    const parent = Deno.realPathSync(dirname(stripTrailingSeparators(given)));
    return join(parent, basename(resolve(given)));
  } catch (error) {
    throw toKprovError(error, `Cannot read ${role} ${quote(given)}`, {
      missing: "data",
      refused: "io",
      flag: permissionFlag("read", given),
    });
  }
}

function stripTrailingSeparators(path: string): string {
  return path.replace(/(?<=[^\\/])[\\/]+$/, "");
}

/**
 * Whether a path is a directory or lies below it.
 *
 * @param parent The directory, absolute and normal
 * @param path The path, likewise
 */
export function isBelow(parent: string, path: string): boolean {
  const way = relative(parent, path);
  return way !== ".." && !/^\.\.[\\/]/.test(way) && resolve(parent, way) === path;
}

/** Something that kprov itself writes, and so never reads as an input. */
export interface OwnPath {
  /** Absolute, every link resolved in what exists of it. */
  readonly path: string;
  /** Its name where it lies below the root, `.` where it is the root itself, else null. */
  readonly name: string | null;
}

/**
 * Finds what kprov is about to write, whatever way leads to it: by another way it would be read as an
 * input.
 *
 * @param given As the command line gave it; it need not exist
 * @param root Where recorded paths start
 */
export function resolveOwnPath(given: string, root: Root): OwnPath {
  const path = resolveExisting(expectBelow(given, root) ?? resolve(given));
  return {
    path,
    name: isBelow(root.path, path) ? toPosixPath(relative(root.path, path)) || "." : null,
  };
}

/** Resolves the links in what exists of a path, as far as kprov may look. */
function resolveExisting(path: string): string {
  const parent = dirname(path);
  // Who uses it later refuses it; to look at it now would make Deno ask.
  if (parent === path || !isPermitted("read", path)) return path;
  try {
    return Deno.realPathSync(path);
  } catch {
    return join(resolveExisting(parent), basename(path));
  }
}

/**
 * Whether nothing is there, not even a link; false where kprov may not look.
 *
 * @param given A path
 */
export function isAbsent(given: string): boolean {
  if (!isPermitted("read", given)) return false;
  try {
    Deno.lstatSync(given);
    return false;
  } catch (error) {
    return isMissing(error);
  }
}

/**
 * Whether something is there, and be it a link; false where that cannot be told.
 *
 * @param path Its path
 */
export function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
