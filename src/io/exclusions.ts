import { type Finding, KprovError, makeFinding } from "../base/error.ts";
import {
  compileIgnoreList,
  type IgnoreList,
  type IgnorePattern,
  parseIgnoreLine,
  parseIgnorePattern,
} from "../base/glob.ts";
import { quote } from "../base/quote.ts";
import { findCovering, sortExclusions } from "../evidence/provenance.ts";
import type { Root } from "./paths.ts";
import { decodeList, readListFile } from "./read_file.ts";

/** What is always left out of directory inputs: git's own files, at any depth. */
const ALWAYS_EXCLUDED: readonly string[] = [".git"];

/** A list of globs has a line for each; no project writes a megabyte of them. */
const MOST_BYTES = 2 ** 20;

/** What is left out of directories, as the command line says it. */
export interface GivenExclusions {
  /**
   * Those of the policy, then of `--exclude-from`, then of `--exclude`, each in the order given.
   */
  readonly globs: readonly string[];
  /** Every value of `--exclude`, also one that is no glob but a comment. */
  readonly flags: readonly string[];
  /** The globs of every file of `--exclude-from`. */
  readonly files: readonly GlobFile[];
}

/** A file of `--exclude-from`. */
interface GlobFile {
  /** As it was given. */
  readonly path: string;
  /** Its globs. */
  readonly globs: readonly string[];
}

/**
 * Reads what `--exclude` and `--exclude-from` say: every value, and every line of a file, is a line
 * of a .gitignore file. The globs of the policy come first, and may match nothing. Throws `usage`
 * on a malformed glob.
 */
export function gatherExclusions(
  flags: readonly string[],
  files: readonly string[],
  defaults: readonly string[] = [],
): GivenExclusions {
  const fromFlags = flags.flatMap((text) => listGlob(text, `--exclude ${quote(text)}`));
  const read = files.map((path) => ({ path, globs: readGlobFile(path) }));
  const fromPolicy = defaults.flatMap((text) => listGlob(text, `/run/exclude ${quote(text)}`));
  const globs = [...fromPolicy, ...read.flatMap((file) => file.globs), ...fromFlags];
  return { globs, flags, files: read };
}

function readGlobFile(path: string): string[] {
  const what = `--exclude-from ${quote(path)}`;
  const text = decodeList(readListFile(path, "--exclude-from", MOST_BYTES), what);
  return text.split(/\r?\n/).flatMap((line, i) => listGlob(line, `${what}, line ${i + 1}`));
}

function listGlob(line: string, what: string): string[] {
  const glob = parseIgnoreLine(line);
  if (glob === null) return [];
  parseExclusion(glob, what);
  return [glob];
}

function parseExclusion(
  glob: string,
  what: string,
  code: "usage" | "data" = "usage",
): IgnorePattern {
  try {
    return parseIgnorePattern(glob);
  } catch (cause) {
    if (!(cause instanceof KprovError)) throw cause;
    throw new KprovError(code, `Cannot use ${what}: ${cause.message}`, { cause });
  }
}

/** Compiles the globs that the provenance records; throws `data` on one that is malformed. */
export function compileExclusions(globs: readonly string[]): IgnoreList {
  return compileIgnoreList(
    globs.map((glob) => parseExclusion(glob, `the recorded exclusion ${quote(glob)}`, "data")),
  );
}

/**
 * The globs that are applied. One that holds the root's own absolute path matches no name below it
 * and is no more than a mistake, which the evidence need not keep.
 */
export function listGlobs({ globs }: GivenExclusions, root: Root): string[] {
  return globs.filter((glob) => !isInRoot(glob, root));
}

function isInRoot(glob: string, root: Root): boolean {
  return glob.replace(/^!/, "").startsWith(`${root.path}/`);
}

/** Globs at work, which remember what they matched. */
export class Exclusions {
  /** The globs, as the run records them. */
  readonly globs: readonly string[];
  readonly #list: IgnoreList;

  /** @param globs As {@linkcode listExclusions} chooses them */
  constructor(globs: readonly string[]) {
    this.globs = globs;
    this.#list = compileExclusions(globs);
  }

  /** Tells whether an entry of a directory is left out, as {@linkcode IgnoreList} does. */
  get isExcluded(): IgnoreList["isIgnored"] {
    return this.#list.isIgnored;
  }

  /** Those that have matched something so far. */
  listUsed(): string[] {
    const unused = new Set(this.#list.listUnused());
    return this.globs.filter((_, i) => !unused.has(i));
  }
}

/**
 * The globs that a run records, sorted: those that could leave something out of its directories,
 * none where it reads none. They are `.git`, the names of what kprov itself writes inside a
 * directory, the output directory above all, and those given, but for one that can only match
 * elsewhere. So evidence does not depend on where it is written to.
 */
export function listExclusions(
  given: readonly string[],
  ownNames: readonly string[],
  directories: readonly string[],
): readonly string[] {
  if (directories.length === 0) return [];
  const read = new Set(directories);
  const own = ownNames.filter((name) => name !== "." && findCovering(name, read) !== null);
  const possible = given.filter((glob) => directories.some((name) => couldMatchBelow(glob, name)));
  // Behind the others, so that none of those takes them back.
  return sortExclusions([
    ...possible,
    ...ALWAYS_EXCLUDED,
    ...own.map((name) => `/${escapeGlob(name)}`),
  ]);
}

/**
 * Joins the globs that a run records for its inputs with those for its products, of those that were
 * given.
 */
export function joinExclusions(
  given: readonly string[],
  inputs: readonly string[],
  products: readonly string[],
): readonly string[] {
  const chosen = new Set([...inputs, ...products]);
  const own = chosen.difference(new Set(given)).union(new Set(ALWAYS_EXCLUDED));
  return sortExclusions([
    ...given.filter((glob) => chosen.has(glob)),
    ...chosen.intersection(own),
  ]);
}

/** Whether a glob could match a name below a directory; one without `/` could match anywhere. */
function couldMatchBelow(glob: string, directory: string): boolean {
  const body = glob.replace(/^!/, "").replace(/\/$/, "");
  if (directory === "." || !body.includes("/")) return true;
  const parts = directory.split("/");
  for (const [i, segment] of body.replace(/^\//, "").split("/").entries()) {
    const part = parts[i];
    // A pattern, or what lies below the directory.
    if (part === undefined || /[\\*?[]/.test(segment)) return true;
    if (segment !== part) return false;
  }
  return false;
}

/** Writes a name as a glob that matches nothing else. */
export function escapeGlob(name: string): string {
  return name.replace(/[\\*?[]| +$/g, (special) => special.replace(/./g, "\\$&"));
}

/** Where globs were held against names. */
interface GlobUse {
  /** The globs that matched something. */
  readonly used: ReadonlySet<string>;
  /** Where recorded paths start. */
  readonly root: Root;
  /** The inputs, normalised. */
  readonly inputs: readonly string[];
}

/** How many globs of a file a note names. */
const MOST_NAMED = 3;

/**
 * Notes the globs that matched nothing, which is how a mistake in one shows: one note
 * `exclude.unused` for each value of `--exclude`, and one for each file of globs.
 */
export function noteUnusedGlobs(given: GivenExclusions, use: GlobUse): Finding[] {
  const isUnused = (text: string): boolean => !use.used.has(parseIgnoreLine(text) ?? "");
  const ofFlags = [...new Set(given.flags)].filter(isUnused).map((text) =>
    note(`--exclude ${quote(text)} matched nothing`, explainUnused(text, use))
  );
  const ofFiles = given.files.flatMap(({ path, globs }) => {
    const unused = globs.filter(isUnused);
    if (unused.length === 0) return [];
    const named = unused.slice(0, MOST_NAMED).map(quote).join(", ");
    const rest = unused.length > MOST_NAMED ? ", …" : "";
    const count = `${unused.length} of ${globs.length} globs`;
    return [note(`${count} of --exclude-from ${quote(path)} matched nothing: ${named}${rest}`)];
  });
  return [...ofFlags, ...ofFiles];
}

function note(message: string, hint: string | null = null): Finding {
  return makeFinding("exclude.unused", message, { level: "note", hint });
}

function explainUnused(text: string, { root, inputs }: GlobUse): string {
  const glob = parseIgnoreLine(text);
  if (glob === null) {
    return "it is read as a comment or an empty line, as in .gitignore; \\# is a #";
  }
  if (isInRoot(glob, root)) {
    const rest = quote(glob.replace(root.path, ""));
    return `a glob that starts with / starts at the root: --exclude ${rest}`;
  }
  if (/^!?\.{1,2}\//.test(glob)) return "a glob starts at the root, and cannot have . or .. in it";
  const { isIgnored } = compileExclusions([glob]);
  const input = inputs.find((name) => matchesPath(isIgnored, name));
  if (input !== undefined) {
    const why = "is read because it is named: --exclude applies inside of directories";
    return `the input ${quote(input)} ${why}`;
  }
  if (/[,{]/.test(glob)) {
    return "commas and braces have no meaning in a glob: give --exclude once for each";
  }
  return "globs work as in .gitignore, on paths from the root";
}

/** Whether a glob matches a path that was named, or a directory on the way to it. */
function matchesPath(isIgnored: IgnoreList["isIgnored"], path: string): boolean {
  const parts = path.split("/");
  return parts.some((_, i) => isIgnored(parts.slice(0, i + 1).join("/"), true));
}
