/** A word or an operator of a shell script. */
export type ShellToken =
  | {
    readonly kind: "word";
    /** Without its quotation marks; nothing is expanded. */
    readonly text: string;
    /** Whether a part of it was quoted, so that it is no keyword. */
    readonly isQuoted: boolean;
  }
  | { readonly kind: "operator"; readonly text: string };

/** Longest script that is read, in UTF-16 code units. */
const MAX_LENGTH = 2 ** 16;

const OPERATORS = [";;&", "&&", "||", ";;", ";&", "|&", ";", "&", "|", "(", ")", "\n"];
const REDIRECTION = /\d*(?:&>>|&>|<<<|<<-|<<|>>|>&|<&|<>|>\||<|>)/y;
const HEREDOC = /^\d*<<-?$/;

/** How far a script is read, and the here-documents that begin with the next line. */
interface Reader {
  readonly text: string;
  at: number;
  readonly heredocs: string[];
  readonly tokens: ShellToken[];
}

/**
 * Splits a script of a POSIX shell or bash into words and operators. Comments, redirections and
 * here-documents are left out; `${{ … }}` is part of a word.
 *
 * @param text The script
 * @returns The tokens, or null where a quotation or a substitution does not end
 */
export function tokenizeShell(text: string): ShellToken[] | null {
  if (text.length > MAX_LENGTH) return null;
  const reader: Reader = { text: text.replaceAll("\r\n", "\n"), at: 0, heredocs: [], tokens: [] };
  while (reader.at < reader.text.length) {
    if (!readToken(reader)) return null;
  }
  return reader.tokens;
}

/** Reads one token; false where it does not end. */
function readToken(reader: Reader): boolean {
  const { text, at } = reader;
  const character = text[at] ?? "";
  if (text.startsWith("\\\n", at)) {
    reader.at += 2;
    return true;
  }
  if (character === " " || character === "\t" || character === "\r") {
    reader.at++;
    return true;
  }
  if (character === "#") {
    const end = text.indexOf("\n", at);
    reader.at = end < 0 ? text.length : end;
    return true;
  }
  return isSubstitution(text, at) ? readWord(reader, true) : readSignOrWord(reader);
}

/** `<(…)` and `>(…)` stand for files. */
function isSubstitution(text: string, at: number): boolean {
  return (text[at] === "<" || text[at] === ">") && text[at + 1] === "(";
}

function readSignOrWord(reader: Reader): boolean {
  REDIRECTION.lastIndex = reader.at;
  const redirection = REDIRECTION.exec(reader.text)?.[0];
  if (redirection !== undefined) return readRedirection(reader, redirection);
  const operator = OPERATORS.find((sign) => reader.text.startsWith(sign, reader.at));
  if (operator === undefined) return readWord(reader, true);
  reader.at += operator.length;
  reader.tokens.push({ kind: "operator", text: operator });
  if (operator === "\n") skipHeredocs(reader);
  return true;
}

function readRedirection(reader: Reader, redirection: string): boolean {
  reader.at += redirection.length;
  while (reader.text[reader.at] === " " || reader.text[reader.at] === "\t") reader.at++;
  const target = scanWord(reader);
  if (target === null) return false;
  if (HEREDOC.test(redirection)) reader.heredocs.push(target.text);
  return true;
}

function skipHeredocs(reader: Reader): void {
  for (let end = reader.heredocs.shift(); end !== undefined; end = reader.heredocs.shift()) {
    while (reader.at < reader.text.length) {
      const lineEnd = reader.text.indexOf("\n", reader.at);
      const stop = lineEnd < 0 ? reader.text.length : lineEnd;
      const line = reader.text.slice(reader.at, stop);
      reader.at = Math.min(stop + 1, reader.text.length);
      if (line.replace(/^\t+/, "") === end) break;
    }
  }
}

function readWord(reader: Reader, mustAdvance: boolean): boolean {
  const start = reader.at;
  const word = scanWord(reader);
  if (word === null || (mustAdvance && reader.at === start)) return false;
  reader.tokens.push({ kind: "word", ...word });
  return true;
}

/** Reads up to where a word ends; null where a quotation or a substitution in it does not end. */
function scanWord(reader: Reader): { text: string; isQuoted: boolean } | null {
  const { text } = reader;
  let word = "";
  let isQuoted = false;
  while (reader.at < text.length) {
    const character = text[reader.at] ?? "";
    const end = findPartEnd(text, reader.at);
    if (end === null) return null;
    if (end > reader.at + 1 || /["'\\]/.test(character)) {
      const part = text.slice(reader.at, end);
      word += unquote(part);
      isQuoted ||= /^["'\\]/.test(part) && part !== "\\\n";
      reader.at = end;
      continue;
    }
    if (/[\s;&|()<>]/.test(character)) break;
    word += character;
    reader.at++;
  }
  return { text: word, isQuoted };
}

/** The end of what starts at a place as a unit: a quotation, a substitution, or one character. */
function findPartEnd(text: string, at: number): number | null {
  switch (text[at]) {
    case "\\":
      return Math.min(at + 2, text.length);
    case "'":
      return findAfter(text, "'", at + 1);
    case "`":
      return findAfter(text, "`", at + 1);
    case '"':
      return findDoubleQuoteEnd(text, at + 1);
    case "$":
      if (text.startsWith("${{", at)) return findAfter(text, "}}", at + 3);
      if (text[at + 1] === "{") return findAfter(text, "}", at + 2);
      return text[at + 1] === "(" ? findParenthesisEnd(text, at + 2) : at + 1;
    case "<":
    case ">":
      return text[at + 1] === "(" ? findParenthesisEnd(text, at + 2) : at + 1;
    default:
      return at + 1;
  }
}

function findAfter(text: string, end: string, from: number): number | null {
  const index = text.indexOf(end, from);
  return index < 0 ? null : index + end.length;
}

function findDoubleQuoteEnd(text: string, from: number): number | null {
  for (let i = from; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"') return i + 1;
    else if (text.startsWith("$(", i)) {
      const end = findParenthesisEnd(text, i + 2);
      if (end === null) return null;
      i = end - 1;
    }
  }
  return null;
}

/** The place behind the parenthesis that closes one; quotations inside are not looked into. */
function findParenthesisEnd(text: string, from: number): number | null {
  let depth = 1;
  for (let i = from; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "'" || text[i] === '"') {
      const end = text.indexOf(text[i] ?? "", i + 1);
      if (end < 0) return null;
      i = end;
    } else if (text[i] === "(") depth++;
    else if (text[i] === ")" && --depth === 0) return i + 1;
  }
  return null;
}

function unquote(part: string): string {
  if (part === "\\\n") return "";
  if (part.startsWith("\\")) return part.slice(1);
  if (part.startsWith("'")) return part.slice(1, -1);
  return part.startsWith('"') ? part.slice(1, -1).replace(/\\(["\\$`])/g, "$1") : part;
}
