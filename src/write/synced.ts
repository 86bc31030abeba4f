import { closeSync, constants, fsyncSync, openSync } from "node:fs";

/** O_DIRECTORY keeps a FIFO that took a directory's place from hanging the open. */
const DIRECTORY_FLAGS = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0);

/** Text is encoded into this, again and again. */
const buffer = new Uint8Array(256 * 1024);

/**
 * Writes text to an open file, whole, and syncs it.
 *
 * @param file The file
 * @param text What goes in, as UTF-8
 */
export function writeAndSync(file: Deno.FsFile, text: string): void {
  writeText(file, text);
  file.syncSync();
}

/**
 * Writes text to an open file, whole.
 *
 * @param file The file
 * @param text What goes in, as UTF-8; where it is a piece of a text, it parts no surrogates
 * @param see Sees each part before it is written, as the bytes that it is; they do not last
 */
export function writeText(
  file: Deno.FsFile,
  text: string,
  see: (bytes: Uint8Array) => void = () => {},
): void {
  const encoder = new TextEncoder();
  for (let start = 0; start < text.length;) {
    const { read, written } = encoder.encodeInto(start === 0 ? text : text.slice(start), buffer);
    const bytes = buffer.subarray(0, written);
    see(bytes);
    writeAll(file, bytes);
    start += read;
  }
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSome(file, bytes.subarray(written));
  }
}

/** A write that a signal interrupted wrote nothing, and is to be called again. */
function writeSome(file: Deno.FsFile, bytes: Uint8Array): number {
  try {
    return file.writeSync(bytes);
  } catch (error) {
    if (error instanceof Deno.errors.Interrupted) return 0;
    throw error;
  }
}

/**
 * Makes the names in a directory durable. Windows has no such call.
 *
 * @param path The directory
 */
export function syncDirectory(path: string): void {
  if (Deno.build.os === "windows") return;
  const directory = openSync(path, DIRECTORY_FLAGS);
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
