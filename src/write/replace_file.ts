import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import { systemCode, toKprovError } from "../system/os_error.ts";
import { permissionFlag } from "../system/permissions.ts";
import { deferSignals } from "../system/signals.ts";
import { syncDirectory, writeAndSync } from "./synced.ts";

/** Where a file is replaced. */
export interface Replacement {
  /** The file. */
  readonly path: string;
  /** The directory that the file is in. */
  readonly directory: string;
  /** A path on the same file system, outside that directory, that stands while the file is replaced. */
  readonly temporary: string;
}

/**
 * Replaces a file by one rename. The temporary file is also the lock: of several writers one makes
 * it, and only then reads what it is about to replace, so that no change is lost between them.
 *
 * @param place Where
 * @param buildText Makes the new text, once nobody else can change the file
 * @throws {KprovError} `cannot_create` where somebody else is at it or the place cannot be written
 * to, `io` where writing fails; the file is then as it was
 * @throws {Interruption} where a signal came
 */
export async function replaceFile(place: Replacement, buildText: () => string): Promise<void> {
  const { path, directory, temporary } = place;
  await deferSignals(async (signals) => {
    using file = acquire(place);
    try {
      writeAndSync(file, buildText());
      await signals.turn();
      Deno.renameSync(temporary, path);
      syncDirectory(directory);
    } catch (error) {
      removeQuietly(temporary);
      throw toKprovError(error, `Cannot write ${quote(path)}`, {
        refused: "io",
        flag: permissionFlag("write", directory),
      });
    }
  });
}

function acquire({ path, directory, temporary }: Replacement): Deno.FsFile {
  try {
    return Deno.openSync(temporary, { write: true, createNew: true });
  } catch (error) {
    if (systemCode(error) === "EEXIST") {
      throw new KprovError(
        "cannot_create",
        `Cannot write ${quote(path)}: somebody else is writing it`,
        { hint: `if nobody is, delete ${quote(temporary)}`, cause: error },
      );
    }
    throw toKprovError(error, `Cannot write ${quote(path)}`, {
      refused: "cannot_create",
      flag: permissionFlag("write", directory),
    });
  }
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // After the rename there is nothing left to remove; before it, the first error is the one to report.
  }
}
