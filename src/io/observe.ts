import { KprovError } from "../base/error.ts";
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
import { compileExclusions } from "./exclusions.ts";
import { FollowedPaths } from "./links.ts";
import { listDirectory } from "./list_directory.ts";
import { isMissing } from "./os_error.ts";
import { type Change, type PathWatch, readWatched } from "./path_watch.ts";
import type { Root } from "./paths.ts";

const SWAPPED: ObservedFile = {
  state: "unreadable",
  reason: "a directory on the way to it changed meanwhile",
};

/**
 * Looks at everything below the root that a run speaks of, without following a link or leaving the
 * root: the names in a run that verifies are relative and free of `..`, and every directory on the
 * way is checked to be one.
 *
 * @param run A run that verifies
 * @param reading Where its files are, and how they are read
 * @throws {KprovError} `permission` where Deno does not let something be read, `data` where the run
 * records an exclusion that is no glob, or where a directory changes meanwhile and no file below it is
 * recorded; everything else that is wrong is part of the observation
 */
export async function observeFiles(run: Run, reading: Reading): Promise<Observation> {
  const { root } = reading;
  const { links } = run.documents["provenance.json"].predicate.buildDefinition.externalParameters;
  const read = async (watch: PathWatch): Promise<Observation> => {
    const followed = links === "follow" ? new FollowedPaths(root, "input") : null;
    const way = { watch, followed };
    const listed = listInputDirectories(run, root, way);
    const files = await observeNames(listExpectedFiles(run), reading, way);
    followed?.checkUnchanged();
    return { files, listed };
  };
  return await readWatched({ ...reading, role: "file" }, read, ({ files, listed }, changes) => {
    const told = markChanged(files, changes);
    return told === null ? null : { files: told, listed };
  });
}

/** How the files of a run are reached. */
interface Way {
  /** Holds the directories on the way against a later look. */
  readonly watch: PathWatch;
  /** What leads to inputs where the run read them through links. */
  readonly followed: FollowedPaths | null;
}

/**
 * Looks at some files below the root, as {@linkcode observeFiles} does.
 *
 * @param expected Which files; their names are relative and free of `..`
 * @param reading Where they are, and how they are read
 * @param links Whether inputs are read through links
 * @throws {KprovError} `permission` where Deno does not let something be read, `data` where a directory
 * changes meanwhile and none of the files is below it
 */
export async function observeExpectedFiles(
  expected: readonly ExpectedFile[],
  reading: Reading,
  links?: "follow",
): Promise<ReadonlyMap<string, ObservedFile>> {
  const read = async (watch: PathWatch): Promise<ReadonlyMap<string, ObservedFile>> => {
    const followed = links === "follow" ? new FollowedPaths(reading.root, "input") : null;
    const observed = await observeNames(expected, reading, { watch, followed });
    followed?.checkUnchanged();
    return observed;
  };
  return await readWatched({ ...reading, role: "file" }, read, markChanged);
}

/** What is below a directory that changed is not known; null where no file tells of the change. */
function markChanged(
  files: ReadonlyMap<string, ObservedFile>,
  changes: readonly Change[],
): ReadonlyMap<string, ObservedFile> | null {
  const names = [...files.keys()];
  const isTold = changes.every((change) => names.some((name) => isAt(name, change)));
  if (!isTold) return null;
  const told = new Map(files);
  for (const name of names) {
    if (changes.some((change) => isAt(name, change))) told.set(name, SWAPPED);
  }
  return told;
}

function isAt(name: string, change: Change): boolean {
  return change.name === "." || name === change.name || name.startsWith(`${change.name}/`);
}

async function observeNames(
  expected: readonly ExpectedFile[],
  { root, effort }: Reading,
  { watch, followed }: Way,
): Promise<ReadonlyMap<string, ObservedFile>> {
  const observed = new Map<string, ObservedFile>();
  for (const { name } of expected) observed.set(name, { state: "missing" });
  const paths: string[] = [];
  const reachable = expected.filter((file) => {
    const isPlain = watch.willRead(file.name);
    if (followed === null || file.role === "product") {
      if (isPlain && followed !== null) paths.push(join(root.path, file.name));
      return isPlain;
    }
    const end = followToFile(file.name, followed);
    if (typeof end === "string") return paths.push(end) > 0;
    observed.set(file.name, end);
    return false;
  });
  const names = reachable.map(({ name }) => name);
  const files = { directory: root.path, names, ...(followed === null ? {} : { paths }) };
  const seen = await lookAtFiles(files, { effort });
  for (const [i, file] of reachable.entries()) {
    const one = seen[i];
    if (one === undefined) continue;
    observed.set(file.name, describeSeen(one, file, root));
  }
  return observed;
}

function followToFile(name: string, followed: FollowedPaths): string | ObservedFile {
  try {
    return followed.follow(name).path;
  } catch (error) {
    if (!(error instanceof KprovError)) throw error;
    return describeFault(error);
  }
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
  return describeFault(toFileError(seen, { path: join(root.path, name), name, role }));
}

function describeFault(error: KprovError): ObservedFile {
  if (error.code === "permission") throw error;
  if (isMissing(error.cause)) return { state: "missing" };
  return { state: "unreadable", reason: error.message.slice(error.message.lastIndexOf(": ") + 2) };
}

/** Every name below the directory inputs, less the recorded exclusions. */
function listInputDirectories(run: Run, root: Root, { watch, followed }: Way): string[] {
  const { inputs, exclude } =
    run.documents["provenance.json"].predicate.buildDefinition.externalParameters;
  const { isIgnored: isExcluded } = compileExclusions(exclude);
  const following = followed &&
    { paths: followed, ownPaths: [], leftOut: new Set<string>(), listsBroken: true };
  return inputs.flatMap((name) => {
    const path = followed === null
      ? watch.isDirectory(name) ? join(root.path, name) : null
      : findFollowedDirectory(name, followed);
    return path === null ? [] : listDirectory({ name, path }, { isExcluded, following, watch });
  });
}

function findFollowedDirectory(name: string, followed: FollowedPaths): string | null {
  try {
    const { path, stats } = followed.follow(name);
    return stats.isDirectory ? path : null;
  } catch {
    return null;
  }
}
