import type { Position } from "./yaml_node.ts";

/**
 * Finds the line and column of a place in a text.
 *
 * @param text The text
 * @param offset The place, in UTF-16 code units from 0
 */
export function locateOffset(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}
