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
import { lookAtFiles, type SeenFile } from "./hash/hash_files.ts";
import { compileExclusions } from "./exclusions.ts";
import { FollowedPaths } from "./links.ts";
import { listDirectory } from "./list_directory.ts";
import { isMissing } from "./os_error.ts";
import type { Root } from "./paths.ts";
import { toFileError } from "./read_file.ts";

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
  const { links } = run.documents["provenance.json"].predicate.buildDefinition.externalParameters;
  const way: Way = {
    isPlainDirectory: rememberDirectories(root),
    followed: links === "follow" ? new FollowedPaths(root, "input") : null,
  };
  const files = await observeNames(listExpectedFiles(run), reading, way);
  const listed = listInputDirectories(run, root, way);
  way.followed?.checkUnchanged();
  return { files, listed };
}

/** How the files of a run are reached. */
interface Way {
  /** Whether a directory is reached through no link. */
  readonly isPlainDirectory: IsPlainDirectory;
  /** What leads to inputs where the run read them through links. */
  readonly followed: FollowedPaths | null;
}

/**
 * Looks at some files below the root, as {@linkcode observeFiles} does.
 *
 * @param expected Which files; their names are relative and free of `..`
 * @param reading Where they are, and how they are read
 * @param links Whether inputs are read through links
 * @throws {KprovError} `permission` where Deno does not let something be read
 */
export async function observeExpectedFiles(
  expected: readonly ExpectedFile[],
  reading: Reading,
  links?: "follow",
): Promise<ReadonlyMap<string, ObservedFile>> {
  const { root } = reading;
  const followed = links === "follow" ? new FollowedPaths(root, "input") : null;
  const way = { isPlainDirectory: rememberDirectories(root), followed };
  const observed = await observeNames(expected, reading, way);
  followed?.checkUnchanged();
  return observed;
}

async function observeNames(
  expected: readonly ExpectedFile[],
  { root, effort }: Reading,
  { isPlainDirectory, followed }: Way,
): Promise<ReadonlyMap<string, ObservedFile>> {
  const observed = new Map<string, ObservedFile>();
  for (const { name } of expected) observed.set(name, { state: "missing" });
  const paths: string[] = [];
  const reachable = expected.filter((file) => {
    if (followed === null || file.role === "product") {
      if (!isPlainDirectory(dirnameOf(file.name))) return false;
      if (followed !== null) paths.push(join(root.path, file.name));
      return true;
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
    if (one !== undefined) observed.set(file.name, describeSeen(one, file, root));
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

/** The name of the directory that a name lies in; `.` is the root itself. */
export function dirnameOf(name: string): string {
  const end = name.lastIndexOf("/");
  return end < 0 ? "." : name.slice(0, end);
}

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
function listInputDirectories(run: Run, root: Root, { isPlainDirectory, followed }: Way): string[] {
  const { inputs, exclude } =
    run.documents["provenance.json"].predicate.buildDefinition.externalParameters;
  const { isIgnored: isExcluded } = compileExclusions(exclude);
  const following = followed &&
    { paths: followed, ownPaths: [], leftOut: new Set<string>(), listsBroken: true };
  return inputs.flatMap((name) => {
    const path = followed === null
      ? isPlainDirectory(name) ? join(root.path, name) : null
      : findFollowedDirectory(name, followed);
    return path === null ? [] : listDirectory({ name, path }, { isExcluded, following });
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
