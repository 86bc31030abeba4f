import {
  type ExpectedFile,
  listExpectedFiles,
  type Observation,
  type ObservedFile,
} from "../evidence/check_files.ts";
import type { Run } from "../evidence/run.ts";
import { join } from "../std.ts";
import { DirectoriesBelow, directoryOf } from "../system/directories_below.ts";
import { isMissing } from "../system/os_error.ts";
import type { Effort } from "../system/progress.ts";
import { compileExclusions } from "./exclusion.ts";
import { toFileError } from "./hash_file.ts";
import { lookAtFiles, type SeenFile } from "./hash_files.ts";
import type { Root } from "./input_path.ts";
import { listDirectory } from "./list_directory.ts";

/**
 * Looks at everything below the root that a run speaks of, without following a link or leaving the
 * root: the names in a run that verifies are relative and free of `..`, and every directory on the
 * way is checked to be one.
 *
 * @param run A run that verifies
 * @param reading Where its files are, and how they are read
 * @throws {KprovError} `permission` where Deno does not let something be read, `data` where the run
 * records an exclusion that is no glob; everything else that is wrong is part of the observation
 */
export async function observeFiles(run: Run, reading: Reading): Promise<Observation> {
  const { root } = reading;
  const directories = new DirectoriesBelow(root.path);
  const files = await observeNames(listExpectedFiles(run), reading, directories);
  return { files, listed: listInputDirectories(run, root, directories) };
}

/**
 * Looks at some files below the root, as {@linkcode observeFiles} does.
 *
 * @param expected Which files; their names are relative and free of `..`
 * @param reading Where they are, and how they are read
 * @throws {KprovError} `permission` where Deno does not let something be read
 */
export async function observeExpectedFiles(
  expected: readonly ExpectedFile[],
  reading: Reading,
): Promise<ReadonlyMap<string, ObservedFile>> {
  return await observeNames(expected, reading, new DirectoriesBelow(reading.root.path));
}

async function observeNames(
  expected: readonly ExpectedFile[],
  { root, effort }: Reading,
  directories: DirectoriesBelow,
): Promise<ReadonlyMap<string, ObservedFile>> {
  const observed = new Map<string, ObservedFile>();
  for (const { name } of expected) observed.set(name, { state: "missing" });
  const reachable = expected.filter(({ name }) =>
    directories.findObstacle(directoryOf(name)) === null
  );
  const names = reachable.map(({ name }) => name);
  const seen = await lookAtFiles({ directory: root.path, names }, { effort });
  for (const [i, file] of reachable.entries()) {
    const one = seen[i];
    if (one === undefined) continue;
    const isInPlace = directories.isUnchanged(directoryOf(file.name));
    observed.set(file.name, isInPlace ? describeSeen(one, file, root) : SWAPPED);
  }
  return observed;
}

const SWAPPED: ObservedFile = {
  state: "unreadable",
  reason: "a directory on the way to it changed meanwhile",
};

/** Where files are, and how they are read. */
export interface Reading {
  /** The directory that the names are relative to. */
  readonly root: Root;
  /** How much of the machine it may take. */
  readonly effort: Effort;
}

function describeSeen(seen: SeenFile, { name, role }: ExpectedFile, root: Root): ObservedFile {
  if (seen.state === "read") return seen;
  const error = toFileError(seen, { path: join(root.path, name), name, role });
  if (error.code === "permission") throw error;
  if (isMissing(error.cause)) return { state: "missing" };
  return { state: "unreadable", reason: error.message.slice(error.message.lastIndexOf(": ") + 2) };
}

/** Every name below the directory inputs, less the recorded exclusions. */
function listInputDirectories(run: Run, root: Root, directories: DirectoriesBelow): string[] {
  const { externalParameters } = run.documents["provenance.json"].predicate.buildDefinition;
  const isExcluded = compileExclusions(externalParameters.exclude, "run");
  return externalParameters.inputs
    .filter((name) => directories.findObstacle(name) === null)
    .flatMap((name) => listDirectory({ name, path: join(root.path, name) }, isExcluded));
}
