import { listCanonicalPieces } from "../canonical_json.ts";
import { DOCUMENT_LIMITS } from "../evidence/document_limits.ts";
import {
  DOCUMENT_NAMES,
  type DocumentMaker,
  type DocumentName,
  type MadeDocument,
} from "../evidence/documents.ts";
import { SHARD_HINT } from "../evidence/limits.ts";
import { formatRunId } from "../evidence/run_id.ts";
import { describeSystemError, systemCode, toKprovError } from "../system/os_error.ts";
import { isPermitted, permissionFlag } from "../system/permissions.ts";
import { DocumentMeter, type DocumentTotals, type Progress } from "../system/progress.ts";
import { deferSignals, type SignalWatch } from "../system/signals.ts";
import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import { createSha256 } from "../sha256.ts";
import { dirname, join } from "../std.ts";
import { syncDirectory, writeText } from "./synced.ts";

/** More runs in one second than this is a loop gone wild. */
const MOST_RUNS_IN_A_SECOND = 100_000;

/** How large they become shows only when they are written. */
const DOCUMENTS: DocumentTotals = { documents: DOCUMENT_NAMES.length, bytes: null };

/** Where a run goes. */
export interface RunTarget {
  /** The output directory; it is made where it does not exist. */
  readonly out: string;
  /** The second that names the run. */
  readonly createdAt: string;
  /** Who is told how far the writing is. */
  readonly progress?: Progress | null;
}

/** A run directory that stands. */
export interface WrittenRun {
  /** Its name. */
  readonly runId: string;
  /** Its path: the output directory as given, and the name. */
  readonly path: string;
}

/**
 * Writes a run directory whole or not at all. The documents are written and synced in a temporary
 * directory beside the target, which is then renamed. The temporary directory is named after the
 * run: making it is what reserves the name, since of several writers only one can make it, and a
 * rename alone would silently replace an empty directory.
 *
 * @param target Where it goes
 * @param makeDocuments Makes the documents once the run's name is known
 * @throws {KprovError} `cannot_create` where the output directory cannot be used, `io` where
 * writing fails, `data` where a document is larger than is supported; nothing is left behind
 * @throws {Interruption} where a signal came; the run then stands, or nothing is left behind
 */
export async function writeRunDirectory(
  target: RunTarget,
  makeDocuments: (runId: string) => DocumentMaker<unknown>,
): Promise<WrittenRun> {
  return await deferSignals(async (signals) => {
    makeOutputDirectory(target.out);
    const { runId, temporary } = reserveName(target);
    const path = join(target.out, runId);
    try {
      using meter = new DocumentMeter(target.progress ?? null, DOCUMENTS);
      await writeDocuments(makeDocuments(runId), { directory: temporary, meter, signals });
      syncDirectory(temporary);
      await signals.turn();
      Deno.renameSync(temporary, path);
    } catch (error) {
      removeTemporary(temporary);
      throw toKprovError(error, `Cannot write run ${quote(path)}`, {
        refused: "io",
        flag: permissionFlag("write", target.out),
      });
    }
    syncOutput(target.out, path);
    return { runId, path };
  });
}

/**
 * Makes sure that a run can be written, before a command is started that it is to tell of. What is
 * made for that is removed again.
 *
 * @param target Where the run is to go
 * @param taken The signals that wait meanwhile, where they are not all
 * @throws {KprovError} `cannot_create` where the output directory cannot be used
 * @throws {Interruption} where a signal came
 */
export async function probeOutput(
  target: RunTarget,
  taken?: readonly Deno.Signal[],
): Promise<void> {
  await deferSignals(async (signals) => {
    const made = listMissing(target.out);
    makeOutputDirectory(target.out);
    try {
      removeTemporary(reserveName(target).temporary);
    } finally {
      made.forEach(removeEmpty);
    }
    await signals.settle();
  }, taken);
}

/** The directories that it takes to make one, the innermost first. */
function listMissing(path: string): string[] {
  if (isMissingDirectory(path)) return [path, ...listMissing(dirname(path))];
  return [];
}

function isMissingDirectory(path: string): boolean {
  try {
    if (isPermitted("read", path)) Deno.lstatSync(path);
    return false;
  } catch (error) {
    return systemCode(error) === "ENOENT";
  }
}

function removeEmpty(path: string): void {
  if (!isPermitted("write", path)) return;
  try {
    Deno.removeSync(path);
  } catch {
    // Somebody else uses it by now.
  }
}

function makeOutputDirectory(out: string): void {
  try {
    Deno.mkdirSync(out, { recursive: true });
  } catch (error) {
    if (systemCode(error) === "EEXIST") {
      throw new KprovError(
        "cannot_create",
        `Cannot create a run in ${quote(out)}: it is not a directory`,
      );
    }
    throw refuseOutput(out, error);
  }
}

function reserveName(target: RunTarget): { readonly runId: string; readonly temporary: string } {
  for (let ordinal = 1; ordinal <= MOST_RUNS_IN_A_SECOND; ordinal++) {
    const runId = formatRunId(target.createdAt, ordinal);
    const temporary = join(target.out, `.${runId}.tmp`);
    if (exists(join(target.out, runId), target.out) || !makeTemporary(temporary, target.out)) {
      continue;
    }
    // Another writer may have finished this name between the look and the reservation; nobody can after it.
    if (!exists(join(target.out, runId), target.out)) return { runId, temporary };
    removeTemporary(temporary);
  }
  throw new KprovError(
    "cannot_create",
    `Cannot create a run in ${quote(target.out)}: every name is taken`,
  );
}

function exists(path: string, out: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw refuseOutput(out, error);
  }
}

function makeTemporary(path: string, out: string): boolean {
  try {
    Deno.mkdirSync(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw refuseOutput(out, error);
  }
}

/** Where documents are written, and who counts and who may stop it. */
interface Writing {
  readonly directory: string;
  readonly meter: DocumentMeter;
  readonly signals: SignalWatch;
}

async function writeDocuments(maker: DocumentMaker<unknown>, writing: Writing): Promise<void> {
  for (let step = maker.next(); !step.done;) {
    step = maker.next(await writeDocument(step.value, writing));
  }
}

/** Renders, writes and digests a document in one pass, so that it never is in memory as a whole. */
async function writeDocument(
  { name, value }: MadeDocument,
  { directory, meter, signals }: Writing,
): Promise<string> {
  const hash = createSha256();
  let room = DOCUMENT_LIMITS[name].maxBytes;
  using file = Deno.openSync(join(directory, name), { write: true, createNew: true });
  for (const piece of listCanonicalPieces(value)) {
    writeText(file, piece, (bytes) => {
      room -= bytes.length;
      if (room < 0) throw refuseSize(name);
      hash.update(bytes);
      meter.add(bytes.length);
    });
    if (signals.isTurnDue) await signals.turn();
  }
  file.syncSync();
  meter.endDocument();
  return hash.digest("hex");
}

function refuseSize(name: DocumentName): KprovError {
  const { maxBytes } = DOCUMENT_LIMITS[name];
  return new KprovError("data", `Cannot write ${name}: it is larger than ${maxBytes} bytes`, {
    hint: SHARD_HINT,
  });
}

function syncOutput(out: string, run: string): void {
  try {
    syncDirectory(out);
  } catch (error) {
    throw new KprovError("io", `Cannot sync ${quote(out)}: ${describeSystemError(error)}`, {
      hint: `the run ${quote(run)} is whole, but may not survive a power failure`,
      cause: error,
    });
  }
}

function removeTemporary(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch {
    // The error that led here is the one to report; the name tells a reader that this is no run.
  }
}

function refuseOutput(out: string, error: unknown): KprovError {
  return toKprovError(error, `Cannot create a run in ${quote(out)}`, {
    refused: "cannot_create",
    flag: permissionFlag("write", out),
  });
}
