import { KprovError } from "../base/error.ts";
import type { Effort } from "../base/progress.ts";
import { quote } from "../base/quote.ts";
import { formatUtcSecond, parseUtcSecond } from "../evidence/run_summary.ts";
import type { Host } from "../io/host.ts";
import { resolveRoot } from "../io/paths.ts";
import { gatherPolicy } from "../io/policy_file.ts";
import { showProgress } from "../show/progress_line.ts";
import { toPosixPath } from "../show/text.ts";
import type { Flag, ParsedFlags } from "./command.ts";

/** `--at`, as every command that records a time takes it. */
export const AT_FLAG: Flag = {
  name: "at",
  value: "TIME",
  summary: "The time to record, such as 2026-02-15T20:13:00Z",
};

/** `--format`, where a command prints text or JSON. */
export const FORMAT_FLAG: Flag = {
  name: "format",
  value: "FORMAT",
  choices: ["text", "json"],
  summary: "text (default) or json",
};

/**
 * Reads the value of `--format`.
 *
 * @param text As given, or null
 * @throws {KprovError} `usage` on any other
 */
export function readFormat(text: string | null): "text" | "json" {
  return readChoice("format", text, ["text", "json"]);
}

/**
 * Reads the value of a flag that takes one of some words.
 *
 * @param name The flag
 * @param text As given; null where it is not, which is the first of the words
 * @param choices The words
 * @throws {KprovError} `usage` on any other
 */
export function readChoice<T extends string>(
  name: string,
  text: string | null,
  choices: readonly [T, ...T[]],
): T {
  if (text === null) return choices[0];
  const choice = choices.find((known) => known === text);
  if (choice !== undefined) return choice;
  const last = choices.at(-1);
  throw new KprovError(
    "usage",
    `Cannot use --${name} ${quote(text)}: expected ${choices.slice(0, -1).join(", ")} or ${last}`,
  );
}

/**
 * The time to record: as told, else as SOURCE_DATE_EPOCH tells (reproducible-builds.org), else now.
 *
 * @param at The value of `--at`, or null
 * @param host The process
 * @returns A UTC second
 * @throws {KprovError} `usage` where what tells it is no time
 */
export function readTime(at: string | null, host: Host): string {
  if (at !== null) {
    const time = parseUtcSecond(at);
    if (time !== null) return time;
    throw new KprovError(
      "usage",
      `Cannot use --at ${quote(at)}: expected a UTC second that exists`,
      {
        hint: "such as 2026-02-15T20:13:00Z",
      },
    );
  }
  const epoch = host.readEnv("SOURCE_DATE_EPOCH");
  if (epoch === null) return formatUtcSecond(host.now());
  // 253402300799 is the last second of the year 9999.
  if (/^[0-9]{1,12}$/.test(epoch) && Number(epoch) <= 253402300799) {
    return formatUtcSecond(new Date(Number(epoch) * 1000));
  }
  throw new KprovError(
    "usage",
    `Cannot use SOURCE_DATE_EPOCH ${quote(epoch)}: expected seconds since 1970`,
  );
}

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

/** `--require`, of every command that judges runs. */
export const REQUIRE_FLAG: Flag = {
  name: "require",
  value: "WHAT",
  choices: ["completed", "approved"],
  isRepeatable: true,
  summary:
    "completed: the command ended with 0; approved: as many people as the policy asks approve",
};

/** What `--require` demands. */
export interface Requirements {
  /** Whether the command must have ended with 0. */
  readonly isCompleted: boolean;
  /** How many people must approve; 0 where nobody needs to. */
  readonly approvals: number;
}

/**
 * Reads what `--require` demands; how many approvals that are is the policy's to say.
 *
 * @param flags The flags
 * @param root Where the policy is
 * @throws {KprovError} `usage` on another word, `policy` where the policy cannot be used
 */
export async function readRequirements(flags: ParsedFlags, root: string): Promise<Requirements> {
  const words = flags.values("require");
  const unknown = words.find((word) => word !== "completed" && word !== "approved");
  if (unknown !== undefined) {
    throw new KprovError(
      "usage",
      `Cannot use --require ${quote(unknown)}: expected completed or approved`,
    );
  }
  const isCompleted = words.includes("completed");
  if (!words.includes("approved")) return { isCompleted, approvals: 0 };
  const policy = await gatherPolicy(resolveRoot(root));
  return { isCompleted, approvals: policy?.policy.review?.approvals ?? 1 };
}

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

/**
 * The name that runs give to a path in the working directory: without `./` before it and `/` behind it.
 *
 * @param given As it was given; only the last part of a path that leads elsewhere counts
 */
export function nameGiven(given: string): string {
  const name = toPosixPath(given).replace(/^(?:\.\/+)+|\/+$/g, "") || ".";
  const leadsAway = /^(?:\/|[A-Za-z]:)|(?:^|\/)\.\.(?:\/|$)/.test(name);
  return leadsAway ? name.slice(name.lastIndexOf("/") + 1) : name;
}
