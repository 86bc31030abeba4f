import type * as z from "zod/mini";
import { KprovError, type KprovErrorCode, LimitError } from "./error.ts";
import { escapeText, findNearest, quote } from "./quote.ts";

/** How large a JSON text may be. */
export interface JsonLimits {
  /** Most bytes. */
  readonly maxBytes: number;
  /** Deepest nesting of objects and arrays. */
  readonly maxDepth: number;
}

/** Limits for files that people write. */
export const SMALL_JSON: JsonLimits = { maxBytes: 16 * 2 ** 20, maxDepth: 64 };

/**
 * Decodes UTF-8 and refuses everything that another reader might see differently.
 *
 * @param bytes The file's bytes
 * @returns The text
 * @throws {KprovError} `data` on a byte order mark or on invalid UTF-8
 */
export function decodeUtf8(bytes: Uint8Array): string {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw new KprovError("data", "it starts with a byte order mark");
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new KprovError("data", "it is not valid UTF-8", { cause });
  }
}

/**
 * Parses JSON (RFC 8259) without the freedoms that let two readers see two documents: no duplicate
 * keys, no `__proto__`, no key of one escaped character, no lone surrogates, no byte order mark; size
 * and depth are bounded before anything is parsed.
 *
 * @param bytes The file's bytes
 * @param limits How large it may be
 * @returns The value
 * @throws {KprovError} `data`; the message is a reason such as `it is not valid UTF-8`
 */
export function parseStrictJson(bytes: Uint8Array, limits: JsonLimits): unknown {
  if (bytes.length > limits.maxBytes) {
    throw new KprovError("data", `it is larger than ${limits.maxBytes} bytes`);
  }
  const text = decodeUtf8(bytes);
  checkStructure(text, limits.maxDepth);
  return parseJsonText(text);
}

/**
 * Parses JSON text.
 *
 * @param text The text
 * @returns The value
 * @throws {KprovError} `data`: it is not JSON
 */
export function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KprovError("data", "it is not JSON", { cause });
  }
}

/** Whether a value of JSON is an object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Walks over JSON text once, before it is parsed. What is not JSON at all is left to the parser.
 *
 * @param text The text
 * @param maxDepth Deepest nesting that passes
 * @throws {KprovError} `data` on deeper nesting, a duplicate key, `__proto__` or a lone surrogate
 */
export function checkStructure(text: string, maxDepth: number): void {
  const keysOfOpenObjects: (Set<string> | null)[] = [];
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case "{":
      case "[":
        keysOfOpenObjects.push(text[i] === "{" ? new Set() : null);
        if (keysOfOpenObjects.length > maxDepth) {
          throw new KprovError("data", `it is nested deeper than ${maxDepth}`);
        }
        break;
      case "}":
      case "]":
        keysOfOpenObjects.pop();
        break;
      case '"': {
        const end = findStringEnd(text, i);
        checkString(text.slice(i, end), isKey(text, end) ? keysOfOpenObjects.at(-1) ?? null : null);
        i = end - 1;
      }
    }
  }
}

/** The index behind the closing quotation mark, or the text's end where there is none. */
function findStringEnd(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return Math.min(i + 1, text.length);
}

function isKey(text: string, end: number): boolean {
  let i = end;
  while (text[i] === " " || text[i] === "\n" || text[i] === "\r" || text[i] === "\t") i++;
  return text[i] === ":";
}

function checkString(token: string, keys: Set<string> | null): void {
  if (keys === null && !token.includes("\\u")) return;
  // A token between quotation marks is a string, or no JSON.
  const value = parseJsonText(token) as string;
  if (!value.isWellFormed()) {
    throw new KprovError("data", `it holds a lone surrogate in ${quote(value)}`);
  }
  if (keys === null) return;
  if (value === "__proto__") throw new KprovError("data", 'it has a key "__proto__"');
  if (keys.has(value)) throw new KprovError("data", `it has the key ${quote(value)} twice`);
  // JSON.parse() may read such a key as "\\" where it met that key before
  // (https://github.com/nodejs/node/issues/63785).
  if (value.length === 1 && token.length > 3) {
    throw new KprovError("data", `it has the key ${quote(value)}, which is read in two ways`);
  }
  keys.add(value);
}

/** A JSON text without the items of its long lists. */
export interface JsonOutline {
  /** The text, with `[]` in the place of each list. */
  readonly text: string;
  /** What was left out of it, in order. */
  readonly cuts: readonly JsonCut[];
}

/** A list that was left out of an outline. */
interface JsonCut {
  /** Where its `[]` stands in the outline's text. */
  readonly offset: number;
  /** How many line ends were left out. */
  readonly lines: number;
}

/** How large the parts of a JSON text may be. */
export interface SplitLimits {
  /** Most characters outside of the lists. */
  readonly maxOutline: number;
  /** Most characters of one item, the white space around it included. */
  readonly maxItem: number;
  /** Most items of one list. */
  readonly maxItems: number;
  /** Deepest nesting of objects and arrays. */
  readonly maxDepth: number;
}

/** The text of one item of a list, not parsed yet. */
export interface JsonItem {
  /** Which list, an index into those that were asked for. */
  readonly list: number;
  /** Where it stands in the list, from 0. */
  readonly index: number;
  /**
   * Everything between the brackets or commas around it; of an empty list, what is between its
   * brackets.
   */
  readonly text: string;
  /** The line on which that text starts, from 1. */
  readonly line: number;
  /** Whether a closing bracket follows. */
  readonly isLast: boolean;
}

// What a scan stops at: everything with a meaning outside of strings, and line ends, to count them.
const STOPS = new Uint8Array(128);
for (const character of '"[]{}:,\n') STOPS[character.charCodeAt(0)] = 1;

/** A longer key is none of a list's; the text of one may grow by escapes. */
const LONGEST_KEY = 256;

/**
 * Takes JSON text apart while it is read: the items of some long lists one by one, and the rest as
 * one short text. It tells where things end and leaves it to its caller to parse them; the text is
 * JSON exactly where the outline is, and each item.
 */
export class JsonSplitter {
  readonly #lists: readonly (readonly string[])[];
  readonly #limits: SplitLimits;
  readonly #take: (item: JsonItem) => void;

  /**
   * The keys on the way to where the scan is, one for every open object or array; null where there is
   * none.
   */
  readonly #path: (string | null)[] = [null];
  #line = 1;
  #isInString = false;
  #isEscaped = false;
  /** The text of the string that was read last, as far as a list's key can be as long. */
  #token = "";

  /** What was read of the outline, or of the item that the scan is in. */
  #text = "";
  readonly #outline: string[] = [];
  #outlineLength = 0;
  readonly #cuts: JsonCut[] = [];
  /** The list that the scan is in; -1 in the outline. */
  #list = -1;
  #listDepth = 0;
  #listLine = 0;
  #index = 0;
  #itemLine = 0;

  /**
   * Makes a splitter for one text.
   *
   * @param lists The keys that lead to each list, from the outermost object on
   * @param limits How large the parts may be
   * @param take Is called with every item, in order
   */
  constructor(
    lists: readonly (readonly string[])[],
    limits: SplitLimits,
    take: (item: JsonItem) => void,
  ) {
    this.#lists = lists;
    this.#limits = limits;
    this.#take = take;
  }

  /**
   * Takes the next part of the text.
   *
   * @param text The part; it may end anywhere
   * @throws {KprovError} `data` where the text is larger or deeper than the limits, or is no JSON
   */
  write(text: string): void {
    let start = 0;
    for (let i = 0; i < text.length; i++) {
      if (this.#isInString) i = this.#skipString(text, i);
      if (i >= text.length) break;
      const code = text.charCodeAt(i);
      if (code < 128 && STOPS[code] === 1) start = this.#stop(text, start, i, code);
    }
    this.#append(text.slice(start));
  }

  /**
   * Ends the text.
   *
   * @throws {KprovError} `data` where it ends in a list or a string
   */
  end(): JsonOutline {
    if (this.#list >= 0 || this.#isInString) throw notJson();
    this.#cutOutline("");
    return { text: this.#outline.join(""), cuts: this.#cuts };
  }

  /**
   * Goes to the end of a string, or of the text where that comes first, and returns the index behind
   * it.
   */
  #skipString(text: string, start: number): number {
    let i = start;
    for (; i < text.length; i++) {
      if (this.#isEscaped) this.#isEscaped = false;
      else {
        const code = text.charCodeAt(i);
        if (code === 0x5c) this.#isEscaped = true;
        else if (code === 0x22) break;
      }
    }
    if (this.#list < 0) this.#token += text.slice(start, Math.min(i, start + LONGEST_KEY));
    return i;
  }

  /** Acts on a character; returns where the text starts that belongs to no part yet. */
  #stop(text: string, start: number, i: number, code: number): number {
    this.#checkLength(i - start);
    switch (code) {
      case 0x0a:
        this.#line++;
        return start;
      case 0x22:
        this.#isInString = !this.#isInString;
        if (this.#isInString) this.#token = "";
        return start;
      case 0x3a:
        if (this.#list < 0) this.#path[this.#path.length - 1] = readKey(this.#token);
        return start;
      case 0x2c:
        return this.#separate(text, start, i);
      case 0x5b:
      case 0x7b:
        return this.#open(text, start, i, code);
      default:
        return this.#close(text, start, i, code);
    }
  }

  #separate(text: string, start: number, i: number): number {
    if (this.#list < 0) this.#path[this.#path.length - 1] = null;
    else if (this.#path.length === this.#listDepth) return this.#endItem(text, start, i, false);
    return start;
  }

  #open(text: string, start: number, i: number, code: number): number {
    const list = this.#list < 0 && code === 0x5b ? this.#findList() : -1;
    this.#path.push(null);
    if (this.#path.length - 1 > this.#limits.maxDepth) {
      throw new KprovError("data", `it is nested deeper than ${this.#limits.maxDepth}`);
    }
    if (list < 0) return start;
    this.#append(text.slice(start, i));
    this.#cutOutline("[]");
    this.#list = list;
    this.#listDepth = this.#path.length;
    this.#listLine = this.#itemLine = this.#line;
    this.#index = 0;
    return i + 1;
  }

  #close(text: string, start: number, i: number, code: number): number {
    const isListEnd = this.#list >= 0 && this.#path.length === this.#listDepth;
    if (isListEnd && code !== 0x5d) throw notJson();
    // What closes more than was opened is left in the outline, for the parser to refuse.
    if (this.#path.length > 1) this.#path.pop();
    if (!isListEnd) return start;
    this.#endItem(text, start, i, true);
    this.#cuts.push({ offset: this.#outlineLength - 2, lines: this.#line - this.#listLine });
    this.#list = -1;
    return i + 1;
  }

  #endItem(text: string, start: number, i: number, isLast: boolean): number {
    this.#append(text.slice(start, i));
    if (this.#index === this.#limits.maxItems) {
      throw new LimitError(`it lists more than ${this.#limits.maxItems} files`);
    }
    const [whole, line] = [this.#text, this.#itemLine];
    this.#text = "";
    this.#itemLine = this.#line;
    this.#take({ list: this.#list, index: this.#index++, text: whole, line, isLast });
    return i + 1;
  }

  #append(text: string): void {
    this.#checkLength(text.length);
    this.#text += text;
  }

  /** Asked at every stop, so that how the text is parted does not decide what is found first. */
  #checkLength(more: number): void {
    const { maxOutline, maxItem } = this.#limits;
    const length = this.#text.length + more;
    if (this.#list >= 0) {
      if (length > maxItem) throw tooLong("in one item of a list", maxItem);
    } else if (this.#outlineLength + length > maxOutline) {
      throw tooLong("outside of its lists of files", maxOutline);
    }
  }

  #cutOutline(placeholder: string): void {
    this.#outline.push(this.#text, placeholder);
    this.#outlineLength += this.#text.length + placeholder.length;
    this.#text = "";
  }

  #findList(): number {
    return this.#lists.findIndex((keys) =>
      keys.length === this.#path.length - 1 && keys.every((key, i) => this.#path[i + 1] === key)
    );
  }
}

function readKey(token: string): string | null {
  if (!token.includes("\\")) return token;
  try {
    const key: unknown = JSON.parse(`"${token}"`);
    return typeof key === "string" ? key : null;
  } catch {
    return null;
  }
}

function tooLong(where: string, limit: number): LimitError {
  return new LimitError(`it has more than ${limit} characters ${where}`);
}

function notJson(): KprovError {
  return new KprovError("data", "it is not JSON");
}

/** One place where a document is not what its schema says. */
export interface SchemaIssue {
  /** Where, as a JSON Pointer (RFC 6901); "" is the whole document. */
  readonly pointer: string;
  /** What is wrong there, with what was expected. */
  readonly message: string;
}

/**
 * Holds a value against a schema and reports every place where it differs.
 *
 * @param schema A zod schema
 * @param value Anything
 * @returns The issues in the document's order; none means that the value fits
 */
export function listSchemaIssues(schema: z.ZodMiniType, value: unknown): SchemaIssue[] {
  const result = schema.safeParse(value);
  // No person wrote a document, so that no key is guessed.
  return result.success ? [] : result.error.issues.flatMap((issue) => describeIssue(issue, null));
}

/**
 * Holds a value against a schema.
 *
 * @param schema The schema
 * @param value Anything
 * @param what What the value should be, for the message
 * @param code The code of the error, `data` unless told
 * @returns The value, typed
 * @throws {KprovError} Naming the first place that differs
 */
export function parseWithSchema<T>(
  schema: z.ZodMiniType<T>,
  value: unknown,
  what: string,
  code: KprovErrorCode = "data",
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const first = result.error.issues.flatMap((issue) => describeIssue(issue, schema))[0];
  const place = first === undefined || first.pointer === "" ? "" : ` at ${first.pointer}`;
  throw new KprovError(
    code,
    `Cannot parse ${what}${place}: ${first?.message ?? "it does not fit"}`,
  );
}

function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodMiniType | null): SchemaIssue[] {
  if (issue.code === "unrecognized_keys") {
    const known = schema === null ? [] : listKeys(schema, issue.path);
    return issue.keys.map((key) => {
      const nearest = findNearest(key, known);
      return {
        pointer: toPointer([...issue.path, key]),
        message: nearest === null ? "unknown key" : `unknown key; did you mean "${nearest}"?`,
      };
    });
  }
  return [{ pointer: toPointer(issue.path), message: describeExpected(issue) }];
}

/** The keys that a schema knows at a place; none where that is no object. */
function listKeys(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const { def } = schema._zod as z.core.$ZodTypes["_zod"];
  const [key, ...rest] = path;
  switch (def.type) {
    case "optional":
      return listKeys(def.innerType, path);
    case "array":
      return key === undefined ? [] : listKeys(def.element, rest);
    case "object": {
      if (key === undefined) return Object.keys(def.shape);
      const inner = def.shape[String(key)];
      return inner === undefined ? [] : listKeys(inner, rest);
    }
    default:
      return [];
  }
}

function describeExpected(issue: z.core.$ZodIssue): string {
  if (issue.message !== "Invalid input") return escapeText(issue.message);
  if (issue.code === "invalid_value") {
    return `expected ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
  }
  return issue.code === "invalid_type" ? `expected ${issue.expected}` : "unexpected value";
}

function toPointer(path: readonly PropertyKey[]): string {
  return path
    .map((part) => `/${escapeText(String(part).replaceAll("~", "~0").replaceAll("/", "~1"))}`)
    .join("");
}
