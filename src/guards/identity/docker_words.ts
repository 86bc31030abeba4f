import { DockerfileParser, type From, type Instruction } from "dockerfile-ast";

/** A label that a Dockerfile sets. */
export interface DockerLabel {
  /** Its name. */
  readonly name: DecodedWord;
  /** Its value. */
  readonly value: DecodedWord;
  /** Where its name starts in the Dockerfile. */
  readonly index: number;
  /** The stretches of the Dockerfile that make up its value, quotes included. */
  readonly valueRanges: readonly (readonly [number, number])[];
}

/** A stage of a build, from `FROM` to the next. */
export interface DockerStage {
  /** What later stages call it, in lower case, or null. */
  readonly name: string | null;
  /** What it starts from. */
  readonly base: string;
  /** Where its `FROM` stands. */
  readonly index: number;
  /** The labels that it sets, in order; the last of one name counts. */
  readonly labels: readonly DockerLabel[];
}

interface OpenStage extends DockerStage {
  readonly labels: DockerLabel[];
}

/**
 * Reads the labels of a Dockerfile, stage by stage. The instructions are told apart by
 * dockerfile-ast (directives, comments, heredocs); what a `LABEL` says is decoded as BuildKit does.
 *
 * @param source The Dockerfile's text
 */
export function parseDockerLabels(source: string): readonly DockerStage[] {
  const dockerfile = DockerfileParser.parse(source);
  const escape = dockerfile.getEscapeCharacter();
  const lineStarts = listLineStarts(source);
  const stages: OpenStage[] = [];
  for (const instruction of dockerfile.getInstructions()) {
    const { start, end } = instruction.getRange();
    const index = (lineStarts[start.line] ?? 0) + start.character;
    const keyword = instruction.getKeyword();
    if (keyword === "FROM") stages.push(openStage(instruction as From, index));
    if (keyword !== "LABEL") continue;
    const endIndex = (lineStarts[end.line] ?? 0) + end.character;
    const joined = joinLines(source, index + keywordLength(instruction), endIndex, escape);
    const labels = joined === null ? [undecodable(index)] : listLabels(joined, escape);
    stages.at(-1)?.labels.push(...labels);
  }
  return stages;
}

function keywordLength(instruction: Instruction): number {
  const { start, end } = instruction.getInstructionRange();
  return end.character - start.character;
}

function openStage(from: From, index: number): OpenStage {
  return {
    name: from.getBuildStage()?.toLowerCase() ?? null,
    base: from.getImage() ?? "",
    index,
    labels: [],
  };
}

function listLineStarts(source: string): readonly number[] {
  return [0, ...[...source.matchAll(/\r\n|\n|\r/g)].map(({ index, 0: end }) => index + end.length)];
}

function listLabels(joined: JoinedText, escape: string): readonly DockerLabel[] {
  const { text } = joined;
  const words = splitWords(text, escape);
  const [first, second] = words;
  if (first === undefined) return [];
  if (text.slice(...first).includes("=")) {
    return words.map(([start, end]) => {
      const equals = text.slice(start, end).indexOf("=");
      const split = equals === -1 ? end : start + equals;
      const label = makeLabel(joined, escape, [start, split], [Math.min(split + 1, end), end]);
      return equals === -1 ? { ...label, value: { ok: false } } : label;
    });
  }
  // The old form, `LABEL name all the rest`.
  const end = text.trimEnd().length;
  return [makeLabel(joined, escape, first, [second?.[0] ?? end, end])];
}

function makeLabel(
  { text, indexes }: JoinedText,
  escape: string,
  name: readonly [number, number],
  value: readonly [number, number],
): DockerLabel {
  return {
    name: decodeWord(text.slice(...name), escape),
    value: decodeWord(text.slice(...value), escape),
    index: indexes[name[0]] ?? 0,
    valueRanges: listRuns(indexes.slice(...value)),
  };
}

function undecodable(index: number): DockerLabel {
  return { name: { ok: false }, value: { ok: false }, index, valueRanges: [] };
}

/** Joins consecutive numbers to ranges, the end excluded. */
function listRuns(indexes: readonly number[]): readonly (readonly [number, number])[] {
  const runs: [number, number][] = [];
  for (const index of indexes) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === index) last[1]++;
    else runs.push([index, index + 1]);
  }
  return runs;
}

/** A piece of a Dockerfile with its line continuations removed. */
interface JoinedText {
  /** The text. */
  readonly text: string;
  /** For each of its UTF-16 code units, and for its end, where it stands in the Dockerfile. */
  readonly indexes: readonly number[];
}

/** A word of a Dockerfile after quotes and escapes; not `ok` where only a build can tell. */
type DecodedWord = { readonly ok: true; readonly value: string } | { readonly ok: false };

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
function joinLines(
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
function splitWords(text: string, escape: string): readonly (readonly [number, number])[] {
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
function decodeWord(word: string, escape: string): DecodedWord {
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
