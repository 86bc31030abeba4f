import { KprovError } from "./kprov_error.ts";
import { quote } from "./quote.ts";

/** The deepest nesting that is rendered; kprov's own documents stay below ten. */
const DEEPEST = 64;

/**
 * Renders a value in kprov's canonical form of JSON: object keys sorted by UTF-16 code unit,
 * two-space indentation, LF, one newline at the end, numbers as ECMAScript prints them. Equal
 * values give equal text, whatever the order of their keys.
 *
 * @param value Strings, finite numbers, booleans, null, arrays and plain objects of these
 * @returns The text; its UTF-8 bytes are what digests are made over
 * @throws {KprovError} `fault` on anything that JSON would change or drop in silence: `undefined`,
 * NaN, infinities, `-0`, integers beyond 2^53-1, lone surrogates, other kinds of objects, cycles
 *
 * @example
 * ```ts
 * import { renderCanonicalJson } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(renderCanonicalJson({ b: 1, a: [] }), '{\n  "a": [],\n  "b": 1\n}\n');
 * ```
 */
export function renderCanonicalJson(value: unknown): string {
  const chunks: string[] = [];
  renderValue(value, "", chunks);
  chunks.push("\n");
  return chunks.join("");
}

function renderValue(value: unknown, indent: string, chunks: string[]): void {
  if (indent.length > 2 * DEEPEST) throw refuse(`nesting deeper than ${DEEPEST}`);
  if (value === null || typeof value === "boolean") chunks.push(String(value));
  else if (typeof value === "string") chunks.push(renderString(value));
  else if (typeof value === "number") chunks.push(renderNumber(value));
  else if (Array.isArray(value)) renderArray(value, indent, chunks);
  else if (isPlainObject(value)) renderObject(value, indent, chunks);
  else {throw refuse(
      `a value of type ${typeof value === "object" ? "class instance" : typeof value}`,
    );}
}

function renderString(text: string): string {
  if (!text.isWellFormed()) throw refuse(`the lone surrogate in ${quote(text)}`);
  return JSON.stringify(text);
}

function renderNumber(number: number): string {
  if (!Number.isFinite(number) || Object.is(number, -0)) {
    throw refuse(`the number ${Object.is(number, -0) ? "-0" : number}`);
  }
  if (Number.isInteger(number) && !Number.isSafeInteger(number)) {
    throw refuse(`the integer ${number}: it is beyond 2^53-1`);
  }
  return String(number);
}

function renderArray(items: readonly unknown[], indent: string, chunks: string[]): void {
  if (items.length === 0) return void chunks.push("[]");
  const inner = `${indent}  `;
  // An index loop: forEach and for-of pass over or hide the holes of a sparse array.
  for (let i = 0; i < items.length; i++) {
    chunks.push(i === 0 ? "[\n" : ",\n", inner);
    renderValue(items[i], inner, chunks);
  }
  chunks.push(`\n${indent}]`);
}

function renderObject(
  record: Readonly<Record<string, unknown>>,
  indent: string,
  chunks: string[],
): void {
  const keys = Object.keys(record).sort();
  if (keys.length === 0) return void chunks.push("{}");
  const inner = `${indent}  `;
  let separator = "{\n";
  for (const key of keys) {
    chunks.push(separator, inner, renderString(key), ": ");
    renderValue(record[key], inner, chunks);
    separator = ",\n";
  }
  chunks.push(`\n${indent}}`);
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) &&
    Object.getOwnPropertySymbols(value).length === 0;
}

function refuse(what: string): KprovError {
  return new KprovError("fault", `Cannot render canonical JSON: it does not represent ${what}`);
}
