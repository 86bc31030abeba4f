import { createHash, type Hash } from "node:crypto";
import { KprovError } from "../../base/error.ts";
import { compileGlobs } from "../../base/glob.ts";
import { readPieces } from "../read_file.ts";
import { type ObjectFormat, readGitText, type Repository } from "./repository.ts";

/** An object of a repository. */
export interface GitObject {
  /** What it is. */
  readonly type: "commit" | "tree" | "blob" | "tag";
  /** Its bytes, without a header. */
  readonly content: Uint8Array;
}

/** What a tree holds at a name. */
export interface TreeEntry {
  /** What it is, with the permissions of a file. */
  readonly mode: number;
  /** The object's id in hex digits. */
  readonly id: string;
}

/** The mode of a directory in a tree. */
export const TREE_MODE = 0o040000;
/** The mode of a symbolic link in a tree. */
export const LINK_MODE = 0o120000;
/** The mode of a submodule in a tree. */
export const SUBMODULE_MODE = 0o160000;

/** The length of an object id, and of the index's checksum, in bytes. */
export const HASH_LENGTH: Readonly<Record<ObjectFormat, number>> = { sha1: 20, sha256: 32 };

/**
 * Starts the digest that is an object's id; its content follows.
 *
 * @param format The repository's hash function
 * @param type The object's type
 * @param size The length of its content in bytes
 */
export function startObjectHash(
  format: ObjectFormat,
  type: GitObject["type"],
  size: number,
): Hash {
  return createHash(format).update(`${type} ${size}\0`);
}

/**
 * The digest of bytes by a repository's hash function.
 *
 * @param bytes What to digest
 * @param format The hash function
 * @returns Lowercase hex digits
 */
export function hashHex(bytes: Uint8Array, format: ObjectFormat): string {
  return createHash(format).update(bytes).digest("hex");
}

/**
 * Renders bytes as git renders object ids.
 *
 * @param bytes A few bytes
 */
export function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Parses the part of a commit that says what its files are.
 *
 * @param content The commit
 * @returns The id of its tree
 * @throws {KprovError} `data`
 */
export function parseCommitTree(content: Uint8Array): string {
  const start = new TextDecoder().decode(content.subarray(0, 70));
  const id = /^tree ([0-9a-f]+)\n/.exec(start)?.[1];
  if (id === undefined) throw new KprovError("data", "a commit names no tree");
  return id;
}

/** A name that is not UTF-8 is replaced, and equals no input's. */
const NAME_DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Parses a tree, which is a directory of a commit.
 *
 * @param content The tree
 * @param format The repository's hash function
 * @returns What it holds, by name
 * @throws {KprovError} `data`
 */
export function parseTree(content: Uint8Array, format: ObjectFormat): Map<string, TreeEntry> {
  const entries = new Map<string, TreeEntry>();
  for (let start = 0; start < content.length;) {
    const space = content.indexOf(0x20, start);
    const nul = content.indexOf(0, start);
    const end = nul + 1 + HASH_LENGTH[format];
    const mode = Number.parseInt(NAME_DECODER.decode(content.subarray(start, space)), 8);
    if (space < 0 || nul < space || end > content.length || Number.isNaN(mode)) {
      throw new KprovError("data", "a tree is not a list of names");
    }
    const name = NAME_DECODER.decode(content.subarray(space + 1, nul));
    entries.set(name, { mode, id: toHex(content.subarray(nul + 1, end)) });
    start = end;
  }
  return entries;
}

/** A file of a worktree that differs from what a commit holds. */
interface DifferentFile {
  /** The repository. */
  readonly repository: Repository;
  /** Its hash function. */
  readonly format: ObjectFormat;
  /** Git's path of the file. */
  readonly path: string;
  /** The id of what the commit holds. */
  readonly heldId: string;
}

/**
 * Whether git may have converted a file on its way into the worktree, so that it differs and is still
 * what the commit holds: where an attribute names a filter for it, or nothing but its line ends
 * differs. What is set outside of the repository is not read, so that no setting rules it out.
 *
 * @param file The file
 * @throws {KprovError} where it, or a file with attributes, cannot be read
 */
export function mayBeConverted(file: DifferentFile): boolean {
  return isFiltered(file) || differsInLineEnds(file);
}

function differsInLineEnds({ repository, format, path, heldId }: DifferentFile): boolean {
  const absolute = `${repository.worktree}/${path}`;
  const stats = Deno.lstatSync(absolute);
  const readUnixLines = (): Iterable<Uint8Array> =>
    dropCarriageReturns(readPieces(absolute, stats, Infinity));
  let size = 0;
  for (const piece of readUnixLines()) size += piece.length;
  if (size === stats.size) return false;
  const blob = startObjectHash(format, "blob", size);
  for (const piece of readUnixLines()) blob.update(piece);
  return blob.digest("hex") === heldId;
}

const CARRIAGE_RETURN = Uint8Array.of(0x0d);

/** Makes the line ends of Windows those of Unix. */
function* dropCarriageReturns(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  let isOpen = false;
  for (const piece of pieces) {
    if (isOpen && piece[0] !== 0x0a) yield CARRIAGE_RETURN;
    isOpen = piece.at(-1) === 0x0d;
    const rest = isOpen ? piece.subarray(0, -1) : piece;
    const isPlain = rest.indexOf(0x0d) < 0;
    yield isPlain ? rest : rest.filter((byte, i) => byte !== 0x0d || piece[i + 1] !== 0x0a);
  }
  if (isOpen) yield CARRIAGE_RETURN;
}

/** The attributes by which git changes more of a file than its line ends. */
const FILTER = /\s(?:filter|ident|working-tree-encoding)(?:=|\s|$)/;

/** Attributes stand in the repository, and in each directory above a file. */
function isFiltered({ repository: { worktree, commonDir }, path }: DifferentFile): boolean {
  const parts = path.split("/");
  return mayFilter(readGitText(`${commonDir}/info/attributes`), path) ||
    parts.some((_, i) => {
      const directory = parts.slice(0, i).map((part) => `${part}/`).join("");
      return mayFilter(
        readGitText(`${worktree}/${directory}.gitattributes`),
        parts.slice(i).join("/"),
      );
    });
}

/** Whether a line of attributes may apply to a path and set a filter. */
function mayFilter(attributes: string | null, path: string): boolean {
  return (attributes ?? "").split("\n").some((line) => {
    if (/^\s*#/.test(line) || !FILTER.test(line)) return false;
    const pattern = line.trimStart().split(/\s/, 1)[0] ?? "";
    // Only what globs and these patterns have in common is compiled; anything else may match.
    if (!/^[\w.*/-]+$/.test(pattern) || pattern.includes("**")) return true;
    const subject = pattern.includes("/") ? path : path.slice(path.lastIndexOf("/") + 1);
    return compileGlobs([pattern.replace(/^\//, "")])(subject);
  });
}
