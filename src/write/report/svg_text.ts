import { escapeText } from "../../quote.ts";

/**
 * Cuts a text to what fits into a picture, which does not wrap.
 *
 * @param text Any text; invisible characters are shown escaped
 * @param columns How many letters of a monospaced face fit; letters of wide scripts take two
 */
export function shorten(text: string, columns: number): string {
  const shown = [...escapeText(text)];
  let width = 0;
  for (const [i, character] of shown.entries()) {
    width += isWide(character) ? 2 : 1;
    if (width > columns) return `${fit(shown.slice(0, i), columns - 1)}…`;
  }
  return shown.join("");
}

function fit(characters: readonly string[], columns: number): string {
  let width = 0;
  return characters.filter((character) => (width += isWide(character) ? 2 : 1) <= columns).join("");
}

/** From U+1100 on, most scripts are set at twice the width of a Latin letter. */
function isWide(character: string): boolean {
  return (character.codePointAt(0) ?? 0) >= 0x1100 && character !== "…";
}
