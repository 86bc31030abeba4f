import { compareUtf8 } from "./text.ts";

/** What went wrong, as far as a caller can act on it; each maps to one exit code. */
export type KprovErrorCode =
  | "usage"
  | "data"
  | "fault"
  | "cannot_create"
  | "io"
  | "permission"
  | "policy"
  | "runtime"
  | "cannot_start"
  | "not_found"
  | "interrupted";

/** Exit code of each error, after sysexits(3) where that has one, and after the shell for commands. */
export const EXIT_CODE_OF_ERROR: Readonly<Record<KprovErrorCode, number>> = {
  runtime: 1,
  usage: 64,
  data: 65,
  fault: 70,
  cannot_create: 73,
  io: 74,
  permission: 77,
  policy: 78,
  cannot_start: 126,
  not_found: 127,
  interrupted: 130,
};

/** Options of {@linkcode KprovError}. */
export interface KprovErrorOptions {
  /** What the reader can do about it, one line. */
  readonly hint?: string | undefined;
  /** Why; it is added to the message after a colon. */
  readonly reason?: string | undefined;
  /** The error underneath. */
  readonly cause?: unknown;
}

/**
 * An unmet precondition. The message is one line without a final period, with every name in it
 * already escaped by `quote()`.
 *
 * @example
 * ```ts
 * import { KprovError, parseProvenance } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * function read(value: unknown): string {
 *   try {
 *     return parseProvenance(value).predicateType;
 *   } catch (error) {
 *     if (error instanceof KprovError && error.code === "data") return "no provenance";
 *     throw error;
 *   }
 * }
 * assertEquals(read({}), "no provenance");
 * ```
 */
export class KprovError extends Error {
  /** The class's name, also across module instances. */
  override readonly name = "KprovError";
  /** What went wrong. */
  readonly code: KprovErrorCode;
  /** What the reader can do about it, or null. */
  readonly hint: string | null;
  /** The part of the message after its colon, or null. */
  readonly reason: string | null;

  /**
   * Makes an error.
   *
   * @param code What went wrong
   * @param message One line, without a final period; what failed, where a reason follows
   * @param options The hint, the reason and the cause, where there are any
   */
  constructor(code: KprovErrorCode, message: string, options: KprovErrorOptions = {}) {
    const { reason } = options;
    super(reason === undefined ? message : `${message}: ${reason}`, { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? null;
    this.reason = reason ?? null;
  }
}

/** Data that is larger than is supported; the message names the limit. */
export class LimitError extends KprovError {
  /**
   * Makes an error.
   *
   * @param message One line, without a final period
   */
  constructor(message: string) {
    super("data", message);
  }
}

/** How serious a finding is: an `error` fails the check, a `note` does not. */
export type FindingLevel = "error" | "note";

/**
 * One negative result of a check. Fields that do not apply are null.
 *
 * @example
 * ```ts
 * import { type Finding, verifyRun } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * function render({ level, path, code, message }: Finding): string {
 *   return `${level}: ${path ?? "the run"}: ${message} [${code}]`;
 * }
 * const [first] = verifyRun({ name: null, files: new Map() }).map(render);
 * assertEquals(first, "error: human_review.json: the run has no such document [document.missing]");
 * ```
 */
export interface Finding {
  /** Which rule it breaks, such as `artifacts.tracked`. */
  readonly code: string;
  /** Whether it fails the check. */
  readonly level: FindingLevel;
  /** The path it is about, with `/` between the parts. */
  readonly path: string | null;
  /** The line in that file, from 1. */
  readonly line: number | null;
  /** The column in that line, in UTF-16 code units, from 1. */
  readonly column: number | null;
  /** What is wrong, without a final period. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string | null;
}

/** What a finding may leave out when it is made. */
export type FindingDetails = Partial<Omit<Finding, "code" | "message">>;

/**
 * Makes a finding; what the details leave out is null, and the level `error`.
 *
 * @param code Which rule it breaks
 * @param message What is wrong, without a final period
 * @param details Where, how grave, and what to do
 */
export function makeFinding(code: string, message: string, details: FindingDetails = {}): Finding {
  return {
    code,
    level: details.level ?? "error",
    path: details.path ?? null,
    line: details.line ?? null,
    column: details.column ?? null,
    message,
    hint: details.hint ?? null,
  };
}

/**
 * Picks so many findings that each list, and each code in it, is there: errors before notes, the
 * first of each code before the second of any.
 */
export function pickFindings(
  lists: readonly (readonly Finding[])[],
  most: number,
): ReadonlySet<Finding> {
  const queues = lists.flatMap((findings) => [
    ...Map.groupBy(findings, ({ level, code }) => `${level} ${code}`).values(),
  ]);
  const picked = new Set<Finding>();
  for (const level of ["error", "note"]) {
    const own = queues.filter(([first]) => first?.level === level);
    const longest = own.reduce((length, queue) => Math.max(length, queue.length), 0);
    for (let i = 0; i < longest && picked.size < most; i++) {
      for (const queue of own) {
        const finding = queue[i];
        if (finding !== undefined && picked.size < most) picked.add(finding);
      }
    }
  }
  return picked;
}

/**
 * Sorts findings by path (UTF-8 bytes, null first), line, code, then everything else, so that
 * the same findings always stand in the same order.
 *
 * @param findings Findings in any order
 * @returns A sorted copy
 */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) =>
    compareUtf8(a.path ?? "", b.path ?? "") ||
    (a.line ?? 0) - (b.line ?? 0) ||
    compareUtf8(a.code, b.code) ||
    (a.column ?? 0) - (b.column ?? 0) ||
    compareUtf8(a.message, b.message) ||
    compareUtf8(a.hint ?? "", b.hint ?? "") ||
    compareUtf8(a.level, b.level)
  );
}
