import { type Finding, makeFinding } from "../base/finding.ts";
import { sha256Hex } from "../base/sha256.ts";

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
