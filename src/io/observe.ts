import type { Effort } from "../base/progress.ts";
import { join } from "../base/std.ts";
import type { ExpectedFile, ObservedFile } from "../evidence/check_files.ts";
import type { ExternalParameters } from "../evidence/provenance.ts";
import { lookAtFiles, type SeenFile } from "./hash/hash_files.ts";
import { compileExclusions, listDirectory } from "./list_directory.ts";
import { isMissing } from "./os_error.ts";
import type { Root } from "./paths.ts";
import { toFileError } from "./read_file.ts";

/**
 * Lists every name below those inputs of a run that are directories, less what it left out.
 *
 * @param given The inputs as given, and the globs of what was left out
 * @param reading Where they are
 * @throws {KprovError} `permission` where Deno does not let something be read, `data` where a glob is none
 */
export function listDirectories(
  given: Pick<ExternalParameters, "inputs" | "exclude">,
  { root }: Pick<Reading, "root">,
): string[] {
  return listNames(given, root, rememberDirectories(root));
}

/**
 * Looks at some files below the root, without following a link or leaving the root: the names in a run
 * that verifies are relative and free of `..`, and every directory on the way is checked to be one.
 *
 * @param expected Which files; their names are relative and free of `..`
 * @param reading Where they are, and how they are read
 * @throws {KprovError} `permission` where Deno does not let something be read
 */
export async function observeExpectedFiles(
  expected: readonly NamedFile[],
  reading: Reading,
): Promise<ReadonlyMap<string, ObservedFile>> {
  return await observeNames(expected, reading, rememberDirectories(reading.root));
}

async function observeNames(
  expected: readonly NamedFile[],
  { root, effort }: Reading,
  isPlainDirectory: IsPlainDirectory,
): Promise<ReadonlyMap<string, ObservedFile>> {
  const observed = new Map<string, ObservedFile>();
  for (const { name } of expected) observed.set(name, { state: "missing" });
  const reachable = expected.filter(({ name }) => isPlainDirectory(dirnameOf(name)));
  const names = reachable.map(({ name }) => name);
  const seen = await lookAtFiles({ directory: root.path, names }, { effort });
  for (const [i, file] of reachable.entries()) {
    const one = seen[i];
    if (one !== undefined) observed.set(file.name, describeSeen(one, file, root));
  }
  return observed;
}

/** The name of the directory that a name lies in; `.` is the root itself. */
export function dirnameOf(name: string): string {
  const end = name.lastIndexOf("/");
  return end < 0 ? "." : name.slice(0, end);
}

/** A file to look at: its name, and what it is for. */
type NamedFile = Pick<ExpectedFile, "name" | "role">;

/** Where files are, and how they are read. */
export interface Reading {
  /** The directory that the names are relative to. */
  readonly root: Root;
  /** How much of the machine it may take. */
  readonly effort: Effort;
}

/** Tells whether a path below the root is a directory with no link on the way. */
export type IsPlainDirectory = (name: string) => boolean;

/**
 * Makes a test for directories that remembers: each is looked at once.
 *
 * @param root The directory that names are relative to; `.` is the root itself
 */
export function rememberDirectories(root: Root): IsPlainDirectory {
  const known = new Map<string, boolean>([[".", true]]);
  const look: IsPlainDirectory = (name) => {
    const remembered = known.get(name);
    if (remembered !== undefined) return remembered;
    const answer = look(dirnameOf(name)) && isDirectory(join(root.path, name));
    known.set(name, answer);
    return answer;
  };
  return look;
}

function isDirectory(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch {
    return false;
  }
}

function describeSeen(seen: SeenFile, { name, role }: NamedFile, root: Root): ObservedFile {
  if (seen.state === "read") return seen;
  const error = toFileError(seen, { path: join(root.path, name), name, role });
  if (error.code === "permission") throw error;
  if (isMissing(error.cause)) return { state: "missing" };
  return { state: "unreadable", reason: error.message.slice(error.message.lastIndexOf(": ") + 2) };
}

function listNames(
  { inputs, exclude }: Pick<ExternalParameters, "inputs" | "exclude">,
  root: Root,
  isPlainDirectory: IsPlainDirectory,
): string[] {
  const isExcluded = compileExclusions(exclude, "run");
  return inputs
    .filter((name) => isPlainDirectory(name))
    .flatMap((name) => listDirectory({ name, path: join(root.path, name) }, isExcluded));
}
