/**
 * YAML as plain values with positions, and the one reader of it.
 *
 * @module
 */

import {
  type Alias,
  composeDocuments,
  type CST,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseTokens,
  type Scalar,
  visit,
} from "yaml-without-env";
import { showText } from "../../base/quote.ts";

/** A place in a text: both from 1, the column in UTF-16 code units. */
export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/** One key of a YAML mapping with its value. */
export interface YamlEntry {
  /** The key as text: `on` stays `on`, and a number is as it is written. */
  readonly key: string;
  /** Where the key starts. */
  readonly keyPosition: Position;
  /** What it maps to. */
  readonly value: YamlNode;
}

/** A YAML mapping; no key is in it twice. */
export interface YamlMap {
  /** Tells it from the other nodes. */
  readonly kind: "map";
  /** Its keys with their values, in order. */
  readonly entries: readonly YamlEntry[];
  /** Where it starts. */
  readonly position: Position;
}

/** A YAML sequence. */
export interface YamlSeq {
  /** Tells it from the other nodes. */
  readonly kind: "seq";
  /** Its items, in order. */
  readonly items: readonly YamlNode[];
  /** Where it starts. */
  readonly position: Position;
}

/** A YAML scalar of the core schema. */
export interface YamlScalar {
  /** Tells it from the other nodes. */
  readonly kind: "scalar";
  /** Its value: the plain `3.10` is the number 3.1. */
  readonly value: string | number | boolean | null;
  /** Its text as written, without quotation marks: `3.10`. */
  readonly source: string;
  /** Where it starts. */
  readonly position: Position;
}

/** YAML as plain values with positions; aliases are resolved, with the position of their anchor. */
export type YamlNode = YamlMap | YamlSeq | YamlScalar;

/** A parsed YAML file, or why it cannot be used and where. */
export type YamlResult =
  | { readonly ok: true; readonly node: YamlNode }
  | {
    readonly ok: false;
    /** Such as `it has the key "on" twice`, without a final period. */
    readonly message: string;
    readonly line: number | null;
    readonly column: number | null;
  };

/**
 * Looks a key up.
 *
 * @param node Any node, or none
 * @param key The key, exactly
 * @returns Its value, or null where the node is no mapping or has no such key
 */
export function getYamlValue(node: YamlNode | null, key: string): YamlNode | null {
  if (node?.kind !== "map") return null;
  return node.entries.find((entry) => entry.key === key)?.value ?? null;
}

/**
 * Puts the entries of merge keys (`<<: *base`) in, as readers of YAML 1.1 do: what a mapping says
 * itself counts, then what is merged first. GitHub knows no merge keys.
 *
 * @param node Any node
 */
export function resolveMergeKeys(node: YamlNode): YamlNode {
  if (node.kind === "scalar") return node;
  if (node.kind === "seq") return { ...node, items: node.items.map(resolveMergeKeys) };
  const entries = node.entries.map((entry) => ({ ...entry, value: resolveMergeKeys(entry.value) }));
  const found = new Map<string, YamlEntry>();
  const merged = entries.filter(({ key }) => key === "<<").flatMap(({ value }) =>
    (value.kind === "seq" ? value.items : [value]).flatMap((it) =>
      it.kind === "map" ? it.entries : []
    )
  );
  for (const entry of [...entries.filter(({ key }) => key !== "<<"), ...merged]) {
    if (!found.has(entry.key)) found.set(entry.key, entry);
  }
  return { ...node, entries: [...found.values()] };
}

/**
 * The text that a program gets which asks for a scalar as text: the plain `3.10` gives `3.1`.
 *
 * @param scalar A scalar
 */
export function textOfScalar(scalar: YamlScalar): string {
  return scalar.value === null ? "" : String(scalar.value);
}

/** Largest YAML text, in UTF-16 code units. */
const MAX_LENGTH = 2 ** 20;
/** Deepest nesting, aliases resolved. */
const MAX_DEPTH = 100;
/** Most nodes, aliases resolved: an alias bomb runs into it. */
const MAX_NODES = 100_000;

/** Workflows and actions. */
const GITHUB = /^\.github\/|(?:^|\/)action\.ya?ml$/i;

/** GitLab puts the inputs of a file before it, in a document of their own. */
const GITLAB = /(?:^|[/.])gitlab-ci\.ya?ml$|^\.gitlab\/ci\//i;

/** Why a text cannot be used; the offset is where, in UTF-16 code units. */
class YamlRefusal extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** The bytes of a file, or why there are none. */
type ReadBytes =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reason: string };

/** What the walk over a composed document needs at every node. */
interface Walk {
  readonly lines: LineCounter;
  readonly targets: ReadonlyMap<Alias, Node>;
  nodesLeft: number;
}

/**
 * Parses YAML 1.2 (core schema) as GitHub reads workflows: anchors and aliases are resolved, `<<` is
 * a key like any other. Refused are: more than one document, a key twice, a key that is no scalar,
 * tags outside the core schema, and whatever is too large, too deep or grows too large by aliases.
 *
 * @param text The file's text
 * @param takesTags Whether tags that only others know are passed over: `!reference` of GitLab,
 * `!!python/name:…` of MkDocs
 * @returns The content with positions, or why there is none
 *
 * @example Read a workflow, and see why another text is none
 * ```ts
 * import { parseYaml } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const workflow = parseYaml("on: push\njobs: {}\n");
 * assertEquals(workflow.ok && workflow.node.kind, "map");
 * assertEquals(parseYaml("on: push\non: pull_request\n"), {
 *   ok: false,
 *   message: 'it has the key "on" twice',
 *   line: 2,
 *   column: 1,
 * });
 * ```
 */
export function parseYaml(text: string, takesTags = false): YamlResult {
  return parseDocuments(text, takesTags, false);
}

function parseDocuments(text: string, takesTags: boolean, takesHeader: boolean): YamlResult {
  const lines = new LineCounter();
  try {
    if (text.length > MAX_LENGTH) {
      throw new YamlRefusal(`it is larger than ${MAX_LENGTH} characters`, 0);
    }
    return { ok: true, node: parseDocument(text, lines, takesTags, takesHeader) };
  } catch (error) {
    if (!(error instanceof YamlRefusal)) throw error;
    return { ok: false, message: error.message, ...locate(lines, error.offset) };
  }
}

/**
 * Parses the YAML of a file that was read.
 *
 * @param content The file's bytes, or why there are none
 * @param path Where it stands: GitHub refuses tags that others have for themselves
 * @returns The content with positions, or why there is none
 */
export function parseYamlFile(content: ReadBytes, path: string): YamlResult {
  if (!content.ok) return { ok: false, message: content.reason, line: null, column: null };
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(content.bytes);
    return parseDocuments(text, !GITHUB.test(path), GITLAB.test(path));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { ok: false, message: "it is not valid UTF-8", line: null, column: null };
  }
}

function parseDocument(
  text: string,
  lines: LineCounter,
  takesTags: boolean,
  takesHeader: boolean,
): YamlNode {
  // The parser works with a stack of its own, the composer calls itself: between the two stands
  // the check for depth.
  const tokens = parseTokens(text, lines.addNewLine);
  checkDepth(tokens);
  // With uniqueKeys the composer would compare every key with every other.
  const documents = composeDocuments(tokens, {
    version: "1.2",
    schema: "core",
    merge: false,
    uniqueKeys: false,
  });
  const [document, second, third] = documents;
  checkErrors(documents, takesTags);
  const surplus = takesHeader ? third : second;
  if (surplus !== undefined) {
    throw new YamlRefusal("it holds more than one document", surplus.range[0]);
  }
  const header = convertDocument(document, lines);
  if (second === undefined) return header;
  const body = convertDocument(second, lines);
  if (header.kind !== "map" || header.entries.some(({ key }) => key !== "spec")) {
    throw new YamlRefusal("it holds more than one document", second.range[0]);
  }
  const entries = body.kind === "map" ? body.entries : [];
  return { ...header, entries: [...header.entries, ...entries] };
}

function convertDocument(document: Document.Parsed | undefined, lines: LineCounter): YamlNode {
  const root = document?.contents ?? null;
  if (document === undefined || root === null) return emptyScalar({ line: 1, column: 1 });
  const walk = { lines, targets: findAliasTargets(document), nodesLeft: MAX_NODES };
  return convertNode(walk, root, 1);
}

/** Refuses nesting that the recursive steps could not follow. */
function checkDepth(tokens: readonly CST.Token[]): void {
  const pending = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { token, depth } = next;
    if (depth > MAX_DEPTH) throw refuseDepth(token.offset);
    if (token.type === "document" && token.value !== undefined) {
      pending.push({ token: token.value, depth: depth + 1 });
    }
    if (!("items" in token)) continue;
    for (const { key, value } of token.items) {
      if (key) pending.push({ token: key, depth: depth + 1 });
      if (value) pending.push({ token: value, depth: depth + 1 });
    }
  }
}

function refuseDepth(offset: number): YamlRefusal {
  return new YamlRefusal(`it is nested deeper than ${MAX_DEPTH}`, offset);
}

function checkErrors(documents: readonly Document.Parsed[], takesTags: boolean): void {
  for (const document of documents) {
    const [fault] = [
      ...document.errors,
      ...document.warnings.filter(({ code }) => !takesTags || code !== "TAG_RESOLVE_FAILED"),
    ];
    if (fault === undefined) continue;
    // The library's message may quote the file.
    const firstLine = fault.message.split("\n", 1)[0] ?? "";
    throw new YamlRefusal(`it is not valid YAML: ${showText(firstLine)}`, fault.pos[0]);
  }
}

/** Finds, in one pass, which node each alias stands for: the last of that name before it. */
function findAliasTargets(document: Document.Parsed): Map<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Node: (_key, node) => {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target !== undefined) targets.set(node, target);
      } else if (node.anchor !== undefined) {
        anchors.set(node.anchor, node);
      }
    },
  });
  return targets;
}

function convertNode(walk: Walk, node: Node, depth: number): YamlNode {
  const offset = node.range?.[0] ?? 0;
  if (depth > MAX_DEPTH) throw refuseDepth(offset);
  if (--walk.nodesLeft < 0) throw new YamlRefusal(`it has more than ${MAX_NODES} nodes`, offset);
  if (isAlias(node)) return convertNode(walk, resolveAlias(walk, node), depth + 1);
  const position = locate(walk.lines, offset);
  if (isScalar(node)) return convertScalar(node, position, offset);
  if (isMap(node)) {
    return { kind: "map", entries: convertPairs(walk, node.items, depth), position };
  }
  if (!isSeq(node)) throw new YamlRefusal("it holds a node of an unknown kind", offset);
  const items = node.items.map((item) => convertValue(walk, item, position, depth));
  return { kind: "seq", items, position };
}

function resolveAlias(walk: Walk, alias: Alias): Node {
  const target = walk.targets.get(alias);
  if (target !== undefined) return target;
  const offset = alias.range?.[0] ?? 0;
  throw new YamlRefusal(`it has no anchor for the alias ${showText(alias.source)}`, offset);
}

function convertScalar(node: Scalar, position: Position, offset: number): YamlScalar {
  const { value } = node;
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
      return { kind: "scalar", value, source: node.source ?? String(value), position };
    default:
      if (value === null) return { ...emptyScalar(position), source: node.source ?? "" };
      throw new YamlRefusal("it holds a value outside YAML's core schema", offset);
  }
}

function emptyScalar(position: Position): YamlScalar {
  return { kind: "scalar", value: null, source: "", position };
}

/** A value of a collection; the library leaves it out where the text has nothing there. */
function convertValue(walk: Walk, value: unknown, place: Position, depth: number): YamlNode {
  return isNode(value) ? convertNode(walk, value, depth + 1) : emptyScalar(place);
}

function convertPairs(walk: Walk, pairs: readonly Pair[], depth: number): YamlEntry[] {
  const seen = new Set<string>();
  return pairs.map((pair) => {
    const offset = (isNode(pair.key) ? pair.key.range?.[0] : undefined) ?? 0;
    const keyPosition = locate(walk.lines, offset);
    const node = convertValue(walk, pair.key, keyPosition, depth);
    if (node.kind !== "scalar") throw new YamlRefusal("it has a key that is no scalar", offset);
    const key = node.source;
    if (seen.has(key)) throw new YamlRefusal(`it has the key ${showText(key)} twice`, offset);
    seen.add(key);
    return { key, keyPosition, value: convertValue(walk, pair.value, keyPosition, depth) };
  });
}

function locate(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}
