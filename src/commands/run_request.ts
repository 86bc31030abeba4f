import { KprovError } from "../kprov_error.ts";
import type { Host } from "../system/host.ts";
import type { Effort } from "../system/progress.ts";
import type { Flag, ParsedFlags } from "./command.ts";
import { readEffort } from "./effort.ts";
import { readFormat, readTime } from "./read_options.ts";

/** `--out`, of every command that writes a run. */
export const OUT_FLAG: Flag = {
  name: "out",
  value: "DIR",
  summary: "Where the run directory goes (default: runs)",
};

/** `--root`, of every command that names files. */
export const ROOT_FLAG: Flag = {
  name: "root",
  value: "DIR",
  summary: "What names are relative to (default: the working directory)",
};

/** `--exclude`, of every command that reads inputs. */
export const EXCLUDE_FLAG: Flag = {
  name: "exclude",
  value: "GLOB",
  isRepeatable: true,
  summary: "Leave out of directories what matches; a glob without / matches at any depth",
};

/** `--products`, of every command that reads what a command made. */
export const PRODUCTS_FLAG: Flag = {
  name: "products",
  value: "PATH",
  isRepeatable: true,
  summary: "A file or directory that the command makes",
};

/** `--quiet`, of every command that writes a run. */
export const QUIET_FLAG: Flag = {
  name: "quiet",
  summary: "Print nothing but errors and the JSON that --format json asks for",
};

/** `--result`, of every command that writes a run. */
export const RESULT_FLAG: Flag = {
  name: "result",
  value: "FILE",
  summary: "Write the result to FILE, as JSON, and not to standard output",
};

/** Where a run goes, and how its result is told. */
export interface OutputRequest {
  /** The root, as given. */
  readonly root: string;
  /** The output directory, as given. */
  readonly out: string;
  /** The time to record. */
  readonly createdAt: string;
  /** How the result is printed. */
  readonly format: "text" | "json";
  /** Whether text is not printed. */
  readonly isQuiet: boolean;
  /** The file that takes the result in place of standard output, or null. */
  readonly result: string | null;
  /** How much of the machine reading may take. */
  readonly effort: Effort;
}

/**
 * Reads the flags that every command that writes a run has.
 *
 * @param flags The flags
 * @param host The process
 * @throws {KprovError} `usage`
 */
export function readOutputRequest(flags: ParsedFlags, host: Host): OutputRequest {
  return {
    root: flags.value("root") ?? ".",
    out: flags.value("out") ?? "runs",
    createdAt: readTime(flags.value("at"), host),
    format: readFormat(flags.value("format")),
    isQuiet: flags.has("quiet"),
    result: flags.value("result"),
    effort: readEffort(flags, host),
  };
}

/**
 * Refuses flags that a form of a command has no use for.
 *
 * @param flags The flags
 * @param names Which ones
 * @param reason What they need, such as `it needs a command`
 * @throws {KprovError} `usage`
 */
export function refuseFlags(flags: ParsedFlags, names: readonly string[], reason: string): void {
  const given = names.find((name) => flags.values(name).length > 0 || flags.has(name));
  if (given !== undefined) throw new KprovError("usage", `Cannot use --${given}: ${reason}`);
}
