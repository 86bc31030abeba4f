/** A place in a text. */
export interface TextPlace {
  /** From 1. */
  readonly line: number;
  /** In UTF-16 code units, from 1. */
  readonly column: number;
}

/**
 * Tells where an index into a text lies.
 *
 * @param text The text
 * @param index From 0
 */
export function placeInText(text: string, index: number): TextPlace {
  let line = 1;
  let lineStart = 0;
  let next = text.indexOf("\n");
  while (next !== -1 && next < index) {
    line++;
    lineStart = next + 1;
    next = text.indexOf("\n", lineStart);
  }
  return { line, column: index - lineStart + 1 };
}
