import { KprovError } from "../../base/error.ts";
import { quote } from "../../base/quote.ts";
import type { RecordedFile } from "../../evidence/provenance.ts";
import { toKprovError } from "../os_error.ts";
import { isMadeUp, permissionFlag, refuseSystemPath } from "../permissions.ts";
import { CHANGED } from "../read_file.ts";
import { type DigestFault, digestFile } from "./digest.js";

/** What a file is for, as the messages name it. */
export type FileRole = "input" | "product" | "tool" | "file";

/** A file, as the messages name it. */
interface NamedFile {
  /** Where it is. */
  readonly path: string;
  /** What it is called in the evidence. */
  readonly name: string;
  /** What it is for. */
  readonly role: FileRole;
}

/**
 * Reads one file or link and digests it: a file's bytes, a link's target text. Nothing but a
 * regular file is ever opened, and nothing is followed.
 *
 * @param path Where it is
 * @param name What it is called in the evidence
 * @param role What it is for, for the message
 * @returns Its record
 * @throws {KprovError} `data` where it is missing, of another kind, or changes while it is read;
 * `io` where the system refuses; `permission` where Deno does
 */
export function hashFile(path: string, name: string, role: FileRole = "input"): RecordedFile {
  const outcome = digestFile(path, { isAlone: true });
  if (outcome.state === "file" || outcome.state === "symlink") {
    return { name, kind: outcome.state, size: outcome.size, sha256: outcome.sha256 };
  }
  if (outcome.state === "fault") throw toFileError(outcome, { path, name, role });
  throw new KprovError("fault", `Cannot read ${role} ${quote(name)}: it was left for later`);
}

/**
 * Makes the error of a file that could not be digested.
 *
 * @param fault Why
 * @param file The file
 */
export function toFileError(fault: DigestFault, { path, name, role }: NamedFile): KprovError {
  const action = `Cannot read ${role} ${quote(name)}`;
  switch (fault.what) {
    case "changed":
      if (isMadeUp(path)) return refuseSystemPath(action);
      return new KprovError("data", action, { reason: CHANGED });
    case "kind":
      return new KprovError("data", action, { reason: `it is ${fault.kind}` });
    case "link_not_utf8":
      return new KprovError("data", `Cannot record link ${quote(name)}`, {
        reason: "its target is not valid UTF-8",
      });
    case "refused":
      return toKprovError(toError(fault), action, {
        missing: "data",
        refused: "io",
        flag: permissionFlag("read", path),
      });
  }
}

/** The error that a call threw, perhaps in another thread. */
function toError({ name, code, message }: DigestFault & { readonly what: "refused" }): Error {
  const known: Readonly<Record<string, new (message: string) => Error>> = { ...Deno.errors };
  const error = new (known[name] ?? Error)(message);
  return Object.assign(error, code === null ? {} : { code });
}
