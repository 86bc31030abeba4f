// Control (Cc), format (Cf: bidirectional, zero-width and tag characters), line and paragraph
// separators, private use and unassigned: nothing that a terminal could act on or a reader overlook.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/gu;

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/**
 * Makes text from outside safe to show: control, bidirectional, zero-width and other invisible
 * characters appear as `\u202e`.
 *
 * @param text Any text
 * @returns The text on one line, with nothing in it that a terminal acts on
 */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, escapeCharacter);
}

/**
 * Puts a name from outside between quotation marks, safe to show.
 *
 * @param name A file name or another word from outside
 * @returns `"name"`, with `"` and `\` escaped and everything invisible as `\u202e`
 */
export function quote(name: string): string {
  return `"${escapeText(name.replace(/["\\]/g, "\\$&"))}"`;
}

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
  return `$'${[...word].map(escapeInShell).join("")}'`;
}

function escapeInShell(character: string): string {
  if (character === "'" || character === "\\") return `\\${character}`;
  if (escapeText(character) === character) return character;
  const bytes = new TextEncoder().encode(character);
  return [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}

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
