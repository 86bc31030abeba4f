import { compareUtf8 } from "./text.ts";

/** How much a finding weighs: an `error` fails, a `note` only tells. */
export type FindingLevel = "error" | "note";

/**
 * One negative fact, as every check reports it. Fields that do not apply are null.
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
