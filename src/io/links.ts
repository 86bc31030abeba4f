import { KprovError } from "../base/error.ts";
import { type Finding, makeFinding } from "../base/finding.ts";
import { quote } from "../base/quote.ts";
import { join } from "../base/std.ts";
import { findCovering } from "../evidence/check_names.ts";
import type { RecordedFile } from "../evidence/provenance.ts";
import { isMissing, systemCode, toKprovError } from "./os_error.ts";
import type { Root } from "./paths.ts";
import { permissionFlag, refuseSystemPath, requirePermission } from "./permissions.ts";

/**
 * What is done with links among the inputs. `none`: those inside directories are recorded as links,
 * and one that is named itself is refused. `links`: that one is recorded as a link too. `follow`: the
 * content behind every link is recorded under the link's name.
 */
export type LinkReading = "none" | "links" | "follow";

/** What stands at a name, read through links. */
interface Followed {
  /** Where it is, absolute, no link in it. */
  readonly path: string;
  /** What it is; no link. */
  readonly stats: Deno.FileInfo;
}

/**
 * The paths behind names below a root, for the reading that `--follow` asks for. Deno holds its
 * permissions against the path that is written and not against where a link in it leads, so the
 * permission for that is demanded here.
 */
export class FollowedPaths {
  readonly #root: Root;
  readonly #role: string;
  readonly #directories = new Map<string, string>();
  readonly #links = new Map<string, string>();

  /**
   * Starts without any.
   *
   * @param root What names are relative to
   * @param role What the files are for, for messages
   */
  constructor(root: Root, role: string) {
    this.#root = root;
    this.#role = role;
    this.#directories.set(".", root.path);
  }

  /**
   * Finds what stands at a name, through every link on the way to it and at its end.
   *
   * @param name Relative to the root
   * @throws {KprovError} `data` where it is missing, or a link that leads nowhere or to itself; `io`
   * or `permission` where it may not be looked at
   */
  follow(name: string): Followed {
    if (name === ".") return { path: this.#root.path, stats: Deno.lstatSync(this.#root.path) };
    const end = name.lastIndexOf("/");
    const directory = this.#followDirectory(end < 0 ? "." : name.slice(0, end));
    const path = join(directory, name.slice(end + 1));
    try {
      const stats = Deno.lstatSync(path);
      return stats.isSymlink ? this.#followLink(name, path) : { path, stats };
    } catch (error) {
      throw this.#refuse(name, path, error);
    }
  }

  #followDirectory(name: string): string {
    const known = this.#directories.get(name);
    if (known !== undefined) return known;
    const { path } = this.follow(name);
    this.#directories.set(name, path);
    return path;
  }

  #followLink(name: string, link: string): Followed {
    const action = `Cannot read ${this.#role} ${quote(name)}`;
    const path = resolveLink(link, action);
    requireTarget(path, action);
    this.#links.set(name, path);
    return { path, stats: lookAtTarget(path, action) };
  }

  #refuse(name: string, path: string, error: unknown): KprovError {
    return toKprovError(error, `Cannot read ${this.#role} ${quote(name)}`, {
      missing: "data",
      refused: "io",
      flag: permissionFlag("read", path),
    });
  }

  /**
   * Makes sure, once everything is read, that every name still leads to where it did.
   *
   * @throws {KprovError} `data`, naming one that does not
   */
  checkUnchanged(): void {
    const again = new FollowedPaths(this.#root, this.#role);
    for (const [name, path] of [...this.#directories, ...this.#links]) {
      if (again.follow(name).path === path) continue;
      throw new KprovError("data", `Cannot read ${this.#role} ${quote(name)}`, {
        reason: "it led elsewhere while it was read",
      });
    }
  }
}

function resolveLink(link: string, action: string): string {
  try {
    return Deno.realPathSync(link);
  } catch (error) {
    if (isMissing(error)) throw refuseLink(action, "nowhere", error);
    if (systemCode(error) === "ELOOP") throw refuseLink(action, "back to itself", error);
    throw error;
  }
}

/** Deno resolves a link to an absolute path also where nothing is there. */
function lookAtTarget(path: string, action: string): Deno.FileInfo {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    throw isMissing(error) ? refuseLink(action, "nowhere", error) : error;
  }
}

function refuseLink(action: string, where: string, cause: unknown): KprovError {
  return new KprovError("data", action, {
    reason: `it is a symbolic link that leads ${where}`,
    cause,
  });
}

function requireTarget(path: string, action: string): void {
  try {
    requirePermission("read", path);
  } catch (error) {
    if (!(error instanceof KprovError)) throw error;
    if (error.code !== "permission") throw refuseSystemPath(action, { cause: error });
    const message =
      `${action}: it is a link, and Deno's permission to read what it leads to is missing`;
    throw new KprovError("permission", message, { hint: error.hint ?? undefined, cause: error });
  }
}

/** A run over a store of links would else print a line for each of a million. */
const MOST_NOTES = 20;

/** So many links are followed one after another, as in Linux. */
export const MOST_LINKS = 40;

/**
 * Notes the recorded links that lead to something that is not recorded: what they stand for is not
 * part of the evidence.
 *
 * @param materials The files that are recorded
 * @param all The names of all files of the inputs, and the inputs as given
 * @param root What names are relative to
 * @returns Notes `link.outside`; the last one tells of how many more, without their names
 */
export function noteLinksOutside(
  materials: readonly RecordedFile[],
  all: { readonly names: readonly string[]; readonly inputs: readonly string[] },
  root: Root,
): Finding[] {
  const links = materials.filter(({ kind }) => kind === "symlink");
  if (links.length === 0) return [];
  const known = new Set(all.names);
  for (const name of all.names) addDirectories(known, name);
  const given = new Set(all.inputs);
  const isLink = new Set(links.map(({ name }) => name));
  const outside = links.filter(({ name }) => {
    const target = resolveTarget(name, isLink, root);
    return target === null || !known.has(target) || findCovering(target, given) === null;
  });
  const notes = outside.slice(0, MOST_NOTES).map(({ name }) =>
    noteOutside(
      "it leads out of the inputs: its target's text is recorded, not what is there",
      name,
    )
  );
  const more = outside.length - notes.length;
  return more > 0
    ? [...notes, noteOutside(`${more} more links lead out of the inputs`, null)]
    : notes;
}

function noteOutside(message: string, path: string | null): Finding {
  const hint = "--follow records what links lead to";
  return makeFinding("link.outside", message, { level: "note", path, hint });
}

/** The directories above a name; those above a directory that is known are known as well. */
function addDirectories(known: Set<string>, name: string): void {
  known.add(".");
  for (let end = name.lastIndexOf("/"); end > 0; end = name.lastIndexOf("/", end - 1)) {
    const directory = name.slice(0, end);
    if (known.has(directory)) return;
    known.add(directory);
  }
}

/**
 * Where a link below the root leads, by the text of the links alone: nothing behind one is looked at.
 *
 * @returns A name below the root, `.` for the root itself; null where it leads elsewhere
 */
function resolveTarget(link: string, isLink: ReadonlySet<string>, root: Root): string | null {
  const done: string[] = [];
  const ahead = link.split("/").reverse();
  for (let steps = 0; steps < MOST_LINKS;) {
    const part = ahead.pop();
    if (part === undefined) return done.join("/") || ".";
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (done.pop() === undefined) return null;
      continue;
    }
    const name = [...done, part].join("/");
    const target = isLink.has(name) ? readTarget(name, root) : null;
    if (target === null) done.push(part);
    else {
      steps++;
      const rest = target.startsWith("/") ? stripRoot(target, root) : target;
      if (rest === null) return null;
      if (target.startsWith("/")) done.length = 0;
      ahead.push(...rest.split("/").reverse());
    }
  }
  return null;
}

function readTarget(name: string, root: Root): string | null {
  try {
    return Deno.readLinkSync(join(root.path, name));
  } catch {
    return null;
  }
}

function stripRoot(target: string, root: Root): string | null {
  if (target === root.path) return "";
  return target.startsWith(`${root.path}/`) ? target.slice(root.path.length + 1) : null;
}
