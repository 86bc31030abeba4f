import { KprovError } from "../../base/error.ts";
import { escapeText } from "../../base/quote.ts";
import { join } from "../../base/std.ts";
import { checkEntries, type IndexEntry, parseEntries } from "./index_entries.ts";
import { HASH_LENGTH, hashHex, toHex } from "./objects.ts";
import { type ObjectFormat, readGitFile, readObjectFormat, type Repository } from "./repository.ts";
import { mergeSplitIndex, parseBitmap, parseSplitLink, type SplitLink } from "./split_index.ts";

const SIGNATURE = 0x44495243; // "DIRC"
const HEADER_LENGTH = 12;
const MOST_PATH_BYTES = 2 ** 29;

/** Four letters and a length. */
const EXTENSION_HEADER_LENGTH = 8;

/** The index of a repository. */
interface GitIndex {
  /** Its entries in git's order, checked. */
  readonly entries: readonly IndexEntry[];
  /** Whether it builds upon a shared index. */
  readonly isSplit: boolean;
}

/**
 * Reads the index of a repository.
 *
 * @param repository The repository
 * @param announce Takes the number of entries that the index claims to have, before they are read
 * @param other Another file to read in place of the repository's own index, or null
 * @returns The index, or null where there is none
 * @throws {KprovError} `permission`, or `data` on anything that git does not write
 */
export function readIndex(
  repository: Repository,
  announce: (count: number) => void = () => {},
  other: string | null = null,
): GitIndex | null {
  const format = readObjectFormat(repository.config);
  const bytes = readGitFile(other ?? join(repository.gitDir, "index"));
  if (bytes === null) return null;
  announce(readEntryCount(bytes));
  const index = parseIndex(bytes, format);
  const link = index.link === null ? null : parseSplitLink(index.link, format);
  const entries = link === null
    ? index.entries
    : mergeSplitIndex(readSharedIndex(repository, link, format), index.entries, link);
  checkEntries(entries);
  return { entries, isSplit: link !== null };
}

function readSharedIndex(
  repository: Repository,
  link: SplitLink,
  format: ObjectFormat,
): readonly IndexEntry[] {
  const bytes = readGitFile(join(repository.gitDir, `sharedindex.${link.base}`));
  if (bytes === null) throw new KprovError("data", "its shared index does not exist");
  const shared = parseIndex(bytes, format);
  if (shared.checksum !== link.base) {
    throw new KprovError("data", "its shared index has another checksum than its name says");
  }
  if (shared.link !== null) throw new KprovError("data", "its shared index is split itself");
  checkEntries(shared.entries);
  return shared.entries;
}

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

/** How many entries an index file claims to have; 0 where it is too short to tell. */
function readEntryCount(bytes: Uint8Array): number {
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
