import { KprovError } from "../base/error.ts";
import { type Finding, makeFinding } from "../base/finding.ts";
import type { DocumentMeter, DocumentTotals } from "../base/progress.ts";
import { quote } from "../base/quote.ts";
import { basename, join } from "../base/std.ts";
import { compareUtf8 } from "../base/utf8_order.ts";
import {
  DOCUMENT_LIMITS,
  DOCUMENT_NAMES,
  type DocumentBytes,
  type DocumentName,
  type RunFiles,
} from "../evidence/run.ts";
import { describeSystemError, isMissing, toKprovError } from "./os_error.ts";
import { permissionFlag, requirePermission } from "./permissions.ts";
import { lookAtFile, readPieces } from "./read_file.ts";

/** A run directory as it stands on the disk. */
interface GatheredRun extends RunFiles {
  /** Its path as given, or as found in a directory of runs. */
  readonly path: string;
  /** What is wrong with its files before anything in them is read. */
  readonly faults: readonly Finding[];
}

/**
 * Finds the runs that a path names: the run itself, or every run in a directory of runs.
 *
 * @param given A path
 * @returns Paths of run directories, sorted
 * @throws {KprovError} `data` where there is no run, `permission` where Deno does not let it be read
 */
export function findRuns(given: string): string[] {
  requirePermission("read", given);
  const entries = listEntries(given);
  const documents: readonly string[] = DOCUMENT_NAMES;
  if (entries.some(({ name }) => documents.includes(name))) return [given];
  const runs = entries.filter(({ name, isDirectory }) =>
    isDirectory && /^[0-9]{4}-.*Z(-[0-9]+)?$/.test(name)
  );
  if (runs.length > 0) {
    return runs.map(({ name }) => join(given, name)).sort(compareUtf8);
  }
  throw new KprovError(
    "data",
    `Cannot find a run in ${quote(given)}: it holds neither documents nor runs`,
  );
}

/**
 * Looks at a run directory. Its documents are opened when they are read, which is possible once; only
 * regular files are, and none that is larger than its kind may be.
 *
 * @param path The directory
 * @param meter Who counts what is read of its documents
 * @throws {KprovError} `data` where it is not there, `io` where it cannot be read
 */
export function gatherRun(path: string, meter?: DocumentMeter): GatheredRun {
  requirePermission("read", path);
  const files = new Map<string, DocumentBytes>();
  const faults: Finding[] = [];
  const documents: readonly string[] = DOCUMENT_NAMES;
  for (const { name } of listEntries(path)) {
    const bytes = documents.includes(name)
      ? openDocument(join(path, name), DOCUMENT_LIMITS[name as DocumentName].maxBytes)
      : new Uint8Array();
    if (typeof bytes === "string") {
      faults.push(makeFinding("document.malformed", bytes, { path: name }));
    } else files.set(name, meter === undefined ? bytes : countPieces(bytes, meter));
  }
  return { path, name: basename(Deno.realPathSync(path)), files, faults };
}

/** Counts what is read of a document while it is read. */
function* countPieces(bytes: DocumentBytes, meter: DocumentMeter): Generator<Uint8Array> {
  for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) {
    yield piece;
    meter.add(piece.length);
  }
  meter.endDocument();
}

/**
 * Adds up what there is to read in runs.
 *
 * @param paths Run directories
 * @returns How many documents a run has, and the bytes of those that are there
 */
export function measureRuns(paths: readonly string[]): DocumentTotals {
  const sizes = paths.flatMap((path) =>
    DOCUMENT_NAMES.map((name) => measureFile(join(path, name)))
  );
  return { documents: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

/** What is not there, or cannot be looked at, is told when it is read. */
function measureFile(path: string): number {
  try {
    return Deno.lstatSync(path).size;
  } catch {
    return 0;
  }
}

function listEntries(path: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(path)];
  } catch (error) {
    throw toKprovError(error, `Cannot read run ${quote(path)}`, {
      missing: "data",
      refused: "io",
      flag: permissionFlag("read", path),
    });
  }
}

/** The file's bytes, or in words why they are not read. */
function openDocument(path: string, maxBytes: number): DocumentBytes | string {
  try {
    const before = lookAtFile(path);
    return typeof before === "string" ? before : readPieces(path, before, maxBytes);
  } catch (error) {
    if (isMissing(error)) return "it vanished while it was read";
    if (error instanceof Deno.errors.NotCapable) {
      throw toKprovError(error, `Cannot read ${quote(path)}`, {
        refused: "io",
        flag: permissionFlag("read", path),
      });
    }
    return `it cannot be read: ${describeSystemError(error)}`;
  }
}
