import type { Finding } from "../finding.ts";
import type { GuardResult } from "../guards/guard_result.ts";
import { escapeText, showName } from "../quote.ts";
import { renderLogSafeJson } from "./log_safe.ts";
import { choosePaint, type Paint, type TextOptions } from "./paint.ts";

/** The results as one JSON document. */
export function renderGuardJson(results: readonly GuardResult[]): string {
  return renderLogSafeJson({
    ok: results.every(({ ok }) => ok),
    guards: results.map(({ guard, ok, findings }) => ({ guard, ok, findings })),
  });
}

/**
 * The results for people: for each guard its verdict and what it found, and a verdict on all.
 *
 * @param results What the guards found, in the order to show
 * @param options Colours; none by default
 */
export function renderGuardText(
  results: readonly GuardResult[],
  options: TextOptions = { isColored: false },
): string {
  const paint = choosePaint(options);
  return [
    ...results.flatMap((result) => renderResult(result, paint)),
    renderVerdict(results, paint),
    "",
  ].join("\n");
}

function renderResult({ guard, ok, findings }: GuardResult, paint: Paint): string[] {
  const verdict = ok ? `${paint("ok", "good")}      ` : `${paint("FAILED", "bad")}  `;
  const counts = findings.length === 0 ? "" : `: ${countFindings(findings).join(", ")}`;
  return [
    `${verdict}${escapeText(guard)}${counts}`,
    ...findings.flatMap((finding) => renderFinding(finding, paint)),
  ];
}

/** `2 findings`, `1 note`, or both; notes are counted by themselves since they do not fail. */
function countFindings(findings: readonly Finding[]): string[] {
  const notes = findings.filter(({ level }) => level === "note").length;
  const errors = findings.length - notes;
  return [
    ...(errors > 0 || notes === 0 ? [count(errors, "finding")] : []),
    ...(notes > 0 ? [count(notes, "note")] : []),
  ];
}

function count(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? "" : "s"}`;
}

function renderFinding(finding: Finding, paint: Paint): string[] {
  const { level, code, message, hint } = finding;
  const rule = level === "error"
    ? paint(escapeText(code), "bad")
    : `${paint("note", "note")} ${escapeText(code)}`;
  return [
    `  ${showPlace(finding)}${rule}: ${escapeText(message)}`,
    ...(hint === null ? [] : [`    hint: ${escapeText(hint)}`]),
  ];
}

/** `path:line:column` as far as they are known, and the space behind. */
function showPlace({ path, line, column }: Finding): string {
  if (path === null) return "";
  const position = line === null ? "" : column === null ? `:${line}` : `:${line}:${column}`;
  return `${showName(path)}${position}  `;
}

function renderVerdict(results: readonly GuardResult[], paint: Paint): string {
  const failed = results.filter(({ ok }) => !ok).length;
  const findings = results.flatMap((result) => result.findings);
  return [
    count(results.length, "guard"),
    paint(`${failed} failed`, failed === 0 ? "good" : "bad"),
    ...countFindings(findings),
  ].join(", ");
}
