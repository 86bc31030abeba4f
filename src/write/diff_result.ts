import { type Change, CHANGE_KINDS } from "../evidence/diff_runs.ts";
import { escapeText } from "../quote.ts";
import { countChanges, joinWords, KIND_NAMES } from "./change_words.ts";
import { renderLogSafeJson } from "./log_safe.ts";
import { choosePaint, type Paint, type TextOptions } from "./paint.ts";

/** The result as one JSON document. */
export function renderDiffJson(changes: readonly Change[]): string {
  return renderLogSafeJson({ identical: changes.length === 0, changes });
}

/**
 * The result for people, grouped by cause.
 *
 * @param changes As `diffRuns()` returns them
 * @param digest The evidence digest of the first run
 * @param options Colours: what the first run has is bad, what the second has is good
 */
export function renderDiffText(
  changes: readonly Change[],
  digest: string,
  options: TextOptions,
): string {
  const paint = choosePaint(options);
  if (changes.length === 0) return `Identical evidence: sha256:${digest}\n`;
  const groups = CHANGE_KINDS
    .map((kind) => ({ kind, members: changes.filter((change) => change.kind === kind) }))
    .filter(({ members }) => members.length > 0);
  const counts = groups.map(({ kind, members }) => countChanges(kind, members.length));
  return [
    `The runs differ in ${joinWords(counts)}`,
    ...groups.flatMap(({ kind, members }) => [
      "",
      `${KIND_NAMES[kind][1]}:`,
      ...members.flatMap((change) => renderChange(change, paint)),
    ]),
    "",
  ].join("\n");
}

/** Two digests side by side are wider than a terminal, so each has its line. */
function renderChange({ name, change, before, after }: Change, paint: Paint): string[] {
  const showValue = (value: string | null): string[] =>
    value === null || value === "given" ? [] : [escapeText(value)];
  return [
    `  ${change.padEnd(7)}  ${escapeText(name)}`,
    ...showValue(before).map((value) => `    ${paint(`- ${value}`, "bad")}`),
    ...showValue(after).map((value) => `    ${paint(`+ ${value}`, "good")}`),
  ];
}
