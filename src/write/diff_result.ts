import { type Change, CHANGE_KINDS } from "../evidence/diff_runs.ts";
import { escapeText, showName } from "../quote.ts";
import { countChanges, joinWords, KIND_NAMES } from "./change_words.ts";
import { choosePaint, type Paint, type TextOptions } from "./paint.ts";

/** The result as the content of one JSON document. */
export function describeDiff(changes: readonly Change[]): unknown {
  return { identical: changes.length === 0, changes };
}

/**
 * The result for people, grouped by cause, in lines.
 *
 * @param changes As `diffRuns()` returns them
 * @param digest The evidence digest of the first run
 * @param options Colours: what the first run has is bad, what the second has is good
 */
export function* listDiffLines(
  changes: readonly Change[],
  digest: string,
  options: TextOptions,
): Generator<string> {
  const paint = choosePaint(options);
  if (changes.length === 0) return yield `Identical evidence: sha256:${digest}`;
  const groups = CHANGE_KINDS
    .map((kind) => ({ kind, members: changes.filter((change) => change.kind === kind) }))
    .filter(({ members }) => members.length > 0);
  const counts = groups.map(({ kind, members }) => countChanges(kind, members.length));
  yield `The runs differ in ${joinWords(counts)}`;
  for (const { kind, members } of groups) {
    yield "";
    yield `${KIND_NAMES[kind][1]}:`;
    for (const change of members) yield* listChange(change, paint);
  }
}

/** Two digests side by side are wider than a terminal, so each has its line. */
function listChange({ name, change, before, after }: Change, paint: Paint): string[] {
  const showValue = (value: string | null): string[] =>
    value === null || value === "given" ? [] : [escapeText(value)];
  return [
    `  ${change.padEnd(7)}  ${showName(name)}`,
    ...showValue(before).map((value) => `    ${paint(`- ${value}`, "bad")}`),
    ...showValue(after).map((value) => `    ${paint(`+ ${value}`, "good")}`),
  ];
}
