import { KprovError } from "../../kprov_error.ts";
import type { IndexEntry } from "./index_entry.ts";
import { HASH_LENGTH, hashHex, type ObjectFormat } from "./object_format.ts";
import { parseEntries } from "./parse_entries.ts";
import { parseExtensions } from "./parse_extensions.ts";

const SIGNATURE = 0x44495243; // "DIRC"
const HEADER_LENGTH = 12;
const MOST_PATH_BYTES = 2 ** 29;

/** An index file, taken apart. */
export interface ParsedIndex {
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
