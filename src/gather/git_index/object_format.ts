import { createHash } from "node:crypto";
import { KprovError } from "../../kprov_error.ts";
import { quote } from "../../quote.ts";
import { listConfigValues } from "../git_config.ts";

/** The hash function of a repository's objects and of its index. */
export type ObjectFormat = "sha1" | "sha256";

/** The length of an object id, and of the index's checksum, in bytes. */
export const HASH_LENGTH: Readonly<Record<ObjectFormat, number>> = { sha1: 20, sha256: 32 };

/**
 * The digest of bytes by a repository's hash function.
 *
 * @param bytes What to digest
 * @param format The hash function
 * @returns Lowercase hex digits
 */
export function hashHex(bytes: Uint8Array, format: ObjectFormat): string {
  return createHash(format).update(bytes).digest("hex");
}

/**
 * Reads from a repository's configuration which hash function it uses
 * (https://git-scm.com/docs/repository-version). Included files do not count, as in git.
 *
 * @param config The text of the repository's `config`
 * @throws {KprovError} `data` on a repository format or a hash function that is not known
 */
export function readObjectFormat(config: string): ObjectFormat {
  const version = listConfigValues(config, "core", "repositoryformatversion").at(-1) ?? "0";
  if (version !== "0" && version !== "1") {
    throw new KprovError("data", `the repository's format version ${quote(version)} is not known`);
  }
  const format = listConfigValues(config, "extensions", "objectformat").at(-1);
  if (format === undefined) return "sha1";
  if (format !== "sha1" && format !== "sha256") {
    throw new KprovError("data", `the repository's object format ${quote(format)} is not known`);
  }
  if (version === "0") {
    throw new KprovError("data", "the repository sets extensions.objectFormat in format version 0");
  }
  return format;
}
