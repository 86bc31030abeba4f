import { readRun } from "../evidence/verify_run.ts";
import { sortFindings } from "../finding.ts";
import { gatherRun } from "../gather/run_files.ts";
import type { ReportedRun } from "../write/report/reported_run.ts";

/**
 * Reads a run for people to look at. Unlike `openRun()` it takes one that does not verify, with what
 * is wrong and with those documents that have their form.
 *
 * @param path The run directory
 * @throws {KprovError} `data` where it is not there, `io` where it cannot be read
 */
export function readReportedRun(path: string): ReportedRun {
  const gathered = gatherRun(path);
  const { findings, ...parts } = readRun(gathered);
  return {
    name: gathered.name ?? path,
    findings: sortFindings([...gathered.faults, ...findings]),
    ...parts,
  };
}
