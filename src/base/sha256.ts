// The one `node:` import of the pure layers: a digest is a pure computation, and this one runs at
// the processor's own speed, synchronously and in pieces, which `crypto.subtle` cannot.

import { createHash } from "node:crypto";

/** A SHA-256 computation (FIPS 180-4) that takes its input in pieces. */
interface Sha256 {
  /** Takes the next bytes; strings as UTF-8. */
  update(data: Uint8Array | string): unknown;
  /** Ends the computation; 64 lowercase hex digits. */
  digest(encoding: "hex"): string;
}

/** Starts a SHA-256 computation. */
export function createSha256(): Sha256 {
  return createHash("sha256");
}

/**
 * The SHA-256 digest of bytes, or of the UTF-8 form of a string.
 *
 * @param data What to digest
 * @returns 64 lowercase hex digits
 *
 * @example
 * ```ts
 * import { sha256Hex } from "@kprov/cli";
 * import { assert } from "@std/assert";
 *
 * assert(sha256Hex("").startsWith("e3b0c44298fc1c14"));
 * ```
 */
export function sha256Hex(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}
