import { KprovError } from "../kprov_error.ts";
import { checkStructure, parseJsonText } from "../strict_json.ts";

/** A part of a document that was parsed. */
export interface DocumentPart {
  /** What it holds. */
  readonly value: unknown;
  /** Where its text first differs from its canonical form, or null where it does not. */
  readonly difference: number | null;
  /** Why it has no canonical form, or null where it has. */
  readonly refusal: string | null;
}

/**
 * Parses the text of a part of a document, in one reading only, and holds it against its canonical
 * form.
 *
 * @param text The text; its depth is bounded already
 * @param render Renders a value as it should stand there
 * @returns The part
 * @throws {KprovError} `data` where it is no JSON, or can be read in more than one way
 */
export function readPart(text: string, render: (value: unknown) => string): DocumentPart {
  const value = tryParse(text);
  const canonical = value === undefined ? null : tryRender(value, render);
  // Text that is what its own value renders to has no key twice, and no lone surrogate.
  if (canonical === text && !text.includes("__proto__")) {
    return { value, difference: null, refusal: null };
  }
  checkStructure(text, Infinity);
  if (value === undefined) parseJsonText(text);
  if (typeof canonical !== "string") {
    return { value, difference: null, refusal: canonical?.message ?? null };
  }
  return {
    value,
    difference: canonical === text ? null : findFirstDifference(text, canonical),
    refusal: null,
  };
}

/** The value, or undefined, which no JSON means. */
function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function tryRender(value: unknown, render: (value: unknown) => string): string | KprovError {
  try {
    return render(value);
  } catch (error) {
    if (error instanceof KprovError) return error;
    throw error;
  }
}

function findFirstDifference(a: string, b: string): number {
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i++;
  return i;
}

/**
 * Counts the line ends before an offset.
 *
 * @param text The text
 * @param end The offset
 */
export function countLines(text: string, end: number): number {
  let lines = 0;
  for (let i = text.indexOf("\n"); i >= 0 && i < end; i = text.indexOf("\n", i + 1)) lines++;
  return lines;
}
