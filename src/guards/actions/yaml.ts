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
  /** What it means: the plain `3.10` is the number 3.1. */
  readonly value: string | number | boolean | null;
  /** Its text without quotation marks, before a plain scalar is taken for a number: `3.10`. */
  readonly source: string;
  /** Where it starts. */
  readonly position: Position;
}

/** YAML as plain values with positions; aliases stand resolved, at the place of their anchor. */
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
 * The text that a program gets which asks for a scalar as text: the plain `3.10` gives `3.1`.
 *
 * @param scalar A scalar
 */
export function textOfScalar(scalar: YamlScalar): string {
  return scalar.value === null ? "" : String(scalar.value);
}
