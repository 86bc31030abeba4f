import { lstatSync } from "node:fs";
import {
  type ExpectedFile,
  listExpectedFiles,
  type Observation,
  type ObservedFile,
} from "../evidence/check_files.ts";
import type { Run } from "../evidence/run.ts";
import { KprovError } from "../kprov_error.ts";
import { join } from "../std.ts";
import { isMissing } from "../system/os_error.ts";
import { compileExclusions } from "./exclusion.ts";
import { hashFile } from "./hash_file.ts";
import type { Root } from "./input_path.ts";
import { listDirectory } from "./list_directory.ts";

/**
 * Looks at everything below the root that a run speaks of, without following a link or leaving the
 * root: the names in a run that verifies are relative and free of `..`, and every directory on the
 * way is checked to be one.
 *
 * @param run A run that verifies
 * @param root The directory that its names are relative to
 * @throws {KprovError} `permission` where Deno does not let something be read, `data` where the run
 * records an exclusion that is no glob; everything else that is wrong is part of the observation
 */
export function observeFiles(run: Run, root: Root): Observation {
  const isPlainDirectory = rememberDirectories(root);
  const files = observeNames(listExpectedFiles(run), root, isPlainDirectory);
  return { files, listed: listInputDirectories(run, root, isPlainDirectory) };
}

/**
 * Looks at some files below the root, as {@linkcode observeFiles} does.
 *
 * @param expected Which files; their names are relative and free of `..`
 * @param root The directory that the names are relative to
 * @throws {KprovError} `permission` where Deno does not let something be read
 */
export function observeExpectedFiles(
  expected: readonly ExpectedFile[],
  root: Root,
): ReadonlyMap<string, ObservedFile> {
  return observeNames(expected, root, rememberDirectories(root));
}

function observeNames(
  expected: readonly ExpectedFile[],
  root: Root,
  isPlainDirectory: IsPlainDirectory,
): ReadonlyMap<string, ObservedFile> {
  return new Map(
    expected.map(({ name, role }) => [
      name,
      isPlainDirectory(dirnameOf(name))
        ? observeFile(join(root.path, name), name, role)
        : { state: "missing" } as const,
    ]),
  );
}

function dirnameOf(name: string): string {
  const end = name.lastIndexOf("/");
  return end < 0 ? "." : name.slice(0, end);
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
    return lstatSync(path).isDirectory();
  } catch {
    return false;
  }
}

function observeFile(path: string, name: string, role: "input" | "product"): ObservedFile {
  try {
    return { state: "read", file: hashFile(path, name, role) };
  } catch (error) {
    if (!(error instanceof KprovError) || error.code === "permission") throw error;
    if (isMissing(error.cause)) return { state: "missing" };
    return {
      state: "unreadable",
      reason: error.message.slice(error.message.lastIndexOf(": ") + 2),
    };
  }
}

/** Every name below the directory inputs, less the recorded exclusions. */
function listInputDirectories(run: Run, root: Root, isPlainDirectory: IsPlainDirectory): string[] {
  const { externalParameters } = run.documents["provenance.json"].predicate.buildDefinition;
  const isExcluded = compileExclusions(externalParameters.exclude, "run");
  return externalParameters.inputs
    .filter((name) => isPlainDirectory(name))
    .flatMap((name) =>
      listDirectory({ given: name, name, path: join(root.path, name) }, isExcluded)
    )
    .map(({ name }) => name);
}
