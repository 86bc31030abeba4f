import { KprovError } from "../base/error.ts";
import type { Effort } from "../base/progress.ts";
import { quote } from "../base/quote.ts";
import { dirname, join, toPosixPath } from "../base/std.ts";
import { MOST_SHARDS, parseShard, type Shard } from "../evidence/provenance.ts";
import { formatUtcSecond, parseUtcSecond } from "../evidence/run_summary.ts";
import { gatherExclusions, type GivenExclusions } from "../io/exclusions.ts";
import type { Host } from "../io/host.ts";
import type { LinkReading } from "../io/list_directory.ts";
import {
  describeLinkBelow,
  isAbsent,
  resolveProduct,
  resolveRoot,
  type Root,
} from "../io/paths.ts";
import { isMissing, isPermitted } from "../io/permissions.ts";
import { findRepositoryRoot, gatherPolicy, POLICY_NAME, refusePolicy } from "../io/policy_file.ts";
import { readNameList } from "../io/read_file.ts";
import { isNamedAtHome, RUNS } from "../io/run_directory.ts";
import { showProgress } from "../show/text.ts";
import type { RunResult } from "../show/results.ts";
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

/** Reads the value of `--format`. Throws `usage` on any other. */
export function readFormat(text: string | null): "text" | "json" {
  return readChoice("format", text, ["text", "json"]);
}

/** Reads the flag that takes one of some words, by default the first. Throws `usage` on any other. */
export function readChoice<T extends string>(
  name: string,
  text: string | null,
  choices: readonly [T, ...T[]],
  options: { readonly hint?: string } = {},
): T {
  if (text === null) return choices[0];
  const choice = choices.find((known) => known === text);
  if (choice !== undefined) return choice;
  const words = [choices.slice(0, -1).join(", "), choices.at(-1)].filter((part) => part !== "");
  throw new KprovError(
    "usage",
    `Cannot use --${name} ${quote(text)}: expected ${words.join(" or ")}`,
    options,
  );
}

/**
 * The time to record: as told, else as SOURCE_DATE_EPOCH tells (reproducible-builds.org), else now.
 * Throws `usage` where what tells it is no time.
 */
export function readTime(at: string | null, host: Host): string {
  if (at !== null) {
    const time = parseUtcSecond(at);
    if (time !== null) return time;
    throw new KprovError(
      "usage",
      `Cannot use --at ${quote(at)}: expected UTC like 2026-02-15T20:13:00Z`,
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
const JOBS_FLAG: Flag = {
  name: "jobs",
  value: "N",
  summary: "Read with at most N threads (default: one for every core); the result is the same",
};

/**
 * Reads how much of the machine a command may take for reading files, and who sees how far it is: a
 * terminal that messages go to, unless `--quiet` is given. Throws `usage` where `--jobs` is no
 * number of threads.
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
 * Reads what `--require` demands; how many approvals that are is the policy's to say. Throws
 * `usage` on another word, `policy` where the policy cannot be used.
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
  short: "o",
  value: "DIR",
  summary: "Where the run directory goes (default: the policy's /run/out, or runs)",
};

/** `--root`, of every command that names files. */
export const ROOT_FLAG: Flag = {
  name: "root",
  value: "DIR",
  summary: "The directory that recorded paths start from (default: the working directory)",
};

/** `--root`, of every command that looks at a repository. */
export const REPOSITORY_FLAG: Flag = {
  ...ROOT_FLAG,
  summary: "The repository (default: where the policy is, looking upward, or git's top level)",
};

/**
 * Reads which repository a command looks at, and tells where it is not the working directory.
 * Throws `permission`, `data` or `io` where the root cannot be used.
 */
export function openRepositoryRoot(flags: ParsedFlags, host: Host): Root {
  const given = flags.value("root");
  if (given !== null) return resolveRoot(given);
  const { root, note } = findRepositoryRoot();
  if (note !== null && !flags.has("quiet")) host.writeStderr(`note: ${note}\n`);
  return root;
}

/** `--base-lock`, of every command that holds the lock against an earlier one. */
export const BASE_LOCK_FLAG: Flag = {
  name: "base-lock",
  value: "FILE",
  summary: "The governance lock as the base branch has it",
};

/** What goes into a run, as the command line says it. */
export interface GivenInputs {
  /** Files and directories. */
  readonly inputs: readonly string[];
  /** What is left out of directories. */
  readonly exclusions: GivenExclusions;
  /** What is done with links. */
  readonly links: LinkReading;
}

/**
 * Reads what goes into a run. Throws `usage` on flags that contradict each other or a malformed
 * glob; `data`, `io` or `permission` where a list cannot be read.
 */
export function readGivenInputs(
  inputs: readonly string[],
  flags: ParsedFlags,
  defaults: ProjectDefaults,
): GivenInputs {
  if (flags.has("follow") && flags.has("links")) {
    throw new KprovError("usage", "Cannot use --follow with --links: choose one of them");
  }
  const exclusions = gatherExclusions(
    flags.values("exclude"),
    flags.values("exclude-from"),
    defaults.exclude,
  );
  const list = flags.value("inputs-from");
  return {
    inputs: list === null ? inputs : [...inputs, ...readNameList(list)],
    exclusions,
    links: flags.has("follow") ? "follow" : flags.has("links") ? "links" : "none",
  };
}

/** What holds for the runs of a project where the command line says nothing else. */
interface ProjectDefaults {
  /** Where run directories go, and are. */
  readonly out: string;
  /** What is left out of directories. */
  readonly exclude: readonly string[];
  /** What commands make. */
  readonly products: readonly string[];
}

/**
 * Reads the defaults of a project from the policy in its root. Where kprov may not read a policy
 * there, what needs it says so later. Throws `policy` where there is one that cannot be used;
 * `data` or `io` where the root cannot.
 */
export async function readProjectDefaults(given: string | null): Promise<ProjectDefaults> {
  const root = given ?? ".";
  const isReadable = [root, join(root, POLICY_NAME)].every((path) => isPermitted("read", path));
  const section = isReadable ? (await gatherPolicy(resolveRoot(root)))?.policy.run ?? {} : {};
  const { exclude = [], products = [] } = section;
  const out = section.out === undefined ? RUNS : join(root, section.out);
  const link = section.out === undefined ? null : describeLinkBelow(out, resolveRoot(root));
  if (link !== null) throw refusePolicy(POLICY_NAME, `its /run/out cannot be used: ${link}`);
  return { out, exclude, products: products.map((path) => join(root, path)) };
}

/**
 * Tells where the runs of a project are, for the words by which a command is given runs; none means
 * the runs of the project. Throws as {@linkcode readProjectDefaults} does, where the words need it.
 */
export async function readRunsHome(words: readonly string[]): Promise<string> {
  const isNeeded = words.length === 0 || words.some(isNamedAtHome);
  return isNeeded ? (await readProjectDefaults(null)).out : RUNS;
}

/** The products that are given, or else those of the project. */
export function readProducts(flags: ParsedFlags, defaults: ProjectDefaults): readonly string[] {
  const given = flags.values("products");
  return given.length > 0 ? given : defaults.products;
}

/** `--products`, of every command that reads what a command made. */
export const PRODUCTS_FLAG: Flag = {
  name: "products",
  value: "PATH",
  isRepeatable: true,
  summary: "A file or directory that the command makes (default: the policy's /run/products)",
};

/** The flags of every command that looks at what a pipeline runs on. */
export const TOOL_FLAGS: readonly Flag[] = [
  {
    name: "tool",
    value: "NAME",
    isRepeatable: true,
    summary: "Another program that the command uses: its name in PATH, or its path",
  },
  {
    name: "no-packages",
    summary: "Record runtimes without the packages that are installed for them",
  },
];

/** Reads `--tool` and `--no-packages`. */
export function readToolchainFlags(
  flags: ParsedFlags,
): { readonly tools: readonly string[]; readonly wantsPackages: boolean } {
  return { tools: flags.values("tool"), wantsPackages: !flags.has("no-packages") };
}

/** `--quiet`, of every command that writes something. */
export const QUIET_FLAG: Flag = {
  name: "quiet",
  short: "q",
  summary: "Print nothing but errors and the JSON that --format json asks for",
};

/** `--quiet`, of every command whose result is what it is called for. */
export const NO_PROGRESS_FLAG: Flag = { ...QUIET_FLAG, summary: "Show no progress and no notes" };

/** The flags of every command that reads what runs name, and tells what it found. */
export const READING_FLAGS: readonly Flag[] = [FORMAT_FLAG, JOBS_FLAG, NO_PROGRESS_FLAG];

/** `--quiet`, of every command that checks a repository. */
export const FAILURES_FLAG: Flag = {
  ...QUIET_FLAG,
  summary: "Print nothing if nothing fails, and no notes",
};

/** `--format`, of a command that prints a document. */
export const DOCUMENT_FORMAT_FLAG: Flag = {
  name: "format",
  value: "FORMAT",
  choices: ["json"],
  summary: "json (the only format)",
};

/** Reads the value of `--format` where there is no other than JSON. Throws `usage` on any other. */
export function checkDocumentFormat(flags: ParsedFlags): void {
  readChoice("format", flags.value("format"), ["json"]);
}

/** `--result`, of every command that writes a run. */
export const RESULT_FLAG: Flag = {
  name: "result",
  value: "FILE",
  summary: "Write the result to FILE, as JSON, and not to standard output",
};

/** The flags of every command that records inputs: what goes in, and how the run is told. */
export const RECORDING_FLAGS: readonly Flag[] = [
  {
    name: "inputs-from",
    value: "FILE",
    takesDash: true,
    summary:
      "Read more inputs from FILE, or - for standard input: one on each line, or separated by NUL",
  },
  {
    name: "exclude",
    value: "GLOB",
    isRepeatable: true,
    summary:
      "Leave out of directories everything that GLOB matches, as in .gitignore; the policy's " +
      "/run/exclude comes first",
  },
  {
    name: "exclude-from",
    value: "FILE",
    isRepeatable: true,
    summary: "The same for each line of FILE, such as .gitignore",
  },
  {
    name: "follow",
    summary: "Record the content behind symbolic links, under the names of the links",
  },
  {
    name: "links",
    summary: "Record symbolic links as links, even those named as inputs",
  },
  AT_FLAG,
  FORMAT_FLAG,
  JOBS_FLAG,
  QUIET_FLAG,
  RESULT_FLAG,
];

/** Where a run goes, and how its result is told. */
export interface OutputRequest {
  /** The root, as given. */
  readonly root: string;
  /** The output directory, as given. */
  readonly out: string;
  /** The time to record. */
  readonly createdAt: string;
  /** Whether somebody gave that time; else it is the clock's. */
  readonly isTimeGiven: boolean;
  /** How the result is printed. */
  readonly format: "text" | "json";
  /** Whether text is not printed. */
  readonly isQuiet: boolean;
  /** The file that takes the result in place of standard output, or null. */
  readonly result: string | null;
  /** How much of the machine reading may take. */
  readonly effort: Effort;
  /** Takes the result in place of all that, where the run is not the command line's. */
  readonly tell?: (result: RunResult) => void;
}

/** Reads the flags that every command that writes a run has. Throws `usage`. */
export function readOutputRequest(
  flags: ParsedFlags,
  host: Host,
  defaults: ProjectDefaults,
): OutputRequest {
  const at = flags.value("at");
  return {
    root: flags.value("root") ?? ".",
    out: flags.value("out") ?? defaults.out,
    createdAt: readTime(at, host),
    isTimeGiven: at !== null || host.readEnv("SOURCE_DATE_EPOCH") !== null,
    format: readFormat(flags.value("format")),
    isQuiet: flags.has("quiet"),
    result: flags.value("result"),
    effort: readEffort(flags, host),
  };
}

/** Refuses flags that a form of a command has no use for: `usage`, with what they need. */
export function refuseFlags(flags: ParsedFlags, names: readonly string[], reason: string): void {
  const given = names.find((name) => flags.values(name).length > 0 || flags.has(name));
  if (given !== undefined) throw new KprovError("usage", `Cannot use --${given}: ${reason}`);
}

/** What to do where a shell, or a habit, gave a flag more values than it takes, by the flag. */
const MORE_VALUES: Readonly<Record<string, string>> = {
  exclude:
    "--exclude takes one glob: keep the shell from expanding it by quoting it, as in '*.tmp'",
  products: "--products takes one path: give it once for each, or name their directory",
};

/**
 * Refuses inputs that are most likely more values of a flag: they stand right behind one that is
 * much like them, and the inputs stand before it, as where a shell expands `--products out/*.csv`.
 * Throws `usage`.
 */
export function refuseExpansion(flags: ParsedFlags): void {
  for (const [name, hint] of Object.entries(MORE_VALUES)) {
    for (const { value, words, isAfterOthers } of flags.behind(name)) {
      const word = words.find((candidate) => isMuchLike(candidate, value));
      if (word === undefined || !isAfterOthers) continue;
      throw new KprovError(
        "usage",
        `Cannot use input ${quote(word)}: it follows --${name} ${
          quote(value)
        }, as if it were another`,
        { hint: `${hint}; inputs go first` },
      );
    }
  }
}

/** Whether one glob with a `*` before an ending could have matched both. */
function isMuchLike(one: string, other: string): boolean {
  const ending = extname(one);
  return dirname(one) === dirname(other) && ending !== "" && ending === extname(other);
}

function extname(path: string): string {
  return /[^/]\.([^./]+)$/.exec(path)?.[1] ?? "";
}

/**
 * Explains an error over an input that was perhaps not meant as one: it stands behind a flag, or is
 * the program of a command without `--` before it.
 */
export function explainInput(error: unknown, flags: ParsedFlags): unknown {
  if (!(error instanceof KprovError) || error.code !== "data") return error;
  for (const [name, hint] of Object.entries(MORE_VALUES)) {
    const words = flags.behind(name).flatMap((found) => found.words);
    const word = words.find((candidate) => error.message.includes(quote(candidate)));
    if (word === undefined) continue;
    return new KprovError("data", error.message, { hint, cause: error });
  }
  if (flags.rest !== null || !isMissing(error.cause)) return error;
  const program = flags.positionals.slice(1).find((word) =>
    /^[a-z][a-z0-9_+-]*$/.test(word) && error.message.includes(quote(word))
  );
  if (program === undefined) return error;
  const hint = `a command to run goes after --: -- ${program}`;
  return new KprovError("data", error.message, { hint, cause: error });
}

/**
 * The name that runs give to a path in the working directory: without `./` before it and `/` behind
 * it. Of a path that leads elsewhere, only the last part counts.
 */
export function nameGiven(given: string): string {
  const name = toPosixPath(given).replace(/^(?:\.\/+)+|\/+$/g, "") || ".";
  const leadsAway = /^(?:\/|[A-Za-z]:)|(?:^|\/)\.\.(?:\/|$)/.test(name);
  return leadsAway ? name.slice(name.lastIndexOf("/") + 1) : name;
}

/** Whether a name that runs give is a path, or below it. */
export function isAtOrBelow(name: string, path: string): boolean {
  return path === "." || name === path || name.startsWith(`${path}/`);
}

/**
 * The name that runs give to a path below the root. Where it leads out of the root, or to where
 * nothing is while there is something of that name in the root, it is that name itself. Throws
 * `data` where it is neither, `permission`.
 */
export function nameInRoot(given: string, root: Root): string {
  const name = nameGiven(given);
  const isName = given.endsWith(name) && !given.startsWith("/") && !given.includes("..");
  try {
    const found = resolveProduct(given, root);
    const isElsewhere = isName && isAbsent(found.path) && !isAbsent(join(root.path, name));
    return isElsewhere ? name : found.name;
  } catch (error) {
    if (error instanceof KprovError && error.code === "data" && isName) return name;
    throw error;
  }
}

/** Watches a command. */
export const OBSERVE_FLAG: Flag = {
  name: "observe",
  value: "HOW",
  isOptional: true,
  isRepeatable: true,
  choices: ["declare", "strict", "names"],
  summary:
    "Watch what the command reads, runs and writes (Linux, with strace): an undeclared input" +
    " is a finding, with declare an input; strict: files outside of the root are an error; " +
    "names: list them",
};

/** The words of `--observe`; null where nothing is to be observed. */
export function readObserve(flags: ParsedFlags): readonly string[] | null {
  const given = flags.values("observe");
  return flags.has("observe") || given.length > 0 ? given : null;
}

/** Names a part of the inputs. */
export const SHARD_FLAG: Flag = {
  name: "shard",
  value: "I/N",
  summary: "Record the inputs of shard I of N; I from 1 to N, or from 0 to N-1",
};

/** Reads `--shard`; null where it is not given. Throws `usage`. */
export function readShard(text: string | null): Shard | null {
  const shard = text === null ? null : parseShard(text);
  if (text === null || shard !== null) return shard;
  const expected = `expected I/N, with N from 1 to ${MOST_SHARDS} and I from 0 to N`;
  throw new KprovError("usage", `Cannot use --shard ${quote(text)}: ${expected}`, {
    hint: "such as 3/8; 0/8 and 8/8 are the same shard",
  });
}
