import type * as z from "zod/mini";
import { KprovError, type KprovErrorCode } from "./error.ts";
import { escapeText, findNearest } from "./quote.ts";

/** One place where a document is not what its schema says. */
export interface SchemaIssue {
  /** Where, as a JSON Pointer (RFC 6901); "" is the whole document. */
  readonly pointer: string;
  /** What is wrong there, with what was expected. */
  readonly message: string;
}

/**
 * Holds a value against a schema and reports every place where it differs.
 *
 * @param schema A zod schema
 * @param value Anything
 * @returns The issues in the document's order; none means that the value fits
 */
export function listSchemaIssues(schema: z.ZodMiniType, value: unknown): SchemaIssue[] {
  const result = schema.safeParse(value);
  // No person wrote a document, so that no key is guessed.
  return result.success ? [] : result.error.issues.flatMap((issue) => describeIssue(issue, null));
}

/**
 * Holds a value against a schema.
 *
 * @param schema The schema
 * @param value Anything
 * @param what What the value should be, for the message
 * @param code The code of the error, `data` unless told
 * @returns The value, typed
 * @throws {KprovError} Naming the first place that differs
 */
export function parseWithSchema<T>(
  schema: z.ZodMiniType<T>,
  value: unknown,
  what: string,
  code: KprovErrorCode = "data",
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const first = result.error.issues.flatMap((issue) => describeIssue(issue, schema))[0];
  const place = first === undefined || first.pointer === "" ? "" : ` at ${first.pointer}`;
  throw new KprovError(
    code,
    `Cannot parse ${what}${place}: ${first?.message ?? "it does not fit"}`,
  );
}

function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodMiniType | null): SchemaIssue[] {
  if (issue.code === "unrecognized_keys") {
    const known = schema === null ? [] : listKeys(schema, issue.path);
    return issue.keys.map((key) => {
      const nearest = findNearest(key, known);
      return {
        pointer: toPointer([...issue.path, key]),
        message: nearest === null ? "unknown key" : `unknown key; did you mean "${nearest}"?`,
      };
    });
  }
  return [{ pointer: toPointer(issue.path), message: describeExpected(issue) }];
}

/** The keys that a schema knows at a place; none where that is no object. */
function listKeys(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const { def } = schema._zod as z.core.$ZodTypes["_zod"];
  const [key, ...rest] = path;
  switch (def.type) {
    case "optional":
      return listKeys(def.innerType, path);
    case "array":
      return key === undefined ? [] : listKeys(def.element, rest);
    case "object": {
      if (key === undefined) return Object.keys(def.shape);
      const inner = def.shape[String(key)];
      return inner === undefined ? [] : listKeys(inner, rest);
    }
    default:
      return [];
  }
}

function describeExpected(issue: z.core.$ZodIssue): string {
  if (issue.message !== "Invalid input") return escapeText(issue.message);
  if (issue.code === "invalid_value") {
    return `expected ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
  }
  return issue.code === "invalid_type" ? `expected ${issue.expected}` : "unexpected value";
}

function toPointer(path: readonly PropertyKey[]): string {
  return path
    .map((part) => `/${escapeText(String(part).replaceAll("~", "~0").replaceAll("/", "~1"))}`)
    .join("");
}
