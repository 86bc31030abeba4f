import { quote } from "../../quote.ts";

/** Most UTF-16 code units of a repository's text that a message shows. */
const MAX_SHOWN = 120;
const HALF_CHARACTER = /[\ud800-\udbff]$/;

/**
 * Quotes text from a repository, safe to show, and cut where it is longer than anyone reads.
 *
 * @param text Any text
 */
export function showText(text: string): string {
  if (text.length <= MAX_SHOWN) return quote(text);
  return quote(`${text.slice(0, MAX_SHOWN).replace(HALF_CHARACTER, "")}…`);
}
