import type { Command, Flag } from "./command.ts";

/** What a shell completes a word with; words that can be listed need no quoting in any shell. */
export type CompletedValue = "directories" | "files" | "runs" | "nothing" | readonly string[];

/** What stands for files in the help. */
const FILE_WORDS: readonly string[] = ["FILE", "PATH"];

/**
 * Tells what the value of a flag is completed with.
 *
 * @param flag Of a command; its value is named as in the help
 */
export function completedValueOf(flag: Flag): CompletedValue {
  if (flag.choices !== undefined) return flag.choices;
  if (flag.value === "DIR") return "directories";
  return FILE_WORDS.includes(flag.value ?? "") ? "files" : "nothing";
}

/**
 * Tells what is completed where no flag is: the words that the command lists, or what its usage
 * names, files to record or runs.
 *
 * @param command Of the table
 */
export function completedOperandsOf({ operands, usage }: Command): CompletedValue {
  if (operands !== undefined) return operands;
  const words = usage.join(" ");
  if (/\bINPUT\b/.test(words)) return "files";
  return /\b(?:[A-Z]+_)?RUN(?:_[A-Z])?\b/.test(words) ? "runs" : "nothing";
}
