import { KprovError } from "../../kprov_error.ts";
import { quote } from "../../quote.ts";

// A byte order mark at the start of a name is part of the name.
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const FORBIDDEN_PART = /(?:^|\/)(\.{0,2}|\.git)(?:\/|$)/i;

/**
 * Decodes a path as git stores it.
 *
 * @param bytes The path's bytes
 * @throws {KprovError} `data` where they are not UTF-8, naming them escaped
 */
export function decodeTrackedPath(bytes: Uint8Array): string {
  try {
    return DECODER.decode(bytes);
  } catch (cause) {
    throw new KprovError("data", `the path ${escapeBytes(bytes)} is not valid UTF-8`, { cause });
  }
}

function escapeBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    text += isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `"${text}"`;
}

/**
 * Refuses what git itself never tracks: a path that leaves the worktree or enters git's own files.
 *
 * @param path A decoded path
 * @throws {KprovError} `data` naming it
 */
export function checkTrackedPath(path: string): void {
  if (path === "") throw new KprovError("data", "it holds an empty path");
  if (path.includes("\0")) {
    throw new KprovError("data", `the path ${quote(path)} holds a NUL character`);
  }
  const part = FORBIDDEN_PART.exec(path)?.[1];
  if (part === undefined) return;
  const reason = part === "" ? "has an empty part" : `has a part ${quote(part)}`;
  throw new KprovError("data", `the path ${quote(path)} ${reason}`);
}
