import { KprovError } from "../../base/error.ts";
import type { Source } from "../../evidence/run_summary.ts";
import {
  listConfigValues,
  locateRepository,
  readDefaultBranch,
  readHead,
  type Repository,
} from "./repository.ts";
import { compareInputs, type RecordedInputs } from "./source_state.ts";

/**
 * Reads which repository and commit a directory belongs to, from git's metadata around it, and
 * whether the inputs of a run are what the commit holds. No program is run. What is missing,
 * unreadable, out of the permitted paths or of a form that is not known here is null or `unknown`:
 * a fact that is not known is not recorded.
 *
 * @param directory The root of the run: an absolute path without symbolic links
 * @param inputs What was recorded of the inputs
 */
export function gatherSource(directory: string, inputs: RecordedInputs): Source | null {
  const repository = attempt(null, () => locateRepository(directory));
  if (repository === null) return null;
  const commit = attempt(null, () => readHead(repository));
  const state = commit === null
    ? "unknown"
    : attempt("unknown", () => compareInputs(inputs, { repository, commit, root: directory }));
  return { repository: readOrigin(repository), commit, state };
}

/**
 * Reads which repository a directory belongs to.
 *
 * @param directory An absolute path without symbolic links
 * @returns The URL of the remote `origin` without credentials; null where there is none to tell
 */
export function gatherOrigin(directory: string): string | null {
  const repository = attempt(null, () => locateRepository(directory));
  return repository === null ? null : readOrigin(repository);
}

/**
 * Tells which branch of a directory's repository everything is merged into.
 *
 * @param directory An absolute path without symbolic links
 * @returns Null where git's metadata does not tell
 */
export function gatherDefaultBranch(directory: string): string | null {
  return attempt(null, () => {
    const repository = locateRepository(directory);
    return repository === null ? null : readDefaultBranch(repository);
  });
}

function attempt<T, U>(otherwise: U, read: () => T): T | U {
  try {
    return read();
  } catch (error) {
    if (error instanceof KprovError && error.code !== "fault") return otherwise;
    throw error;
  }
}

function readOrigin({ config }: Repository): string | null {
  const url = findRemoteUrl(config, "origin");
  return url === null ? null : toRecordedUrl(url);
}

/**
 * Finds the URL of a remote in the text of a git configuration file. URL rewriting is not followed.
 *
 * @param config The file's text
 * @param remote The remote's name, such as `origin`
 * @returns The first URL, as git uses it to fetch, or null
 */
export function findRemoteUrl(config: string, remote: string): string | null {
  return listConfigValues(config, "remote", "url", remote)[0] ?? null;
}

/**
 * Makes the URL of a remote that is recorded: without user names, passwords and tokens in the query.
 * The short form of SSH, `user@host:path`, becomes `ssh://host/path`.
 *
 * @param address As git's configuration has it
 * @returns The URL, or null for a path of this machine and for forms that are not known here
 */
export function toRecordedUrl(address: string): string | null {
  const short = /^(?:[^@/\\:]+@)?([A-Za-z0-9][A-Za-z0-9.-]+):(?!\/\/|:)\/?([^\\@]+)$/.exec(address);
  if (short !== null) return toRecordedUrl(`ssh://${short[1]}/${encodePath(short[2] ?? "")}`);
  if (!/^(https?|ssh|git|git\+ssh|ftps?):\/\//i.test(address)) return null;
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  url.username = "";
  url.password = "";
  url.search = "";
  url.hash = "";
  return url.href;
}

/** The short form has neither queries nor escapes: what looks like them is part of the path. */
function encodePath(path: string): string {
  return encodeURI(path).replaceAll("?", "%3F").replaceAll("#", "%23");
}
