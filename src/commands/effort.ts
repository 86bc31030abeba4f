import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import type { Host } from "../system/host.ts";
import type { Effort } from "../system/progress.ts";
import { showProgress } from "../write/progress_line.ts";
import type { Flag, ParsedFlags } from "./command.ts";

/** `--jobs`, of every command that reads files. */
export const JOBS_FLAG: Flag = {
  name: "jobs",
  value: "N",
  summary: "Read with at most N threads (default: one for every core); the result is the same",
};

/**
 * Reads how much of the machine a command may take for reading files, and who sees how far it is: a
 * terminal that messages go to, unless `--quiet` is given.
 *
 * @param flags The flags
 * @param host The process
 * @throws {KprovError} `usage` where `--jobs` is no number of threads
 */
export function readEffort(flags: ParsedFlags, host: Host): Effort {
  const width = flags.has("quiet") ? null : host.messageWidth();
  return {
    jobs: readJobs(flags.value("jobs")),
    progress: width === null ? null : showProgress({
      write: host.writeStderr,
      now: () => performance.now(),
      width,
    }),
  };
}

function readJobs(text: string | null): number {
  if (text === null) return navigator.hardwareConcurrency;
  if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text);
  throw new KprovError(
    "usage",
    `Cannot use --jobs ${quote(text)}: expected a whole number from 1 on`,
  );
}
