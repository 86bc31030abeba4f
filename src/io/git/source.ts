import { KprovError } from "../../base/error.ts";
import type { IgnoreList } from "../../base/glob.ts";
import { quote } from "../../base/quote.ts";
import { createSha256 } from "../../base/canonical_json.ts";
import { MOST_FILES } from "../../evidence/documents.ts";
import { isInShard, type RecordedFile, type Shard } from "../../evidence/provenance.ts";
import { joinSourceStates, type Source } from "../../evidence/run_summary.ts";
import { USUAL_BRANCHES } from "../../guards/guard.ts";
import { compileExclusions } from "../exclusions.ts";
import { toReadError } from "../permissions.ts";
import { readPieces } from "../read_file.ts";
import { type IndexEntry, readIsExecutable, readObjectId, readStat } from "./index_entries.ts";
import { readIndex } from "./index_file.ts";
import {
  HASH_LENGTH,
  LINK_MODE,
  mayBeConverted,
  type ObjectFormat,
  ObjectStore,
  parseCommitTree,
  parseTree,
  readObjectFormat,
  startObjectHash,
  SUBMODULE_MODE,
  TREE_MODE,
  type TreeEntry,
} from "./object_store.ts";
import {
  listConfigValues,
  locateRepository,
  openRepository,
  prefixOf,
  readHead,
  readRef,
  type Repository,
  statGitFile,
} from "./repository.ts";

/**
 * Reads which repository and commit a directory, absolute and without links, belongs to, from git's
 * metadata around it, and whether the inputs of a run are what the commit holds. No program is run.
 * What is missing, unreadable, out of the permitted paths or of a form that is not known here is
 * null or `unknown`: a fact that is not known is not recorded.
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

/** A remote of a repository. */
interface Remote {
  readonly name: string;
  /** Its URL without credentials. */
  readonly url: string;
}

/**
 * Reads which repository a directory belongs to: what a fork calls `upstream`, else `origin`, else
 * the only remote.
 */
export function gatherOrigin(directory: string): Remote | null {
  const config = attempt(null, () => locateRepository(directory))?.config ?? "";
  const all = new Set([...config.matchAll(/^\s*\[remote "([^"\\\n]+)"\]/gim)].map(([, it]) => it));
  const [first = ""] = all;
  const name = ["upstream", "origin"].find((usual) => findRemoteUrl(config, usual) !== null) ??
    (all.size === 1 ? first : "");
  const url = toRecordedUrl(findRemoteUrl(config, name) ?? "");
  return url === null ? null : { name, url };
}

/**
 * Tells which branch of a directory's repository everything is merged into; null where nothing
 * tells.
 */
export function gatherDefaultBranch(directory: string): string | null {
  return attempt(null, () => {
    const repository = locateRepository(directory);
    return repository === null ? null : readDefaultBranch(repository);
  });
}

/**
 * Tells which branch everything is merged into: the one that the remote `origin` checks out, as git
 * keeps it since the clone; else the one that is checked out, where it has one of the usual names;
 * else the only branch of one of these names. Null where git's metadata does not tell.
 */
function readDefaultBranch(repository: Repository): string | null {
  const origin = readBranchName(repository, "refs/remotes/origin/HEAD", "refs/remotes/origin/");
  if (origin !== null) return origin;
  const head = readBranchName(repository, "HEAD", "refs/heads/");
  if (head !== null && USUAL_BRANCHES.includes(head)) return head;
  const [branch, ...more] = USUAL_BRANCHES.filter((name) =>
    [`refs/heads/${name}`, `refs/remotes/origin/${name}`]
      .some((ref) => readRef(repository, ref) !== null)
  );
  return branch === undefined || more.length > 0 ? null : branch;
}

/** The name behind a prefix in what a symbolic ref names. */
function readBranchName(repository: Repository, ref: string, prefix: string): string | null {
  const target = /^ref: *(.+)$/.exec(readRef(repository, ref) ?? "")?.[1];
  return target?.startsWith(prefix) ? target.slice(prefix.length) : null;
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
 * Finds the URL by which git fetches from a remote in a git configuration file. URL rewriting is
 * not followed.
 */
export function findRemoteUrl(config: string, remote: string): string | null {
  return listConfigValues(config, "remote", "url", remote)[0] ?? null;
}

/**
 * Makes the URL of a remote that is recorded: without user names, passwords and tokens in the
 * query. The short form of SSH, `user@host:path`, becomes `ssh://host/path`. Null for a path of
 * this machine and for forms that are not known here.
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

/** What was recorded of the inputs of a run. */
export interface RecordedInputs {
  /** The inputs as given, as names relative to the root. */
  readonly inputs: readonly string[];
  /** The globs of what was left out of directories. */
  readonly exclude: readonly string[];
  /** The files and links that were read. */
  readonly materials: readonly RecordedFile[];
  /** The part of the inputs that the materials are, where they are not all. */
  readonly shard?: Shard | null;
}

/** What the inputs are held against. */
interface CommitPlace {
  /** The repository that the root lies in. */
  readonly repository: Repository;
  /** The commit that is checked out. */
  readonly commit: string;
  /** Where recorded paths start, absolute. */
  readonly root: string;
}

/**
 * Tells whether inputs are what a commit holds, as `git diff --quiet HEAD` and `git ls-files
 * --others` would together: each of them tracked and equal to the commit's file, with its mode, and
 * none of the commit's files missing below a directory input. Equal bytes are equal; where they
 * differ and git may have converted them on their way into the worktree, the answer is `unknown`.
 */
function compareInputs(recorded: RecordedInputs, place: CommitPlace): Source["state"] {
  const { isIgnored: isExcluded } = compileExclusions(recorded.exclude);
  const above = prefixOf(place.repository, place.root);
  return compareCheckout({ shard: null, ...recorded, isExcluded }, { ...place, above, below: "" });
}

/** The inputs that lie in one repository. */
interface Inputs extends Required<RecordedInputs> {
  readonly isExcluded: IgnoreList["isIgnored"];
}

/** A repository whose worktree holds inputs: that around the root, or a submodule below it. */
interface Checkout extends CommitPlace {
  /** The way from the worktree to the root, with `/` at its end; empty where they are the same. */
  readonly above: string;
  /** The way from the root to a submodule, with `/` at its end; else empty. */
  readonly below: string;
}

/** A checkout whose index is read. */
interface OpenCheckout extends Checkout {
  readonly format: ObjectFormat;
  /** What is tracked, by git's path; of a conflict, one of its stages. */
  readonly index: ReadonlyMap<string, IndexEntry>;
  /**
   * When the index was written, in milliseconds since 1970. Git may have looked at a file of the same
   * second before it changed.
   */
  readonly indexTime: number;
  /** Whether the worktree tells which files may be executed. */
  readonly hasModes: boolean;
  /** Whether links can be made in it; where not, git writes their targets into files. */
  readonly hasLinks: boolean;
}

/** What a commit holds where the inputs are, by name. */
interface HeldFiles {
  readonly files: Map<string, TreeEntry>;
  /** The commits of submodules. */
  readonly submodules: Map<string, string>;
}

function compareCheckout(inputs: Inputs, checkout: Checkout): Source["state"] {
  const { repository } = checkout;
  const open: OpenCheckout = {
    ...checkout,
    ...readTracked(repository),
    format: readObjectFormat(repository.config),
    hasModes: isOn(repository.config, "filemode"),
    hasLinks: isOn(repository.config, "symlinks"),
  };
  return joinSourceStates(listStates(inputs, listHeld(inputs, open), open));
}

function readTracked(repository: Repository): Pick<OpenCheckout, "index" | "indexTime"> {
  // Looked at before it is read: an index that is written meanwhile must not make files look older.
  const stats = statGitFile(`${repository.gitDir}/index`);
  const read = readIndex(repository);
  return {
    index: new Map(read?.entries.map((entry) => [entry.path, entry])),
    // When the shared part of a split index was written does not show.
    indexTime: read?.isSplit ? -Infinity : stats?.mtime?.getTime() ?? -Infinity,
  };
}

/** Whether a variable of `core` is on, as it is where the configuration does not say. */
function isOn(config: string, variable: string): boolean {
  const value = listConfigValues(config, "core", variable).at(-1) ?? "true";
  return !/^(?:false|no|off|0|)$/i.test(value);
}

function* listStates(
  inputs: Inputs,
  { files, submodules }: HeldFiles,
  checkout: OpenCheckout,
): Generator<Source["state"]> {
  const seen = new Set<string>();
  for (const file of inputs.materials) {
    if (findAbove(file.name, submodules) !== null) continue;
    const held = files.get(file.name);
    const above = held === undefined ? findAbove(file.name, files) : null;
    seen.add(above ?? file.name);
    if (held !== undefined) yield compareFile(file, held, checkout);
    // What lies behind a link of the commit was followed to a place that is not looked at.
    else yield above !== null && files.get(above)?.mode === LINK_MODE ? "unknown" : "modified";
  }
  for (const name of files.keys()) {
    if (seen.has(name) || !isInShard(name, inputs.shard)) continue;
    if (checkout.index.get(toPath(name, checkout))?.isSkipped !== true) yield "modified";
  }
  for (const [name, commit] of submodules) yield compareSubmodule(name, commit, inputs, checkout);
}

/** Finds which of some names is that of a directory above. */
function findAbove(name: string, names: ReadonlyMap<string, unknown>): string | null {
  if (names.size === 0) return null;
  for (let end = name.indexOf("/"); end >= 0; end = name.indexOf("/", end + 1)) {
    if (names.has(name.slice(0, end))) return name.slice(0, end);
  }
  return null;
}

/** A submodule is a repository of its own, of which the one around it holds a commit. */
function compareSubmodule(
  name: string,
  commit: string,
  inputs: Inputs,
  { root }: Checkout,
): Source["state"] {
  const below = `${name}/`;
  const materials = inputs.materials.filter((file) => file.name.startsWith(below));
  const repository = openRepository(`${root}/${name}`);
  if (repository === null) {
    const isEmpty = materials.length === 0 && statGitFile(`${root}/${name}`)?.isDirectory === true;
    return isEmpty ? "committed" : "modified";
  }
  if (readHead(repository) !== commit) return "modified";
  const own = inputs.inputs.flatMap((input) => {
    if (input.startsWith(below)) return [input];
    return input === "." || below.startsWith(`${input}/`) ? [name] : [];
  });
  return compareCheckout(
    { ...inputs, inputs: own, materials },
    { repository, commit, root, above: "", below },
  );
}

/** Git's path of a name, without `/` at its end. */
function toPath(name: string, { above, below }: Checkout): string {
  const path = name === "." ? above : above + name;
  return path.slice(below.length).replace(/\/$/, "");
}

/** Lists what the commit holds of the inputs, but for what is excluded. */
function listHeld(inputs: Inputs, checkout: OpenCheckout): HeldFiles {
  using objects = new ObjectStore(`${checkout.repository.commonDir}/objects`, checkout.format);
  const trees = new Map<string, Map<string, TreeEntry>>();
  const readTree = (id: string): Map<string, TreeEntry> => {
    const tree = trees.get(id) ?? parseTree(objects.read(id, "tree"), checkout.format);
    trees.set(id, tree);
    return tree;
  };
  const held: HeldFiles = { files: new Map(), submodules: new Map() };
  const id = parseCommitTree(objects.read(checkout.commit, "commit"));
  const pending = inputs.inputs.flatMap((name) => {
    const found = findHeld(name, { mode: TREE_MODE, id }, readTree, checkout);
    return found === null ? [] : [found];
  });
  for (let count = 0, next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [name, { mode, id }] = next;
    // Trees that hold one another several times would never end.
    if (++count > MOST_FILES) throw new KprovError("data", "the commit holds too many files");
    if (mode === SUBMODULE_MODE) held.submodules.set(name, id);
    else if (mode !== TREE_MODE) held.files.set(name, next[1]);
    else for (const entry of listTree(name, readTree(id), inputs.isExcluded)) pending.push(entry);
  }
  return held;
}

type NamedEntry = readonly [name: string, entry: TreeEntry];

function listTree(
  directory: string,
  tree: ReadonlyMap<string, TreeEntry>,
  isExcluded: IgnoreList["isIgnored"],
): NamedEntry[] {
  const prefix = directory === "." ? "" : `${directory}/`;
  return [...tree].map(([name, entry]): NamedEntry => [prefix + name, entry])
    .filter(([name, { mode }]) => !isExcluded(name, mode === TREE_MODE || mode === SUBMODULE_MODE));
}

/** What a commit holds at the name of an input, or the submodule or link that leads there. */
function findHeld(
  name: string,
  root: TreeEntry,
  readTree: (id: string) => ReadonlyMap<string, TreeEntry>,
  checkout: Checkout,
): NamedEntry | null {
  const path = toPath(name, checkout);
  const parts = path === "" ? [] : path.split("/");
  let entry = root;
  for (const [i, part] of parts.entries()) {
    if (entry.mode !== TREE_MODE) {
      const way = parts.slice(0, i).join("/");
      const isBelowRoot = way.length > checkout.above.length;
      return isBelowRoot ? [checkout.below + way.slice(checkout.above.length), entry] : null;
    }
    const next = readTree(entry.id).get(part);
    if (next === undefined) return null;
    entry = next;
  }
  return [name, entry];
}

/** Holds one input against what the commit holds at its name. */
function compareFile(file: RecordedFile, held: TreeEntry, checkout: OpenCheckout): Source["state"] {
  const path = toPath(file.name, checkout);
  const tracked = checkout.index.get(path);
  if (tracked === undefined) return "modified";
  const stats = lookAt(`${checkout.root}/${file.name}`);
  // A link that was followed: what lies behind it is not looked at.
  if (stats.isSymlink !== (file.kind === "symlink")) return "unknown";
  if (!isSameKind(stats, held, tracked, checkout)) return "modified";
  const isStaged = readObjectId(tracked, HASH_LENGTH[checkout.format]) === held.id;
  if (isStaged && isUnchanged(tracked, stats, checkout.indexTime)) return "committed";
  if (hashBlob(file, checkout) === held.id) return "committed";
  if (file.kind === "symlink") return "modified";
  return mayBeConverted({ ...checkout, path, heldId: held.id }) ? "unknown" : "modified";
}

/** Whether a file or link is what the commit says, and may be executed where the commit says so. */
function isSameKind(
  stats: Deno.FileInfo,
  held: TreeEntry,
  tracked: IndexEntry,
  { hasModes, hasLinks }: OpenCheckout,
): boolean {
  if (held.mode === LINK_MODE) return stats.isSymlink || !hasLinks;
  if (stats.isSymlink) return false;
  const isExecutable = hasModes ? ((stats.mode ?? 0) & 0o100) !== 0 : readIsExecutable(tracked);
  return isExecutable === ((held.mode & 0o100) !== 0);
}

function lookAt(path: string): Deno.FileInfo {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    throw toReadError(error, `Cannot read ${quote(path)}`, { path, refused: "data" });
  }
}

/**
 * Git's own rule for a file that need not be read again, but stricter: whatever is done to a file sets
 * the time of its last change, which nobody can set back, and which Deno tells in whole seconds.
 */
function isUnchanged(tracked: IndexEntry, stats: Deno.FileInfo, indexTime: number): boolean {
  const known = readStat(tracked);
  return known.changed < Math.floor(indexTime / 1000) &&
    known.changed === Math.floor((stats.ctime?.getTime() ?? NaN) / 1000) &&
    known.modified === stats.mtime?.getTime() &&
    known.inode === (stats.ino ?? NaN) % 2 ** 32 &&
    known.size === stats.size % 2 ** 32;
}

/** The id of an input as an object, after making sure that it is what was recorded. */
function hashBlob(file: RecordedFile, { root, format }: OpenCheckout): string {
  const path = `${root}/${file.name}`;
  const blob = startObjectHash(format, "blob", file.size);
  const sha256 = createSha256();
  const pieces = file.kind === "symlink"
    ? [new TextEncoder().encode(Deno.readLinkSync(path))]
    : readPieces(path, Deno.lstatSync(path), Infinity);
  for (const piece of pieces) {
    blob.update(piece);
    sha256.update(piece);
  }
  if (sha256.digest("hex") === file.sha256) return blob.digest("hex");
  throw new KprovError("data", `Cannot read ${quote(file.name)}: it changed meanwhile`);
}
