import { parse, TomlDate, TomlError, type TomlTable, type TomlValue } from "smol-toml";
import { KprovError } from "../../kprov_error.ts";
import { parsePep440Range } from "./pep440_range.ts";
import { parsePoetryRange } from "./poetry_range.ts";
import { claimFloating, claimRange, type Declaration } from "./runtime_declaration.ts";
import { showText } from "../text/show_text.ts";
import type { RangeResult } from "./version_range.ts";
import type { Position } from "../actions/yaml.ts";

/** One place of pyproject.toml that declares Python. */
interface Field {
  readonly table: readonly string[];
  readonly key: string;
  readonly parseRange: (text: string) => RangeResult;
}

const FIELDS: readonly Field[] = [
  { table: ["project"], key: "requires-python", parseRange: parsePep440Range },
  { table: ["tool", "poetry", "dependencies"], key: "python", parseRange: parsePoetryRange },
];

/** Deepest nesting that is followed. */
const MAX_DEPTH = 64;

/**
 * Reads what a pyproject.toml declares: `project.requires-python` and Poetry's `python`.
 *
 * @param path The file's path
 * @param text Its content
 * @throws {KprovError} `data` where it is not TOML
 */
export function readPyproject(path: string, text: string): Declaration[] {
  const root = parseToml(text);
  return FIELDS.flatMap((field) => {
    const value = findValue(root, [...field.table, field.key]);
    return value === undefined
      ? []
      : listConstraints(value).map((constraint) => declare(path, text, field, constraint));
  });
}

/**
 * Reads the project's name from a pyproject.toml: `project.name`, or Poetry's.
 *
 * @param text The file's content
 * @returns The name, or null where it has none
 * @throws {KprovError} `data` where it is not TOML
 */
export function readPyprojectName(text: string): string | null {
  const root = parseToml(text);
  return toText(findValue(root, ["project", "name"])) ??
    toText(findValue(root, ["tool", "poetry", "name"]));
}

function parseToml(text: string): TomlTable {
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

function isTable(value: TomlValue | undefined): value is TomlTable {
  return typeof value === "object" && !Array.isArray(value) && !(value instanceof TomlDate);
}

function findValue(root: TomlTable, keys: readonly string[]): TomlValue | undefined {
  let value: TomlValue | undefined = root;
  for (const key of keys) {
    value = isTable(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value;
}

/** Poetry also takes `{version = "^3.11"}` and a list of such tables; null is what is no text. */
function listConstraints(value: TomlValue): (string | null)[] {
  if (Array.isArray(value)) return value.flatMap(listConstraints);
  if (isTable(value)) return [toText(findValue(value, ["version"]))];
  return [toText(value)];
}

function toText(value: TomlValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function declare(
  path: string,
  text: string,
  { table, key, parseRange }: Field,
  constraint: string | null,
): Declaration {
  return {
    runtime: "python",
    source: [...table, key].join("."),
    path,
    position: findKey(text, table.join("."), key),
    text: constraint ?? "",
    claim: constraint === null
      ? claimFloating("it is not a text")
      : claimRange(parseRange(constraint)),
  };
}

/** Finds the line that sets a key under a table's header; null where it is written otherwise. */
function findKey(text: string, table: string, key: string): Position | null {
  let current = "";
  for (const [index, line] of text.split("\n").entries()) {
    const content = line.trim();
    if (content.startsWith("[")) {
      current = content.split("#", 1)[0]?.replace(/[[\]\s"']/g, "") ?? "";
    }
    const [name = ""] = content.split("=", 1);
    if (current === table && content.includes("=") && name.replace(/[\s"']/g, "") === key) {
      return { line: index + 1, column: line.indexOf(content) + 1 };
    }
  }
  return null;
}
