import { KprovError } from "../base/error.ts";
import { type Finding, makeFinding, sortFindings } from "../base/finding.ts";
import { DocumentMeter, type Progress } from "../base/progress.ts";
import { quote, showName } from "../base/quote.ts";
import { Lineage } from "../evidence/lineage.ts";
import { describeRun } from "../evidence/lineage_records.ts";
import type { Run } from "../evidence/documents.ts";
import { readRun, type RunReading } from "../evidence/verify.ts";
import { findRun, findRuns, gatherRun, measureRuns } from "../io/run_files.ts";

/**
 * Reads a run that is taken at its word, which only one that verifies is.
 *
 * @param given The run, as a command takes it
 * @param meter Who counts what is read
 * @throws {KprovError} `data` where it is not there, is a directory of runs or does not verify
 */
export function openRun(given: string, meter?: DocumentMeter): Run {
  const path = findRun(given);
  const gathered = gatherRun(path, meter);
  const { run, findings } = readRun(gathered);
  const all = [...gathered.faults, ...findings];
  const first = all.find(({ code }) => code === "document.old_form") ?? all[0];
  if (run !== null && first === undefined) return run;
  if (first?.code === "document.old_form") {
    throw new KprovError("data", `Cannot use run ${quote(path)}: ${first.message}`, {
      hint: first.hint ?? undefined,
    });
  }
  throw new KprovError(
    "data",
    `Cannot use run ${quote(path)}: it does not verify (${
      showName(first?.path ?? "")
    }: ${first?.code})`,
    { hint: "kprov verify lists everything that is wrong" },
  );
}

/** A run as it was found, whether or not it verifies. */
export interface FoundRun extends RunReading {
  /** The run directory. */
  readonly path: string;
  /** Its name. */
  readonly name: string;
}

/**
 * Reads a run for people to look at. Unlike {@linkcode openRun} it takes one that does not verify, with
 * what is wrong and with those documents that have their form.
 *
 * @param path The run directory
 * @param meter Who counts what is read
 * @throws {KprovError} `data` where it is not there, `io` where it cannot be read, `permission`
 */
export function readAnyRun(path: string, meter?: DocumentMeter): FoundRun {
  const gathered = gatherRun(path, meter);
  const reading = readRun(gathered);
  const findings: readonly Finding[] = sortFindings([...gathered.faults, ...reading.findings]);
  return { ...reading, path, name: gathered.name ?? path, findings };
}

/**
 * Reads runs one after the other, so that one alone is held at a time; one that the system does not
 * let be read is told as one that does not verify.
 *
 * @param paths The run directories
 * @param progress Who is told how far it is
 * @throws {KprovError} `permission`
 */
export function* readRuns(
  paths: readonly string[],
  progress: Progress | null,
): Generator<FoundRun> {
  using meter = new DocumentMeter(progress, measureRuns(paths));
  for (const path of paths) yield readWhateverStands(path, meter);
}

function readWhateverStands(path: string, meter: DocumentMeter): FoundRun {
  try {
    return readAnyRun(path, meter);
  } catch (error) {
    if (!(error instanceof KprovError) || (error.code !== "io" && error.code !== "data")) {
      throw error;
    }
    const findings = [makeFinding("run.unreadable", error.message)];
    return { path, name: path, run: null, documents: {}, digests: {}, findings };
  }
}

/** Runs, joined, with those that do not verify. */
export interface OpenedLineage {
  /** The runs. */
  readonly lineage: Lineage;
  /** The paths of those that do not verify, with the first thing that is wrong. */
  readonly broken: readonly { readonly path: string; readonly first: Finding }[];
}

/**
 * Joins runs.
 *
 * @param given Runs and directories of runs, as commands take them
 * @param options Who is told how far it is, and whether runs that do not verify take part
 * @throws {KprovError} `data` where there are none, `permission`
 */
export function openLineage(
  given: readonly string[],
  options: { readonly progress: Progress | null; readonly takesBroken: boolean },
): OpenedLineage {
  const lineage = new Lineage();
  const broken: { path: string; first: Finding }[] = [];
  const paths = [...new Set(given.flatMap((word) => findRuns(word)))];
  for (const found of readRuns(paths, options.progress)) {
    const [first] = found.findings;
    if (first !== undefined) broken.push({ path: found.path, first });
    if (first !== undefined && !options.takesBroken) continue;
    const { record, files } = describeRun(found.path, found);
    lineage.add(record, files);
  }
  return { lineage, broken };
}
