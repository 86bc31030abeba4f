import { createHash } from "node:crypto";
import { KprovError } from "../../base/error.ts";
import { escapeText, quote } from "../../base/quote.ts";
import { type IndexEntry, parseEntries } from "./index_entries.ts";
import { listConfigValues } from "./source.ts";

/** The hash function of a repository's objects and of its index. */
export type ObjectFormat = "sha1" | "sha256";

/** The length of an object id, and of the index's checksum, in bytes. */
export const HASH_LENGTH: Readonly<Record<ObjectFormat, number>> = { sha1: 20, sha256: 32 };

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
 * Reads from a repository's configuration which hash function it uses
 * (https://git-scm.com/docs/repository-version). Included files do not count, as in git.
 *
 * @param config The text of the repository's `config`
 * @throws {KprovError} `data` on a repository format or a hash function that is not known
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

const SIGNATURE = 0x44495243; // "DIRC"
const HEADER_LENGTH = 12;
const MOST_PATH_BYTES = 2 ** 29;

/** An index file, taken apart. */
interface ParsedIndex {
  /** In the order of the file, not yet checked against each other. */
  readonly entries: readonly IndexEntry[];
  /** The content of the extension `link`, where the index is split; null where it is not. */
  readonly link: Uint8Array | null;
  /** The checksum at its end, in lowercase hex digits. */
  readonly checksum: string;
}

/**
 * Parses an index file (https://git-scm.com/docs/index-format), versions 2 to 4.
 *
 * @param bytes The file
 * @param format The repository's hash function
 * @throws {KprovError} `data` on anything that git does not write; the message is a reason such as
 * `its checksum is wrong`
 */
export function parseIndex(bytes: Uint8Array, format: ObjectFormat): ParsedIndex {
  const hashLength = HASH_LENGTH[format];
  const limit = bytes.length - hashLength;
  if (limit < HEADER_LENGTH) throw new KprovError("data", "it is too short");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== SIGNATURE) {
    throw new KprovError("data", 'it does not start with "DIRC"');
  }
  const version = readVersion(view.getUint32(4));
  const checksum = readChecksum(bytes, limit, format);
  const count = view.getUint32(8);
  const { entries, end } = parseEntries(bytes, {
    version,
    count,
    start: HEADER_LENGTH,
    limit,
    hashLength,
    maxPathBytes: MOST_PATH_BYTES,
  });
  return { entries, checksum, link: parseExtensions(bytes.subarray(end, limit), count) };
}

/**
 * Reads how many entries an index file claims to have.
 *
 * @param bytes The file
 * @returns Their number, checked against nothing; 0 where the file is too short to tell
 */
export function readEntryCount(bytes: Uint8Array): number {
  if (bytes.length < HEADER_LENGTH) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset, HEADER_LENGTH).getUint32(8);
}

function readVersion(version: number): 2 | 3 | 4 {
  if (version === 2 || version === 3 || version === 4) return version;
  throw new KprovError("data", `its version ${version} is not known`);
}

/** Git leaves the checksum zero where `index.skipHash` tells it to. */
function readChecksum(bytes: Uint8Array, limit: number, format: ObjectFormat): string {
  const stored = bytes.subarray(limit);
  const checksum = toHex(stored);
  if (stored.every((byte) => byte === 0)) return checksum;
  if (hashHex(bytes.subarray(0, limit), format) !== checksum) {
    throw new KprovError("data", "its checksum is wrong");
  }
  return checksum;
}

/**
 * Renders bytes as git renders object ids.
 *
 * @param bytes A few bytes
 */
export function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Four letters and a length. */
const EXTENSION_HEADER_LENGTH = 8;

/**
 * Walks over the extensions of an index file. Those whose names start with a capital are optional,
 * by the format's rule, and skipped.
 *
 * @param bytes The file from the end of its entries to its checksum
 * @param entryCount How many entries there are
 * @returns The content of `link`, where the index is split; null where it is not
 * @throws {KprovError} `data` on an extension that git too must understand and kprov does not, and
 * where the extensions do not fill the space
 */
function parseExtensions(bytes: Uint8Array, entryCount: number): Uint8Array | null {
  const extensions = splitExtensions(bytes);
  for (const [name, content] of extensions) {
    // `sdir` says that there may be collapsed directories; each of them is refused by itself.
    if (name === "link" || (name === "sdir" && content.length === 0)) continue;
    if (!/^[A-Z]/.test(name)) {
      throw new KprovError("data", `its extension "${escapeText(name)}" is not known`);
    }
  }
  const link = extensions.get("link") ?? null;
  const monitor = extensions.get("FSMN");
  if (monitor !== undefined && link === null) checkMonitor(monitor, entryCount);
  return link;
}

function splitExtensions(bytes: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const extensions = new Map<string, Uint8Array>();
  for (let offset = 0; offset < bytes.length;) {
    if (offset + EXTENSION_HEADER_LENGTH > bytes.length) throw refuseCut();
    const name = String.fromCharCode(...bytes.subarray(offset, offset + 4));
    const start = offset + EXTENSION_HEADER_LENGTH;
    offset = start + view.getUint32(offset + 4);
    if (offset > bytes.length) throw refuseCut();
    if (extensions.has(name)) {
      throw new KprovError("data", `its extension "${escapeText(name)}" stands twice`);
    }
    extensions.set(name, bytes.subarray(start, offset));
  }
  return extensions;
}

/** Git gives up on an index whose file system monitor speaks of more entries than there are. */
function checkMonitor(bytes: Uint8Array, entryCount: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes.length < 4 ? 0 : view.getUint32(0);
  if (version !== 1 && version !== 2) return;
  // Version 1 has a time of eight bytes, version 2 a text with a NUL behind it; then a length.
  const sizeOffset = version === 1 ? 12 : bytes.indexOf(0, 4) + 1;
  if (sizeOffset === 0) throw refuseCut();
  parseBitmap(view, sizeOffset + 4, entryCount);
}

function refuseCut(): KprovError {
  return new KprovError("data", "it ends in the middle of an extension");
}

/** Two numbers of 32 bits before the words, one after them. */
const FRAME_LENGTH = 12;
const WORD_LENGTH = 8;
const WORD_BITS = 64;

/** A bitmap and where it ended. */
interface ParsedBitmap {
  /** The positions of the bits that are set, ascending. */
  readonly positions: number[];
  /** The offset behind it. */
  readonly end: number;
}

interface Words {
  readonly view: DataView;
  /** Where the first word stands. */
  readonly start: number;
  /** How many words there are. */
  readonly count: number;
  /** How many bits there are. */
  readonly bits: number;
}

/**
 * Parses a bitmap in EWAH form as git stores it: runs of equal words, each followed by words that
 * stand for themselves (https://git-scm.com/docs/bitmap-format, appendix A).
 *
 * @param view The bytes it stands in
 * @param offset Where it starts
 * @param size How many bits may be there at most
 * @throws {KprovError} `data`
 */
export function parseBitmap(view: DataView, offset: number, size: number): ParsedBitmap {
  if (offset + FRAME_LENGTH > view.byteLength) throw refuseBitmap();
  const bits = view.getUint32(offset);
  const count = view.getUint32(offset + 4);
  const end = offset + FRAME_LENGTH + count * WORD_LENGTH;
  if (bits > size || end > view.byteLength) throw refuseBitmap();
  return { positions: listPositions({ view, start: offset + 8, count, bits }), end };
}

function listPositions(words: Words): number[] {
  const positions: number[] = [];
  let position = 0;
  for (let i = 0; i < words.count; i++) {
    const high = words.view.getUint32(words.start + i * WORD_LENGTH);
    const low = words.view.getUint32(words.start + i * WORD_LENGTH + 4);
    // Bit 0: what the run repeats; 32 bits: its length in words; 31 bits: words that follow.
    const runEnd = position + ((low >>> 1) + (high & 1) * 2 ** 31) * WORD_BITS;
    if ((low & 1) === 1) pushRun(positions, position, runEnd, words.bits);
    position = runEnd;
    const literals = high >>> 1;
    if (literals >= words.count - i) throw refuseBitmap();
    for (let k = 1; k <= literals; k++, position += WORD_BITS) {
      pushWord(positions, position, words, i + k);
    }
    i += literals;
  }
  return positions;
}

function pushRun(positions: number[], start: number, end: number, bits: number): void {
  if (end > bits) throw refuseBitmap();
  for (let position = start; position < end; position++) positions.push(position);
}

function pushWord(positions: number[], position: number, words: Words, index: number): void {
  const high = words.view.getUint32(words.start + index * WORD_LENGTH);
  const low = words.view.getUint32(words.start + index * WORD_LENGTH + 4);
  for (let bit = 0; bit < WORD_BITS; bit++) {
    const half = bit < 32 ? low : high;
    if (((half >>> (bit & 31)) & 1) === 0) continue;
    if (position + bit >= words.bits) throw refuseBitmap();
    positions.push(position + bit);
  }
}

function refuseBitmap(): KprovError {
  return new KprovError("data", "one of its bitmaps is malformed");
}
