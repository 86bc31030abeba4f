/**
 * Writes text to an open file, whole, and syncs it.
 *
 * @param file The file
 * @param text What goes in, as UTF-8
 */
export function writeAndSync(file: Deno.FsFile, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let written = 0; written < bytes.length;) written += file.writeSync(bytes.subarray(written));
  file.syncSync();
}

/**
 * Makes the names in a directory durable. Windows has no such call.
 *
 * @param path The directory
 */
export function syncDirectory(path: string): void {
  if (Deno.build.os === "windows") return;
  using directory = Deno.openSync(path, { read: true });
  directory.syncSync();
}
