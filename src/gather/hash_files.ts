import type { RecordedFile } from "../evidence/provenance.ts";
import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import { join } from "../std.ts";
import type { Effort } from "../system/progress.ts";
import type { DigestFault, DigestJob } from "./digest_job.ts";
import { type CrewPlan, digestFiles, type FileList } from "./digest_files.ts";
import { STATE_FILE, STATE_LINK } from "./digest_share.js";
import { type FileRole, toFileError } from "./hash_file.ts";

/** How many digests are turned into text at once. */
const BLOCK = 1024;

/** What came of looking at a file: its record, or why it has none. */
export type SeenFile =
  | { readonly state: "read"; readonly file: RecordedFile }
  | DigestFault;

/** What files are hashed with. */
export interface HashOptions extends Partial<CrewPlan> {
  /** How much of the machine it may take. */
  readonly effort: Effort;
}

/**
 * Reads and digests files and links, on every core where that pays. What they are read by and in
 * which order does not show: the records stand in the order of the names, and of several faults the
 * first in that order is the one that is told.
 *
 * @param files The files
 * @param options What they are for, and with what
 * @returns Their records, in the order of the names
 * @throws {KprovError} As {@linkcode hashFile} does; `fault` where a worker broke
 */
export async function hashFiles(
  files: FileList,
  { role, ...plan }: HashOptions & { readonly role: FileRole },
): Promise<RecordedFile[]> {
  const { job, faults } = await digestFiles(files, { ...plan, stopsAtFault: true });
  const index = [...faults.keys()].reduce((a, b) => Math.min(a, b), Infinity);
  const fault = faults.get(index);
  const name = files.names[index];
  if (fault !== undefined && name !== undefined) {
    throw toFileError(fault, { path: join(files.directory, name), name, role });
  }
  const recordAt = readRecords(files.names, job);
  return files.names.map((_, i) => recordAt(i));
}

/**
 * Looks at files and links as {@linkcode hashFiles} does, whatever some of them turn out to be.
 *
 * @param files The files
 * @param options With what
 * @returns What came of each, in the order of the names
 * @throws {KprovError} `fault` where a worker broke
 */
export async function lookAtFiles(
  files: FileList,
  options: HashOptions,
): Promise<SeenFile[]> {
  const { job, faults } = await digestFiles(files, { ...options, stopsAtFault: false });
  const recordAt = readRecords(files.names, job);
  return files.names.map((_, i) => faults.get(i) ?? { state: "read", file: recordAt(i) });
}

/** Makes what reads a record out of a job that is done; in order, for it keeps a block of digests as text. */
function readRecords(
  names: readonly string[],
  { digests, sizes, states }: DigestJob,
): (index: number) => RecordedFile {
  const decoder = new TextDecoder();
  let text = "";
  let textStart = -1;
  return (index) => {
    const name = names[index] ?? "";
    const state = states[index];
    if (state !== STATE_FILE && state !== STATE_LINK) {
      throw new KprovError("fault", `kprov failed: nothing read ${quote(name)}`);
    }
    const start = index - index % BLOCK;
    if (start !== textStart) {
      text = decoder.decode(digests.subarray(64 * start, 64 * (start + BLOCK)));
      textStart = start;
    }
    const sha256 = text.slice(64 * (index - start), 64 * (index - start + 1));
    const kind = state === STATE_FILE ? "file" : "symlink";
    return { name, kind, size: sizes[index] ?? 0, sha256 };
  };
}
