import { KprovError } from "../../kprov_error.ts";
import { escapeText } from "../../quote.ts";

/** Four letters and a length. */
const HEADER_LENGTH = 8;

/** What an index file says beyond its entries, as far as the list of paths depends on it. */
export interface ParsedExtensions {
  /** The content of `link`, where the index is split; null where it is not. */
  readonly link: Uint8Array | null;
}

/**
 * Walks over the extensions of an index file. Those whose names start with a capital are optional,
 * by the format's rule, and skipped.
 *
 * @param bytes The file from the end of its entries to its checksum
 * @throws {KprovError} `data` on an extension that git too must understand and kprov does not, and
 * where the extensions do not fill the space
 */
export function parseExtensions(bytes: Uint8Array): ParsedExtensions {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let link: Uint8Array | null = null;
  for (let offset = 0; offset < bytes.length;) {
    if (offset + HEADER_LENGTH > bytes.length) throw refuseCut();
    const name = String.fromCharCode(...bytes.subarray(offset, offset + 4));
    const start = offset + HEADER_LENGTH;
    const end = start + view.getUint32(offset + 4);
    if (end > bytes.length) throw refuseCut();
    if (name === "link" && link === null) link = bytes.subarray(start, end);
    else if (!isIgnorable(name, end - start)) throw refuseExtension(name);
    offset = end;
  }
  return { link };
}

/** `sdir` says that there may be collapsed directories; each of them is refused by itself. */
function isIgnorable(name: string, length: number): boolean {
  return /^[A-Z]/.test(name) || (name === "sdir" && length === 0);
}

function refuseExtension(name: string): KprovError {
  return new KprovError(
    "data",
    `its extension "${escapeText(name)}" is not known, or stands twice`,
  );
}

function refuseCut(): KprovError {
  return new KprovError("data", "it ends in the middle of an extension");
}
