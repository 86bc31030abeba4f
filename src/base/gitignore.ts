import { KprovError } from "./error.ts";
import { compileAlternatives, type GlobAlternative } from "./glob.ts";
import {
  ANY_BUT_SLASH,
  type CharacterRange,
  type GlobStep,
  MOST_CHARACTERS,
  parseBracket,
  SLASH,
} from "./glob_syntax.ts";

/** Some patterns, in the reading of a .gitignore file (https://git-scm.com/docs/gitignore). */
export interface IgnoreList {
  /**
   * Tells whether an entry of a directory is ignored: the last pattern that matches decides. What
   * lies below an ignored directory is ignored with it and is not asked for.
   *
   * @param path The entry, relative to where the patterns hold, with `/` between its parts
   * @param isDirectory Whether it is a directory, which a link is not
   */
  readonly isIgnored: (path: string, isDirectory: boolean) => boolean;
  /** The places of the patterns that have matched nothing so far. */
  readonly listUnused: () => number[];
}

/**
 * Reads a line of a .gitignore file: spaces at its end do not count unless `\` stands before them.
 *
 * @param line The line, without its end
 * @returns The pattern, or null where the line is empty or a comment
 */
export function parseIgnoreLine(line: string): string | null {
  if (line.startsWith("#")) return null;
  let end = 0;
  for (let i = 0; i < line.length; i++) {
    const isEscaped = line[i] === "\\";
    if (isEscaped) i++;
    if (isEscaped || line[i] !== " ") end = i + 1;
  }
  return line.slice(0, end) || null;
}

/** A pattern, as {@linkcode parseIgnorePattern} reads it. */
export interface IgnorePattern {
  /** Whether `!` stands before it: what it matches is not ignored after all. */
  readonly isNegated: boolean;
  /** Whether `/` stands at its end: only directories match. */
  readonly isForDirectories: boolean;
  /** Whether it has a `/` before its end: it matches whole paths, and else the last part of any. */
  readonly isAnchored: boolean;
  /** What it matches. */
  readonly steps: readonly GlobStep[];
}

/**
 * Parses a pattern.
 *
 * @param text As {@linkcode parseIgnoreLine} returns it
 * @throws {KprovError} `policy` on what is malformed, which git takes and never matches; the message
 * is a reason such as `a "[" is not closed`
 */
export function parseIgnorePattern(text: string): IgnorePattern {
  const isNegated = text.startsWith("!");
  const isForDirectories = text.endsWith("/");
  const body = text.slice(isNegated ? 1 : 0, isForDirectories ? -1 : undefined);
  const isAnchored = body.includes("/");
  const steps = parseSteps(body.replace(/^\//, ""));
  return { isNegated, isForDirectories, isAnchored, steps };
}

/**
 * Compiles patterns. Any number of them read a path at most twice.
 *
 * @param patterns The patterns, in order
 */
export function compileIgnoreList(patterns: readonly IgnorePattern[]): IgnoreList {
  const findAnchored = compilePart(patterns, (pattern) => pattern.isAnchored);
  const findAtAnyDepth = compilePart(patterns, (pattern) => !pattern.isAnchored);
  const isUsed = new Uint8Array(patterns.length);
  return {
    isIgnored: (path, isDirectory) => {
      const lastPart = path.slice(path.lastIndexOf("/") + 1);
      let last = -1;
      for (const found of [findAnchored(path), findAtAnyDepth(lastPart)]) {
        for (const i of found) {
          if (patterns[i]?.isForDirectories && !isDirectory) continue;
          isUsed[i] = 1;
          last = Math.max(last, i);
        }
      }
      return last >= 0 && patterns[last]?.isNegated === false;
    },
    listUnused: () => patterns.flatMap((_, i) => isUsed[i] === 0 ? [i] : []),
  };
}

function compilePart(
  patterns: readonly IgnorePattern[],
  isPart: (pattern: IgnorePattern) => boolean,
): (path: string) => readonly number[] {
  const alternatives = patterns.flatMap((pattern, glob): GlobAlternative[] =>
    isPart(pattern) ? [{ glob, steps: pattern.steps }] : []
  );
  return compileAlternatives(alternatives);
}

function parseSteps(text: string): GlobStep[] {
  const characters = [...text];
  if (characters.length > MOST_CHARACTERS) {
    throw new KprovError("policy", `it is longer than ${MOST_CHARACTERS} characters`);
  }
  const steps: GlobStep[] = [];
  for (let i = 0; i < characters.length;) {
    const { step, end } = parseStep(characters, i);
    steps.push(step);
    i = end;
  }
  return steps;
}

interface ParsedStep {
  readonly step: GlobStep;
  /** The index behind it. */
  readonly end: number;
}

function parseStep(characters: readonly string[], start: number): ParsedStep {
  switch (characters[start]) {
    case "*":
      return parseStars(characters, start);
    case "?":
      return { step: ANY_BUT_SLASH, end: start + 1 };
    case "[":
      return parseSet(characters, start);
    case "\\":
      return { step: toStep(characters[start + 1]), end: start + 2 };
    default:
      return { step: toStep(characters[start]), end: start + 1 };
  }
}

/** A set matches no `/`, whatever it holds. */
function parseSet(characters: readonly string[], start: number): ParsedStep {
  const { negated, ranges, end } = parseBracket(characters, start);
  const [beforeSlash, behindSlash] = [0x2f - 1, 0x2f + 1];
  const others = ranges.flatMap(([first, last]): CharacterRange[] =>
    first <= beforeSlash && last >= behindSlash
      ? [[first, beforeSlash], [behindSlash, last]]
      : [[first, last]]
  );
  const slash: CharacterRange = [0x2f, 0x2f];
  return { step: { kind: "one", negated, ranges: negated ? [...ranges, slash] : others }, end };
}

function toStep(character: string | undefined): GlobStep {
  if (character === undefined) throw new KprovError("policy", 'it ends with "\\"');
  if (character === "/") return SLASH;
  const code = character.codePointAt(0) ?? 0;
  return { kind: "one", negated: false, ranges: [[code, code]] };
}

/** Two or more stars mean directories where they stand alone between slashes, and else one star. */
function parseStars(characters: readonly string[], start: number): ParsedStep {
  let end = start;
  while (characters[end] === "*") end++;
  const before = characters[start - 1] ?? "/";
  const after = characters[end] ?? "/";
  const isAlone = end - start > 1 && before === "/" && after === "/";
  if (!isAlone) return { step: { kind: "star" }, end };
  return end < characters.length
    ? { step: { kind: "directories" }, end: end + 1 }
    : { step: { kind: "rest" }, end };
}
