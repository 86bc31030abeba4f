import { KprovError } from "./error.ts";

/** One step of a glob along a path. */
export type GlobStep =
  /** One character, in the ranges or not in them. */
  | { readonly kind: "one"; readonly negated: boolean; readonly ranges: readonly CharacterRange[] }
  /** `*`: any characters but `/`. */
  | { readonly kind: "star" }
  /** `**` with the `/` behind it: any directories, or none. */
  | { readonly kind: "directories" }
  /** `**` at the end: everything below. */
  | { readonly kind: "rest" };

/** A step over one character. */
type OneStep = Extract<GlobStep, { kind: "one" }>;

type FlatToken =
  | Extract<GlobStep, { kind: "one" | "star" }>
  | { readonly kind: "globstar" }
  | { readonly kind: "slash" };

type Token =
  | FlatToken
  | { readonly kind: "group"; readonly alternatives: readonly (readonly Token[])[] };

interface Cursor {
  readonly characters: readonly string[];
  index: number;
  depth: number;
}

/** A path of 4096 bytes still fits with every character escaped. */
export const MOST_CHARACTERS = 8192;
const MOST_ALTERNATIVES = 1000;
const DEEPEST_GROUP = 10;

/** The step of `?`. */
export const ANY_BUT_SLASH: OneStep = { kind: "one", negated: true, ranges: [[0x2f, 0x2f]] };

/**
 * Parses a glob into the steps of each of its alternatives; `{a,b}` makes two. Throws `policy` where it
 * is malformed, or could never match a path that git tracks; the message is a reason such as `it starts
 * with "/", which no path does`.
 */
export function parseGlob(glob: string): readonly (readonly GlobStep[])[] {
  const characters = [...glob];
  if (characters.length > MOST_CHARACTERS) {
    throw refuse(`it is longer than ${MOST_CHARACTERS} characters`);
  }
  if (glob.startsWith("!")) {
    throw refuse('it starts with "!", which does not negate here; "\\!" stands for itself');
  }
  const cursor = { characters, index: 0, depth: 0 };
  const tokens = parseSequence(cursor);
  if (cursor.index < characters.length) throw refuse('a "}" closes nothing');
  return expandGroups(tokens).map(toSteps);
}

function parseSequence(cursor: Cursor): Token[] {
  const tokens: Token[] = [];
  while (cursor.index < cursor.characters.length) {
    const character = cursor.characters[cursor.index] ?? "";
    if (character === "}" || (character === "," && cursor.depth > 0)) break;
    tokens.push(parseToken(cursor, character));
  }
  return tokens;
}

function parseToken(cursor: Cursor, character: string): Token {
  switch (character) {
    case "{":
      return parseGroup(cursor);
    case "*":
      return parseStars(cursor);
    case "[": {
      const [step, end] = parseBracket(cursor.characters, cursor.index);
      cursor.index = end;
      return step;
    }
    case "?":
      cursor.index++;
      return ANY_BUT_SLASH;
    default:
      return parseLiteral(cursor, character);
  }
}

function parseLiteral(cursor: Cursor, character: string): Token {
  cursor.index++;
  const literal = character === "\\" ? cursor.characters[cursor.index++] : character;
  if (literal === undefined) throw refuse('it ends with "\\"');
  return literal === "/" ? { kind: "slash" } : toStep(literal);
}

/** The step over a character that stands for itself. */
export function toStep(character: string): OneStep {
  const code = character.codePointAt(0) ?? 0;
  return { kind: "one", negated: false, ranges: [[code, code]] };
}

function parseStars(cursor: Cursor): Token {
  const start = cursor.index;
  while (cursor.characters[cursor.index] === "*") cursor.index++;
  if (cursor.index - start > 2) throw refuse('it has more than two "*" in a row');
  return { kind: cursor.index - start === 2 ? "globstar" : "star" };
}

function parseGroup(cursor: Cursor): Token {
  if (++cursor.depth > DEEPEST_GROUP) throw refuse(`"{" is nested deeper than ${DEEPEST_GROUP}`);
  const alternatives: Token[][] = [];
  do {
    cursor.index++;
    alternatives.push(parseSequence(cursor));
  } while (cursor.characters[cursor.index] === ",");
  if (cursor.characters[cursor.index] !== "}") throw refuse('a "{" is not closed');
  if (alternatives.length === 1) {
    throw refuse('a "{...}" has no "," in it; "\\{" stands for itself');
  }
  cursor.index++;
  cursor.depth--;
  return { kind: "group", alternatives };
}

function expandGroups(tokens: readonly Token[]): readonly (readonly FlatToken[])[] {
  let expanded: readonly (readonly FlatToken[])[] = [[]];
  for (const token of tokens) {
    const tails = token.kind === "group" ? token.alternatives.flatMap(expandGroups) : [[token]];
    if (expanded.length * tails.length > MOST_ALTERNATIVES) {
      throw refuse(`it has more than ${MOST_ALTERNATIVES} alternatives`);
    }
    expanded = expanded.flatMap((head) => tails.map((tail) => [...head, ...tail]));
  }
  return expanded;
}

function toSteps(tokens: readonly FlatToken[]): GlobStep[] {
  const parts = splitParts(tokens);
  checkParts(parts);
  return parts.flatMap((part, i): GlobStep[] => {
    const isLast = i === parts.length - 1;
    if (part[0]?.kind === "globstar") return [{ kind: isLast ? "rest" : "directories" }];
    const steps = part.filter((token) => token.kind === "one" || token.kind === "star");
    return isLast ? steps : [...steps, toStep("/")];
  });
}

function splitParts(tokens: readonly FlatToken[]): FlatToken[][] {
  const parts: FlatToken[][] = [[]];
  for (const token of tokens) {
    if (token.kind === "slash") parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

/** Refuses what no tracked path looks like: such a glob would seem to forbid and never match. */
function checkParts(parts: readonly (readonly FlatToken[])[]): void {
  if (parts.length === 1 && parts[0]?.length === 0) throw refuse("it, or an alternative, is empty");
  if (parts[0]?.length === 0) throw refuse('it starts with "/", which no path does');
  if (parts.at(-1)?.length === 0) {
    throw refuse('it ends with "/", which no path does; "/**" stands for all that is below');
  }
  for (const part of parts) {
    if (part.length === 0) throw refuse('it has an empty part, "//", which no path has');
    if (part.length <= 2 && part.every(isDot)) {
      throw refuse('it has a part "." or "..", which no path has');
    }
    if (part.length > 1 && part.some((token) => token.kind === "globstar")) {
      throw refuse('"**" must stand alone between slashes');
    }
  }
}

function isDot(token: FlatToken): boolean {
  return token.kind === "one" && !token.negated && token.ranges.length === 1 &&
    token.ranges[0]?.[0] === 0x2e && token.ranges[0][1] === 0x2e;
}

function refuse(reason: string): KprovError {
  return new KprovError("policy", reason);
}

/** A range of characters by their code points, both ends in it. */
export type CharacterRange = readonly [first: number, last: number];

/** The characters that a part of a glob names, and the index behind it. */
type Characters = readonly [ranges: readonly CharacterRange[], end: number];

/** The classes of POSIX, as far as ASCII, as git has them. */
const CLASSES: Readonly<Record<string, readonly CharacterRange[]>> = {
  alnum: [[0x30, 0x39], [0x41, 0x5a], [0x61, 0x7a]],
  alpha: [[0x41, 0x5a], [0x61, 0x7a]],
  blank: [[0x09, 0x09], [0x20, 0x20]],
  cntrl: [[0x00, 0x1f], [0x7f, 0x7f]],
  digit: [[0x30, 0x39]],
  graph: [[0x21, 0x7e]],
  lower: [[0x61, 0x7a]],
  print: [[0x20, 0x7e]],
  punct: [[0x21, 0x2f], [0x3a, 0x40], [0x5b, 0x60], [0x7b, 0x7e]],
  space: [[0x09, 0x0d], [0x20, 0x20]],
  upper: [[0x41, 0x5a]],
  xdigit: [[0x30, 0x39], [0x41, 0x46], [0x61, 0x66]],
};

/** Parses the set whose `[` is at an index, and tells the index behind it; `[!…]` names `/` too. */
export function parseBracket(characters: readonly string[], start: number): [OneStep, number] {
  const negated = characters[start + 1] === "!" || characters[start + 1] === "^";
  const ranges: CharacterRange[] = [];
  const first = start + (negated ? 2 : 1);
  let i = first;
  // A "]" that comes first stands for itself.
  while (i < characters.length && (characters[i] !== "]" || i === first)) {
    const [found, end] = parseClass(characters, i) ?? parseRange(characters, i);
    ranges.push(...found);
    i = end;
  }
  if (i >= characters.length) throw refuse('a "[" is not closed');
  if (negated) ranges.push([0x2f, 0x2f]);
  return [{ kind: "one", negated, ranges }, i + 1];
}

function parseClass(characters: readonly string[], start: number): Characters | null {
  if (characters[start] !== "[" || characters[start + 1] !== ":") return null;
  const close = characters.indexOf(":", start + 2);
  const name = characters.slice(start + 2, Math.max(close, start + 2)).join("");
  const ranges = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
  if (ranges === undefined || characters[close + 1] !== "]") {
    throw refuse('a class such as "[:alpha:]" is not known');
  }
  return [ranges, close + 2];
}

function parseRange(characters: readonly string[], start: number): Characters {
  const [first, dash] = parseCharacter(characters, start);
  const next = characters[dash + 1];
  if (characters[dash] !== "-" || next === "]" || next === undefined) {
    return [[[first, first]], dash];
  }
  const [last, end] = parseCharacter(characters, dash + 1);
  if (last < first) throw refuse("a range of characters runs backwards");
  return [[[first, last]], end];
}

function parseCharacter(characters: readonly string[], start: number): [code: number, end: number] {
  const index = characters[start] === "\\" ? start + 1 : start;
  const character = characters[index];
  if (character === undefined) throw refuse('a "[" is not closed');
  if (character === "/") throw refuse('a "[...]" never matches "/"');
  return [character.codePointAt(0) ?? 0, index + 1];
}
