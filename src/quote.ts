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
