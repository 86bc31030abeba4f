import { lstatSync, type Stats } from "node:fs";
import { describeNameFault } from "../evidence/name.ts";
import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import { join } from "../std.ts";
import type { IsExcluded } from "./exclusion.ts";
import type { NamedPath } from "./input_path.ts";
import { toKprovError } from "../system/os_error.ts";
import { permissionFlag } from "../system/permissions.ts";

/** A file or link found below a directory. */
export interface ListedFile {
  /** Relative to the root, in POSIX form. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

/**
 * Lists every file and link below a directory, in no particular order. Links are listed, never
 * followed; empty directories leave no trace.
 *
 * @param directory Where to start
 * @param isExcluded What to leave out, with all it holds
 * @throws {KprovError} `data` on a name that cannot be represented exactly, on anything that is
 * neither file, link nor directory, and on a directory that changes while it is listed; `io` where
 * the system refuses, `permission` where Deno does
 */
export function listDirectory(directory: NamedPath, isExcluded: IsExcluded): ListedFile[] {
  const files: ListedFile[] = [];
  const pending: ListedFile[] = [directory];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const entry of readEntries(next)) {
      const name = next.name === "." ? entry.name : `${next.name}/${entry.name}`;
      checkEntryName(entry.name, name);
      if (isExcluded(name)) continue;
      const found = { name, path: join(next.path, entry.name) };
      if (entry.isDirectory) pending.push(found);
      else if (entry.isFile || entry.isSymlink) files.push(found);
      else throw refuseKind(found);
    }
  }
  return files;
}

function readEntries(directory: ListedFile): Deno.DirEntry[] {
  try {
    const before = lstatSync(directory.path);
    const entries = [...Deno.readDirSync(directory.path)];
    if (!isSameDirectory(before, lstatSync(directory.path))) {
      throw refuseDirectory(directory.name, "it changed while it was listed");
    }
    return entries;
  } catch (error) {
    throw toKprovError(error, `Cannot read directory ${quote(directory.name)}`, {
      missing: "data",
      refused: "io",
      flag: permissionFlag("read", directory.path),
    });
  }
}

function isSameDirectory(a: Stats, b: Stats): boolean {
  return a.isDirectory() && b.isDirectory() && a.dev === b.dev && a.ino === b.ino &&
    a.mtimeMs === b.mtimeMs;
}

function checkEntryName(part: string, name: string): void {
  const fault = describeNameFault(part);
  if (fault !== null) {
    throw new KprovError("data", `Cannot record ${quote(name)}: its name ${fault}`);
  }
}

function refuseKind(file: ListedFile): KprovError {
  return new KprovError(
    "data",
    `Cannot read input ${quote(file.name)}: it is neither a file, a link nor a directory`,
    {
      hint: "leave it out with --exclude",
    },
  );
}

function refuseDirectory(name: string, reason: string): KprovError {
  return new KprovError("data", `Cannot read directory ${quote(name)}: ${reason}`);
}
