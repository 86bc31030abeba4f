import { findNodeAtLocation, type Node, parseTree } from "jsonc-parser";
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
import { parseNpmRange } from "./version_range.ts";

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
  return value.trim() === "" ? claimFloating("it sets no bound") : claimRange(parseNpmRange(value));
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
      source: line.trim().split("=", 1)[0]?.trim() ?? "",
      path,
      position: { line: index + 1, column: line.search(/\S/) + 1 },
      text: version,
      claim: version.includes("$")
        ? claimFloating("only the run knows the variable in it")
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
