import { renderCanonicalJson, sha256Hex } from "../base/canonical_json.ts";
import { type Finding, makeFinding } from "../base/error.ts";
import { quote, shellQuotePath } from "../base/quote.ts";

/** How a command ended. */
export interface CommandEnd {
  /** Its exit code, 128 + n where signal n ended it; null where its end was not observed. */
  readonly exitCode: number | null;
  /**
   * The signal that ended it, such as `SIGTERM`; null where none did, or its end was not observed.
   */
  readonly signal: string | null;
}

/** The byproduct of the statement that says how a command ended. */
export interface EndDescriptor {
  /** Its name. */
  readonly name: "outcome";
  /** What the content is. */
  readonly mediaType: "application/json";
  /** `{exit_code, signal}` in canonical JSON, as base64 (in-toto: bytes). */
  readonly content: string;
}

/**
 * How a command ended, in one word, as in run_summary.json; a run without a command is `completed`.
 */
export type Outcome = "completed" | "command_failed" | "not_observed";

/**
 * Whether a command ended otherwise than with 0. A command whose end was not observed has not failed.
 *
 * @param end How it ended
 */
export function hasFailed({ exitCode }: CommandEnd): boolean {
  return exitCode !== null && exitCode !== 0;
}

/**
 * Says why a text cannot be the name of an environment variable (POSIX.1-2024, 8.1).
 *
 * @returns The reason, to be read after "it", or null where the name is valid
 */
export function describeVariableFault(name: string): string | null {
  if (name === "") return "is empty";
  if (!name.isWellFormed() || name.includes("\uFFFD")) return "is not valid Unicode";
  if (name.includes("\0")) return "holds a NUL character";
  return name.includes("=") ? 'holds "=", which ends a name' : null;
}

/**
 * The outcome of a run.
 *
 * @param end How its command ended; null where it has none
 */
export function nameOutcome(end: CommandEnd | null): Outcome {
  if (end === null || end.exitCode === 0) return "completed";
  return end.exitCode === null ? "not_observed" : "command_failed";
}

/**
 * Describes how a command ended, for the statement.
 *
 * @param end How it ended
 */
export function describeCommandEnd({ exitCode, signal }: CommandEnd): EndDescriptor {
  const content = btoa(renderCanonicalJson({ exit_code: exitCode, signal }));
  return { content, mediaType: "application/json", name: "outcome" };
}

/**
 * Reads what {@linkcode describeCommandEnd} wrote.
 *
 * @param content The descriptor's content
 * @returns How the command ended, or null where the content is not, to the byte, what kprov writes
 */
export function parseCommandEnd(content: string): CommandEnd | null {
  const end = readEnd(content);
  return end !== null && describeCommandEnd(end).content === content ? end : null;
}

/** The largest exit code of any system that kprov runs on. */
export const LARGEST_EXIT_CODE = 2 ** 32 - 1;

function readEnd(content: string): CommandEnd | null {
  let value: unknown;
  try {
    value = JSON.parse(atob(content));
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const [exitCode, signal] = [Reflect.get(value, "exit_code"), Reflect.get(value, "signal")];
  if (exitCode !== null && !isExitCode(exitCode)) return null;
  if (signal === null) return { exitCode, signal };
  // A shell tells a command that signal n ended by the code 128 + n, and so does kprov.
  const isEnded = typeof signal === "string" && /^SIG[A-Z0-9]+$/.test(signal);
  return isEnded && exitCode !== null && exitCode > 128 ? { exitCode, signal } : null;
}

function isExitCode(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 &&
    value <= LARGEST_EXIT_CODE;
}

/** What an argument that is recorded as a digest looks like. */
export const REDACTED_ARGUMENT: RegExp = /^sha256:[0-9a-f]{64}$/;

/**
 * Replaces arguments by the digests of their text.
 *
 * @param argv The words of a command, the program first
 * @param redacted Which ones, each from 1 on
 */
export function redactArguments(
  argv: readonly string[],
  redacted: readonly number[],
): readonly string[] {
  const chosen = new Set(redacted);
  return argv.map((word, i) => chosen.has(i) ? `sha256:${sha256Hex(word)}` : word);
}

/** An absolute path, but for devices: those are the same everywhere. */
const ABSOLUTE_PATH = /(^|[\s=:,;'"`(<>|&@]|file:\/\/)(\/(?!dev\/)[\w.]|[A-Za-z]:[\\/](?!\/)|~\/)/;

/** The name of an option or a variable that holds a secret. */
const SECRET_NAME =
  "(([\\w.-]*[_.-])?pass|[\\w.-]*(pass(word|wd|phrase)|pwd|secret|token|credentials?|api[-_]?key|(access|account|private|auth)[-_]?key))";

/** `--password=x`, `PGPASSWORD=x`, `token: x`; a name that goes on, as in `--tokenizer=x`, is another. */
const SECRET_VALUE = new RegExp(`(^|[\\s"'&?;{,])${SECRET_NAME}["']?\\s*[=:]\\s*[^\\s=]`, "i");

/** An option whose value is the next argument. */
const SECRET_OPTION = new RegExp(`^--?${SECRET_NAME}$`, "i");

/** What services give out, and how credentials stand in URLs and headers. */
const SECRETS: readonly RegExp[] = [
  SECRET_VALUE,
  /:\/\/[^\s/:@]*:[^\s/@]+@/,
  /\b(bearer|basic)\s+[\w.~+/=-]{8,}/i,
  /-----BEGIN [A-Z ]*PRIVATE KEY/,
  /\b(AKIA|ASIA)[A-Z0-9]{16}\b/,
  /\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,})/,
  /\b(xox[abeprs]-[\w-]{10,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}|hf_[A-Za-z0-9]{30,})/,
  /\b(sk|rk)[-_](live|test|proj|ant)[-_][\w-]{16,}/,
  /\bAIza[\w-]{35}/,
  /\beyJ[\w-]{8,4000}\.eyJ[\w-]{8,4000}\./,
];

/** A shorter value stands in many arguments by chance. */
const SHORTEST_VALUE = 4;

/** What else {@linkcode notePrivateArguments} needs to know. */
interface ArgumentFacts {
  /** The arguments that are recorded as digests. */
  readonly redacted: readonly number[];
  /** The values of the variables whose names are recorded. */
  readonly values: ReadonlyMap<string, string>;
}

/**
 * Notes the arguments of a command that say more than the evidence should, since they are recorded as
 * they are given. What looks private is a guess in both directions.
 *
 * @param argv The words of the command, the program first
 * @param facts What is not recorded anyway
 * @returns Notes `argv.private`, one for each argument, none of which shows it
 */
export function notePrivateArguments(
  argv: readonly string[],
  { redacted, values }: ArgumentFacts,
): Finding[] {
  return argv.flatMap((word, i) => {
    if (redacted.includes(i)) return [];
    const reasons = [
      ...(ABSOLUTE_PATH.test(word) ? ["an absolute path"] : []),
      ...[...values].filter(([, value]) => value.length >= SHORTEST_VALUE && word.includes(value))
        .map(([name]) => `the value of ${name}`),
      ...(looksSecret(word, argv[i - 1] ?? "") ? ["what looks like a credential"] : []),
    ];
    if (reasons.length === 0) return [];
    const what = i === 0 ? "the program's name" : `argument ${i}`;
    return [makeFinding("argv.private", `${what} is recorded and holds ${reasons.join(" and ")}`, {
      level: "note",
      hint: i === 0
        ? "start it by its name in PATH, or by its path from the root"
        : `--redact-arg ${i} records its digest alone`,
    })];
  });
}

function looksSecret(word: string, before: string): boolean {
  if (SECRETS.some((pattern) => pattern.test(word))) return true;
  return SECRET_OPTION.test(before) && !word.startsWith("-");
}

/** A file below the root that a command read and that the run does not record. */
export interface UndeclaredFile {
  /** Its name, relative to the root. */
  readonly name: string;
  /**
   * What became of it: it is there, and has not changed since before the command; it changed, or may
   * have; it is gone; it was moved to a product; it is a link that leads out of the root; it is an input
   * that is recorded as such a link; or it can be no input.
   */
  readonly state: "unchanged" | "changed" | "gone" | "moved" | "link" | "behind" | "unfit";
}

/** What a command did with files that the run does not record. */
export interface ObservedFiles {
  /** What it read below the root, sorted. */
  readonly undeclared: readonly UndeclaredFile[];
  /** Absolute paths of what it read elsewhere, sorted. */
  readonly outside: readonly string[];
  /** The names of what it wrote below the root and left, sorted. */
  readonly products: readonly string[];
}

/** What was asked for beside the observation itself. */
export interface ObservationWishes {
  /** Whether what was read undeclared becomes an input. */
  readonly declares: boolean;
  /** Whether nothing outside of the root may be read. */
  readonly isStrict: boolean;
  /** Whether files outside of the root are named. */
  readonly namesOutside: boolean;
}

/** What else the observation brought. */
interface ObservedProcesses {
  /** How many connections were opened, by kind. */
  readonly connections: ReadonlyMap<string, number>;
  /** Why something may have happened unseen. */
  readonly gaps: Iterable<string>;
  /** How many processes and threads had not ended. */
  readonly running: number;
  /** Whether the command was seen from its beginning to its end. */
  readonly isWhole: boolean;
}

/** More arguments than this are no help. */
const MOST_ARGUMENTS = 10;

/** A note for each of more files than this tells less than one for each directory. */
const MOST_NOTES = 20;

/**
 * Says what a command did that the run does not record.
 *
 * @param files What it did with files
 * @param processes What else was seen
 * @param wishes What was asked for
 * @returns Findings `input.undeclared`; `input.outside`, an error where that was asked for; notes
 * `product.undeclared` and `network.used`; `observation.incomplete`, an error where the trace is broken
 */
export function checkObservation(
  files: ObservedFiles,
  processes: ObservedProcesses,
  wishes: ObservationWishes,
): Finding[] {
  return [
    ...tellUndeclared(files.undeclared, wishes),
    ...tellOutside(files.outside, wishes),
    ...tellProducts(files.products),
    ...tellConnections(processes.connections),
    ...tellGaps(processes),
  ];
}

const STATES: Readonly<Record<UndeclaredFile["state"], string>> = {
  unchanged: "",
  changed: ", and it may have changed since",
  gone: ", and it no longer exists",
  moved: "",
  link: ", and it is a link that leads out of the root",
  behind: "",
  unfit: ", and it cannot be an input",
};

function describeUse(state: UndeclaredFile["state"]): string {
  if (state === "behind") {
    return "read what is behind it, outside of the root, and it is recorded as a link";
  }
  return `${state === "moved" ? "made a product of it" : "read it"}, and it is not an input`;
}

function tellUndeclared(
  undeclared: readonly UndeclaredFile[],
  { declares }: ObservationWishes,
): Finding[] {
  const hint = hintInputs(undeclared);
  return undeclared.map(({ name, state }) => {
    // Whether it changed matters only to who would have it declared.
    const why = state === "changed" && !declares ? "" : STATES[state];
    return makeFinding("input.undeclared", `the command ${describeUse(state)}${why}`, {
      path: showable(name),
      hint: state === "link" || state === "behind"
        ? "--follow records the content behind a link that is named"
        : hint,
    });
  });
}

/** A name that is not UTF-8 has lone surrogates in place of the bytes that are none. */
function showable(name: string): string {
  return name.replace(
    /[\udc80-\udcff](?<![\ud800-\udbff][\udc80-\udcff])/g,
    (unit) => `\\x${(unit.charCodeAt(0) - 0xdc00).toString(16)}`,
  );
}

function hintInputs(undeclared: readonly UndeclaredFile[]): string | null {
  const names = undeclared.filter(({ state }) => state === "unchanged" || state === "changed")
    .map(({ name }) => name);
  if (names.length === 0) return null;
  const tops = [...new Set(names.map((name) => name.split("/", 1)[0] ?? name))];
  const given = names.length <= MOST_ARGUMENTS ? names : tops;
  const shown = given.slice(0, MOST_ARGUMENTS).map(shellQuotePath).join(" ");
  const rest = given.length > MOST_ARGUMENTS ? " …" : "";
  return `name them as inputs: ${shown}${rest}; or --observe=declare records as inputs all files that were read`;
}

function tellOutside(
  paths: readonly string[],
  { isStrict, namesOutside }: ObservationWishes,
): Finding[] {
  if (paths.length === 0) return [];
  const level = isStrict ? "error" : "note";
  const files = paths.length === 1 ? "1 file" : `${paths.length} files`;
  const message = `the command read ${files} outside of the root, which ${
    paths.length === 1 ? "is" : "are"
  } not recorded`;
  const hint = namesOutside ? null : "--observe=names lists them here, never in the evidence";
  const total = makeFinding("input.outside", message, { level, hint });
  if (!namesOutside) return [total];
  const named = paths.map((path) =>
    makeFinding("input.outside", `the command read ${quote(showable(path))}`, { level: "note" })
  );
  return [total, ...named];
}

function tellProducts(names: readonly string[]): Finding[] {
  const hint = "--products records what the command makes";
  const message = "the command wrote it, and it is not a product";
  if (names.length <= MOST_NOTES) {
    return names.map((name) =>
      makeFinding("product.undeclared", message, { level: "note", path: showable(name), hint })
    );
  }
  const counts = new Map<string, number>();
  for (const name of names) {
    const top = name.includes("/") ? name.slice(0, name.indexOf("/")) : name;
    counts.set(top, (counts.get(top) ?? 0) + 1);
  }
  return [...counts].map(([top, count]) => {
    const several = `the command wrote ${count} files below it that are not products`;
    const path = showable(top);
    return makeFinding("product.undeclared", count === 1 ? message : several, {
      level: "note",
      path,
      hint,
    });
  });
}

const CONNECTIONS: Readonly<Record<string, string>> = {
  internet: "over IP",
  local: "to local sockets",
  vsock: "to the host of a virtual machine",
  other: "of another kind",
};

function tellConnections(connections: ReadonlyMap<string, number>): Finding[] {
  if (connections.size === 0) return [];
  const kinds = [...connections].sort(([a], [b]) => a < b ? -1 : 1);
  const total = kinds.reduce((sum, [, count]) => sum + count, 0);
  const list = kinds.map(([kind, count]) => `${count} ${CONNECTIONS[kind] ?? kind}`).join(", ");
  const what = total === 1 ? "1 connection" : `${total} connections`;
  const message = `the command opened ${what}: ${list}; the data is not recorded`;
  return [makeFinding("network.used", message, { level: "note" })];
}

function tellGaps({ gaps, running, isWhole }: ObservedProcesses): Finding[] {
  const reasons = [
    ...[...gaps].sort(),
    ...(running === 0 ? [] : ["a program that the command started was still running at the end"]),
  ];
  const broken = "the trace of the command is incomplete";
  return [
    ...(isWhole ? [] : [makeFinding("observation.incomplete", broken)]),
    ...reasons.map((reason) =>
      makeFinding("observation.incomplete", `not everything was seen: ${reason}`, { level: "note" })
    ),
  ];
}

/**
 * Whether an observation saw everything, and found nothing that the run does not record.
 *
 * @param findings Its findings
 */
export function isObservationComplete(findings: readonly Finding[]): boolean {
  return findings.every(({ code, level }) => level === "note" && code !== "observation.incomplete");
}
