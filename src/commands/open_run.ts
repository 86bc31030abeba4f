import { KprovError } from "../base/error.ts";
import type { DocumentMeter } from "../base/progress.ts";
import { escapeText, quote } from "../base/quote.ts";
import type { Run } from "../evidence/run.ts";
import { readRun } from "../evidence/verify.ts";
import { gatherRun } from "../io/run_files.ts";

/**
 * Reads a run that is taken at its word, which only one that verifies is.
 *
 * @param path The run directory
 * @param meter Who counts what is read
 * @throws {KprovError} `data` where it is not there or does not verify
 */
export function openRun(path: string, meter?: DocumentMeter): Run {
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
      escapeText(first?.path ?? "")
    }: ${first?.code})`,
    { hint: "kprov verify lists everything that is wrong" },
  );
}
