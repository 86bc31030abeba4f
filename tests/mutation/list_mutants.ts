import { maskCode } from "./mask_code.ts";

/** One small way to break a file. */
export interface Mutant {
  /** Where the change starts, an index into the source. */
  readonly start: number;
  /** Where it ends. */
  readonly end: number;
  /** What stands there instead. */
  readonly replacement: string;
  /** The line, from 1. */
  readonly line: number;
}

/** What is looked for in the code, and what takes its place. */
type Operator = readonly [pattern: RegExp, replace: (found: string) => string];

const OPERATORS: readonly Operator[] = [
  // Flipped conditions.
  [/===/g, () => "!=="],
  [/!==/g, () => "==="],
  [/&&/g, () => "||"],
  [/\|\|/g, () => "&&"],
  [/(?<![\w)\]!])!(?![=])/g, () => ""],
  [/\btrue\b/g, () => "false"],
  [/\bfalse\b/g, () => "true"],
  [/\.some\b/g, () => ".every"],
  [/\.every\b/g, () => ".some"],
  // Off by one.
  [/ < /g, () => " <= "],
  [/ <= /g, () => " < "],
  [/ > /g, () => " >= "],
  [/ >= /g, () => " > "],
  [/ \+ /g, () => " - "],
  [/ - /g, () => " + "],
  // Swapped constants.
  [/(?<![\w.$])\d+(?![\w.])/g, (found) => String(Number(found) + 1)],
  [/\?\? /g, () => "&& "],
  // Dropped checks: one of several lists that are put together.
  [/^ +\.\.\.[\w.]+\([^\n]*\),$/gm, () => ""],
];

/**
 * Lists the small ways to break a file: flipped conditions, dropped checks, bounds that are off by
 * one, swapped constants. They are found by their signs, not by a parser; some change nothing.
 *
 * @param source TypeScript, formatted by `deno fmt`
 */
export function listMutants(source: string): Mutant[] {
  const code = maskCode(source);
  const mutants = [
    ...OPERATORS.flatMap(([pattern, replace]) =>
      [...code.matchAll(pattern)].map(({ index, 0: found }) => ({
        start: index,
        end: index + found.length,
        replacement: replace(found),
      }))
    ),
    ...listConditions(code),
  ];
  return mutants
    .map((mutant) => ({ ...mutant, line: code.slice(0, mutant.start).split("\n").length }))
    .sort((a, b) => a.start - b.start);
}

/** A check whose condition never holds is dropped; one whose condition always holds refuses all. */
function listConditions(code: string): Omit<Mutant, "line">[] {
  return [...code.matchAll(/\bif \(/g)].flatMap(({ index, 0: found }) => {
    const start = index + found.length;
    let end = start;
    for (let depth = 1; end < code.length; end++) {
      if (code[end] === "(") depth++;
      if (code[end] === ")" && --depth === 0) break;
    }
    return ["false", "true"].map((replacement) => ({ start, end, replacement }));
  });
}

/** The source with a mutant in it. */
export function applyMutant(source: string, { start, end, replacement }: Mutant): string {
  return source.slice(0, start) + replacement + source.slice(end);
}

/** The mutant in one line, for people. */
export function describeMutant(source: string, { start, end, replacement }: Mutant): string {
  const lineStart = source.lastIndexOf("\n", start - 1) + 1;
  const lineEnd = source.indexOf("\n", end);
  const before = source.slice(lineStart, start).trimStart();
  const after = source.slice(end, lineEnd < 0 ? source.length : lineEnd);
  return `${before}[${source.slice(start, end).trim()} -> ${replacement.trim()}]${after}`;
}
