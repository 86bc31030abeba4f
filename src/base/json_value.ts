import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { placeInText } from "./text.ts";

/** A value in a JSON text, or why it cannot be told. */
type LocatedValue =
  | {
    readonly ok: true;
    /** The value where it is a string, else null. */
    readonly text: string | null;
    /** As it stands in the text. */
    readonly source: string;
    /** Where it starts in the text. */
    readonly index: number;
  }
  | { readonly ok: false; readonly reason: string; readonly index: number | null };

/**
 * Looks up a value in JSON, or JSON with comments and trailing commas, by its JSON Pointer
 * (RFC 6901). A key that stands twice on the way is refused: readers differ in which one they take.
 *
 * @param text The JSON text
 * @param pointer Such as `/name`
 */
export function findJsonValue(text: string, pointer: string): LocatedValue {
  const root = parseJson(text);
  if (!("type" in root)) return { ok: false, ...root };
  let node = root;
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    const children = listChildren(node, key);
    const [child, second] = children;
    if (second !== undefined) return refuse(`it has the key ${JSON.stringify(key)} twice`, second);
    if (child === undefined) return { ok: false, reason: "it has no such value", index: null };
    node = child;
  }
  return {
    ok: true,
    text: node.type === "string" ? node.value as string : null,
    source: text.slice(node.offset, node.offset + node.length),
    index: node.offset,
  };
}

function refuse(reason: string, node: Node): LocatedValue {
  return { ok: false, reason, index: node.offset };
}

function parseJson(
  text: string,
): Node | { readonly reason: string; readonly index: number | null } {
  const errors: ParseError[] = [];
  try {
    const root = parseTree(text, errors, { allowTrailingComma: true });
    const [error] = errors;
    if (error !== undefined) {
      return { reason: `it is not JSON: ${printParseErrorCode(error.error)}`, index: error.offset };
    }
    return root ?? { reason: "it is empty", index: null };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { reason: "it is nested too deeply", index: null };
  }
}

/**
 * Says where a text that should be JSON stops being it.
 *
 * @param text The text
 * @returns Such as `comma expected at line 3, column 5`, or null where no place can be told
 */
export function describeJsonFault(text: string): string | null {
  const errors: ParseError[] = [];
  try {
    parseTree(text, errors, { disallowComments: true });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  const [error] = errors;
  if (error === undefined) return null;
  const what = printParseErrorCode(error.error).replace(/(?<=[a-z])[A-Z]/g, " $&").toLowerCase();
  const { line, column } = placeInText(text, error.offset);
  return `${what} at line ${line}, column ${column}`;
}

/** The values under a key, or at an index: none, one or, by a repeated key, several. */
function listChildren(node: Node, key: string): readonly Node[] {
  if (node.type === "array") {
    const child = /^(0|[1-9]\d*)$/.test(key) ? node.children?.[Number(key)] : undefined;
    return child === undefined ? [] : [child];
  }
  return (node.type === "object" ? node.children ?? [] : [])
    .filter((property) => property.children?.[0]?.value === key)
    .flatMap((property) => property.children?.[1] ?? []);
}
