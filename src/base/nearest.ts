/**
 * Finds the word that somebody may have meant.
 *
 * @param word As it was written
 * @param known The words that there are
 * @returns The nearest of them, or null where none is near: a third of its letters, at most, differ
 */
export function findNearest(word: string, known: readonly string[]): string | null {
  const lower = word.toLowerCase();
  const started = known.find((it) =>
    word.length > 2 && (it.startsWith(lower) || lower.startsWith(it.toLowerCase()))
  );
  const [nearest] = known.map((it) => ({ it, distance: measure(lower, it.toLowerCase()) }))
    .filter(({ it, distance }) => distance <= Math.max(1, Math.floor(it.length / 3)))
    .toSorted((a, b) => a.distance - b.distance);
  return nearest?.it ?? started ?? null;
}

/** How many letters must be added, taken away, replaced or swapped with the next to make one of the other. */
function measure(a: string, b: string): number {
  // What is much longer is not meant, and must cost nothing.
  if (Math.abs(a.length - b.length) > b.length) return Infinity;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwapped ? beforeLast[j - 2]! + 1 : Infinity;
      row.push(Math.min(replaced, last[j]! + 1, row[j - 1]! + 1, swapped));
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
