/**
 * Writes a word so that a POSIX shell reads it back as it is, and a terminal acts on nothing in it.
 *
 * @param word Any text without NUL
 * @returns The word itself where it is plain, else quoted; with `$'...'` where it holds control or
 * invisible characters
 */
export function shellQuote(word: string): string {
  if (/^[A-Za-z0-9_./:@%+=,-]+$/.test(word)) return word;
  if (!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/u.test(word)) {
    return `'${word.replaceAll("'", "'\\''")}'`;
  }
  return `$'${word.replace(/[\\'\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/gu, escapeForShell)}'`;
}

function escapeForShell(character: string): string {
  if (character === "\\" || character === "'") return `\\${character}`;
  const bytes = new TextEncoder().encode(character);
  return [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}
