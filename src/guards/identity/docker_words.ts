/** A piece of a Dockerfile with its line continuations removed. */
export interface JoinedText {
  /** The text. */
  readonly text: string;
  /** For each of its UTF-16 code units, and for its end, where it stands in the Dockerfile. */
  readonly indexes: readonly number[];
}

/** A word of a Dockerfile after quotes and escapes; not `ok` where only a build can tell. */
export type DecodedWord = { readonly ok: true; readonly value: string } | { readonly ok: false };

/**
 * Joins the lines of an instruction as BuildKit does: an escape character before the line's end
 * goes with the end, comment lines and empty lines in between are left out.
 *
 * @param source The Dockerfile
 * @param start Where the instruction starts
 * @param end Where it ends
 * @param escape The escape character
 * @returns null where a line in between does not go on: readers differ in whether it does
 */
export function joinLines(
  source: string,
  start: number,
  end: number,
  escape: string,
): JoinedText | null {
  const indexes: number[] = [];
  let text = "";
  let lineStart = start;
  while (lineStart < end) {
    const newline = source.indexOf("\n", lineStart);
    const lineEnd = newline === -1 || newline > end ? end : newline;
    const line = source.slice(lineStart, lineEnd);
    const isLeftOut = lineStart > start && /^\s*(#|$)/.test(line);
    const kept = isLeftOut ? "" : removeContinuation(line, escape);
    if (kept === null && lineEnd < end) return null;
    for (let i = 0; i < (kept ?? line).length; i++) indexes.push(lineStart + i);
    text += kept ?? line;
    lineStart = lineEnd + 1;
  }
  return { text, indexes: [...indexes, end] };
}

/** A line without the escape character at its end, or null where it has none. */
function removeContinuation(line: string, escape: string): string | null {
  const trimmed = line.replace(/[ \t\r]+$/, "");
  const isContinued = trimmed.endsWith(escape) && !trimmed.endsWith(escape + escape);
  return isContinued ? trimmed.slice(0, -1) : null;
}

/**
 * Splits text at white space outside of quotes, as BuildKit does.
 *
 * @param text Joined lines
 * @param escape The escape character
 * @returns Each word's start and end
 */
export function splitWords(text: string, escape: string): readonly (readonly [number, number])[] {
  const words: [number, number][] = [];
  let start = -1;
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (quote === "" && /\s/.test(character)) {
      if (start >= 0) words.push([start, i]);
      start = -1;
      continue;
    }
    if (start < 0) start = i;
    if (character === escape && quote !== "'") i++;
    else if (quote === character) quote = "";
    else if (quote === "" && (character === '"' || character === "'")) quote = character;
  }
  if (start >= 0) words.push([start, text.length]);
  return words;
}

/**
 * Takes quotes and escapes off a word, as BuildKit does where it expands variables. A word with a
 * variable, or with a quotation mark left open, is not decoded.
 *
 * @param word One word
 * @param escape The escape character
 */
export function decodeWord(word: string, escape: string): DecodedWord {
  let value = "";
  let quote = "";
  for (let i = 0; i < word.length; i++) {
    const character = word.charAt(i);
    if (quote === "'") {
      if (character === "'") quote = "";
      else value += character;
    } else if (character === escape) {
      i++;
      value += unescape(word.charAt(i), quote, escape);
    } else if (character === "$") {
      return { ok: false };
    } else if (character === quote) {
      quote = "";
    } else if (quote === "" && (character === '"' || character === "'")) {
      quote = character;
    } else {
      value += character;
    }
  }
  return quote === "" ? { ok: true, value } : { ok: false };
}

/** Between double quotes an escape character stands for itself, but before three characters. */
function unescape(escaped: string, quote: string, escape: string): string {
  const isEscapable = escaped === '"' || escaped === "$" || escaped === escape;
  return quote === '"' && !isEscapable ? escape + escaped : escaped;
}
