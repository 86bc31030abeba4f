import { DockerfileParser, type From } from "dockerfile-ast";
import { type Finding, type FindingDetails, makeFinding } from "../../base/error.ts";
import { placeInText } from "../../base/located_values.ts";
import { quote } from "../../base/quote.ts";
import { decodeText } from "../../base/text.ts";
import type { ContentHit, RepositoryFacts, TrackedEntry } from "../guard.ts";

type Labels = Readonly<Record<string, string>>;

interface Dockerfile {
  readonly path: string;
  readonly text: string;
  readonly stages: readonly DockerStage[];
}

// Far beyond any Dockerfile that people write, and what is parsed in well under a second.
const MOST_BYTES = 2 ** 18;
const CODE = "identity.docker_label";
// A carriage return alone, and white space before an instruction that is neither a space nor a tab: for some
// readers an instruction begins behind it, for others not.
const UNCERTAIN_LINES = /\r(?!\n)|(?:^|\n)[ \t]*(?![ \t\r\n])[\p{White_Space}\ufeff]/u;

/**
 * Checks that the image of each Dockerfile gets the labels that it must have: those of its last
 * stage, with what that takes over from an earlier one.
 *
 * @param required The labels and their values
 * @param dockerfiles The tracked Dockerfiles
 * @param facts Of the repository, with the Dockerfiles whole
 */
export function checkDockerLabels(
  required: Labels,
  dockerfiles: readonly TrackedEntry[],
  facts: RepositoryFacts,
): Finding[] {
  if (Object.keys(required).length === 0) return [];
  return dockerfiles.flatMap((entry) => {
    const dockerfile = readDockerfile(entry, facts);
    return "text" in dockerfile
      ? checkDockerfile(required, dockerfile)
      : [makeFinding(CODE, `cannot read ${quote(entry.path)}: ${dockerfile.reason}`, {
        path: entry.path,
      })];
  });
}

/**
 * Drops the hits of the display name that stand in the value of a description label, the one place
 * in a Dockerfile where it may.
 *
 * @param hits What the content rules matched
 * @param dockerfiles The tracked Dockerfiles
 * @param facts Of the repository, with the Dockerfiles whole
 */
export function dropDescriptionHits(
  hits: readonly ContentHit[],
  dockerfiles: readonly TrackedEntry[],
  facts: RepositoryFacts,
): readonly ContentHit[] {
  const byPath = Map.groupBy(hits.filter(isDisplayName), ({ path }) => path);
  const isDropped = new Map<string, (hit: ContentHit) => boolean>();
  for (const entry of dockerfiles) {
    const found = byPath.get(entry.path) ?? [];
    // Those that are not listed stand elsewhere in the file.
    if (found.length === 0 || found.some(({ unlisted }) => unlisted !== undefined)) continue;
    const dockerfile = readDockerfile(entry, facts);
    if ("text" in dockerfile) isDropped.set(entry.path, matchDescriptions(dockerfile));
  }
  return hits.filter((hit) => !isDisplayName(hit) || isDropped.get(hit.path)?.(hit) !== true);
}

function isDisplayName({ code }: ContentHit): boolean {
  return code === "identity.display_name";
}

function readDockerfile(
  { path, kind }: TrackedEntry,
  { contents }: RepositoryFacts,
): Dockerfile | { readonly reason: string } {
  if (kind === "symlink") return { reason: "it is a symbolic link" };
  const content = contents.get(path);
  if (content === undefined) return { reason: "its content was not read" };
  if (!content.ok) return { reason: content.reason };
  if (content.bytes.length > MOST_BYTES) return { reason: `it is larger than ${MOST_BYTES} bytes` };
  const decoded = decodeText(content.bytes);
  if (!decoded.ok) return { reason: decoded.reason };
  if (UNCERTAIN_LINES.test(decoded.text)) {
    return { reason: "its readers take white space in it differently" };
  }
  return { path, text: decoded.text, stages: parseDockerLabels(decoded.text) };
}

function checkDockerfile(required: Labels, dockerfile: Dockerfile): Finding[] {
  const { path, text, stages } = dockerfile;
  const last = stages.at(-1);
  if (last === undefined) {
    return [makeFinding(CODE, `${quote(path)} has no FROM, so no image to label`, { path })];
  }
  const labels = listInherited(stages);
  const undecided = labels.filter(({ name }) => !name.ok);
  return [
    ...undecided.map(({ index }) =>
      makeFinding(CODE, "the name of a label is unknown before the build", {
        path,
        ...placeInText(text, index),
        hint: "write the name out, without variables, and close its quotation marks",
      })
    ),
    ...Object.entries(required).flatMap(([name, value]) => {
      const label = labels.findLast((l) => l.name.ok && l.name.value === name);
      const place = placeInText(text, label === undefined ? last.index : startOfValue(label));
      return checkLabel(name, value, label, { path, ...place });
    }),
  ];
}

function checkLabel(
  name: string,
  expected: string,
  label: DockerLabel | undefined,
  place: FindingDetails,
): Finding[] {
  const hint = `Write LABEL ${name}=${JSON.stringify(expected)} in the last stage`;
  const details = { ...place, hint };
  const must = `label ${quote(name)} must be ${quote(expected)}`;
  if (label === undefined) return [makeFinding(CODE, `${must}, but is not set`, details)];
  if (!label.value.ok) {
    return [makeFinding(CODE, `${must}, but is unknown before the build`, details)];
  }
  if (label.value.value === expected) return [];
  return [makeFinding(CODE, `${must}, but is ${quote(label.value.value)}`, details)];
}

/** The labels of the last stage, after those of the stages that it starts from. */
function listInherited(stages: readonly DockerStage[]): readonly DockerLabel[] {
  const chain: DockerStage[] = [];
  for (const stage of stages.toReversed()) {
    const child = chain.at(-1);
    if (child === undefined || child.base.toLowerCase() === stage.name) chain.push(stage);
  }
  return chain.toReversed().flatMap(({ labels }) => labels);
}

function matchDescriptions({ text, stages }: Dockerfile): (hit: ContentHit) => boolean {
  const values = stages.flatMap(({ labels }) => labels).filter(isDescription)
    .flatMap(({ valueRanges }) => valueRanges)
    .map(([start, end]) => ({ start: placeInText(text, start), end: placeInText(text, end) }));
  return ({ line, column }) =>
    values.some(({ start, end }) =>
      line === start.line && column >= start.column && column < end.column
    );
}

function startOfValue({ index, valueRanges }: DockerLabel): number {
  return valueRanges[0]?.[0] ?? index;
}

function isDescription({ name }: DockerLabel): boolean {
  return name.ok && /(?:^|\.)description$/.test(name.value);
}

/** A label that a Dockerfile sets. */
interface DockerLabel {
  /** Its name. */
  readonly name: DecodedWord;
  /** Its value. */
  readonly value: DecodedWord;
  /** Where its name starts in the Dockerfile. */
  readonly index: number;
  /** The stretches of the Dockerfile that make up its value, quotes included. */
  readonly valueRanges: readonly (readonly [number, number])[];
}

/** A place as the parser counts it, from 0. */
interface TextPosition {
  readonly line: number;
  readonly character: number;
}

/** A stage of a build, from `FROM` to the next. */
interface DockerStage {
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
function parseDockerLabels(source: string): readonly DockerStage[] {
  const dockerfile = DockerfileParser.parse(source);
  const escape = dockerfile.getEscapeCharacter();
  const lineStarts = listLineStarts(source);
  const indexOf = ({ line, character }: TextPosition): number =>
    (lineStarts[line] ?? 0) + character;
  const stages: OpenStage[] = [];
  for (const instruction of dockerfile.getInstructions()) {
    const range = instruction.getRange();
    const [index, endIndex] = [indexOf(range.start), indexOf(range.end)];
    const keyword = instruction.getKeyword();
    if (keyword === "FROM") stages.push(openStage(instruction as From, index));
    const labels = stages.at(-1)?.labels;
    if (keyword === "LABEL") {
      const start = indexOf(instruction.getInstructionRange().end);
      const joined = joinLines(source, start, endIndex, escape);
      labels?.push(...(joined === null ? [undecodable(index)] : listLabels(joined, escape)));
    } else if (mayHideLabel(source.slice(index, endIndex), escape)) {
      labels?.push(undecodable(index));
    }
  }
  return stages;
}

/** Whether a line in an instruction may be one of its own, which readers see differently, and set a label. */
function mayHideLabel(text: string, escape: string): boolean {
  const lines = text.split("\n");
  const doubtful = lines.findIndex((line) => line.trimEnd().endsWith(escape + escape));
  return doubtful !== -1 &&
    lines.slice(doubtful + 1).some((line) => /^\s*(?:LABEL|FROM)\s/i.test(line));
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
  return [0, ...[...source.matchAll(/\n/g)].map(({ index }) => index + 1)];
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
    if (quote === "" && /\p{White_Space}/u.test(character)) {
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
