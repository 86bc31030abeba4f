import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { dirname, join } from "../base/std.ts";
import type { FileKind } from "../evidence/provenance.ts";
import { toKprovError } from "./os_error.ts";
import { permissionFlag, requirePermission } from "./permissions.ts";

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
 * @param parent Where it goes
 * @throws {KprovError} `cannot_create` where it cannot be made, `permission` where Deno does not let it
 */
export function makeScratchDirectory(parent: string): ScratchDirectory {
  requirePermission("read", parent);
  try {
    // Deno's permissions are about paths as they are written, and what is named in there is compared.
    const real = Deno.realPathSync(parent);
    requirePermission("read", real);
    requirePermission("write", real);
    const path = Deno.makeTempDirSync({ prefix: "kprov-", dir: real });
    return { path, [Symbol.dispose]: () => removeScratch(path) };
  } catch (error) {
    throw toKprovError(error, `Cannot create a scratch directory in ${quote(parent)}`, {
      refused: "cannot_create",
      flag: permissionFlag("write", parent),
    });
  }
}

/**
 * Copies a file, with its mode, or makes the same link.
 *
 * @param scratch Where it goes
 * @param copy What
 * @param root Where the originals are, absolute: a link must not lead back to them
 * @throws {KprovError} `io` where the system refuses, `permission` where Deno does, `data` where a
 * link leads back
 */
export async function copyIntoScratch(
  scratch: ScratchDirectory,
  copy: ScratchCopy,
  root: string,
): Promise<void> {
  makeDirectoryAbove(scratch, copy.name);
  const target = join(scratch.path, copy.name);
  try {
    if (copy.kind === "file") return await Deno.copyFile(copy.source, target);
    requireEverything(copy.name);
    const text = await Deno.readLink(copy.source);
    if (isPathInside(text, root)) throw refuseWayBack(copy.name);
    await Deno.symlink(text, target);
  } catch (error) {
    throw toKprovError(error, `Cannot copy input ${quote(copy.name)}`, {
      missing: "data",
      refused: "io",
      flag: permissionFlag("read", copy.source),
    });
  }
}

/** Deno makes links only for those who may read and write everything. */
function requireEverything(name: string): void {
  const isGranted = (["read", "write"] as const).every((kind) =>
    Deno.permissions.querySync({ name: kind }).state === "granted"
  );
  if (isGranted) return;
  throw new KprovError(
    "permission",
    `Cannot copy link ${quote(name)}: Deno's full read and write permissions are missing`,
    { hint: "run with --allow-read --allow-write" },
  );
}

function refuseWayBack(name: string): KprovError {
  return new KprovError(
    "data",
    `Cannot reproduce the run: input ${quote(name)} is a link that leads back to the root`,
  );
}

/**
 * Whether a text is, or holds, an absolute path in a directory.
 *
 * @param text Such as a word of a command
 * @param directory The directory, absolute
 */
export function isPathInside(text: string, directory: string): boolean {
  if (directory === dirname(directory)) return false;
  return text.endsWith(directory) || text.includes(`${directory}/`);
}

/**
 * Makes the directories above something in a scratch directory.
 *
 * @param scratch The scratch directory
 * @param name What stands, or will stand, in them
 * @throws {KprovError} `io` where the system refuses
 */
export function makeDirectoryAbove(scratch: ScratchDirectory, name: string): void {
  try {
    Deno.mkdirSync(dirname(join(scratch.path, name)), { recursive: true });
  } catch (error) {
    throw toKprovError(error, `Cannot create the directory of ${quote(name)}`, {
      refused: "io",
      flag: permissionFlag("write", scratch.path),
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
