import { findNodeAtLocation, type Node, parseTree } from "jsonc-parser";
import { parse, TomlDate, TomlError, type TomlTable, type TomlValue } from "smol-toml";
import { KprovError } from "../../base/error.ts";
import { showText } from "../../base/quote.ts";
import { parseStrictJson, SMALL_JSON } from "../../base/strict_json.ts";
import { placeInText } from "../../base/text.ts";
import type { Position } from "../actions/yaml.ts";
import {
  type Claim,
  claimFloating,
  claimRange,
  claimVersion,
  type Declaration,
  type RuntimeName,
} from "./declaration.ts";
import { parsePep440Range, parsePoetryRange } from "./python_range.ts";
import { parseNpmRange, type RangeResult } from "./version_range.ts";

/** Where package.json declares runtimes. `volta` pins what a developer's shell runs. */
const PACKAGE_FIELDS: readonly {
  readonly runtime: RuntimeName;
  readonly field: [string, string];
}[] = [
  { runtime: "node", field: ["engines", "node"] },
  { runtime: "deno", field: ["engines", "deno"] },
  { runtime: "node", field: ["volta", "node"] },
];

/**
 * Reads what a package.json declares.
 *
 * @param path The file's path
 * @param bytes Its content
 * @throws {KprovError} `data` where it is not JSON, holds a key twice, or is not UTF-8
 */
export function readPackageJson(path: string, bytes: Uint8Array): Declaration[] {
  parseStrictJson(bytes, SMALL_JSON);
  const text = new TextDecoder().decode(bytes);
  const root = parseTree(text);
  if (root === undefined) return [];
  return PACKAGE_FIELDS.flatMap(({ runtime, field }) => {
    const node = findNodeAtLocation(root, field);
    if (node === undefined) return [];
    const value: unknown = node.value;
    return [{
      runtime,
      source: field.join("."),
      path,
      position: placeInText(text, node.offset),
      text: typeof value === "string" ? value : text.slice(node.offset, node.offset + node.length),
      claim: claimOfField(field[0], runtime, node),
    }];
  });
}

function claimOfField(section: string, runtime: RuntimeName, node: Node): Claim {
  const value: unknown = node.value;
  if (typeof value !== "string") return claimFloating("it is not a text");
  if (section === "volta") return claimVersion(runtime, value);
  return value.trim() === "" ? claimFloating("it sets no bound") : claimRange(parseNpmRange(value));
}

/** One place of pyproject.toml that declares Python. */
interface Field {
  readonly table: readonly string[];
  readonly key: string;
  readonly parseRange: (text: string) => RangeResult;
}

const PYPROJECT_FIELDS: readonly Field[] = [
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
  return PYPROJECT_FIELDS.flatMap((field) => {
    const value = findValue(root, [...field.table, field.key]);
    return value === undefined
      ? []
      : listConstraints(value).map((constraint) => declareField(path, text, field, constraint));
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

function declareField(
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

/** Files that hold versions of one runtime and nothing else. */
const RUNTIME_OF_FILE: ReadonlyMap<string, RuntimeName> = new Map([
  [".dvmrc", "deno"],
  [".nvmrc", "node"],
  [".node-version", "node"],
  [".python-version", "python"],
]);

/** The names of the tools in `.tool-versions`. */
const RUNTIME_OF_TOOL: ReadonlyMap<string, RuntimeName> = new Map([
  ["deno", "deno"],
  ["nodejs", "node"],
  ["node", "node"],
  ["python", "python"],
]);

const COMPARISON = /^[~=!<>]/;

/** A word of a file, with its place. */
interface Word {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Which runtimes a version file can declare.
 *
 * @param name The file's name without its directory
 * @returns None where it is no version file
 */
export function runtimesOfVersionFile(name: string): RuntimeName[] {
  if (name === ".tool-versions") return ["deno", "node", "python"];
  const runtime = RUNTIME_OF_FILE.get(name);
  return runtime === undefined ? [] : [runtime];
}

/**
 * Reads `.dvmrc`, `.nvmrc`, `.node-version`, `.python-version` or `.tool-versions`.
 *
 * @param path The file's path
 * @param text Its content
 */
export function readVersionFile(path: string, text: string): Declaration[] {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const lines = splitLines(text);
  if (name === ".tool-versions") {
    return lines.flatMap((words) => readTool(path, words));
  }
  const runtime = RUNTIME_OF_FILE.get(name);
  if (runtime === undefined) return [];
  const words = lines.map(joinWords);
  // A file that is there and says nothing leaves the choice to whoever reads it.
  const declared = words.length > 0 ? words : [{ text: "", line: 1, column: 1 }];
  return declared.map((word) => declare(path, runtime, word));
}

function splitLines(text: string): Word[][] {
  return text.split(/\r\n|\n|\r/).map((line, index) => {
    const content = line.split("#", 1)[0] ?? "";
    return [...content.matchAll(/\S+/g)].map((match) => ({
      text: match[0],
      line: index + 1,
      column: match.index + 1,
    }));
  }).filter((words) => words.length > 0);
}

function joinWords(words: readonly Word[]): Word {
  const [first] = words;
  return {
    text: words.map((word) => word.text).join(" "),
    line: first?.line ?? 1,
    column: first?.column ?? 1,
  };
}

/** `python 3.12.1 3.11.9 system`: the later versions serve where the earlier are not installed. */
function readTool(path: string, words: readonly Word[]): Declaration[] {
  const [tool, ...versions] = words;
  const runtime = RUNTIME_OF_TOOL.get(tool?.text ?? "");
  if (tool === undefined || runtime === undefined) return [];
  const declared = versions.length > 0 ? versions : [{ ...tool, text: "" }];
  return declared.map((word) => declare(path, runtime, word));
}

function declare(path: string, runtime: RuntimeName, word: Word): Declaration {
  const { text, line, column } = word;
  return {
    runtime,
    source: path.slice(path.lastIndexOf("/") + 1),
    path,
    position: { line, column },
    text,
    claim: claim(runtime, text),
  };
}

function claim(runtime: RuntimeName, text: string): Claim {
  return runtime === "python" && COMPARISON.test(text)
    ? claimRange(parsePep440Range(text))
    : claimVersion(runtime, text);
}
