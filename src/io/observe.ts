import { KprovError } from "../base/error.ts";
import type { Effort } from "../base/progress.ts";
import { join } from "../base/std.ts";
import type { ExpectedFile, Observation, ObservedFile } from "../evidence/check_files.ts";
import type { ExternalParameters } from "../evidence/provenance.ts";
import { compileExclusions } from "./exclusions.ts";
import { lookAtFiles, type SeenFile, toFileError } from "./hash/hash_files.ts";
import { FollowedPaths, listDirectory } from "./list_directory.ts";
import { type Change, type PathWatch, readWatched } from "./path_watch.ts";
import type { Root } from "./paths.ts";
import { isMissing } from "./permissions.ts";

/** What is looked at below the root. */
interface Sought {
  /** Which files; their names are relative and free of `..`. */
  readonly expected: readonly NamedFile[];
  /** The inputs as given, of which the directories are listed. */
  readonly given: GivenInputs;
}

/** What a run records of the inputs as they were given. */
type GivenInputs = Pick<ExternalParameters, "inputs" | "exclude" | "links">;

/** A file to look at: its name, and what it is for. */
type NamedFile = Pick<ExpectedFile, "name" | "role">;

const SWAPPED: ObservedFile = {
  state: "unreadable",
  reason: "a directory on the way to it changed meanwhile",
};

/**
 * Looks at what a run speaks of below the root, without following a link that the run did not follow or
 * leaving the root: the names in a run that verifies are relative and free of `..`, and every directory
 * on the way is checked to be one.
 *
 * @param sought What a run that verifies speaks of, or some of it
 * @param reading Where its files are, and how they are read
 * @throws {KprovError} `permission` where Deno does not let something be read, `data` where the run
 * records an exclusion that is no glob, or where a directory changes meanwhile and no file below it is
 * recorded; everything else that is wrong is part of the observation
 */
export async function observeFiles(
  { expected, given }: Sought,
  reading: Reading,
): Promise<Observation> {
  const look = async (way: Way): Promise<Observation> => {
    const listed = listInputDirectories(given, reading.root, way);
    return { files: await observeNames(expected, reading, way), listed };
  };
  return await observe(reading, { links: given.links, look }, ({ files, listed }, changes) => {
    const told = markChanged(files, changes);
    return told === null ? null : { files: told, listed };
  });
}

/**
 * Lists every name below those inputs of a run that are directories, less what it left out.
 *
 * @param given The inputs as given, and what was left out
 * @param reading Where they are
 * @throws {KprovError} As {@linkcode observeFiles} does
 */
export async function listDirectories(
  given: GivenInputs,
  reading: Place,
): Promise<readonly string[]> {
  const look = (way: Way): Promise<readonly string[]> =>
    Promise.resolve(listInputDirectories(given, reading.root, way));
  return await observe(reading, { links: given.links, look });
}

/** How something is looked at. */
interface Looking<T> {
  /** Whether inputs are read through links. */
  readonly links: GivenInputs["links"];
  /** Looks. */
  readonly look: (way: Way) => Promise<T>;
}

/**
 * Looks at something, and makes sure that every path led to the same place all the while; `tell` says
 * what is known where one did not.
 */
async function observe<T>(
  place: Place,
  { links, look }: Looking<T>,
  tell?: (seen: T, changes: readonly Change[]) => T | null,
): Promise<T> {
  const read = async (watch: PathWatch): Promise<T> => {
    const followed = links === "follow" ? new FollowedPaths(place.root, "input") : null;
    const seen = await look({ watch, followed });
    followed?.checkUnchanged();
    return seen;
  };
  return await readWatched({ ...place, role: "file" }, read, tell);
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
  expected: readonly NamedFile[],
  reading: Reading,
  links?: "follow",
): Promise<ReadonlyMap<string, ObservedFile>> {
  const look = (way: Way): Promise<ReadonlyMap<string, ObservedFile>> =>
    observeNames(expected, reading, way);
  return await observe(reading, { links, look }, markChanged);
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
  expected: readonly NamedFile[],
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

/** Where files are. */
interface Place {
  /** The directory that the names are relative to. */
  readonly root: Root;
  /** The names below the root of what kprov itself writes. */
  readonly ownNames?: readonly string[];
}

/** Where files are, and how they are read. */
export interface Reading extends Place {
  /** How much of the machine it may take. */
  readonly effort: Effort;
}

function describeSeen(seen: SeenFile, { name, role }: NamedFile, root: Root): ObservedFile {
  if (seen.state === "read") return seen;
  return describeFault(toFileError(seen, { path: join(root.path, name), name, role }));
}

function describeFault(error: KprovError): ObservedFile {
  if (error.code === "permission") throw error;
  if (isMissing(error.cause)) return { state: "missing" };
  return { state: "unreadable", reason: error.reason ?? error.message };
}

/** Every name below the directory inputs, less the recorded exclusions. */
function listInputDirectories(
  { inputs, exclude }: GivenInputs,
  root: Root,
  { watch, followed }: Way,
): string[] {
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
