import { DockerfileParser, type From, type Instruction } from "dockerfile-ast";
import {
  type DecodedWord,
  decodeWord,
  type JoinedText,
  joinLines,
  splitWords,
} from "./docker_words.ts";

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
