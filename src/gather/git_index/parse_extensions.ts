import { KprovError } from "../../kprov_error.ts";
import { escapeText } from "../../quote.ts";
import { parseBitmap } from "./parse_bitmap.ts";

/** Four letters and a length. */
const HEADER_LENGTH = 8;

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
export function parseExtensions(bytes: Uint8Array, entryCount: number): Uint8Array | null {
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
    if (offset + HEADER_LENGTH > bytes.length) throw refuseCut();
    const name = String.fromCharCode(...bytes.subarray(offset, offset + 4));
    const start = offset + HEADER_LENGTH;
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
