import type { Effort } from "../base/progress.ts";
import { join } from "../base/std.ts";
import {
  type ExpectedFile,
  listExpectedFiles,
  type Observation,
  type ObservedFile,
} from "../evidence/check_files.ts";
import type { Run } from "../evidence/run.ts";
import { toFileError } from "./hash/hash_file.ts";
import { lookAtFiles, type SeenFile } from "./hash/hash_files.ts";
import { compileExclusions, listDirectory } from "./list_directory.ts";
import { isMissing } from "./os_error.ts";
import { type PathWatch, readWatched } from "./path_watch.ts";
import type { Root } from "./paths.ts";

/**
 * Looks at everything below the root that a run speaks of, without following a link or leaving the
 * root: the names in a run that verifies are relative and free of `..`, and every directory on the
 * way is checked to be one.
 *
 * @param run A run that verifies
 * @param reading Where its files are, and how they are read
 * @throws {KprovError} `permission` where Deno does not let something be read, `data` where the run
 * records an exclusion that is no glob or where a directory changes meanwhile; everything else that is
 * wrong is part of the observation
 */
export async function observeFiles(run: Run, reading: Reading): Promise<Observation> {
  return await readWatched({ ...reading, role: "file" }, async (watch) => {
    const listed = listInputDirectories(run, reading.root, watch);
    return { files: await observeNames(listExpectedFiles(run), reading, watch), listed };
  });
}

/**
 * Looks at some files below the root, as {@linkcode observeFiles} does.
 *
 * @param expected Which files; their names are relative and free of `..`
 * @param reading Where they are, and how they are read
 * @throws {KprovError} `permission` where Deno does not let something be read, `data` where a directory
 * changes meanwhile
 */
export async function observeExpectedFiles(
  expected: readonly ExpectedFile[],
  reading: Reading,
): Promise<ReadonlyMap<string, ObservedFile>> {
  return await readWatched(
    { ...reading, role: "file" },
    (watch) => observeNames(expected, reading, watch),
  );
}

async function observeNames(
  expected: readonly ExpectedFile[],
  { root, effort }: Reading,
  watch: PathWatch,
): Promise<ReadonlyMap<string, ObservedFile>> {
  const observed = new Map<string, ObservedFile>();
  for (const { name } of expected) observed.set(name, { state: "missing" });
  const reachable = expected.filter(({ name }) => watch.willRead(name));
  const names = reachable.map(({ name }) => name);
  const seen = await lookAtFiles({ directory: root.path, names }, { effort });
  for (const [i, file] of reachable.entries()) {
    const one = seen[i];
    if (one === undefined) continue;
    observed.set(file.name, describeSeen(one, file, root));
  }
  return observed;
}

/** Where files are, and how they are read. */
export interface Reading {
  /** The directory that the names are relative to. */
  readonly root: Root;
  /** How much of the machine it may take. */
  readonly effort: Effort;
  /** The names below the root of what kprov itself writes. */
  readonly ownNames?: readonly string[];
}

function describeSeen(seen: SeenFile, { name, role }: ExpectedFile, root: Root): ObservedFile {
  if (seen.state === "read") return seen;
  const error = toFileError(seen, { path: join(root.path, name), name, role });
  if (error.code === "permission") throw error;
  if (isMissing(error.cause)) return { state: "missing" };
  return { state: "unreadable", reason: error.message.slice(error.message.lastIndexOf(": ") + 2) };
}

/** Every name below the directory inputs, less the recorded exclusions. */
function listInputDirectories(run: Run, root: Root, watch: PathWatch): string[] {
  const { externalParameters } = run.documents["provenance.json"].predicate.buildDefinition;
  const isExcluded = compileExclusions(externalParameters.exclude, "run");
  return externalParameters.inputs
    .filter((name) => watch.isDirectory(name))
    .flatMap((name) => listDirectory({ name, path: join(root.path, name) }, isExcluded, watch));
}
