import { KprovError } from "../../kprov_error.ts";
import { type CharacterRange, parseBracket } from "./glob_bracket.ts";

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

type OneStep = Extract<GlobStep, { kind: "one" }>;

type Token =
  | OneStep
  | { readonly kind: "star" }
  | { readonly kind: "globstar" }
  | { readonly kind: "slash" }
  | { readonly kind: "group"; readonly alternatives: readonly (readonly Token[])[] };

type FlatToken = Exclude<Token, { kind: "group" }>;

interface Cursor {
  readonly characters: readonly string[];
  index: number;
  depth: number;
}

/** A path of 4096 bytes still fits with every character escaped. */
const MOST_CHARACTERS = 8192;
const MOST_ALTERNATIVES = 1000;
const DEEPEST_GROUP = 10;

const SLASH: OneStep = { kind: "one", negated: false, ranges: [[0x2f, 0x2f]] };
const ANY_BUT_SLASH: OneStep = { kind: "one", negated: true, ranges: [[0x2f, 0x2f]] };

/**
 * Parses a glob into the steps of each of its alternatives; `{a,b}` makes two.
 *
 * @param glob The glob
 * @throws {KprovError} `policy` where it is malformed, or could never match a path that git tracks;
 * the message is a reason such as `it starts with "/", which no path does`
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
      const { negated, ranges, end } = parseBracket(cursor.characters, cursor.index);
      cursor.index = end;
      return { kind: "one", negated, ranges: negated ? [...ranges, [0x2f, 0x2f]] : ranges };
    }
    case "?":
      cursor.index++;
      return ANY_BUT_SLASH;
    case "/":
      cursor.index++;
      return { kind: "slash" };
    default:
      return parseLiteral(cursor, character);
  }
}

function parseLiteral(cursor: Cursor, character: string): Token {
  cursor.index++;
  const literal = character === "\\" ? cursor.characters[cursor.index++] : character;
  if (literal === undefined) throw refuse('it ends with "\\"');
  if (literal === "/") return { kind: "slash" };
  const code = literal.codePointAt(0) ?? 0;
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
    return isLast ? steps : [...steps, SLASH];
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
