import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { basename, dirname, join, relative, resolve, toPosixPath } from "../base/std.ts";
import { describeNameFault } from "../evidence/check_names.ts";
import { DirectoriesBelow } from "./path_watch.ts";
import { isMissing, isPermitted, requirePermission, toReadError } from "./permissions.ts";

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

/** Finds the root directory that `--root` gave. */
export function resolveRoot(given: string): Root {
  requirePermission("read", given);
  try {
    const path = Deno.realPathSync(given);
    if (Deno.statSync(path).isDirectory) return { given, path };
  } catch (error) {
    throw toReadError(error, `Cannot use root ${quote(given)}`, { path: given, missing: "data" });
  }
  throw new KprovError("data", `Cannot use root ${quote(given)}: it is not a directory`);
}

/**
 * Gives a path, relative to the working directory, its name in the evidence. Symbolic links on the
 * way from the root to it are not followed: what lies behind one is refused.
 */
export function resolveInside(given: string, root: Root, role: string): NamedPath {
  if (given.includes("\0") || given.includes("\uFFFD")) {
    throw refusePath(given, role, `it ${describeNameFault(given)}`);
  }
  return nameInside(given, root, { role, makeAbsolute: () => resolveParent(given, role) });
}

/**
 * Gives the path of something that a command will make its name in the evidence, as
 * {@linkcode resolveInside} does. It need not exist, nor the directories above it, but what exists
 * of them must be plain directories below the root.
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
    throw toReadError(error, `Cannot read product ${quote(path)}`, { path: parent });
  }
}

/** Where a path leads to if no link lies between the root and it; null where it leaves the root. */
function expectBelow(given: string, root: Root): string | null {
  const lexical = resolve(given);
  const base = [resolve(root.given), root.path].find((candidate) => isBelow(candidate, lexical));
  return base === undefined ? null : resolve(root.path, relative(base, lexical));
}

/**
 * Says in words why the link at, or on the way to, a file below the root is not followed; null
 * where there is none, or the path lies elsewhere.
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
    throw toReadError(error, `Cannot read ${role} ${quote(given)}`, {
      path: given,
      missing: "data",
    });
  }
}

function stripTrailingSeparators(path: string): string {
  return path.replace(/(?<=[^\\/])[\\/]+$/, "");
}

/** Whether a path is a directory or lies below it; both are absolute and normal. */
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
 * Finds what kprov is about to write, whatever way leads to it: by another way it would be read as
 * an input.
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

/** Whether nothing is there, not even a link; false where kprov may not look. */
export function isAbsent(given: string): boolean {
  if (!isPermitted("read", given)) return false;
  try {
    Deno.lstatSync(given);
    return false;
  } catch (error) {
    return isMissing(error);
  }
}

/** Whether something is there, and be it a link; false where that cannot be told. */
export function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** The names below the root of what kprov itself writes. */
export function listOwnNames(own: readonly OwnPath[]): string[] {
  return own.map(({ name }) => name).filter((name) => name !== null);
}

/** Refuses a directory to read that is the output directory: each run would be part of the next. */
export function refuseOwn(
  paths: readonly NamedPath[],
  own: readonly OwnPath[],
  role: "input" | "product",
): void {
  const written = new Set(own.map(({ path }) => path));
  const both = paths.find(({ path }) => written.has(path));
  if (both === undefined) return;
  throw new KprovError(
    "usage",
    `Cannot use ${role} ${quote(both.given)}: kprov itself writes there`,
    { hint: "--out DIR sets where runs go" },
  );
}
