import { KprovError } from "./error.ts";
import {
  ANY_BUT_SLASH,
  type CharacterRange,
  type GlobStep,
  MOST_CHARACTERS,
  parseBracket,
  parseGlob,
  toStep,
} from "./glob_syntax.ts";
import { quote } from "./quote.ts";

// A step costs memory, and time for each character of a path in the worst case.
const MOST_STEPS = 50_000;

/**
 * Compiles the globs of a policy into one test. A glob stands for whole paths from the root, case
 * counts: `*` and `?` match no `/`, nor does `[...]`; `**` between slashes matches any directories
 * or none, at the end everything below; `{a,b}` is either; `\` takes a character as it is. Throws
 * `policy` on a glob that is malformed or could never match, with the JSON Pointer of the globs.
 */
export function compileGlobs(
  globs: readonly string[],
  pointer?: string,
): (path: string) => boolean {
  const findGlob = compileGlobFinder(globs, pointer);
  return (path) => findGlob(path) !== null;
}

/** Compiles globs as `compileGlobs()` does, into a search for the index of the first that matches. */
export function compileGlobFinder(
  globs: readonly string[],
  pointer?: string,
): (path: string) => number | null {
  const alternatives: GlobAlternative[] = [];
  let stepCount = 0;
  for (const [i, glob] of globs.entries()) {
    const where = pointer === undefined ? "" : ` at ${pointer}/${i}`;
    for (const steps of parseNamedGlob(glob, where)) {
      stepCount += steps.length + 1;
      if (stepCount > MOST_STEPS) throw refuseGlob(glob, where, "with it, the globs are too many");
      alternatives.push({ glob: i, steps });
    }
  }
  const findAll = compileAlternatives(alternatives);
  return (path) => findAll(path)[0] ?? null;
}

function parseNamedGlob(glob: string, where: string): ReturnType<typeof parseGlob> {
  try {
    return parseGlob(glob);
  } catch (error) {
    if (!(error instanceof KprovError)) throw error;
    throw refuseGlob(glob, where, error.message, error);
  }
}

function refuseGlob(glob: string, where: string, reason: string, cause?: unknown): KprovError {
  return new KprovError("policy", `Cannot use glob ${quote(glob)}${where}: ${reason}`, { cause });
}

/** An alternative of a glob; a glob of a policy may have several, one of gitignore's has one. */
interface GlobAlternative {
  /** Which glob it belongs to. */
  readonly glob: number;
  /** Its steps. */
  readonly steps: readonly GlobStep[];
}

/** A place in an alternative: before a step, inside the directories of `**`, or at the end. */
type Place =
  | GlobStep
  | { readonly kind: "inside" }
  | { readonly kind: "end"; readonly glob: number };

/** All places that the characters read so far may have led to. */
interface State {
  readonly places: readonly number[];
  /** The globs that match what was read, in order. */
  readonly globs: readonly number[];
  /** Where each class of characters leads, as far as it was needed yet. */
  readonly next: (State | undefined)[];
}

interface Automaton {
  readonly places: readonly Place[];
  readonly starts: readonly number[];
  /** The first code point of each class of characters that no glob tells apart. */
  readonly classes: readonly number[];
  readonly states: Map<string, State>;
}

/** States are made when a path needs them; with more than these, they are made anew. */
const MOST_STATES = 2000;

const SLASH_CODE = 0x2f;

/**
 * Makes one matcher of many globs, which tells those that match a path, in order. It reads each path
 * once, whatever the globs: what a path has led to is a state, and states are kept. No path and no
 * glob makes it backtrack.
 */
function compileAlternatives(
  alternatives: readonly GlobAlternative[],
): (path: string) => readonly number[] {
  const automaton = layOut(alternatives);
  const classOfAscii = Array.from({ length: 128 }, (_, code) => findClass(automaton, code));
  let start = makeState(automaton, automaton.starts);
  return (path) => {
    if (automaton.states.size > MOST_STATES) {
      automaton.states.clear();
      start = makeState(automaton, automaton.starts);
    }
    let state = start;
    for (let i = 0; i < path.length && state.places.length > 0; i++) {
      const code = path.codePointAt(i) ?? 0;
      if (code > 0xffff) i++;
      const characters = classOfAscii[code] ?? findClass(automaton, code);
      state = state.next[characters] ??= advance(automaton, state, characters);
    }
    return state.globs;
  };
}

function layOut(alternatives: readonly GlobAlternative[]): Automaton {
  const places: Place[] = [];
  const starts: number[] = [];
  const bounds = new Set<number>([0, SLASH_CODE, SLASH_CODE + 1]);
  for (const { glob, steps } of alternatives) {
    starts.push(places.length);
    for (const step of steps) {
      places.push(step);
      if (step.kind === "directories") places.push({ kind: "inside" });
      if (step.kind === "one") {
        step.ranges.forEach(([first, last]) => bounds.add(first).add(last + 1));
      }
    }
    places.push({ kind: "end", glob });
  }
  return { places, starts, classes: [...bounds].sort((a, b) => a - b), states: new Map() };
}

/** The last class that starts at or before a code point. */
function findClass({ classes }: Automaton, code: number): number {
  let low = 0;
  for (let high = classes.length; high - low > 1;) {
    const middle = (low + high) >> 1;
    if ((classes[middle] ?? 0) <= code) low = middle;
    else high = middle;
  }
  return low;
}

function advance(automaton: Automaton, state: State, characters: number): State {
  const code = automaton.classes[characters] ?? 0;
  const reached: number[] = [];
  for (const index of state.places) {
    const place = automaton.places[index];
    if (place !== undefined) pushReached(reached, place, index, code);
  }
  return makeState(automaton, reached);
}

function pushReached(reached: number[], place: Place, index: number, code: number): void {
  switch (place.kind) {
    case "one":
      if (isIn(place.ranges, code) !== place.negated) reached.push(index + 1);
      return;
    case "star":
      if (code !== SLASH_CODE) reached.push(index);
      return;
    case "rest":
      reached.push(index);
      return;
    case "directories":
      reached.push(index + 1);
      return;
    case "inside":
      reached.push(index);
      if (code === SLASH_CODE) reached.push(index + 1);
      return;
    case "end":
      return;
  }
}

function isIn(ranges: readonly CharacterRange[], code: number): boolean {
  return ranges.some(([first, last]) => first <= code && code <= last);
}

/** The state of some places and of those that are reached from them without a character. */
function makeState(automaton: Automaton, reached: readonly number[]): State {
  const closed = new Set<number>();
  for (const start of reached) {
    for (let index = start; !closed.has(index);) {
      closed.add(index);
      const kind = automaton.places[index]?.kind;
      if (kind === "star" || kind === "rest") index += 1;
      else if (kind === "directories") index += 2;
    }
  }
  const places = [...closed].sort((a, b) => a - b);
  const key = places.join();
  const known = automaton.states.get(key);
  if (known !== undefined) return known;
  const state = { places, globs: findGlobs(automaton, places), next: [] };
  automaton.states.set(key, state);
  return state;
}

function findGlobs(automaton: Automaton, places: readonly number[]): readonly number[] {
  const globs = places.flatMap((index) => {
    const place = automaton.places[index];
    return place?.kind === "end" ? [place.glob] : [];
  });
  return [...new Set(globs)].sort((a, b) => a - b);
}

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
 * Reads the pattern in a line of a .gitignore file; null where the line is empty or a comment. Spaces
 * at its end do not count unless `\` stands before them.
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

/** A pattern of a .gitignore file. */
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
 * Parses a pattern. Throws `policy` on what is malformed, which git takes and never matches; the
 * message is a reason such as `a "[" is not closed`.
 */
export function parseIgnorePattern(text: string): IgnorePattern {
  const isNegated = text.startsWith("!");
  const isForDirectories = text.endsWith("/");
  const body = text.slice(isNegated ? 1 : 0, isForDirectories ? -1 : undefined);
  const isAnchored = body.includes("/");
  const steps = parseSteps(body.replace(/^\//, ""));
  return { isNegated, isForDirectories, isAnchored, steps };
}

/** Compiles patterns, given in order. Any number of them read a path at most twice. */
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

/** A step, and the index behind it. */
interface ParsedStep {
  readonly step: GlobStep;
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
      return { step: parseLiteral(characters[start + 1]), end: start + 2 };
    default:
      return { step: parseLiteral(characters[start]), end: start + 1 };
  }
}

/** A set matches no `/`, whatever it holds. */
function parseSet(characters: readonly string[], start: number): ParsedStep {
  const [step, end] = parseBracket(characters, start);
  if (step.negated) return { step, end };
  const [beforeSlash, behindSlash] = [SLASH_CODE - 1, SLASH_CODE + 1];
  const ranges = step.ranges.flatMap(([first, last]): CharacterRange[] =>
    first <= beforeSlash && last >= behindSlash
      ? [[first, beforeSlash], [behindSlash, last]]
      : [[first, last]]
  );
  return { step: { ...step, ranges }, end };
}

function parseLiteral(character: string | undefined): GlobStep {
  if (character === undefined) throw new KprovError("policy", 'it ends with "\\"');
  return toStep(character);
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
