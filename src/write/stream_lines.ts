import type { TakeText } from "../canonical_json.ts";

/** How many lines are handed over at once; one call for each of a million would take longer than all else. */
const LINES_OF_A_PIECE = 512;

/**
 * Hands lines over as text, many at a time: all of them may be longer than the longest string.
 *
 * @param lines The lines, without their ends
 * @param take Is called with each piece of the text, in order
 */
export function streamLines(lines: Iterable<string>, take: TakeText): void {
  const pending: string[] = [];
  const flush = (): void => {
    if (pending.length > 0) take(`${pending.join("\n")}\n`);
    pending.length = 0;
  };
  for (const line of lines) {
    if (pending.push(line) >= LINES_OF_A_PIECE) flush();
  }
  flush();
}
