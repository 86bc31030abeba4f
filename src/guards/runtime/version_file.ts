import { parsePep440Range } from "./pep440_range.ts";
import {
  type Claim,
  claimRange,
  claimVersion,
  type Declaration,
  type RuntimeName,
} from "./runtime_declaration.ts";

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
