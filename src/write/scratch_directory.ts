import type { FileKind } from "../evidence/provenance.ts";
import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import { dirname, join } from "../std.ts";
import { toKprovError } from "../system/os_error.ts";
import { permissionFlag, requirePermission } from "../system/permissions.ts";

/** A directory that goes with everything in it when it is disposed of. */
export interface ScratchDirectory extends Disposable {
  /** Its absolute path, links resolved. */
  readonly path: string;
}

/** A file or link to copy into a scratch directory. */
export interface ScratchCopy {
  /** Where it is, absolute. */
  readonly source: string;
  /** Where it goes in the scratch directory, in POSIX form. */
  readonly name: string;
  /** What it is. */
  readonly kind: FileKind;
}

/**
 * Makes an empty directory that nobody else may enter.
 *
 * @param parent Where it goes; null for where Deno makes temporary directories by itself
 * @throws {KprovError} `cannot_create` where it cannot be made, `permission` where Deno does not let it
 */
export function makeScratchDirectory(parent: string | null): ScratchDirectory {
  if (parent !== null) {
    requirePermission("write", parent);
    requirePermission("read", parent);
  }
  try {
    const path = Deno.realPathSync(
      Deno.makeTempDirSync({ prefix: "kprov-", ...(parent === null ? {} : { dir: parent }) }),
    );
    return { path, [Symbol.dispose]: () => removeScratch(path) };
  } catch (error) {
    throw toKprovError(error, "Cannot create a scratch directory", {
      refused: "cannot_create",
      flag: parent === null ? "--allow-write" : permissionFlag("write", parent),
    });
  }
}

/**
 * Copies a file, with its mode, or makes the same link.
 *
 * @param scratch Where it goes
 * @param copy What
 * @throws {KprovError} `io` where the system refuses, `permission` where Deno does
 */
export async function copyIntoScratch(scratch: ScratchDirectory, copy: ScratchCopy): Promise<void> {
  const target = join(scratch.path, copy.name);
  try {
    await Deno.mkdir(dirname(target), { recursive: true });
    if (copy.kind === "file") await Deno.copyFile(copy.source, target);
    else await Deno.symlink(await Deno.readLink(copy.source), target);
  } catch (error) {
    throw toKprovError(error, `Cannot copy input ${quote(copy.name)}`, {
      missing: "data",
      refused: "io",
      // Deno makes links only for those who may read and write everything.
      flag: copy.kind === "file"
        ? permissionFlag("read", copy.source)
        : "--allow-read --allow-write",
    });
  }
}

function removeScratch(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    makeRemovable(path);
    try {
      Deno.removeSync(path, { recursive: true });
    } catch (error) {
      throw new KprovError("io", `Cannot remove the scratch directory ${quote(path)}`, {
        hint: "something that the command left running may still write to it",
        cause: error,
      });
    }
  }
}

/** A command may leave directories that their owner cannot write to. */
function makeRemovable(path: string): void {
  try {
    Deno.chmodSync(path, 0o700);
    for (const entry of Deno.readDirSync(path)) {
      if (entry.isDirectory) makeRemovable(join(path, entry.name));
    }
  } catch {
    // What stays in the way is told by the removal.
  }
}
