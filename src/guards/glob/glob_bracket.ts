import { KprovError } from "../../kprov_error.ts";

/** A range of characters by their code points, both ends in it. */
export type CharacterRange = readonly [first: number, last: number];

/** What `[...]` matches. */
export interface Bracket {
  /** Whether it starts with `!` or `^`. */
  readonly negated: boolean;
  /** The characters that it names. */
  readonly ranges: readonly CharacterRange[];
  /** The index behind the closing bracket. */
  readonly end: number;
}

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

/**
 * Parses the set of characters that starts at a `[`.
 *
 * @param characters The glob
 * @param start Where the `[` stands
 * @throws {KprovError} `policy`; the message is a reason such as `"[" is not closed`
 */
export function parseBracket(characters: readonly string[], start: number): Bracket {
  const negated = characters[start + 1] === "!" || characters[start + 1] === "^";
  const ranges: CharacterRange[] = [];
  const first = start + (negated ? 2 : 1);
  let i = first;
  // A "]" that comes first stands for itself.
  while (i < characters.length && (characters[i] !== "]" || i === first)) {
    const { ranges: found, end } = parseClass(characters, i) ?? parseRange(characters, i);
    ranges.push(...found);
    i = end;
  }
  if (i >= characters.length) throw new KprovError("policy", 'a "[" is not closed');
  return { negated, ranges, end: i + 1 };
}

interface Item {
  readonly ranges: readonly CharacterRange[];
  readonly end: number;
}

function parseClass(characters: readonly string[], start: number): Item | null {
  if (characters[start] !== "[" || characters[start + 1] !== ":") return null;
  const close = characters.indexOf(":", start + 2);
  const name = characters.slice(start + 2, Math.max(close, start + 2)).join("");
  const ranges = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
  if (ranges === undefined || characters[close + 1] !== "]") {
    throw new KprovError("policy", 'a class such as "[:alpha:]" is not known');
  }
  return { ranges, end: close + 2 };
}

function parseRange(characters: readonly string[], start: number): Item {
  const first = parseCharacter(characters, start);
  const next = characters[first.end + 1];
  if (characters[first.end] !== "-" || next === "]" || next === undefined) {
    return { ranges: [[first.code, first.code]], end: first.end };
  }
  const last = parseCharacter(characters, first.end + 1);
  if (last.code < first.code) {
    throw new KprovError("policy", "a range of characters runs backwards");
  }
  return { ranges: [[first.code, last.code]], end: last.end };
}

function parseCharacter(
  characters: readonly string[],
  start: number,
): { readonly code: number; readonly end: number } {
  const index = characters[start] === "\\" ? start + 1 : start;
  const character = characters[index];
  if (character === undefined) throw new KprovError("policy", 'a "[" is not closed');
  if (character === "/") throw new KprovError("policy", 'a "[...]" never matches "/"');
  return { code: character.codePointAt(0) ?? 0, end: index + 1 };
}
