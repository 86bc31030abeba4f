import { lstatSync } from "node:fs";
import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import { toKprovError } from "../system/os_error.ts";
import { permissionFlag, requirePermission } from "../system/permissions.ts";
import { describeKind } from "./hash_file.ts";

/**
 * Reads a file that kprov wrote for itself. Links are not followed, and nothing but a regular file
 * is opened.
 *
 * @param path Where it is
 * @param role What it is, for the message
 * @param maxBytes No larger one is read
 * @throws {KprovError} `data` where it is missing, too large or no regular file, `io` where the
 * system refuses, `permission` where Deno does
 */
export function readWholeFile(path: string, role: string, maxBytes: number): Uint8Array {
  requirePermission("read", path);
  const refuse = (reason: string): KprovError =>
    new KprovError("data", `Cannot read ${role} ${quote(path)}: ${reason}`);
  try {
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) throw refuse("it is a symbolic link");
    if (!stats.isFile()) throw refuse(`it is ${describeKind(stats)}`);
    if (stats.size > maxBytes) throw refuse(`it is larger than ${maxBytes} bytes`);
    return Deno.readFileSync(path);
  } catch (error) {
    throw toKprovError(error, `Cannot read ${role} ${quote(path)}`, {
      missing: "data",
      refused: "io",
      flag: permissionFlag("read", path),
    });
  }
}
