import { KprovError, type KprovErrorCode } from "../base/error.ts";
import { isClosedError, refuseSystemPath } from "./permissions.ts";

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
      hint: `run with ${options.flag}`,
      cause: error,
    });
  }
  const code = isMissing(error) ? options.missing ?? options.refused : options.refused;
  return new KprovError(code, action, { reason: describeSystemError(error), cause: error });
}
