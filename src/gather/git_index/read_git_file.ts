import { KprovError } from "../../kprov_error.ts";
import { quote } from "../../quote.ts";
import { basename } from "../../std.ts";
import { describeSystemError, isMissing, toKprovError } from "../../system/os_error.ts";
import { permissionFlag, requirePermission } from "../../system/permissions.ts";
import { readFile } from "../../system/read_file.ts";

/** The largest index that is read; one of a million files has about 100 MB. */
export const MOST_BYTES = 2 ** 30;

/**
 * Reads a file of git's own.
 *
 * @param path Where it is
 * @param maxBytes How large it may be
 * @returns Its bytes, or null where it does not exist
 * @throws {KprovError} `permission` where Deno does not let it be read, `data` where it cannot be
 * read otherwise
 */
export function readGitFile(path: string, maxBytes: number = MOST_BYTES): Uint8Array | null {
  requirePermission("read", path);
  const file = readFile(path, { action: `Cannot read ${quote(path)}`, maxBytes, follows: true });
  if (file.state === "unreadable") throw refuse(path, file.reason, file.cause);
  return file.state === "read" ? file.bytes : null;
}

/**
 * Reads a text file of git's own.
 *
 * @param path Where it is
 * @returns Its text, or null where it does not exist
 * @throws {KprovError} as {@linkcode readGitFile} does, and `data` where it is not UTF-8
 */
export function readGitText(path: string): string | null {
  const bytes = readGitFile(path, 2 ** 20);
  try {
    return bytes === null ? null : new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw refuse(path, "it is not valid UTF-8", cause);
  }
}

/**
 * Looks at what lies at a path, through symbolic links.
 *
 * @param path Where
 * @returns What is there, or null where nothing is
 * @throws {KprovError} as {@linkcode readGitFile} does
 */
export function statGitFile(path: string): Deno.FileInfo | null {
  requirePermission("read", path);
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (isMissing(error)) return null;
    if (!(error instanceof Deno.errors.NotCapable)) {
      throw refuse(path, describeSystemError(error), error);
    }
    throw toKprovError(error, `Cannot read ${quote(path)}`, {
      refused: "data",
      flag: permissionFlag("read", path),
    });
  }
}

function refuse(path: string, reason: string, cause?: unknown): KprovError {
  return new KprovError("data", `git's file ${quote(basename(path))}: ${reason}`, { cause });
}
