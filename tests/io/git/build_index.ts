import { hashHex } from "../../../src/io/git/object_store.ts";

/** An entry of an index made by hand, good or bad. */
export interface EntryDraft {
  /** The path, as text or as bytes that are no text. */
  readonly path: string | Uint8Array;
  /** Default: a file. */
  readonly mode?: number;
  /** Default: 0. */
  readonly stage?: number;
  /** The second 16 flags; they make the entry an extended one. */
  readonly extended?: number;
}

/** An index made by hand. */
export interface IndexDraft {
  /** Default: 2. */
  readonly version?: number;
  /** How many entries the header promises; default: as many as there are. */
  readonly count?: number;
  readonly entries?: readonly EntryDraft[];
  /** Names and contents. */
  readonly extensions?: readonly (readonly [name: string, content: Uint8Array])[];
}

/** Writes an index of version 2 or 3 with SHA-1, with a right checksum whatever is wrong in it. */
export function buildIndex(draft: IndexDraft): Uint8Array {
  const entries = draft.entries ?? [];
  const body = join([
    encodeText("DIRC"),
    encodeNumber(draft.version ?? 2, 4),
    encodeNumber(draft.count ?? entries.length, 4),
    ...entries.map(encodeEntry),
    ...(draft.extensions ?? []).flatMap(([name, content]) => [
      encodeText(name),
      encodeNumber(content.length, 4),
      content,
    ]),
  ]);
  return join([body, decodeHex(hashHex(body, "sha1"))]);
}

function encodeEntry(entry: EntryDraft): Uint8Array {
  const path = typeof entry.path === "string" ? encodeText(entry.path) : entry.path;
  const isExtended = entry.extended !== undefined;
  const flags = (isExtended ? 0x4000 : 0) | (entry.stage ?? 0) << 12 | Math.min(path.length, 0xfff);
  const length = 62 + (isExtended ? 2 : 0) + path.length;
  return join([
    new Uint8Array(24),
    encodeNumber(entry.mode ?? 0o100644, 4),
    new Uint8Array(12 + 20),
    encodeNumber(flags, 2),
    ...(isExtended ? [encodeNumber(entry.extended, 2)] : []),
    path,
    new Uint8Array(8 - length % 8),
  ]);
}

/** Big-endian. */
export function encodeNumber(value: number, length: number): Uint8Array {
  return Uint8Array.from(
    { length },
    (_, i) => Math.floor(value / 2 ** (8 * (length - 1 - i))) % 256,
  );
}

/** UTF-8. */
export function encodeText(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The bytes of hex digits. */
export function decodeHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** Bytes one behind the other. */
export function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
