import { KprovError, type KprovErrorCode } from "../base/error.ts";
import { quote, shellQuote } from "../base/quote.ts";
import type { Permissions, PermissionState } from "../evidence/run_summary.ts";

/**
 * Demands a permission before the call that needs it. Asking first is what keeps kprov from ever
 * prompting: Deno prompts on a terminal where a call meets a permission that was neither granted
 * nor denied.
 *
 * @param kind What is to be done
 * @param path With what
 * @throws {KprovError} `permission`, naming the flag that grants it; `data`, or `cannot_create` where it
 * is to be written, where no flag but one for everything would
 */
export function requirePermission(kind: "read" | "write", path: string): void {
  const verb = kind === "read" ? "read" : "write to";
  if (isClosedPath(path) && !isEverythingPermitted()) {
    const code = kind === "read" ? "data" : "cannot_create";
    throw refuseSystemPath(`Cannot ${verb} ${quote(path)}`, { code });
  }
  if (isPermitted(kind, path)) return;
  throw new KprovError(
    "permission",
    `Cannot ${verb} ${quote(path)}: Deno's ${kind} permission is missing`,
    {
      hint: hintAtFlag(permissionFlag(kind, path)),
    },
  );
}

/**
 * Demands the permission to look at the place of something that is to be written.
 *
 * @param path What is to be written
 * @throws {KprovError} as {@linkcode requirePermission} does for writing where no flag helps, else as
 * for reading
 */
export function requireOutputPlace(path: string): void {
  if (isClosedPath(path)) requirePermission("write", path);
  requirePermission("read", path);
}

/**
 * Demands the permission to start a program, before anything is done for it.
 *
 * @param program Its name in PATH, or its path
 * @param given As the user wrote it
 * @throws {KprovError} `permission`, naming the narrowest flag that grants it
 */
export function requireRun(program: string, given: string): void {
  if (isRunPermitted(program)) return;
  throw new KprovError(
    "permission",
    `Cannot run ${quote(given)}: Deno's run permission is missing`,
    { hint: hintAtFlag(`--allow-run=${shellQuote(given)}`) },
  );
}

/**
 * Demands the permission to start a program whose path cannot be named in advance.
 *
 * @param path Its path
 * @param given As the user knows it
 * @throws {KprovError} `permission`
 */
export function requireAnyRun(path: string, given: string): void {
  if (isRunPermitted(path)) return;
  throw new KprovError(
    "permission",
    `Cannot run a copy of ${quote(given)}: Deno's run permission is missing`,
    { hint: hintAtFlag("--allow-run") },
  );
}

/**
 * Says why Deno does not start a program that it was permitted to start: under anything but the full
 * permission it starts nothing with LD_PRELOAD and its kin in the environment.
 *
 * @param given The program, as the user wrote it
 * @param error What Deno threw
 */
export function refuseRun(given: string, error: Error): KprovError {
  const variable = /with ((?:LD|DYLD)_[A-Z_]+) environment variable/.exec(error.message)?.[1];
  const hint = variable === undefined ? "" : `unset ${variable}, or `;
  return new KprovError(
    "permission",
    `Cannot run ${quote(given)}: Deno's run permission is missing`,
    { hint: `${hint}${hintAtFlag("--allow-run")}`, cause: error },
  );
}

/** Whether Deno would let a program be started without asking. */
export function isRunPermitted(program: string): boolean {
  return program !== "" &&
    Deno.permissions.querySync({ name: "run", command: program }).state === "granted";
}

/**
 * Demands the permission to read an environment variable.
 *
 * @param variable Its name
 * @param action What it is needed for, such as `Cannot record variable "LANG"`
 * @throws {KprovError} `permission`, naming the flag that grants it
 */
export function requireEnv(variable: string, action: string): void {
  if (Deno.permissions.querySync({ name: "env", variable }).state === "granted") return;
  throw new KprovError("permission", `${action}: Deno's env permission is missing`, {
    hint: hintAtFlag(`--allow-env=${shellQuote(variable)}`),
  });
}

/** Why nothing of the system's own directories is used, to be read after a colon. */
export const ON_NO_DISK = "it is in, or leads to, a virtual file system such as /proc";

/**
 * Whether Deno opens a path under `--allow-all` alone, which kprov never asks for. A link may lead
 * to such a path; {@linkcode isClosedError} tells then. Deno 2.8.2 opens some of them under less:
 * they are refused there too, so that the answer is the same on every Deno.
 *
 * @param path The path, absolute
 */
export function isClosedPath(path: string): boolean {
  return /^\/(?:dev|proc|sys)(?:\/|$)/.test(path) &&
    !/^\/dev\/(?:null|zero|u?random)$/.test(path);
}

function isEverythingPermitted(): boolean {
  const kinds = ["read", "write", "run", "env", "net", "sys", "ffi"] as const;
  return kinds.every((name) => Deno.permissions.querySync({ name }).state === "granted");
}

/** Whether Deno threw an error because it opens the path under `--allow-all` alone. */
export function isClosedError(error: unknown): boolean {
  return error instanceof Deno.errors.NotCapable && /^Requires all access/.test(error.message);
}

/** Whether Linux makes up what a path holds each time that it is read, so that no permission helps. */
export function isMadeUp(path: string): boolean {
  return Deno.build.os === "linux" && /^\/(?:proc|sys)(?:\/|$)/.test(path);
}

/**
 * Makes the error of a path that is closed or made up.
 *
 * @param action What failed, with the name quoted
 * @param options `code`, `cannot_create` where it is to be written, and what was thrown, if anything
 */
export function refuseSystemPath(
  action: string,
  { code = "data", cause }: { code?: "data" | "cannot_create"; cause?: unknown } = {},
): KprovError {
  const hint = code === "data" ? "use a copy in another directory" : "use another directory";
  return new KprovError(code, action, { reason: ON_NO_DISK, hint, cause });
}

/** Whether Deno would let a call through without asking. */
export function isPermitted(kind: "read" | "write", path: string): boolean {
  return Deno.permissions.querySync({ name: kind, path }).state === "granted";
}

/**
 * The narrowest flag that grants a permission.
 *
 * @param kind The permission
 * @param path For what
 */
export function permissionFlag(kind: "read" | "write", path: string): string {
  return `--allow-${kind}=${shellQuote(path)}`;
}

/**
 * Says how to grant a permission. A compiled binary holds its permissions, and takes no flag for others.
 *
 * @param flag The flags of Deno that grant it
 * @param isCompiled Whether kprov is a binary
 */
export function hintAtFlag(flag: string, isCompiled: boolean = Deno.build.standalone): string {
  const isOfRun = /--allow-(?:run|env)/.test(flag);
  // Who installed the commands has no line of Deno to change.
  if (!isCompiled) return `run with ${flag}${isOfRun ? ", or use the command kprov-run" : ""}`;
  return isOfRun
    ? "use kprov-run, the binary that may start programs and read the environment"
    : "this binary was compiled without it; the released ones may read and write all files";
}

/** What a run used its permissions for. */
export interface UsedPermissions {
  /** A path that was read. */
  readonly read: string;
  /** A path that was written. */
  readonly write: string;
  /** A program that was started. */
  readonly run?: string;
  /** An environment variable that was looked at. */
  readonly env?: string;
}

/**
 * Reads the permissions that kprov runs with. Deno tells whether a permission holds for everything
 * or for one named thing, not for which things; a permission that holds for what the run used, but
 * not for everything, is `partial`.
 *
 * @param used What the run used its permissions for
 */
export function gatherPermissions(used: UsedPermissions): Permissions {
  return {
    read: stateOf({ name: "read" }, { name: "read", path: used.read }),
    write: stateOf({ name: "write" }, { name: "write", path: used.write }),
    run: stateOf(
      { name: "run" },
      used.run === undefined ? undefined : { name: "run", command: used.run },
    ),
    net: stateOf({ name: "net" }),
    env: stateOf({ name: "env" }, { name: "env", variable: used.env ?? "SOURCE_DATE_EPOCH" }),
  };
}

function stateOf(
  all: Deno.PermissionDescriptor,
  one: Deno.PermissionDescriptor = all,
): PermissionState {
  const status = Deno.permissions.querySync(all);
  if (status.state === "granted") return status.partial ? "partial" : "granted";
  return Deno.permissions.querySync(one).state === "granted" ? "partial" : "denied";
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

/**
 * The system's code of an error, as both Deno's and Node's file calls carry it.
 *
 * @param error Anything thrown
 * @returns Such as `ENOENT`, or null where it has none
 */
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

/**
 * Says in words why the system refused, without any path in it.
 *
 * @param error Anything thrown by a file call
 */
export function describeSystemError(error: unknown): string {
  const code = systemCode(error);
  const reason = code === null ? undefined : REASONS[code];
  if (reason !== undefined) return reason;
  if (error instanceof Deno.errors.InvalidData) return "its name or target is not valid UTF-8";
  return code === null ? "the operating system refused" : `the operating system refused (${code})`;
}

/** What {@linkcode toKprovError} makes of an error, by its cause. */
interface SystemErrorOptions {
  /** The code where the thing is not there; default: the code of every other cause. */
  readonly missing?: KprovErrorCode;
  /** The code where it is there and the system refuses. */
  readonly refused: KprovErrorCode;
  /** The flag that grants the permission, where a permission is what is missing. */
  readonly flag: string;
}

/**
 * Makes a domain error of what a file call threw.
 *
 * @param error Anything thrown
 * @param action What failed, with the name quoted, such as `Cannot read input "a.txt"`
 * @param options Which code each cause gets
 */
export function toKprovError(
  error: unknown,
  action: string,
  options: SystemErrorOptions,
): KprovError {
  if (error instanceof KprovError) return error;
  if (error instanceof Deno.errors.NotCapable) {
    if (isClosedError(error)) {
      const code = options.refused === "cannot_create" ? options.refused : "data";
      return refuseSystemPath(action, { code, cause: error });
    }
    return new KprovError("permission", action, {
      reason: "Deno's permission is missing",
      hint: hintAtFlag(options.flag),
      cause: error,
    });
  }
  const code = isMissing(error) ? options.missing ?? options.refused : options.refused;
  return new KprovError(code, action, { reason: describeSystemError(error), cause: error });
}
