import { KprovError, type KprovErrorCode } from "../base/error.ts";
import { quote, shellQuote } from "../base/quote.ts";
import type { Permissions, PermissionState } from "../evidence/run_summary.ts";

/**
 * Demands a permission before the call that needs it, so that Deno never prompts: on a terminal it
 * does for one that was neither granted nor denied. Throws `data`, or `cannot_create` for writing,
 * where no flag but one for everything would grant it.
 */
export function requirePermission(kind: "read" | "write", path: string): void {
  const verb = kind === "read" ? "read" : "write to";
  if (isClosedPath(path) && !isEverythingPermitted()) {
    const code = kind === "read" ? "data" : "cannot_create";
    throw refuseSystemPath(`Cannot ${verb} ${quote(path)}`, { code });
  }
  if (isPermitted(kind, path)) return;
  const message = `Cannot ${verb} ${quote(path)}: Deno's ${kind} permission is missing`;
  throw new KprovError("permission", message, { hint: hintAtFlag(permissionFlag(kind, path)) });
}

/** Demands the permission to look at the place of something that is to be written. */
export function requireOutputPlace(path: string): void {
  if (isClosedPath(path)) requirePermission("write", path);
  requirePermission("read", path);
}

/** Demands the permission to start a program, by its name in PATH or its path, in advance. */
export function requireRun(program: string, given: string): void {
  const flag = `--allow-run=${shellQuote(given)}`;
  if (!isRunPermitted(program)) throw makeRunError(quote(given), hintAtFlag(flag));
}

/** Demands the permission to start a program whose path cannot be named in advance. */
export function requireAnyRun(path: string, given: string): void {
  if (isRunPermitted(path)) return;
  throw makeRunError(`a copy of ${quote(given)}`, hintAtFlag("--allow-run"));
}

/** Deno starts nothing with LD_PRELOAD and its kin set, but for who has the full permission. */
export function refuseRun(given: string, error: Error): KprovError {
  const variable = /with ((?:LD|DYLD)_[A-Z_]+) environment variable/.exec(error.message)?.[1];
  const first = variable === undefined ? "" : `unset ${variable}, or `;
  return makeRunError(quote(given), `${first}${hintAtFlag("--allow-run")}`, error);
}

function makeRunError(what: string, hint: string, cause?: Error): KprovError {
  const message = `Cannot run ${what}: Deno's run permission is missing`;
  return new KprovError("permission", message, { hint, cause });
}

/** Whether Deno would let a program be started without asking. */
export function isRunPermitted(program: string): boolean {
  return program !== "" && isGranted({ name: "run", command: program });
}

/** Demands to read a variable, for an action such as `Cannot record variable "LANG"`. */
export function requireEnv(variable: string, action: string): void {
  if (isGranted({ name: "env", variable })) return;
  const hint = hintAtFlag(`--allow-env=${shellQuote(variable)}`);
  throw new KprovError("permission", `${action}: Deno's env permission is missing`, { hint });
}

/** Why nothing of the system's own directories is used, to be read after a colon. */
export const ON_NO_DISK = "it is in, or leads to, a virtual file system such as /proc";

/**
 * Whether Deno opens an absolute path under `--allow-all` alone, which kprov never asks for. A link
 * may lead to such a path; {@linkcode isClosedError} tells then. Deno 2.8.2 opens some of them
 * under less: they are refused there too, so that the answer is the same on every Deno.
 */
export function isClosedPath(path: string): boolean {
  return /^\/(?:dev|proc|sys)(?:\/|$)/.test(path) && !/^\/dev\/(?:null|zero|u?random)$/.test(path);
}

function isEverythingPermitted(): boolean {
  const kinds = ["read", "write", "run", "env", "net", "sys", "ffi"] as const;
  return kinds.every((name) => isGranted({ name }));
}

/** Whether Deno threw an error because it opens the path under `--allow-all` alone. */
export function isClosedError(error: unknown): boolean {
  return error instanceof Deno.errors.NotCapable && /^Requires all access/.test(error.message);
}

/** Whether Linux makes up what a path holds each time that it is read, so that no permission helps. */
export function isMadeUp(path: string): boolean {
  return Deno.build.os === "linux" && /^\/(?:proc|sys)(?:\/|$)/.test(path);
}

/** Makes the error of a closed or made up path; `cannot_create` where it is to be written. */
export function refuseSystemPath(
  action: string,
  { code = "data", cause }: { code?: "data" | "cannot_create"; cause?: unknown } = {},
): KprovError {
  const hint = code === "data" ? "use a copy in another directory" : "use another directory";
  return new KprovError(code, action, { reason: ON_NO_DISK, hint, cause });
}

/** Whether Deno would let a call through without asking. */
export function isPermitted(kind: "read" | "write", path: string): boolean {
  return isGranted({ name: kind, path });
}

function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}

function permissionFlag(kind: "read" | "write", path: string): string {
  return `--allow-${kind}=${shellQuote(path)}`;
}

/** Says how to grant a permission. A compiled binary takes no flag for what it does not hold. */
export function hintAtFlag(flag: string, isCompiled: boolean = Deno.build.standalone): string {
  const isOfRun = /--allow-(?:run|env)/.test(flag);
  // Who installed the commands has no line of Deno to change.
  if (!isCompiled) return `run with ${flag}${isOfRun ? ", or use the command kprov-run" : ""}`;
  return isOfRun
    ? "use kprov-run, the binary that may start programs and read the environment"
    : "this binary was compiled without it; the released ones may read and write all files";
}

/** What a run used its permissions for: paths, the program that was started, and a variable. */
export interface UsedPermissions {
  readonly read: string;
  readonly write: string;
  readonly run?: string;
  readonly env?: string;
}

/**
 * Reads the permissions that kprov runs with. Deno tells whether one holds for everything or for
 * one named thing, not for which: what holds for what the run used, but not for all, is `partial`.
 */
export function gatherPermissions(used: UsedPermissions): Permissions {
  return {
    read: stateOf({ name: "read", path: used.read }),
    write: stateOf({ name: "write", path: used.write }),
    run: stateOf({ name: "run", ...(used.run === undefined ? {} : { command: used.run }) }),
    net: stateOf({ name: "net" }),
    env: stateOf({ name: "env", variable: used.env ?? "SOURCE_DATE_EPOCH" }),
  };
}

function stateOf(one: Deno.PermissionDescriptor): PermissionState {
  const all = Deno.permissions.querySync({ name: one.name });
  if (all.state === "granted") return all.partial ? "partial" : "granted";
  return isGranted(one) ? "partial" : "denied";
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "the operating system denies access",
  EBUSY: "it is in use",
  EDQUOT: "the disk quota is used up",
  EEXIST: "it exists already",
  EFBIG: "the file would be too large",
  EINTR: "a signal interrupted it",
  EIO: "the device failed",
  EISDIR: "it is a directory",
  ELOOP: "it is, or leads through, too many symbolic links",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "its name is too long",
  ENFILE: "too many files are open on this system",
  ENOENT: "it does not exist",
  ENOSPC: "no space is left on the device",
  ENOTDIR: "a part of its path is not a directory",
  ENOTEMPTY: "the directory is not empty",
  EPIPE: "nobody reads it any more",
  EPERM: "the operating system does not permit it",
  EROFS: "the file system is read-only",
  ESTALE: "the network file system lost it",
  EXDEV: "it would have to move to another file system",
};

/** What Deno tells of these is the system's text alone. */
const CODE_OF_TEXT: Readonly<Record<string, string>> = {
  "Disc quota exceeded": "EDQUOT",
  "Disk quota exceeded": "EDQUOT",
  "File too large": "EFBIG",
  "Interrupted system call": "EINTR",
  "Stale NFS file handle": "ESTALE",
  "Stale file handle": "ESTALE",
  "Too many open files in system": "ENFILE",
};

/** What Node's calls tell of these is the system's number alone. */
const CODE_OF_NUMBER: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  linux: { 116: "ESTALE", 122: "EDQUOT" },
  darwin: { 69: "EDQUOT", 70: "ESTALE" },
};

/** The system's code of an error, such as `ENOENT`, as Deno's and Node's file calls carry it. */
export function systemCode(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if ("code" in error && "errno" in error && error.code === "UNKNOWN") {
    return CODE_OF_NUMBER[Deno.build.os]?.[-Number(error.errno)] ?? null;
  }
  if ("code" in error && typeof error.code === "string") return error.code;
  const text = /^(.+?) \(os error [0-9]+\)/.exec(error.message)?.[1];
  return text === undefined ? null : CODE_OF_TEXT[text] ?? null;
}

/** Whether an error says that something is not there. */
export function isMissing(error: unknown): boolean {
  const code = systemCode(error);
  return code === "ENOENT" || code === "ENOTDIR" || error instanceof Deno.errors.NotFound;
}

/** Says in words why the system refused, without any path in it. */
export function describeSystemError(error: unknown): string {
  const code = systemCode(error);
  if (code !== null && REASONS[code] !== undefined) return REASONS[code];
  if (error instanceof Deno.errors.InvalidData) return "its name or target is not valid UTF-8";
  return code === null ? "the operating system refused" : `the operating system refused (${code})`;
}

/** A file call that failed, with the code that each cause gets. */
interface FailedCall {
  readonly path: string;
  /** The code where the thing is not there; default: the code of every other cause. */
  readonly missing?: KprovErrorCode;
  /** The code where it is there and the system refuses; default: `io`. */
  readonly refused?: KprovErrorCode;
}

/** Makes a domain error of what a call that reads threw; an action is such as `Cannot read "a"`. */
export function toReadError(error: unknown, action: string, call: FailedCall): KprovError {
  return toKprovError(error, action, permissionFlag("read", call.path), call);
}

/** Makes a domain error of what a call that writes threw. */
export function toWriteError(error: unknown, action: string, call: FailedCall): KprovError {
  return toKprovError(error, action, permissionFlag("write", call.path), call);
}

function toKprovError(error: unknown, action: string, flag: string, call: FailedCall): KprovError {
  const { refused = "io", missing = refused } = call;
  if (error instanceof KprovError) return error;
  if (error instanceof Deno.errors.NotCapable) {
    if (isClosedError(error)) {
      const code = refused === "cannot_create" ? refused : "data";
      return refuseSystemPath(action, { code, cause: error });
    }
    const reason = "Deno's permission is missing";
    return new KprovError("permission", action, { reason, hint: hintAtFlag(flag), cause: error });
  }
  const code = isMissing(error) ? missing : refused;
  return new KprovError(code, action, { reason: describeSystemError(error), cause: error });
}
