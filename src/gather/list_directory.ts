import { describeNameFault } from "../evidence/name.ts";
import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import type { IsExcluded } from "./exclusion.ts";
import type { PathWatch } from "./path_watch.ts";
import { toKprovError } from "../system/os_error.ts";
import { permissionFlag } from "../system/permissions.ts";

/** A directory to list. */
export interface NamedDirectory {
  /** Relative to the root, in POSIX form; `.` is the root itself. */
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
 * @param watch Holds the directories, which must not change before all is read
 * @returns Their names, relative to the root
 * @throws {KprovError} `data` on a name that cannot be represented exactly, on anything that is
 * neither file, link nor directory, and on a directory that changes while it is listed; `io` where
 * the system refuses, `permission` where Deno does
 */
export function listDirectory(
  directory: NamedDirectory,
  isExcluded: IsExcluded,
  watch: PathWatch,
): string[] {
  const files: string[] = [];
  const pending = [directory];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const prefix = next.name === "." ? "" : `${next.name}/`;
    for (const entry of readEntries(next, watch)) {
      const name = prefix + entry.name;
      checkEntryName(entry.name, name);
      if (isExcluded(name)) continue;
      if (entry.isFile || entry.isSymlink) files.push(name);
      else if (entry.isDirectory) pending.push({ name, path: `${next.path}/${entry.name}` });
      else throw refuseKind(name);
    }
  }
  return files;
}

function readEntries(directory: NamedDirectory, watch: PathWatch): Deno.DirEntry[] {
  try {
    watch.willList(directory.name);
    const entries = [...Deno.readDirSync(directory.path)];
    watch.checkListed(directory.name);
    return entries;
  } catch (error) {
    throw toKprovError(error, `Cannot read directory ${quote(directory.name)}`, {
      missing: "data",
      refused: "io",
      flag: permissionFlag("read", directory.path),
    });
  }
}

function checkEntryName(part: string, name: string): void {
  const fault = describeNameFault(part);
  if (fault !== null) {
    throw new KprovError("data", `Cannot record ${quote(name)}: its name ${fault}`);
  }
}

function refuseKind(name: string): KprovError {
  return new KprovError(
    "data",
    `Cannot read input ${quote(name)}: it is neither a file, a link nor a directory`,
    {
      hint: "leave it out with --exclude",
    },
  );
}
