/**
 * The containers that developers start: compose files and devcontainers.
 *
 * @module
 */

import { type Node, type ParseError, parseTree } from "jsonc-parser";
import { KprovError } from "../../base/error.ts";
import { placeInText } from "../../base/text.ts";
import { getYamlValue, type Position, textOfScalar, type YamlNode } from "../actions/yaml.ts";
import { claimFloating, claimVersion, type Declaration, type RuntimeName } from "./declaration.ts";
import { readDockerfile, resolveVariables } from "./dockerfile.ts";
import { claimImage, type ImagePiece } from "./image.ts";

/** Where an image is named. */
export interface ImagePlace {
  /** What names it, such as `services.image`. */
  readonly source: string;
  readonly path: string;
  readonly position: Position;
  /** The reference as it is written. */
  readonly written: string;
}

/**
 * Makes the declarations of an image.
 *
 * @param place Where it is named
 * @param pieces The reference, its variables resolved
 * @param reason Why what is not known is not, for the finding
 */
export function declareImage(
  { source, path, position, written }: ImagePlace,
  pieces: readonly ImagePiece[],
  reason: string,
): Declaration[] {
  const isDecided = pieces.every(({ isKnown }) => isKnown);
  return claimImage(pieces).map(({ runtime, claim }) => ({
    runtime,
    source,
    path,
    position,
    text: isDecided ? pieces.map(({ text }) => text).join("") : written,
    claim: isDecided || claim.kind !== "floating"
      ? claim
      : claimFloating(`${claim.reason}: ${reason}`),
  }));
}

/**
 * Reads the images of a compose file's services. Variables count with the defaults that stand beside
 * them.
 *
 * @param path The file's path
 * @param root Its content
 */
export function readCompose(path: string, root: YamlNode): Declaration[] {
  const services = getYamlValue(root, "services");
  return (services?.kind === "map" ? services.entries : []).flatMap(({ value }) => [
    ...readServiceImage(path, getYamlValue(value, "image")),
    ...readInlineDockerfile(path, getYamlValue(getYamlValue(value, "build"), "dockerfile_inline")),
  ]);
}

function readServiceImage(path: string, image: YamlNode | null): Declaration[] {
  if (image?.kind !== "scalar" || image.value === null) return [];
  const written = textOfScalar(image);
  const place = { source: "services.image", path, position: image.position, written };
  const pieces = resolveVariables(written, new Map());
  return declareImage(place, pieces, "a variable has no default that stands beside it");
}

function readInlineDockerfile(path: string, inline: YamlNode | null): Declaration[] {
  if (inline?.kind !== "scalar") return [];
  const { position } = inline;
  return readDockerfile(path, textOfScalar(inline)).map((it) => ({ ...it, position }));
}

/** The features of devcontainers that install a runtime, by the last part of their names. */
const FEATURES: ReadonlyMap<string, RuntimeName> = new Map([
  ["python", "python"],
  ["node", "node"],
  ["deno", "deno"],
]);

/**
 * Reads the image and the features of a devcontainer.json.
 *
 * @param path The file's path
 * @param text Its content, JSON with comments
 * @throws {KprovError} `data` where it is not JSON
 */
export function readDevcontainer(path: string, text: string): Declaration[] {
  const root = parseJsonc(text);
  return listProperties(root).flatMap(([key, value]) => {
    if (key === "image") return readDevcontainerImage(path, text, value);
    if (key !== "features") return [];
    return listProperties(value).flatMap(([name, options]) =>
      readFeature(path, text, name, options)
    );
  });
}

function parseJsonc(text: string): Node | undefined {
  const errors: ParseError[] = [];
  try {
    const root = parseTree(text, errors, { allowTrailingComma: true });
    if (errors.length === 0) return root;
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
  }
  throw new KprovError("data", "it is not JSON");
}

function listProperties(node: Node | undefined): (readonly [string, Node])[] {
  if (node?.type !== "object") return [];
  return (node.children ?? []).flatMap(({ children = [] }) => {
    const [key, value] = children;
    return key === undefined || value === undefined ? [] : [[`${key.value}`, value] as const];
  });
}

function readDevcontainerImage(path: string, text: string, node: Node): Declaration[] {
  if (typeof node.value !== "string") return [];
  const place = {
    source: "image",
    path,
    position: placeInText(text, node.offset),
    written: node.value,
  };
  // `${localEnv:NAME:default}`
  const plain = node.value.replace(/\$\{\w+:\w+:([^{}]*)\}/g, "$1");
  const pieces = resolveVariables(plain.replace(/\$\{\w+:(\w+)\}/g, "${$1}"), new Map());
  return declareImage(place, pieces, "only the developer's machine knows a variable in it");
}

function readFeature(path: string, text: string, name: string, options: Node): Declaration[] {
  const [reference = ""] = name.toLowerCase().split(/[:@]/, 1);
  const runtime = FEATURES.get(reference.slice(reference.lastIndexOf("/") + 1));
  if (runtime === undefined) return [];
  // The short form `"…/node:1": "20"` gives the version itself.
  const given = options.type === "object"
    ? listProperties(options).find(([key]) => key === "version")?.[1]
    : options;
  const version = typeof given?.value === "string" ? given.value : "";
  return [{
    runtime,
    source: `feature ${reference}`,
    path,
    position: placeInText(text, (given ?? options).offset),
    text: version,
    claim: claimVersion(runtime, version),
  }];
}
