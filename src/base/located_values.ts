import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { parse, TomlDate, TomlError, type TomlTable, type TomlValue } from "smol-toml";
import { KprovError } from "./error.ts";
import { quote, showText } from "./quote.ts";

/** A place in a text. */
interface TextPlace {
  /** From 1. */
  readonly line: number;
  /** In UTF-16 code units, from 1. */
  readonly column: number;
}

/** Tells where an index into a text, from 0, lies. */
export function placeInText(text: string, index: number): TextPlace {
  let line = 1;
  let lineStart = 0;
  let next = text.indexOf("\n");
  while (next !== -1 && next < index) {
    line++;
    lineStart = next + 1;
    next = text.indexOf("\n", lineStart);
  }
  return { line, column: index - lineStart + 1 };
}

/** A value in a JSON text, or why it is unknown. */
type LocatedValue =
  | {
    readonly ok: true;
    /** The value where it is a string, else null. */
    readonly text: string | null;
    /** As it stands in the text. */
    readonly source: string;
    /** Where it starts in the text. */
    readonly index: number;
  }
  | { readonly ok: false; readonly reason: string; readonly index: number | null };

/**
 * Looks up a value in JSON, or JSON with comments and trailing commas, by its JSON Pointer
 * (RFC 6901). A key that stands twice on the way is refused: readers differ in which one they take.
 */
export function findJsonValue(text: string, pointer: string): LocatedValue {
  const root = parseJson(text);
  if (!("type" in root)) return { ok: false, ...root };
  let node = root;
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    const children = listJsonChildren(node, key);
    const [child, second] = children;
    if (second !== undefined) return refuse(`it has the key ${quote(key)} twice`, second);
    if (child === undefined) return { ok: false, reason: "it has no such value", index: null };
    node = child;
  }
  return {
    ok: true,
    text: node.type === "string" ? node.value as string : null,
    source: text.slice(node.offset, node.offset + node.length),
    index: node.offset,
  };
}

function refuse(reason: string, node: Node): LocatedValue {
  return { ok: false, reason, index: node.offset };
}

function parseJson(
  text: string,
): Node | { readonly reason: string; readonly index: number | null } {
  const errors: ParseError[] = [];
  try {
    const root = parseTree(text, errors, { allowTrailingComma: true });
    const [error] = errors;
    if (error !== undefined) {
      return { reason: `it is not JSON: ${printParseErrorCode(error.error)}`, index: error.offset };
    }
    return root ?? { reason: "it is empty", index: null };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { reason: "it is nested too deeply", index: null };
  }
}

/** Says where a text stops being JSON: `comma expected at line 3, column 5`; null if unknown. */
export function describeJsonFault(text: string): string | null {
  const errors: ParseError[] = [];
  try {
    parseTree(text, errors, { disallowComments: true });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  const [error] = errors;
  if (error === undefined) return null;
  const what = printParseErrorCode(error.error).replace(/(?<=[a-z])[A-Z]/g, " $&").toLowerCase();
  const { line, column } = placeInText(text, error.offset);
  return `${what} at line ${line}, column ${column}`;
}

/** The values under a key, or at an index: none, one or, by a repeated key, several. */
function listJsonChildren(node: Node, key: string): readonly Node[] {
  if (node.type === "array") {
    const child = /^(0|[1-9]\d*)$/.test(key) ? node.children?.[Number(key)] : undefined;
    return child === undefined ? [] : [child];
  }
  return (node.type === "object" ? node.children ?? [] : [])
    .filter((property) => property.children?.[0]?.value === key)
    .flatMap((property) => property.children?.[1] ?? []);
}

/** Deepest nesting that is followed. */
const MAX_DEPTH = 64;

/** A value of a TOML file, with the keys and indexes that lead to it. */
interface FoundTomlValue {
  readonly keys: readonly string[];
  readonly value: TomlValue;
}

/** Parses TOML; throws `data`, with the line, where it is not. */
export function parseToml(text: string): TomlTable {
  try {
    return parse(text, { maxDepth: MAX_DEPTH, integersAsBigInt: "asNeeded" });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Behind its first line the message quotes the file.
    const reason = error.message.split("\n", 1)[0] ?? "";
    throw new KprovError("data", `it is not TOML: ${showText(reason)} at line ${error.line}`, {
      cause: error,
    });
  }
}

/** Whether a value is a table. */
export function isTomlTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === "object" && !Array.isArray(value) && !(value instanceof TomlDate);
}

/** Finds values by their keys; `*` stands for every key of a table and every item of an array. */
export function findTomlValues(root: TomlValue, keys: readonly string[]): FoundTomlValue[] {
  let found: FoundTomlValue[] = [{ keys: [], value: root }];
  for (const key of keys) {
    found = found.flatMap((it) =>
      listTomlChildren(it.value, key).map(([name, value]) => ({ keys: [...it.keys, name], value }))
    );
  }
  return found;
}

function listTomlChildren(value: TomlValue, key: string): (readonly [string, TomlValue])[] {
  if (Array.isArray(value)) {
    const items = value.map((item, index) => [`${index}`, item] as const);
    return key === "*" ? items : items.filter(([index]) => index === key);
  }
  if (!isTomlTable(value)) return [];
  if (key === "*") return Object.entries(value);
  const child = Object.hasOwn(value, key) ? value[key] : undefined;
  return child === undefined ? [] : [[key, child]];
}

/**
 * Finds the key that sets a value, or the table in which it stands; null where it is written in a way
 * that is not recognised.
 */
export function placeOfTomlKey(text: string, keys: readonly string[]): TextPlace | null {
  const wanted = keys.join("\0");
  const counts = new Map<string, number>();
  let table: readonly string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const content = line.trim();
    const [, list, header] = /^(\[)?\[\s*([^\[\]]+?)\s*\]/.exec(content) ?? [];
    if (header !== undefined) {
      table = splitKey(header);
      if (list !== undefined) table = [...table, `${countUp(counts, table.join("\0"))}`];
      continue;
    }
    const [, key] = /^([^=#"']+|"[^"]*"|'[^']*'|[^=#]+?)\s*=/.exec(content) ?? [];
    if (key === undefined) continue;
    const path = [...table, ...splitKey(key)].join("\0");
    // An inline table or array holds what is below it.
    if (path === wanted || wanted.startsWith(`${path}\0`)) {
      return { line: index + 1, column: line.indexOf(content) + 1 };
    }
  }
  return null;
}

/** How often a table of an array was met before. */
function countUp(counts: Map<string, number>, name: string): number {
  const count = counts.get(name) ?? 0;
  counts.set(name, count + 1);
  return count;
}

/** The parts of a dotted key, without their quotation marks. */
function splitKey(key: string): string[] {
  return [...key.matchAll(/"([^"]*)"|'([^']*)'|[^\s.]+/g)]
    .map(([whole, double, single]) => double ?? single ?? whole);
}
