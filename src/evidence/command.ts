import { renderCanonicalJson } from "../base/canonical_json.ts";
import { type Finding, makeFinding } from "../base/error.ts";
import { sha256Hex } from "../base/sha256.ts";

/** How a command ended; see {@linkcode EndedCommand}. */
export interface CommandEnd {
  /** Its exit code, 128 + n where signal n ended it; null where nobody saw it end. */
  readonly exitCode: number | null;
  /** The signal that ended it, such as `SIGTERM`; null where none did, or nobody saw it. */
  readonly signal: string | null;
}

/** How a command ended, as the statement says it among the byproducts; see {@linkcode Provenance}. */
export interface EndDescriptor {
  /** Its name. */
  readonly name: "outcome";
  /** What the content is. */
  readonly mediaType: "application/json";
  /** `{exit_code, signal}` in canonical JSON, as base64 (in-toto: bytes). */
  readonly content: string;
}

/** How a command ended, in a word; a run without one completes. See run_summary.json. */
export type Outcome = "completed" | "command_failed" | "not_observed";

/**
 * Whether a command ended otherwise than with 0. What nobody saw end has not failed.
 *
 * @param end How it ended
 */
export function hasFailed({ exitCode }: CommandEnd): boolean {
  return exitCode !== null && exitCode !== 0;
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
