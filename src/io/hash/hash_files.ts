import { KprovError } from "../../base/error.ts";
import type { Effort, WorkDone } from "../../base/progress.ts";
import { escapeText, quote } from "../../base/quote.ts";
import { join } from "../../base/std.ts";
import type { RecordedFile } from "../../evidence/provenance.ts";
import { BrokenWorker, Crew, type CrewCode, makeLaterWork, makeSharedWork } from "../crew.ts";
import { checkMemory, letGo } from "../host.ts";
import { isMadeUp, refuseSystemPath, toReadError } from "../permissions.ts";
import { CHANGED } from "../read_file.ts";
import regularFile from "../regular_file.js" with { type: "text" };
import sharedWork from "../shared_work.js" with { type: "text" };
import digest from "./digest.js" with { type: "text" };
import {
  DIGEST_WORKER_NAME,
  type DigestFault,
  digestFile,
  type DigestJob,
  digestShare,
  DONE_BYTES,
  DONE_FILES,
  DONE_LARGE,
  DONE_LENGTH,
  type FaultyFile,
  STATE_FILE,
  STATE_LARGE,
  STATE_LINK,
} from "./digest.js";

/** What a file is for, as the messages name it. */
type FileRole = "input" | "product" | "tool" | "file";

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
 * regular file is ever opened, and nothing is followed. Throws `data` where it is missing, of
 * another kind, or changes while it is read; `io` where the system refuses; `permission` where Deno
 * does.
 */
export function hashFile(path: string, name: string, role: FileRole = "input"): RecordedFile {
  const outcome = digestFile(path, { isAlone: true });
  if (outcome.state === "file" || outcome.state === "symlink") {
    return { name, kind: outcome.state, size: outcome.size, sha256: outcome.sha256 };
  }
  if (outcome.state === "fault") throw toFileError(outcome, { path, name, role });
  throw new KprovError("fault", `Cannot read ${role} ${quote(name)}: it was left for later`);
}

/** Makes the error of a file that could not be digested. */
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
      return toReadError(toError(fault), action, { path, missing: "data" });
  }
}

/** The error that a call threw, perhaps in another thread. */
function toError({ name, code, message }: DigestFault & { readonly what: "refused" }): Error {
  const known: Readonly<Record<string, new (message: string) => Error>> = { ...Deno.errors };
  const error = new (known[name] ?? Error)(message);
  return Object.assign(error, code === null ? {} : { code });
}

/** Files larger than this are handed out last, by their size. */
const LARGE = 64 * 2 ** 10;

/**
 * The text that the worker runs, which imports nothing but built-in modules. Its types are checked
 * where it stands as modules and not again for every worker, so what names their module, which Deno
 * 2.8 would look for beside the text, is not part of it.
 */
const SCRIPT: string = [
  "// @ts-nocheck",
  ...[regularFile, sharedWork, digest].map((text) =>
    text.replace(/^(?:\/\/ @ts-check|import [^;]*"\.\.?\/[^"]*";|\/\*\* @import .*)$/gm, "")
  ),
].join("\n");

/** What the threads that digest files run. */
export const DIGEST_CODE: CrewCode<DigestJob, readonly FaultyFile[]> = {
  name: DIGEST_WORKER_NAME,
  url: new URL("./digest.js", import.meta.url),
  start: () =>
    new Worker(new URL("./digest.js", import.meta.url), {
      type: "module",
      name: DIGEST_WORKER_NAME,
    }),
  script: SCRIPT,
  doShare: digestShare,
};

/** Lays out a job in memory that threads can share. */
function makeJob(
  prefix: string,
  files: number,
  { threads, stopsAtFault, isWatched }: {
    readonly threads: number;
    readonly stopsAtFault: boolean;
    readonly isWatched: boolean;
  },
): DigestJob {
  return {
    ...makeSharedWork(files, threads),
    prefix,
    // One thread that nobody watches reads everything in order: it has nothing to share out, and nobody
    // wants to know how much there is.
    largest: threads > 1 || isWatched ? LARGE : Infinity,
    stopsAtFault,
    done: new Float64Array(new SharedArrayBuffer(8 * DONE_LENGTH * threads)),
    states: new Uint8Array(new SharedArrayBuffer(files)),
    sizes: new Float64Array(new SharedArrayBuffer(8 * files)),
    digests: new Uint8Array(new SharedArrayBuffer(64 * files)),
  };
}

/**
 * Finds the places of the files that were left for later, the largest first to the power of two.
 */
function orderLargeFiles({ states, sizes }: DigestJob): number[] {
  const bySize = new Map<number, number[]>();
  for (const [index, state] of states.entries()) {
    if (state !== STATE_LARGE) continue;
    const magnitude = Math.floor(Math.log2(sizes[index] ?? 0));
    const others = bySize.get(magnitude);
    if (others === undefined) bySize.set(magnitude, [index]);
    else others.push(index);
  }
  const magnitudes = [...bySize.keys()].sort((a, b) => b - a);
  return magnitudes.flatMap((magnitude) => bySize.get(magnitude) ?? []);
}

/** Says how far a job is; all bytes are null where it is not known how many. */
function describeWork({ done, states }: DigestJob, totalBytes: number | null): WorkDone {
  const sum = (place: number): number =>
    done.reduce((total, n, i) => i % DONE_LENGTH === place ? total + n : total, 0);
  return {
    files: sum(DONE_FILES),
    totalFiles: states.length,
    bytes: sum(DONE_BYTES),
    totalBytes,
    isMoreAhead: totalBytes === null && sum(DONE_LARGE) > 0,
  };
}

/** From what amount of work on another thread is worth its start. */
interface CrewPlan {
  /** As many small files. */
  readonly filesPerThread: number;
  /** As many bytes of large files. */
  readonly bytesPerThread: number;
  /** What the threads run. */
  readonly code: typeof DIGEST_CODE;
}

/** A worker takes about 20 ms to start, in which a thread reads 500 small files or 32 MB of a large one. */
const PLAN: CrewPlan = {
  filesPerThread: 2000,
  bytesPerThread: 64 * 2 ** 20,
  code: DIGEST_CODE,
};

/** The files to digest. */
interface FileList {
  /** The directory that the names are relative to, absolute. */
  readonly directory: string;
  /** Their names, in POSIX form. */
  readonly names: readonly string[];
  /** Where each of them stands, absolute, where that is not at its name in the directory. */
  readonly paths?: readonly string[];
}

/** How files are digested. */
interface DigestPlan extends Partial<CrewPlan> {
  /** How much of the machine it may take. */
  readonly effort: Effort;
  /** Whether nothing that comes behind a fault matters. */
  readonly stopsAtFault: boolean;
}

/** What came of digesting files. */
interface DigestedFiles {
  /** The job with the digests. */
  readonly job: DigestJob;
  /** Why some files have none, by their places. */
  readonly faults: ReadonlyMap<number, DigestFault>;
}

/**
 * Digests files on as many threads as they are worth. Small files are handed out first, one by one
 * in their order, then large ones, the largest first: two large files go to two threads, whatever
 * stands between them. Throws `fault` where a worker broke.
 */
async function digestFiles(
  { directory, names, paths }: FileList,
  { effort, stopsAtFault, ...changes }: DigestPlan,
): Promise<DigestedFiles> {
  const plan: CrewPlan = { ...PLAN, ...changes };
  const { stopped } = effort;
  // A main thread that must hear of a signal does not read, so that it takes one thread more.
  const fewest = stopped === undefined || names.length === 0 ? 0 : 1;
  const threads = Math.max(1, Math.min(effort.jobs, names.length)) + fewest;
  using crew = new Crew(plan.code);
  const places = paths ?? names;
  const prefix = paths !== undefined ? "" : /[\\/]$/.test(directory) ? directory : `${directory}/`;
  const job = makeJob(prefix, names.length, {
    threads,
    stopsAtFault,
    isWatched: effort.progress !== null,
  });
  const grow = (workers: number): void =>
    crew.grow(Math.min(threads - 1, Math.floor(workers) + fewest));
  const work = async (part: DigestJob, totalBytes: number | null): Promise<FaultyFile[]> => {
    const describe = (): WorkDone => describeWork(job, totalBytes);
    let ticks = 0;
    const onTick = (): void => {
      if (++ticks % BLOCK === 0) letGo();
      effort.progress?.tick(describe);
    };
    return (await crew.work(part, places, { onTick, stopped })).flat();
  };
  try {
    grow(names.length / plan.filesPerThread);
    let faults = await work(job, null);
    const large = orderLargeFiles(job);
    if (large.length > 0) {
      const bytes = large.reduce((sum, index) => sum + (job.sizes[index] ?? 0), 0);
      grow(Math.min(large.length - 1, bytes / plan.bytesPerThread));
      const later = { ...job, ...makeLaterWork(job, large), largest: Infinity };
      faults = faults.concat(await work(later, job.sizes.reduce((sum, size) => sum + size, 0)));
    }
    return { job, faults: new Map(faults.map(({ index, fault }) => [index, fault])) };
  } catch (error) {
    throw error instanceof BrokenWorker ? describeBroken(error, names) : error;
  } finally {
    effort.progress?.end();
  }
}

function describeBroken({ piece, message }: BrokenWorker, names: readonly string[]): KprovError {
  const name = names[piece];
  const place = name === undefined ? "between two files" : `while it read ${quote(name)}`;
  return new KprovError("fault", `kprov failed in a worker ${place}: ${escapeText(message)}`, {
    hint: "--jobs 1 needs no workers",
  });
}

/** How many digests are turned into text at once. */
const BLOCK = 1024;

/** What came of looking at files, by their places in the list. */
export interface SeenFiles {
  /** Why some have no record. */
  readonly faults: ReadonlyMap<number, DigestFault>;
  /** Makes the record of any other; asked in order, it costs least. */
  readonly recordAt: (index: number) => RecordedFile;
}

/** What files are hashed with. */
export interface HashOptions extends Partial<CrewPlan> {
  /** How much of the machine it may take. */
  readonly effort: Effort;
}

/**
 * Reads and digests files and links, on every core where that pays. What they are read by and in
 * which order does not show: the records stand in the order of the names, and of several faults the
 * first in that order is the one that is reported. Throws as {@linkcode hashFile} does.
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
    const path = files.paths?.[index] ?? join(files.directory, name);
    throw toFileError(fault, { path, name, role });
  }
  const recordAt = readRecords(files.names, job);
  return files.names.map((_, i) => recordAt(i));
}

/**
 * Looks at files and links as {@linkcode hashFiles} does, whatever some of them turn out to be. A
 * record is made when it is asked for, so that a million take no memory.
 */
export async function lookAtFiles(files: FileList, options: HashOptions): Promise<SeenFiles> {
  const { job, faults } = await digestFiles(files, { ...options, stopsAtFault: false });
  return { faults, recordAt: readRecords(files.names, job) };
}

/**
 * Makes what reads records out of a job that is done; in order, for it keeps a block of digests as
 * text.
 */
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
      checkMemory(`Cannot record ${names.length} files`);
      text = decoder.decode(digests.subarray(64 * start, 64 * (start + BLOCK)));
      textStart = start;
    }
    const sha256 = text.slice(64 * (index - start), 64 * (index - start + 1));
    const kind = state === STATE_FILE ? "file" : "symlink";
    return { name, kind, size: sizes[index] ?? 0, sha256 };
  };
}
