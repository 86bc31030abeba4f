import { parse, TomlDate, TomlError, type TomlTable, type TomlValue } from "smol-toml";
import { KprovError } from "./error.ts";
import { showText } from "./quote.ts";

/** Deepest nesting that is followed. */
const MAX_DEPTH = 64;

/** A value of a TOML file, with the keys and indexes that lead to it. */
export interface FoundTomlValue {
  readonly keys: readonly string[];
  readonly value: TomlValue;
}

/** A place in a text: both from 1, the column in UTF-16 code units. */
interface TomlPlace {
  readonly line: number;
  readonly column: number;
}

/**
 * Parses TOML.
 *
 * @param text The file's content
 * @throws {KprovError} `data`: it is not TOML, with the line
 */
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

/**
 * Finds values by their keys.
 *
 * @param root The file
 * @param keys The keys that lead to it; `*` stands for every key of a table and every item of an array
 */
export function findTomlValues(root: TomlValue, keys: readonly string[]): FoundTomlValue[] {
  let found: FoundTomlValue[] = [{ keys: [], value: root }];
  for (const key of keys) {
    found = found.flatMap((it) =>
      listChildren(it.value, key).map(([name, value]) => ({ keys: [...it.keys, name], value }))
    );
  }
  return found;
}

function listChildren(value: TomlValue, key: string): (readonly [string, TomlValue])[] {
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
 * Finds the line that sets a value, or the table in which it stands.
 *
 * @param text The file's content
 * @param keys The keys that lead to the value
 * @returns The place of the key; null where it is written in a way that is not recognised
 */
export function placeOfTomlKey(text: string, keys: readonly string[]): TomlPlace | null {
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
