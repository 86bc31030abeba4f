import type { ChangeKind } from "../evidence/diff_runs.ts";

/** How the kinds of changes are called, one and several. */
export const KIND_NAMES: Readonly<Record<ChangeKind, readonly [one: string, several: string]>> = {
  input: ["input", "inputs"],
  product: ["product", "products"],
  parameter: ["parameter", "parameters"],
  toolchain: ["part of the toolchain", "parts of the toolchain"],
  policy: ["part of the policy", "parts of the policy"],
};

/** A number of changes of one kind, such as `2 inputs`. */
export function countChanges(kind: ChangeKind, n: number): string {
  return `${n} ${KIND_NAMES[kind][n === 1 ? 0 : 1]}`;
}

/** Words as a sentence lists them. */
export function joinWords(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
