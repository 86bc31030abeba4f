import { createSha256 } from "../base/sha256.ts";

/** The digests of all inputs of a run as one artifact; see {@linkcode Provenance}. */
export interface InputsDigest {
  /** Digest of what `sha256sum` prints of the inputs, sorted by name. */
  readonly sha256: string;
  /** The same under its name in in-toto, where the inputs are a plain directory to it. */
  readonly dirHash?: string;
}

/** What of a file goes into the digest. */
interface DigestedFile {
  readonly name: string;
  readonly kind: "file" | "symlink";
  readonly sha256: string;
}

/** So many characters are digested at once. */
const PIECE = 64 * 1024;

/**
 * Digests all inputs of a run as one artifact: the SHA-256 of the text that `sha256sum` prints of
 * them in the order of their names' UTF-8 bytes. A link stands there with the digest of its target's
 * text, since that is what was read of it.
 *
 * The `dirHash` of in-toto
 * (https://github.com/in-toto/attestation/blob/main/spec/v1/digest_set.md) is the same number where
 * that is defined: over regular files, and names that every `sha256sum` prints as they are.
 *
 * @param sorted The inputs, sorted by name
 */
export function digestInputs(sorted: Iterable<DigestedFile>): InputsDigest {
  const hash = createSha256();
  let [text, isDirectory] = ["", true];
  for (const { name, kind, sha256 } of sorted) {
    const escaped = escapeName(name);
    isDirectory &&= kind === "file" && escaped === name;
    text += `${escaped === name ? "" : "\\"}${sha256}  ${escaped}\n`;
    if (text.length < PIECE) continue;
    hash.update(text);
    text = "";
  }
  hash.update(text);
  const sha256 = hash.digest("hex");
  return isDirectory ? { dirHash: sha256, sha256 } : { sha256 };
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r" };

/** As `sha256sum` of GNU coreutils 9 writes it; a line with an escape in it starts with a backslash. */
function escapeName(name: string): string {
  return name.replace(/[\\\n\r]/g, (character) => ESCAPES[character] ?? character);
}
