/**
 * The name of a run directory: the UTC second of the run, with `-` for the `:` that some file
 * systems refuse, and a number from the second run of that second on.
 *
 * @param createdAt A UTC second such as `2026-02-15T20:13:00Z`
 * @param ordinal Which run of that second it is, from 1
 * @returns Such as `2026-02-15T20-13-00Z` or `2026-02-15T20-13-00Z-2`
 */
export function formatRunId(createdAt: string, ordinal: number): string {
  const base = createdAt.replaceAll(":", "-");
  return ordinal === 1 ? base : `${base}-${ordinal}`;
}

/**
 * Reads a UTC second, as `--at` takes it: `2026-02-15T20:13:00Z`, or the same as a run id writes it.
 *
 * @param text The candidate
 * @returns In the form `2026-02-15T20:13:00Z`, or null where it is no such second
 */
export function parseUtcSecond(text: string): string | null {
  const match = /^([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2})[:-]([0-9]{2})[:-]([0-9]{2})Z$/.exec(text);
  if (match === null) return null;
  const normal = `${match[1]}T${match[2]}:${match[3]}:${match[4]}Z`;
  const time = new Date(normal);
  const exists = !Number.isNaN(time.getTime()) && formatUtcSecond(time) === normal;
  return exists ? normal : null;
}

/**
 * Writes a time as its UTC second; the fraction is cut off.
 *
 * @param time A time in the years 0 to 9999
 * @returns Such as `2026-02-15T20:13:00Z`
 */
export function formatUtcSecond(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
