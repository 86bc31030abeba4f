/**
 * Files that say which version a project's tools install: those of the version managers, package.json
 * and the settings of pnpm.
 *
 * @module
 */

import { findNodeAtLocation, type Node, parseTree } from "jsonc-parser";
import { placeInText } from "../../base/located_values.ts";
import { parseStrictJson, SMALL_JSON } from "../../base/strict_json.ts";
import { getYamlValue, type Position, textOfScalar, type YamlNode } from "../actions/yaml.ts";
import {
  type Claim,
  claimFloating,
  claimRange,
  claimVersion,
  type Declaration,
  type DeclaringField,
  type RuntimeName,
  RUNTIMES,
} from "./declaration.ts";
import { readTomlFields } from "./python_manifests.ts";
import { parseNpmRange, parsePep440Range } from "./version_range.ts";

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
  ...RUNTIMES.map((name) => [name, name] as const),
  ["nodejs", "node"],
]);

/** A word of a file, or several as one, with the place. */
interface Word {
  readonly text: string;
  readonly position: Position;
}

/** Reads `.dvmrc`, `.nvmrc`, `.node-version`, `.python-version` or `.python-versions`. */
export function readVersionFile(path: string, text: string): Declaration[] {
  const runtime = RUNTIME_OF_FILE.get(path.slice(path.lastIndexOf("/") + 1));
  if (runtime === undefined) return [];
  const words = splitLines(text).map(joinWords);
  // A file that is there and says nothing leaves the choice to whoever reads it.
  const declared = words.length > 0 ? words : [{ text: "", position: { line: 1, column: 1 } }];
  return declared.map((word) => declare(path, runtime, word));
}

/** Reads `.tool-versions` of asdf, which mise reads too. */
export function readToolVersions(path: string, text: string): Declaration[] {
  return splitLines(text).flatMap((words) => readTool(path, words));
}

/** Reads the `runtime.txt` of Heroku and Netlify; a file of that name that starts otherwise is none. */
export function readRuntimeTxt(path: string, text: string): Declaration[] {
  const [first] = splitLines(text);
  if (first === undefined) return [];
  const word = joinWords(first);
  const [match, name = ""] = /^(?:(python|pypy|nodejs|node)(?![a-z])|v?\d)/i.exec(word.text) ?? [];
  if (match === undefined) return [];
  return name.toLowerCase().startsWith("node")
    ? [declare(path, "node", { ...word, text: word.text.replace(/^[a-z]+-?/i, "") })]
    : [declare(path, "python", word)];
}

/** The words of every line that has any, without comments. */
function splitLines(text: string): (readonly [Word, ...Word[]])[] {
  return text.split(/\r\n|\n|\r/).flatMap((line, index) => {
    const content = line.split("#", 1)[0] ?? "";
    const [first, ...more] = [...content.matchAll(/\S+/g)].map((match): Word => ({
      text: match[0],
      position: { line: index + 1, column: match.index + 1 },
    }));
    return first === undefined ? [] : [[first, ...more] as const];
  });
}

function joinWords(words: readonly [Word, ...Word[]]): Word {
  return { ...words[0], text: words.map(({ text }) => text).join(" ") };
}

/** `python 3.12.1 3.11.9 system`: the later versions serve where the earlier are not installed. */
function readTool(path: string, [tool, ...versions]: readonly [Word, ...Word[]]): Declaration[] {
  const runtime = RUNTIME_OF_TOOL.get(tool.text);
  if (runtime === undefined) return [];
  const declared = versions.length > 0 ? versions : [{ ...tool, text: "" }];
  return declared.map((word) => declare(path, runtime, word));
}

function declare(path: string, runtime: RuntimeName, { text, position }: Word): Declaration {
  const source = path.slice(path.lastIndexOf("/") + 1);
  const claim = runtime === "python" && /^[~=!<>]/.test(text)
    ? claimRange(parsePep440Range(text))
    : claimVersion(runtime, text);
  return { runtime, source, path, position, text, claim };
}

/** How mise names the tools, which tells where each comes from. */
const MISE_TOOLS: readonly (readonly [name: string, runtime: RuntimeName])[] = [
  ...RUNTIME_OF_TOOL,
  ...RUNTIMES.map((name) => [`core:${name}`, name] as const),
];

function claimMise(runtime: RuntimeName, text: string): Claim {
  return /^(?:ref|path|sub-[^:]+):/.test(text)
    ? claimFloating("it names a place to look for a version, not a version")
    : claimVersion(runtime, text.replace(/^prefix:/, ""));
}

const MISE_FIELDS: readonly DeclaringField[] = [
  ...MISE_TOOLS.flatMap(([name, runtime]) =>
    [["tools"], ["tasks", "*", "tools"]].map((table): DeclaringField => ({
      runtime,
      keys: [...table, name],
      claim: (text) => claimMise(runtime, text),
    }))
  ),
  { runtime: "python", keys: ["env", "UV_PYTHON"], claim: (text) => claimMise("python", text) },
];

/** Reads the tools of a mise.toml, those of its tasks included, and the Python that it sets for uv. */
export function readMise(path: string, text: string): Declaration[] {
  return readTomlFields(path, text, MISE_FIELDS);
}

const PROTO_FIELDS: readonly DeclaringField[] = [...RUNTIME_OF_TOOL].map(([name, runtime]) => ({
  runtime,
  keys: [name],
  claim: (text) => claimVersion(runtime, text),
}));

/** Reads the tools of a .prototools. */
export function readProtoTools(path: string, text: string): Declaration[] {
  return readTomlFields(path, text, PROTO_FIELDS);
}

const claimNpmRange = (text: string): Claim => claimRange(parseNpmRange(text));
const claimNode = (text: string): Claim => claimVersion("node", text);

/** In the order in which setup-node looks, the last first. */
const PACKAGE_FIELDS: readonly DeclaringField[] = [
  { runtime: "node", keys: ["engines", "node"], claim: claimNpmRange },
  { runtime: "deno", keys: ["engines", "deno"], claim: claimNpmRange },
  { runtime: "node", keys: ["pnpm", "executionEnv", "nodeVersion"], claim: claimNode },
  { runtime: "node", keys: ["volta", "node"], claim: claimNode },
];

/**
 * Reads `engines`, `devEngines.runtime`, `volta` and `pnpm.executionEnv` of a package.json.
 *
 * @param text Without a byte order mark, which npm takes off too
 * @throws {KprovError} `data` where it is not JSON, or holds a key twice
 */
export function readPackageJson(path: string, text: string): Declaration[] {
  parseStrictJson(new TextEncoder().encode(text), SMALL_JSON);
  const root = parseTree(text);
  if (root === undefined) return [];
  const fields = PACKAGE_FIELDS.flatMap((field) => {
    const node = findNodeAtLocation(root, [...field.keys]);
    return node === undefined ? [] : [{ ...field, node }];
  });
  return [...fields, ...listDevEngines(root)].map(({ runtime, keys, claim, node }) => {
    const value: unknown = node.value;
    const isText = typeof value === "string";
    return {
      runtime,
      source: keys.join("."),
      path,
      position: placeInText(text, node.offset),
      text: isText ? value : text.slice(node.offset, node.offset + node.length),
      claim: isText ? claim(value) : claimFloating("it is not a text"),
    };
  });
}

/** `devEngines.runtime` is one `{name, version}` or a list of them. */
function listDevEngines(root: Node): (DeclaringField & { readonly node: Node })[] {
  const keys = ["devEngines", "runtime"];
  const declared = findNodeAtLocation(root, keys);
  const engines = declared?.type === "array" ? declared.children ?? [] : [declared];
  return engines.flatMap((engine) => {
    if (engine === undefined) return [];
    const name: unknown = findNodeAtLocation(engine, ["name"])?.value;
    if (name !== "node" && name !== "deno") return [];
    // Without a version any will do.
    const node = findNodeAtLocation(engine, ["version"]) ?? engine;
    return [{ runtime: name, keys, claim: claimNpmRange, node }];
  });
}

const NPMRC_LINE = /^\s*(?:use-)?node-version\s*=\s*(.*?)\s*$/;

/** Reads the `use-node-version` and `node-version` of pnpm in an .npmrc. */
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
        : claimNode(version),
    }];
  });
}

/** Where a pnpm-workspace.yaml pins Node. */
const PNPM_KEYS: readonly (readonly string[])[] = [
  ["useNodeVersion"],
  ["nodeVersion"],
  ["executionEnv", "nodeVersion"],
];

/** Reads the Node that a pnpm-workspace.yaml pins. */
export function readPnpmWorkspace(path: string, root: YamlNode): Declaration[] {
  return PNPM_KEYS.flatMap((keys) => {
    const node = keys.reduce<YamlNode | null>(getYamlValue, root);
    if (node?.kind !== "scalar") return [];
    const { position } = node;
    const text = textOfScalar(node);
    const source = keys.join(".");
    return [{ runtime: "node", source, path, position, text, claim: claimNode(text) }];
  });
}
