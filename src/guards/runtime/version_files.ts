import {
  type Claim,
  claimFloating,
  claimRange,
  claimVersion,
  type Declaration,
  type RuntimeName,
} from "./declaration.ts";
import { parsePep440Range } from "./python_range.ts";
import { readTomlFields, type TomlField } from "./toml_fields.ts";

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
  const [match, name = ""] = /^(?:(python|pypy|nodejs|node)-)?v?\d/i.exec(word.text) ?? [];
  if (match === undefined) return [];
  const isNode = name.toLowerCase().startsWith("node");
  return [
    isNode
      ? declare(path, "node", { ...word, text: word.text.replace(/^[^-]*-/, "") })
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
    return claimFloating("it names no version but where one is to be found");
  }
  return claimVersion(runtime, text.replace(/^prefix:/, ""));
}

const MISE_FIELDS: readonly TomlField[] = MISE_TOOLS.map(([name, runtime]) => ({
  runtime,
  keys: ["tools", name],
  claim: (text) => claimMise(runtime, text),
}));

/**
 * Reads the tools of a mise.toml.
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
