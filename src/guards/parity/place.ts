import type { Position, YamlNode } from "../yaml_node.ts";

/** A place in a file. */
export interface Place {
  readonly path: string;
  readonly position: Position;
}

/** What is wrong somewhere. */
export interface Fault {
  /** Without a final period, already safe to show. */
  readonly message: string;
  readonly place: Place;
}

/** Where a node of a file stands. */
export function placeOf(path: string, node: YamlNode): Place {
  return { path, position: node.position };
}
