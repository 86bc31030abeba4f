import { levenshteinDistance } from "./std.ts";

/** How many slips of the hand still make the same word. */
const MOST_SLIPS = 2;

/**
 * Finds the known word that was most likely meant: at most two letters were left out, put in or
 * mistaken, and fewer than half of them.
 *
 * @param word As it was written
 * @param known The words that there are
 * @returns The nearest, the first of those equally near; null where none is near
 */
export function findNearest(word: string, known: readonly string[]): string | null {
  let nearest: string | null = null;
  let least = Math.min(MOST_SLIPS + 1, word.length / 2);
  for (const candidate of known) {
    // No need to compare texts of any length.
    if (Math.abs(candidate.length - word.length) > MOST_SLIPS) continue;
    const slips = levenshteinDistance(word, candidate);
    if (slips >= least) continue;
    least = slips;
    nearest = candidate;
  }
  return nearest;
}
