import { renderCanonicalJson } from "../base/canonical_json.ts";

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
