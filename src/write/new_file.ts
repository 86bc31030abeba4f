import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import { basename, dirname, join } from "../std.ts";
import { systemCode, toKprovError } from "../system/os_error.ts";
import { permissionFlag } from "../system/permissions.ts";
import { syncDirectory, writeAndSync } from "./synced.ts";

/** Whether a file that is there may be replaced. */
export interface NewFileOptions {
  /** Replace it; default: refuse. */
  readonly mayReplace?: boolean;
}

/**
 * Writes a file whole or not at all: under a temporary name beside it, synced, and then given its
 * name in one step. A file that is there is never overwritten unless that is asked for.
 *
 * @param path Where; its directory is made where it does not exist
 * @param text What goes in
 * @param options Whether it may replace a file
 * @throws {KprovError} `cannot_create` where it is there already or the place cannot be written to,
 * `io` where writing fails
 */
export function writeNewFile(path: string, text: string, options: NewFileOptions = {}): void {
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path)}.tmp`);
  const flag = permissionFlag("write", path);
  using file = openTemporary(directory, temporary, path);
  try {
    writeAndSync(file, text);
    if (options.mayReplace) Deno.renameSync(temporary, path);
    else Deno.linkSync(temporary, path);
    syncDirectory(directory);
  } catch (error) {
    if (systemCode(error) === "EEXIST") throw refuseExisting(path);
    throw toKprovError(error, `Cannot write ${quote(path)}`, { refused: "io", flag });
  } finally {
    removeIfThere(temporary);
  }
}

function openTemporary(directory: string, temporary: string, path: string): Deno.FsFile {
  try {
    Deno.mkdirSync(directory, { recursive: true });
    return Deno.openSync(temporary, { write: true, createNew: true });
  } catch (error) {
    throw toKprovError(error, `Cannot create ${quote(path)}`, {
      refused: "cannot_create",
      flag: permissionFlag("write", directory),
    });
  }
}

function refuseExisting(path: string): KprovError {
  return new KprovError("cannot_create", `Cannot create ${quote(path)}: it exists already`);
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // After a rename it is gone, which is what is wanted.
  }
}
