/**
 * Files that say which version a project's tools install: those of the version managers, package.json
 * and the settings of pnpm.
 *
 * @module
 */

import { findNodeAtLocation, type Node, parseTree } from "jsonc-parser";
import type { TomlValue } from "smol-toml";
import {
  findTomlValues,
  isTomlTable,
  parseToml,
  placeOfTomlKey,
} from "../../base/located_values.ts";
import { parseStrictJson, SMALL_JSON } from "../../base/strict_json.ts";
import { placeInText } from "../../base/text.ts";
import { getYamlValue, textOfScalar, type YamlNode } from "../actions/yaml.ts";
import {
  type Claim,
  claimFloating,
  claimRange,
  claimVersion,
  type Declaration,
  type RuntimeName,
} from "./declaration.ts";
import { parseNpmRange, parsePep440Range } from "./version_range.ts";

/** A place of a TOML file that declares a runtime. */
export interface TomlField {
  readonly runtime: RuntimeName;
  /** The keys that lead to it, `*` for any. */
  readonly keys: readonly string[];
  /** Reads one version or range. */
  readonly claim: (text: string) => Claim;
}

/**
 * Reads what the fields of a TOML file declare. A value may be a text, `{version = "…"}`, or a list
 * of either.
 *
 * @param path The file's path
 * @param text Its content
 * @param fields Where it declares what
 * @throws {KprovError} `data` where it is not TOML
 */
export function readTomlFields(
  path: string,
  text: string,
  fields: readonly TomlField[],
): Declaration[] {
  const root = parseToml(text);
  return fields.flatMap(({ runtime, keys, claim }) =>
    findTomlValues(root, keys).flatMap((found) =>
      listTexts(found.value).map((version): Declaration => ({
        runtime,
        source: found.keys.join("."),
        path,
        position: placeOfTomlKey(text, found.keys),
        text: version ?? "",
        claim: version === null ? claimFloating("it is not a text") : claim(version),
      }))
    )
  );
}

/** Null stands for what is no text. */
function listTexts(value: TomlValue): (string | null)[] {
  if (Array.isArray(value)) return value.flatMap(listTexts);
  if (isTomlTable(value)) return listTexts(value["version"] ?? 0);
  return [typeof value === "string" ? value : null];
}

/** Files that hold versions of one runtime and nothing else. */
const RUNTIME_OF_FILE: ReadonlyMap<string, RuntimeName> = new Map([
  [".dvmrc", "deno"],
  [".nvmrc", "node"],
  [".node-version", "node"],
  [".python-version", "python"],
  [".python-versions", "python"],
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
 * Reads `.dvmrc`, `.nvmrc`, `.node-version`, `.python-version` or `.python-versions`.
 *
 * @param path The file's path
 * @param text Its content
 */
export function readVersionFile(path: string, text: string): Declaration[] {
  const runtime = RUNTIME_OF_FILE.get(path.slice(path.lastIndexOf("/") + 1));
  if (runtime === undefined) return [];
  const words = splitLines(text).map(joinWords);
  // A file that is there and says nothing leaves the choice to whoever reads it.
  const declared = words.length > 0 ? words : [{ text: "", line: 1, column: 1 }];
  return declared.map((word) => declare(path, runtime, word));
}

/**
 * Reads `.tool-versions` of asdf, which mise reads too.
 *
 * @param path The file's path
 * @param text Its content
 */
export function readToolVersions(path: string, text: string): Declaration[] {
  return splitLines(text).flatMap((words) => readTool(path, words));
}

/**
 * Reads the `runtime.txt` of Heroku and Netlify; a file of that name that starts otherwise is none.
 *
 * @param path The file's path
 * @param text Its content
 */
export function readRuntimeTxt(path: string, text: string): Declaration[] {
  const [first] = splitLines(text);
  if (first === undefined) return [];
  const word = joinWords(first);
  const [match, name = ""] = /^(?:(python|pypy|nodejs|node)(?![a-z])|v?\d)/i.exec(word.text) ?? [];
  if (match === undefined) return [];
  const isNode = name.toLowerCase().startsWith("node");
  return [
    isNode
      ? declare(path, "node", { ...word, text: word.text.replace(/^[a-z]+-?/i, "") })
      : declare(path, "python", word),
  ];
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

/** Where mise and proto name versions of a tool, under the tools' names. */
const MISE_TOOLS: readonly (readonly [name: string, runtime: RuntimeName])[] = [
  ["deno", "deno"],
  ["core:deno", "deno"],
  ["node", "node"],
  ["nodejs", "node"],
  ["core:node", "node"],
  ["python", "python"],
  ["core:python", "python"],
];

function claimMise(runtime: RuntimeName, text: string): Claim {
  if (/^(?:ref|path|sub-[^:]+):/.test(text)) {
    return claimFloating("it names a place to look for a version, not a version");
  }
  return claimVersion(runtime, text.replace(/^prefix:/, ""));
}

const MISE_FIELDS: readonly TomlField[] = [
  ...MISE_TOOLS.flatMap(([name, runtime]) =>
    [["tools"], ["tasks", "*", "tools"]].map((table): TomlField => ({
      runtime,
      keys: [...table, name],
      claim: (text) => claimMise(runtime, text),
    }))
  ),
  { runtime: "python", keys: ["env", "UV_PYTHON"], claim: (text) => claimMise("python", text) },
];

/**
 * Reads the tools of a mise.toml, those of its tasks included, and the Python that it sets for uv.
 *
 * @param path The file's path
 * @param text Its content
 * @throws {KprovError} `data` where it is not TOML
 */
export function readMise(path: string, text: string): Declaration[] {
  return readTomlFields(path, text, MISE_FIELDS);
}

const PROTO_FIELDS: readonly TomlField[] = [...RUNTIME_OF_TOOL].map(([name, runtime]) => ({
  runtime,
  keys: [name],
  claim: (text) => claimVersion(runtime, text),
}));

/**
 * Reads the tools of a .prototools.
 *
 * @param path The file's path
 * @param text Its content
 * @throws {KprovError} `data` where it is not TOML
 */
export function readProtoTools(path: string, text: string): Declaration[] {
  return readTomlFields(path, text, PROTO_FIELDS);
}

/** One place of package.json that declares a runtime. */
interface Field {
  readonly runtime: RuntimeName;
  readonly keys: readonly string[];
  /** Whether it is a range as npm reads it, or a version that a tool installs. */
  readonly isRange: boolean;
}

/** In the order in which setup-node looks, the last first. */
const PACKAGE_FIELDS: readonly Field[] = [
  { runtime: "node", keys: ["engines", "node"], isRange: true },
  { runtime: "deno", keys: ["engines", "deno"], isRange: true },
  { runtime: "node", keys: ["pnpm", "executionEnv", "nodeVersion"], isRange: false },
  { runtime: "node", keys: ["volta", "node"], isRange: false },
];

/**
 * Reads what a package.json declares: `engines`, `devEngines.runtime`, `volta` and
 * `pnpm.executionEnv`.
 *
 * @param path The file's path
 * @param text Its content, without a byte order mark, which npm takes off too
 * @throws {KprovError} `data` where it is not JSON, or holds a key twice
 */
export function readPackageJson(path: string, text: string): Declaration[] {
  parseStrictJson(new TextEncoder().encode(text), SMALL_JSON);
  const root = parseTree(text);
  if (root === undefined) return [];
  const fields = PACKAGE_FIELDS.flatMap(({ runtime, keys, isRange }) => {
    const node = findNodeAtLocation(root, [...keys]);
    return node === undefined ? [] : [{ runtime, source: keys.join("."), node, isRange }];
  });
  return [...fields, ...listDevEngines(root)].map(({ runtime, source, node, isRange }) => {
    const value: unknown = node.value;
    return {
      runtime,
      source,
      path,
      position: placeInText(text, node.offset),
      text: typeof value === "string" ? value : text.slice(node.offset, node.offset + node.length),
      claim: claimField(runtime, value, isRange),
    };
  });
}

/** What a package.json declares, before it is judged. */
interface FieldNode {
  readonly runtime: RuntimeName;
  readonly source: string;
  readonly node: Node;
  readonly isRange: boolean;
}

/** `devEngines.runtime` is one `{name, version}` or a list of them. */
function listDevEngines(root: Node): FieldNode[] {
  const declared = findNodeAtLocation(root, ["devEngines", "runtime"]);
  const engines = declared?.type === "array" ? declared.children ?? [] : [declared];
  return engines.flatMap((engine) => {
    if (engine === undefined) return [];
    const name: unknown = findNodeAtLocation(engine, ["name"])?.value;
    if (name !== "node" && name !== "deno") return [];
    // Without a version any will do.
    const node = findNodeAtLocation(engine, ["version"]) ?? engine;
    return [{ runtime: name, source: "devEngines.runtime", node, isRange: true }];
  });
}

function claimField(runtime: RuntimeName, value: unknown, isRange: boolean): Claim {
  if (typeof value !== "string") return claimFloating("it is not a text");
  if (!isRange) return claimVersion(runtime, value);
  return claimRange(parseNpmRange(value));
}

const NPMRC_LINE = /^\s*(?:use-)?node-version\s*=\s*(.*?)\s*$/;

/**
 * Reads the `use-node-version` and `node-version` of pnpm in an .npmrc.
 *
 * @param path The file's path
 * @param text Its content
 */
export function readNpmrc(path: string, text: string): Declaration[] {
  return text.split(/\r\n|\n|\r/).flatMap((line, index) => {
    const [, written] = NPMRC_LINE.exec(line) ?? [];
    if (written === undefined) return [];
    const version = written.replace(/^(["'])(.*)\1$/, "$2");
    return [{
      runtime: "node",
      source: line.split("=", 1)[0]?.trim() ?? "",
      path,
      position: { line: index + 1, column: line.search(/\S/) + 1 },
      text: version,
      claim: version.includes("$")
        ? claimFloating("the variable in it is known only at run time")
        : claimVersion("node", version),
    }];
  });
}

/** Where a pnpm-workspace.yaml pins Node. */
const PNPM_KEYS: readonly (readonly string[])[] = [
  ["useNodeVersion"],
  ["nodeVersion"],
  ["executionEnv", "nodeVersion"],
];

/**
 * Reads the Node that a pnpm-workspace.yaml pins.
 *
 * @param path The file's path
 * @param root Its content
 */
export function readPnpmWorkspace(path: string, root: YamlNode): Declaration[] {
  return PNPM_KEYS.flatMap((keys) => {
    const node = keys.reduce<YamlNode | null>(getYamlValue, root);
    if (node?.kind !== "scalar") return [];
    const text = textOfScalar(node);
    const { position } = node;
    return [{
      runtime: "node",
      source: keys.join("."),
      path,
      position,
      text,
      claim: claimVersion("node", text),
    }];
  });
}
