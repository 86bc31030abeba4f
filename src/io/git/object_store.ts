import { createHash, type Hash } from "node:crypto";
import { inflateSync } from "node:zlib";
import { KprovError } from "../../base/error.ts";
import { compileGlobs } from "../../base/glob.ts";
import { quote } from "../../base/quote.ts";
import { join } from "../../base/std.ts";
import { requirePermission, systemCode } from "../permissions.ts";
import { readPieces } from "../read_file.ts";
import {
  listConfigValues,
  readGitFile,
  readGitText,
  type Repository,
  statGitFile,
} from "./repository.ts";

/** An object of a repository. */
interface GitObject {
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

/** The hash function of a repository's objects and of its index. */
export type ObjectFormat = "sha1" | "sha256";

/**
 * Reads from the text of a repository's `config` which hash function it uses
 * (https://git-scm.com/docs/repository-version). Included files do not count, as in git.
 */
export function readObjectFormat(config: string): ObjectFormat {
  const version = listConfigValues(config, "core", "repositoryformatversion").at(-1) ?? "0";
  if (version !== "0" && version !== "1") {
    throw new KprovError("data", `the repository's format version ${quote(version)} is not known`);
  }
  const format = listConfigValues(config, "extensions", "objectformat").at(-1);
  if (format === undefined) return "sha1";
  if (format !== "sha1" && format !== "sha256") {
    throw new KprovError("data", `the repository's object format ${quote(format)} is not known`);
  }
  if (version === "0") {
    throw new KprovError("data", "the repository sets extensions.objectFormat in format version 0");
  }
  return format;
}

/** The length of an object id, and of the index's checksum, in bytes. */
export const HASH_LENGTH: Readonly<Record<ObjectFormat, number>> = { sha1: 20, sha256: 32 };

/** Starts the digest that is the id of an object of so many bytes; its content follows. */
export function startObjectHash(
  format: ObjectFormat,
  type: GitObject["type"],
  size: number,
): Hash {
  return createHash(format).update(`${type} ${size}\0`);
}

/** The digest of bytes by a repository's hash function, in lowercase hex digits. */
export function hashHex(bytes: Uint8Array, format: ObjectFormat): string {
  return createHash(format).update(bytes).digest("hex");
}

/** Renders a few bytes as git renders object ids. */
export function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Finds the id of the tree in a commit. */
export function parseCommitTree(content: Uint8Array): string {
  const start = new TextDecoder().decode(content.subarray(0, 70));
  const id = /^tree ([0-9a-f]+)\n/.exec(start)?.[1];
  if (id === undefined) throw new KprovError("data", "a commit names no tree");
  return id;
}

/** A name that is not UTF-8 is replaced, and equals no input's. */
const NAME_DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** Parses a tree, which is a directory of a commit, by name. */
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
 * Whether git may have converted a file on its way into the worktree, so that it differs and is
 * still what the commit holds: where an attribute names a filter for it, or nothing but its line
 * ends differs. What is set outside of the repository is not read, so that no setting rules it out.
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

/** Larger objects are not read; a directory of 400,000 names takes about as much. */
const MOST_OBJECT_BYTES = 2 ** 24;

/**
 * The objects of a repository, loose and packed. Each is held against its id: what is read is what
 * git stored, or nothing. Objects that lie elsewhere, as those of a partial clone, are not found.
 */
export class ObjectStore implements Disposable {
  readonly #directory: string;
  readonly #format: ObjectFormat;
  #packs: readonly Pack[] | null = null;

  /** The directory is the repository's `objects`. */
  constructor(directory: string, format: ObjectFormat) {
    this.#directory = directory;
    this.#format = format;
  }

  /** Closes the packs that were opened. */
  [Symbol.dispose](): void {
    for (const pack of this.#packs ?? []) pack[Symbol.dispose]();
  }

  /** Reads an object of a type; throws `data` where it cannot be read exactly. */
  read(id: string, type: GitObject["type"]): Uint8Array {
    const object = explain(id, () => this.#readLoose(id) ?? this.#readPacked(id));
    if (object === null) throw refuseObject(id, "it is not in the repository");
    const { content } = object;
    const hash = startObjectHash(this.#format, object.type, content.length).update(content);
    if (hash.digest("hex") !== id) throw refuseObject(id, "it has another content");
    if (object.type !== type) throw refuseObject(id, `it is a ${object.type}`);
    return content;
  }

  #readLoose(id: string): GitObject | null {
    const path = join(this.#directory, id.slice(0, 2), id.slice(2));
    const deflated = readGitFile(path, MOST_OBJECT_BYTES);
    if (deflated === null) return null;
    const bytes = inflateSync(deflated, { maxOutputLength: MOST_OBJECT_BYTES });
    const headerEnd = bytes.indexOf(0);
    const header = new TextDecoder().decode(bytes.subarray(0, Math.max(0, headerEnd)));
    const type = Object.values(TYPES).find((name) => header.startsWith(`${name} `));
    if (type === undefined) throw refuseObject(id, "its type is not known");
    return { type, content: bytes.subarray(headerEnd + 1) };
  }

  #readPacked(id: string): GitObject | null {
    this.#packs ??= openPacks(join(this.#directory, "pack"), this.#format);
    for (const pack of this.#packs) {
      const offset = pack.find(id);
      if (offset !== null) return pack.read(offset);
    }
    return null;
  }
}

/** Makes an error of what reading malformed bytes throws. */
function explain<T>(id: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof KprovError) throw cause;
    if (cause instanceof RangeError || systemCode(cause) !== null) {
      throw refuseObject(id, "it cannot be read", cause);
    }
    throw cause;
  }
}

function refuseObject(id: string, reason: string, cause?: unknown): KprovError {
  return new KprovError("data", `git's object ${id}: ${reason}`, { cause });
}

/** What the numbers in a pack mean. */
const TYPES: Readonly<Record<number, GitObject["type"]>> = {
  1: "commit",
  2: "tree",
  3: "blob",
  4: "tag",
};
/** The numbers of what is stored as a change of another object. */
const OFFSET_DELTA = 6;
const ID_DELTA = 7;

/** Git itself makes no longer chains than this. */
const MOST_DELTAS = 4096;

/** `\377tOc`, then the version. */
const INDEX_MAGIC = 0xff744f63;
const INDEX_VERSION = 2;
/** Where the 256 numbers end that say how many ids start with up to which byte. */
const FANOUT_END = 8 + 256 * 4;

/** Most trees and all commits are shorter, with their headers, so that one read is enough. */
const FIRST_READ = 4096;

function openPacks(directory: string, format: ObjectFormat): Pack[] {
  if (statGitFile(directory) === null) return [];
  const names = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  return names.filter((name) => name.endsWith(".idx"))
    .map((name) => new Pack(join(directory, name.slice(0, -".idx".length)), format));
}

/** A pack with its index (https://git-scm.com/docs/gitformat-pack), opened when it is needed. */
class Pack implements Disposable {
  readonly #path: string;
  readonly #hashLength: number;
  #index: OpenFile | null = null;
  #objects: OpenFile | null = null;

  constructor(path: string, format: ObjectFormat) {
    this.#path = path;
    this.#hashLength = HASH_LENGTH[format];
  }

  [Symbol.dispose](): void {
    this.#index?.close();
    this.#objects?.close();
  }

  /** Finds where an object stands; null where it stands elsewhere. */
  find(id: string): number | null {
    this.#index ??= openFile(`${this.#path}.idx`);
    const index = this.#index;
    const head = toView(index.read(0, FANOUT_END));
    if (head.getUint32(0) !== INDEX_MAGIC || head.getUint32(4) !== INDEX_VERSION) {
      throw new KprovError("data", "a pack of git has an index that is not known");
    }
    const first = Number.parseInt(id.slice(0, 2), 16);
    const low = first === 0 ? 0 : head.getUint32(8 + 4 * (first - 1));
    const count = head.getUint32(FANOUT_END - 4);
    const position = this.#search(id, low, head.getUint32(8 + 4 * first));
    return position === null ? null : this.#readOffset(index, position, count);
  }

  /** Ids are sorted, so half of those that are left can be passed over at each step. */
  #search(id: string, from: number, to: number): number | null {
    let [low, high] = [from, to];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const start = FANOUT_END + middle * this.#hashLength;
      const found = toHex(this.#index!.read(start, this.#hashLength));
      if (found === id) return middle;
      if (found < id) low = middle + 1;
      else high = middle;
    }
    return null;
  }

  /** Behind the ids come their checksums, then offsets of 31 bits, then those of 63 bits. */
  #readOffset(index: OpenFile, position: number, count: number): number {
    const offsets = FANOUT_END + count * (this.#hashLength + 4);
    const offset = toView(index.read(offsets + 4 * position, 4)).getUint32(0);
    if (offset < 2 ** 31) return offset;
    const large = offsets + 4 * count + 8 * (offset - 2 ** 31);
    return Number(toView(index.read(large, 8)).getBigUint64(0));
  }

  /** Reads the object at an offset: a whole one, and all changes from it to the one that is meant. */
  read(start: number): GitObject {
    this.#objects ??= openFile(`${this.#path}.pack`);
    const deltas: Uint8Array[] = [];
    let size = 0;
    for (let offset = start;;) {
      const stored = this.#readStored(this.#objects, offset);
      size += stored.content.length;
      if (size > MOST_OBJECT_BYTES) throw new RangeError("too large");
      const type = TYPES[stored.type];
      if (type !== undefined) {
        return { type, content: deltas.reduceRight(applyDelta, stored.content) };
      }
      deltas.push(stored.content);
      if (stored.base === null || deltas.length > MOST_DELTAS) throw new RangeError("no base");
      offset = stored.base;
    }
  }

  #readStored(objects: OpenFile, offset: number): StoredObject {
    const bytes = objects.read(offset, FIRST_READ, { isLessEnough: true });
    const cursor = { bytes, offset: 0 };
    let byte = nextByte(cursor);
    const type = (byte >> 4) & 7;
    let size = byte & 15;
    for (let unit = 16; (byte & 0x80) !== 0; unit *= 128) {
      byte = nextByte(cursor);
      size += (byte & 0x7f) * unit;
    }
    if (size > MOST_OBJECT_BYTES) throw new RangeError("too large");
    const base = this.#readBase(type, offset, cursor);
    // What does not get smaller is stored with a few bytes around each block.
    const most = cursor.offset + size + (size >> 8) + 64;
    const deflated = most <= bytes.length || bytes.length < FIRST_READ
      ? bytes
      : objects.read(offset, most, { isLessEnough: true });
    const content = inflateSync(deflated.subarray(cursor.offset), {
      maxOutputLength: Math.max(1, size),
    });
    if (content.length !== size) throw new RangeError("another size");
    return { type, content, base };
  }

  #readBase(type: number, offset: number, cursor: ByteCursor): number | null {
    if (type === OFFSET_DELTA) return offset - readDistance(cursor);
    if (type !== ID_DELTA) return null;
    const id = cursor.bytes.subarray(cursor.offset, cursor.offset += this.#hashLength);
    return this.find(toHex(id));
  }
}

/** An object as it stands in a pack. */
interface StoredObject {
  /** Its number in the pack. */
  readonly type: number;
  /** The object, or how it differs from its base. */
  readonly content: Uint8Array;
  /** Where its base stands; null for a whole object, and where the pack does not hold it. */
  readonly base: number | null;
}

interface ByteCursor {
  readonly bytes: Uint8Array;
  offset: number;
}

function nextByte(cursor: ByteCursor): number {
  const byte = cursor.bytes[cursor.offset++];
  if (byte === undefined) throw new RangeError("cut");
  return byte;
}

/** Like base 128, big end first, but each further byte adds one. */
function readDistance(cursor: ByteCursor): number {
  let distance = -1;
  for (let byte = 0x80; (byte & 0x80) !== 0;) {
    byte = nextByte(cursor);
    distance = (distance + 1) * 128 + (byte & 0x7f);
  }
  if (distance <= 0) throw new RangeError("no distance");
  return distance;
}

/** Base 128, little end first. */
function readSize(cursor: ByteCursor): number {
  let size = 0;
  for (let unit = 1, byte = 0x80; (byte & 0x80) !== 0; unit *= 128) {
    byte = nextByte(cursor);
    size += (byte & 0x7f) * unit;
  }
  if (size > MOST_OBJECT_BYTES) throw new RangeError("too large");
  return size;
}

/** Makes an object of its base: parts of that, and bytes of its own. */
function applyDelta(base: Uint8Array, delta: Uint8Array): Uint8Array {
  const cursor = { bytes: delta, offset: 0 };
  if (readSize(cursor) !== base.length) throw new RangeError("another base");
  const result = new Uint8Array(readSize(cursor));
  let length = 0;
  while (cursor.offset < delta.length) {
    const part = readPart(cursor, base);
    // Throws where the result is too short for it.
    result.set(part, length);
    length += part.length;
  }
  if (length !== result.length) throw new RangeError("another size");
  return result;
}

function readPart(cursor: ByteCursor, base: Uint8Array): Uint8Array {
  const code = nextByte(cursor);
  if (code === 0) throw new RangeError("reserved");
  if (code < 0x80) return cursor.bytes.subarray(cursor.offset, cursor.offset += code);
  let [offset, size] = [0, 0];
  for (let i = 0; i < 4; i++) if ((code & (1 << i)) !== 0) offset += nextByte(cursor) * 256 ** i;
  for (let i = 0; i < 3; i++) if ((code & (16 << i)) !== 0) size += nextByte(cursor) * 256 ** i;
  return base.subarray(offset, offset + (size === 0 ? 0x10000 : size));
}

function toView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A file of git's that is read in parts. */
interface OpenFile {
  /** Reads some bytes; throws a RangeError where there are fewer, unless less is enough. */
  readonly read: (
    offset: number,
    length: number,
    options?: { readonly isLessEnough: boolean },
  ) => Uint8Array;
  readonly close: () => void;
}

function openFile(path: string): OpenFile {
  requirePermission("read", path);
  // A FIFO would hang the opening.
  if (!statGitFile(path)?.isFile) throw new KprovError("data", "a pack of git is incomplete");
  const file = Deno.openSync(path);
  return {
    read: (offset, length, { isLessEnough } = { isLessEnough: false }) => {
      const bytes = new Uint8Array(length);
      file.seekSync(offset, Deno.SeekMode.Start);
      let filled = 0;
      for (let n: number | null = 0; n !== null && filled < length; filled += n ?? 0) {
        n = file.readSync(bytes.subarray(filled));
      }
      if (filled < length && !isLessEnough) throw new RangeError("cut");
      return bytes.subarray(0, filled);
    },
    close: () => file.close(),
  };
}
