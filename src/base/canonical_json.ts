import { createHash } from "node:crypto";
import { KprovError } from "./error.ts";
import { quote } from "./quote.ts";

/** The deepest nesting that is rendered; kprov's own documents stay below ten. */
const DEEPEST = 64;

/** Text of printable ASCII that JSON does not escape. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/;

/** So many characters make a piece. */
const PIECE = 64 * 1024;

/** So many items of a list are rendered in one step: fewer would cost time. */
const ITEMS_IN_STEP = 256;

/** Takes text as it is made, piece by piece. */
export type TakeText = (piece: string) => void;

/** Renders the item at an index as {@linkcode renderCanonicalPart} would, given the indentation. */
type RenderItem = (index: number, indent: string) => string;

/** A list whose items are made one at a time, when they are rendered: a million need not be held. */
export class LazyList<T> {
  /** How many items it has. */
  readonly length: number;
  /** Makes the item at an index. */
  readonly at: (index: number) => T;
  /** Renders it, where there is a faster way than over the item; else null. */
  readonly render: RenderItem | null;

  constructor(length: number, at: (index: number) => T, render: RenderItem | null = null) {
    this.length = length;
    this.at = at;
    this.render = render;
  }
}

/**
 * Renders a value in kprov's canonical form of JSON: object keys sorted by UTF-16 code unit,
 * two-space indentation, LF, one newline at the end, numbers as ECMAScript prints them. Equal
 * values give equal text, whatever the order of their keys.
 *
 * @param value Strings, finite numbers, booleans, null, arrays and plain objects of these
 * @returns The text; digests are computed over its UTF-8 bytes
 * @throws {KprovError} `fault` on anything that JSON would change or drop silently: `undefined`, NaN,
 * infinities, `-0`, integers beyond 2^53-1, lone surrogates, other kinds of objects, cycles
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
  return `${renderCanonicalPart(value, "")}\n`;
}

/**
 * Renders a value as `renderCanonicalJson()` does, in pieces, so that a text longer than the longest
 * string can be written. It may throw after some pieces. A `LazyList` stands for an array.
 */
export function streamCanonicalJson(value: unknown, take: TakeText): void {
  const tokens = new Tokens(take);
  renderValue(value, "", tokens);
  tokens.push("\n");
  tokens.flush();
}

/**
 * Renders a value as `streamCanonicalJson()` does, each piece when it is asked for, so that whoever
 * writes it may do other things in between. The items of a `LazyList` are rendered step by step, all
 * else at once.
 */
export function* listCanonicalPieces(value: unknown): Generator<string> {
  const pieces: string[] = [];
  const tokens = new Tokens((piece) => pieces.push(piece));
  for (const _ of renderInSteps(value, "", tokens)) yield* pieces.splice(0);
  tokens.push("\n");
  tokens.flush();
  yield* pieces;
}

/** Renders a value as it stands inside a canonical document, where its line has an indentation. */
export function renderCanonicalPart(value: unknown, indent: string): string {
  let text = "";
  const tokens = new Tokens((piece) => text += piece);
  renderValue(value, indent, tokens);
  tokens.flush();
  return text;
}

/** Tokens on their way into pieces. */
class Tokens {
  readonly #take: TakeText;
  #text = "";

  constructor(take: TakeText) {
    this.#take = take;
  }

  push(token: string): void {
    this.#text += token;
    if (this.#text.length >= PIECE) this.flush();
  }

  flush(): void {
    this.#take(this.#text);
    this.#text = "";
  }
}

function* renderInSteps(value: unknown, indent: string, tokens: Tokens): Generator<void> {
  checkDepth(indent);
  const inner = `${indent}  `;
  if (value instanceof LazyList && value.length > 0) {
    for (let i = 0; i < value.length; i++) {
      tokens.push(i === 0 ? `[\n${inner}` : `,\n${inner}`);
      renderItem(value, i, inner, tokens);
      if (i % ITEMS_IN_STEP === ITEMS_IN_STEP - 1) yield;
    }
    tokens.push(`\n${indent}]`);
  } else if (isPlainObject(value) && Object.keys(value).length > 0) {
    for (const [i, key] of sortKeys(Object.keys(value)).entries()) {
      tokens.push(`${i === 0 ? "{\n" : ",\n"}${inner}${renderString(key)}: `);
      yield* renderInSteps(value[key], inner, tokens);
    }
    tokens.push(`\n${indent}}`);
  } else renderValue(value, indent, tokens);
}

function renderItem(list: LazyList<unknown>, index: number, indent: string, tokens: Tokens): void {
  if (list.render === null) renderValue(list.at(index), indent, tokens);
  else tokens.push(list.render(index, indent));
}

function checkDepth(indent: string): void {
  if (indent.length > 2 * DEEPEST) throw refuse(`nesting deeper than ${DEEPEST}`);
}

function renderValue(value: unknown, indent: string, tokens: Tokens): void {
  checkDepth(indent);
  if (value === null || typeof value === "boolean") tokens.push(String(value));
  else if (typeof value === "string") tokens.push(renderString(value));
  else if (typeof value === "number") tokens.push(renderNumber(value));
  else if (Array.isArray(value)) {
    renderList(new LazyList(value.length, (i) => value[i]), indent, tokens);
  } else if (value instanceof LazyList) renderList(value, indent, tokens);
  else if (isPlainObject(value)) renderObject(value, indent, tokens);
  else throw refuse(typeof value === "object" ? "a class instance" : `a ${typeof value}`);
}

/** Renders a text as canonical JSON; throws `fault` on a lone surrogate. */
export function renderString(text: string): string {
  if (PLAIN_TEXT.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw refuse(`the lone surrogate in ${quote(text)}`);
  return JSON.stringify(text);
}

/** Renders a number as canonical JSON; throws `fault` on what JSON cannot tell exactly. */
export function renderNumber(number: number): string {
  if (!Number.isFinite(number) || Object.is(number, -0)) {
    throw refuse(`the number ${Object.is(number, -0) ? "-0" : number}`);
  }
  if (Number.isInteger(number) && !Number.isSafeInteger(number)) {
    throw refuse(`the integer ${number}: it is beyond 2^53-1`);
  }
  return String(number);
}

function renderList(list: LazyList<unknown>, indent: string, tokens: Tokens): void {
  if (list.length === 0) return tokens.push("[]");
  const inner = `${indent}  `;
  // An index loop: forEach and for-of pass over or hide the holes of a sparse array.
  for (let i = 0; i < list.length; i++) {
    tokens.push(i === 0 ? `[\n${inner}` : `,\n${inner}`);
    renderItem(list, i, inner, tokens);
  }
  tokens.push(`\n${indent}]`);
}

function renderObject(
  record: Readonly<Record<string, unknown>>,
  indent: string,
  tokens: Tokens,
): void {
  const keys = sortKeys(Object.keys(record));
  if (keys.length === 0) return tokens.push("{}");
  const inner = `${indent}  `;
  let separator = "{\n";
  for (const key of keys) {
    tokens.push(`${separator}${inner}${renderString(key)}: `);
    renderValue(record[key], inner, tokens);
    separator = ",\n";
  }
  tokens.push(`\n${indent}}`);
}

/** Sorts keys in place; those of kprov's own records mostly stand in order, and looking is cheaper. */
function sortKeys(keys: string[]): string[] {
  return keys.every((key, i) => i === 0 || (keys[i - 1] ?? "") < key) ? keys : keys.sort();
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

// The one `node:` import of the pure layers: a digest is a pure computation, and this one runs at
// the processor's own speed, synchronously and in pieces, which `crypto.subtle` cannot.

/** A SHA-256 computation (FIPS 180-4) that takes its input in pieces. */
interface Sha256 {
  /** Takes the next bytes; strings as UTF-8. */
  update(data: Uint8Array | string): unknown;
  /** Ends the computation; 64 lowercase hex digits. */
  digest(encoding: "hex"): string;
}

/** Starts a SHA-256 computation. */
export function createSha256(): Sha256 {
  return createHash("sha256");
}

/**
 * The SHA-256 digest of bytes, or of the UTF-8 form of a string.
 *
 * @param data What to digest
 * @returns 64 lowercase hex digits
 *
 * @example
 * ```ts
 * import { sha256Hex } from "@kprov/cli";
 * import { assert } from "@std/assert";
 *
 * assert(sha256Hex("").startsWith("e3b0c44298fc1c14"));
 * ```
 */
export function sha256Hex(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}
