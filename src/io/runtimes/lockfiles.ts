import { KprovError } from "../../base/error.ts";
import { quote } from "../../base/quote.ts";
import { dirname, join, resolve } from "../../base/std.ts";
import {
  type PackageSource,
  parseLockfile,
  type RecordedPackage,
} from "../../evidence/toolchain.ts";
import { toRecordedUrl } from "../git/source.ts";
import { isThere } from "../paths.ts";
import { isPermitted } from "../permissions.ts";
import { readRequiredFile } from "../read_file.ts";

/** What is installed for a runtime; a reason where that is unknown. */
export type Packages =
  | { readonly ok: true; readonly packages: readonly RecordedPackage[] }
  | { readonly ok: false; readonly reason: string };

/** Larger than any lockfile that a package manager reads in reasonable time. */
const MOST_BYTES = 256 * 2 ** 20;

/** A lockfile's path, and what finds the packages in its text; null where it is none of its kind. */
type Lockfile = readonly [
  path: string,
  read: (text: string) => readonly RecordedPackage[] | null,
];

/**
 * Where package managers say what they installed, and then what they were to install, in the order in
 * which they are looked for in each directory.
 */
const LOCKFILES: readonly Lockfile[] = [
  ["node_modules/.package-lock.json", readNpmLockfile],
  ["node_modules/.pnpm/lock.yaml", readPnpmLockfile],
  ["npm-shrinkwrap.json", readNpmLockfile],
  ["package-lock.json", readNpmLockfile],
  ["pnpm-lock.yaml", readPnpmLockfile],
  ["yarn.lock", readYarnLockfile],
];

/** Where Deno says what it runs with. */
const DENO_LOCKFILES: readonly Lockfile[] = [["deno.lock", readDenoLockfile]];

/** Options of Node that take the next argument. */
const OPTIONS_WITH_VALUE: ReadonlySet<string> = new Set([
  ...["-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions"],
  ...["--env-file", "--env-file-if-exists", "--input-type", "--title", "--icu-data-dir"],
]);

/**
 * Lists the packages that Node finds from its script on: those of the nearest directory, upward, in
 * which a package manager left word.
 */
export function gatherNodePackages(args: readonly string[], root: string): Packages {
  return gatherLocked(findStart(args, root), LOCKFILES);
}

/**
 * Lists the packages that the nearest deno.lock pins, from the working directory of Deno upward.
 */
export function gatherDenoPackages(root: string): Packages {
  return gatherLocked(root, DENO_LOCKFILES);
}

function gatherLocked(start: string, lockfiles: readonly Lockfile[]): Packages {
  let isInstalled = false;
  for (let directory = start;;) {
    if (!isPermitted("read", directory)) {
      return { ok: false, reason: "it looks above what Deno's read permission grants" };
    }
    const lockfile = lockfiles.find(([path]) => isThere(join(directory, path)));
    if (lockfile !== undefined) return readLockfile(join(directory, lockfile[0]), lockfile);
    isInstalled ||= isThere(join(directory, "node_modules"));
    const parent = dirname(directory);
    if (parent === directory) break;
    directory = parent;
  }
  return isInstalled
    ? { ok: false, reason: "its node_modules has no lockfile" }
    : { ok: true, packages: [] };
}

function findStart(args: readonly string[], root: string): string {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (OPTIONS_WITH_VALUE.has(arg)) i++;
    else if (/^(-[ep]|--eval|--print|-)$/.test(arg)) return root;
    else if (!arg.startsWith("-")) return findDirectory(resolve(root, arg)) ?? root;
  }
  return root;
}

function findDirectory(script: string): string | null {
  try {
    const real = Deno.realPathSync(script);
    return Deno.statSync(real).isDirectory ? real : dirname(real);
  } catch {
    return null;
  }
}

function readLockfile(path: string, [name, read]: Lockfile): Packages {
  try {
    const action = `Cannot read lockfile ${quote(path)}`;
    const bytes = readRequiredFile(path, { action, maxBytes: MOST_BYTES });
    const packages = read(new TextDecoder().decode(bytes));
    if (packages !== null) return { ok: true, packages };
  } catch (error) {
    // One that is nested too deeply overflows the stack.
    const isNested = error instanceof RangeError;
    if (!isNested && !(error instanceof KprovError && error.code !== "permission")) throw error;
  }
  return { ok: false, reason: `its ${name} cannot be read` };
}

function readDenoLockfile(text: string): readonly RecordedPackage[] {
  return parseLockfile(text).packages;
}

/**
 * https://docs.npmjs.com/cli/configuring-npm/package-lock-json, versions 2 and 3, and 1 with
 * `dependencies`.
 */
function readNpmLockfile(text: string): RecordedPackage[] | null {
  const file = parseObject(text);
  const packages = toObject(file?.["packages"]);
  if (packages === null) return readFirstNpmLockfile(toObject(file?.["dependencies"]));
  return Object.entries(packages).flatMap(([path, value]) => {
    const entry = toObject(value);
    const at = path.lastIndexOf("node_modules/");
    // What stands elsewhere is the project, or what a link in node_modules leads to.
    if (entry === null || at < 0) return [];
    const name = toText(entry["name"]) ?? path.slice(at + "node_modules/".length);
    if (entry["link"] !== true) return [toPackage(name, entry)];
    const target = toObject(packages[toText(entry["resolved"]) ?? ""]);
    return [{ name, version: toText(target?.["version"]), editable: true }];
  });
}

function readFirstNpmLockfile(
  dependencies: Readonly<Record<string, unknown>> | null,
): RecordedPackage[] | null {
  return dependencies && Object.entries(dependencies).flatMap(([name, value]) => {
    const entry = toObject(value) ?? {};
    const below = readFirstNpmLockfile(toObject(entry["dependencies"])) ?? [];
    return [toPackage(name, { resolved: entry["version"], ...entry }), ...below];
  });
}

function toPackage(name: string, entry: Readonly<Record<string, unknown>>): RecordedPackage {
  const integrity = toText(entry["integrity"]);
  const source = integrity === null ? readResolved(entry["resolved"]) : null;
  return {
    name,
    version: toText(entry["version"]),
    ...(integrity === null ? {} : { integrity }),
    ...(source === null ? {} : { source }),
  };
}

/** Where a package without integrity came from: a repository with a commit, or another URL. */
function readResolved(value: unknown): PackageSource | null {
  const url = toPublicUrl(value);
  const commit = /#([0-9a-f]{40,64})$/.exec(toText(value) ?? "")?.[1];
  if (url === null && commit === undefined) return null;
  return { ...(url === null ? {} : { url }), ...(commit === undefined ? {} : { commit }) };
}

/** https://github.com/pnpm/spec/blob/master/lockfile: the keys of `packages`, since version 6. */
function readPnpmLockfile(text: string): RecordedPackage[] | null {
  if (!/^lockfileVersion:/m.test(text)) return null;
  const section = /^packages:\n((?:(?: .*)?\n)*)/m.exec(`${text.replaceAll("\r\n", "\n")}\n`)?.[1];
  const entries = (section ?? "").split(/^ {2}(?=\S)/m).filter((entry) => /\S/.test(entry));
  const packages = entries.map(readPnpmEntry);
  return packages.every((entry) => entry !== null) ? packages : null;
}

function readPnpmEntry(entry: string): RecordedPackage | null {
  const key = /^(['"]?)\/?(@?[^@'"\s]+)@(.+?)\1:\s*$/m.exec(entry.split("\n")[0] ?? "");
  const [, , name, specifier] = key ?? [];
  if (name === undefined || specifier === undefined) return null;
  const integrity = /\bintegrity: ([A-Za-z0-9+/=-]+)/.exec(entry)?.[1];
  const tarball = /\b(?:tarball|repo): ([^\s,}]+)/.exec(entry)?.[1];
  const commit = /\bcommit: ([0-9a-f]{40,64})/.exec(entry)?.[1] ??
    /[0-9a-f]{40}$/.exec(specifier)?.[0];
  const own = /^ {4}version: (.+)$/m.exec(entry)?.[1];
  const resolved = commit === undefined ? tarball : `${tarball ?? specifier}#${commit}`;
  // Peers stand in parentheses.
  const version = own ?? (/^[0-9]/.test(specifier) ? specifier.replace(/\(.*$/, "") : null);
  return toPackage(name, { version, integrity, resolved });
}

/** yarn.lock of Yarn 1 and of the later ones, whose entries differ in their punctuation only. */
function readYarnLockfile(text: string): RecordedPackage[] | null {
  if (!/^(# yarn lockfile v1|__metadata:)/m.test(text)) return null;
  const entries = text.replaceAll("\r\n", "\n").split(/\n(?=["@A-Za-z0-9])/);
  return entries.flatMap((entry) => {
    const field = (name: string): string | undefined =>
      new RegExp(`^  ${name}:? "?([^"\\n]+)"?$`, "m").exec(entry)?.[1];
    const version = field("version");
    const key = field("resolution") ?? /^"?([^",\n]+)/.exec(entry)?.[1] ?? "";
    const name = key.slice(0, key.indexOf("@", 1));
    if (version === undefined || name === "" || key.startsWith("__metadata")) return [];
    if (/@workspace:/.test(key)) {
      return key.endsWith("@workspace:.") ? [] : [
        { name, version, editable: true as const },
      ];
    }
    const integrity = field("integrity") ?? field("checksum");
    return [toPackage(name, { version, integrity, resolved: field("resolved") })];
  });
}

/** Reads a JSON object, or null where the text is nothing of that kind. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return toObject(JSON.parse(text));
  } catch {
    return null;
  }
}

/** A value as an object, or null where it is none. */
export function toObject(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
}

/** A value as a text with something in it, or null where it is none. */
export function toText(value: unknown): string | null {
  return typeof value === "string" && value !== "" && value.isWellFormed() ? value : null;
}

/**
 * A URL as it may be recorded, without user, password, token and query; null where it is a path of
 * this machine or of no known kind.
 */
export function toPublicUrl(value: unknown): string | null {
  const url = toText(value)?.replace(/^(git|hg|bzr|svn)\+(?=[a-z]+:\/\/)/, "") ?? null;
  // `file:` is a place on this machine, and not a host of that name.
  const stripped = url === null || url.startsWith("file:") ? null : toRecordedUrl(url);
  // Channels of conda carry their token in the path.
  return stripped === null || !/^[a-z]+:\/\//.test(stripped)
    ? null
    : stripped.replace(/\/t\/[^/]+\//, "/");
}
