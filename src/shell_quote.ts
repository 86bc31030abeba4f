import { escapeText } from "./quote.ts";

/**
 * Quotes a word for a POSIX shell, so that a line can be copied and run. What a terminal could act
 * on or a reader overlook stands as the octal escapes of its UTF-8 bytes in `$'...'` (POSIX.1-2024,
 * 2.2.4; bash, zsh and ksh know it).
 *
 * @param word Any well-formed text
 * @returns The word itself where it is plain, else quoted
 */
export function shellQuote(word: string): string {
  if (/^[A-Za-z0-9_./:@%+=,-]+$/.test(word)) return word;
  if (escapeText(word) === word) return `'${word.replaceAll("'", "'\\''")}'`;
  return `$'${[...word].map(escapeCharacter).join("")}'`;
}

function escapeCharacter(character: string): string {
  if (character === "'" || character === "\\") return `\\${character}`;
  if (escapeText(character) === character) return character;
  const bytes = new TextEncoder().encode(character);
  return [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}
