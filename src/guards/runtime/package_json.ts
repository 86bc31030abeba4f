import { findNodeAtLocation, type Node, parseTree } from "jsonc-parser";
import { parseStrictJson, SMALL_JSON } from "../../strict_json.ts";
import { placeInText } from "../text/text_place.ts";
import {
  type Claim,
  claimFloating,
  claimRange,
  claimVersion,
  type Declaration,
  type RuntimeName,
} from "./runtime_declaration.ts";
import { parseNpmRange } from "./version_range.ts";

/** Where package.json declares runtimes. `volta` pins what a developer's shell runs. */
const FIELDS: readonly { readonly runtime: RuntimeName; readonly field: [string, string] }[] = [
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
  return FIELDS.flatMap(({ runtime, field }) => {
    const node = findNodeAtLocation(root, field);
    if (node === undefined) return [];
    const value: unknown = node.value;
    return [{
      runtime,
      source: field.join("."),
      path,
      position: placeInText(text, node.offset),
      text: typeof value === "string" ? value : text.slice(node.offset, node.offset + node.length),
      claim: claim(field[0], runtime, node),
    }];
  });
}

function claim(section: string, runtime: RuntimeName, node: Node): Claim {
  const value: unknown = node.value;
  if (typeof value !== "string") return claimFloating("it is not a text");
  if (section === "volta") return claimVersion(runtime, value);
  return value.trim() === "" ? claimFloating("it sets no bound") : claimRange(parseNpmRange(value));
}
