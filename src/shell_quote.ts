import { escapeText, replaceUnsafe } from "./quote.ts";

/**
 * Quotes a word for a POSIX shell, so that a line can be copied and run. What must not be
 * printed as it is stands as the octal escapes of its UTF-8 bytes in `$'...'` (POSIX.1-2024,
 * 2.2.4; bash, zsh and ksh know it).
 *
 * @param word Any well-formed text
 * @returns The word itself where it is plain, else quoted
 */
export function shellQuote(word: string): string {
  if (escapeText(word) === word) {
    return /^[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
  }
  return `$'${replaceUnsafe(word.replace(/['\\]/g, "\\$&"), toOctal)}'`;
}

function toOctal(character: string): string {
  const bytes = new TextEncoder().encode(character);
  return [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}
