import { renderLogSafeJson } from "./log_safe.ts";
import { type Change, CHANGE_KINDS, type ChangeKind } from "../evidence/diff_runs.ts";
import { escapeText } from "../quote.ts";
import { choosePaint, type Paint, type TextOptions } from "./paint.ts";

/** How the kinds of changes are called, one and several. */
const NAMES: Readonly<Record<ChangeKind, readonly [one: string, several: string]>> = {
  input: ["input", "inputs"],
  product: ["product", "products"],
  parameter: ["parameter", "parameters"],
  toolchain: ["part of the toolchain", "parts of the toolchain"],
  policy: ["part of the policy", "parts of the policy"],
};

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
  const counts = groups.map(({ kind, members }) => count(kind, members.length));
  return [
    `The runs differ in ${joinWords(counts)}`,
    ...groups.flatMap(({ kind, members }) => [
      "",
      `${NAMES[kind][1]}:`,
      ...members.flatMap((change) => renderChange(change, paint)),
    ]),
    "",
  ].join("\n");
}

function count(kind: ChangeKind, n: number): string {
  return `${n} ${NAMES[kind][n === 1 ? 0 : 1]}`;
}

function joinWords(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
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
