/**
 * What is known of a value of GitHub's expressions before the workflow runs. Where everything is
 * known, GitHub's own rules decide (`@actions/expressions`); where only a part is, the answer is one
 * that holds whatever the rest turns out to be, or none.
 *
 * @module
 */

import * as data from "@actions/expressions/data";
import { equals, falsy, greaterThan, lessThan } from "@actions/expressions/result";
import type { YamlScalar } from "./yaml.ts";

/** A value that is no collection. */
type Primitive = string | number | boolean | null;

/** The scalar in which something is written. */
export interface Origin {
  readonly path: string;
  readonly scalar: YamlScalar;
}

/** What is known of a value. */
export type Value =
  | {
    readonly kind: "known";
    readonly value: Primitive;
    /** Where it is written, where it is written as it is. */
    readonly origin?: Origin;
  }
  | { readonly kind: "array"; readonly items: readonly Value[] }
  | {
    readonly kind: "object";
    /** By name in lower case: GitHub tells no cases apart. */
    readonly entries: ReadonlyMap<string, Value>;
  }
  | {
    /** A context such as `env`, which is asked by name. */
    readonly kind: "context";
    readonly get: (name: string) => Value;
  }
  /** One of several texts. */
  | { readonly kind: "one_of"; readonly values: readonly string[] }
  /** A text of which only the start is known. */
  | { readonly kind: "prefix"; readonly prefix: string }
  /** A text that differs from whatever has another name; it may be known. */
  | { readonly kind: "symbol"; readonly name: string; readonly text: string | null }
  /** A text whose start no file can know, such as the name of whoever forks the repository. */
  | { readonly kind: "foreign" }
  /** All that is known is whether it counts as true. */
  | { readonly kind: "truth"; readonly isTrue: boolean }
  | {
    readonly kind: "unknown";
    /** What only the run knows, and where it is written. */
    readonly cause?: { readonly reason: string; readonly origin: Origin };
  };

/** What a condition comes to. */
export type Outcome = "true" | "false" | "unknown";

/** Nothing is known. */
export const UNKNOWN: Value = { kind: "unknown" };

/** Makes a value that is known. */
export function known(value: Primitive): Value {
  return { kind: "known", value };
}

/** Makes an object of values by their names. */
export function makeObject(entries: Iterable<readonly [string, Value]>): Value {
  const found = new Map<string, Value>();
  for (const [name, value] of entries) {
    const key = name.toLowerCase();
    if (!found.has(key)) found.set(key, value);
  }
  return { kind: "object", entries: found };
}

/** Makes a context of values by their names; of every other name nothing is known. */
export function makeContext(entries: Readonly<Record<string, Value>>): Value {
  const values = new Map(Object.entries(entries));
  return { kind: "context", get: (name) => values.get(name.toLowerCase()) ?? UNKNOWN };
}

/** The text that a value becomes inside another text; null where that is not known. */
export function textOf(value: Value): string | null {
  return value.kind === "known" ? toData(value)?.coerceString() ?? null : null;
}

/** Whether a value counts as true. */
export function truthOf(value: Value): Outcome {
  switch (value.kind) {
    case "known":
      return toOutcome(!falsy(toPrimitive(value.value)));
    case "truth":
      return toOutcome(value.isTrue);
    case "one_of":
      return agree(value.values.map((text) => text !== ""));
    case "prefix":
      return value.prefix === "" ? "unknown" : "true";
    case "unknown":
      return "unknown";
    default:
      return "true";
  }
}

/** What several answers come to: one outcome where they agree. */
function agree(answers: readonly boolean[]): Outcome {
  if (answers.length === 0 || new Set(answers).size > 1) return "unknown";
  return toOutcome(answers[0] === true);
}

function toOutcome(isTrue: boolean): Outcome {
  return isTrue ? "true" : "false";
}

/** The value of an outcome. */
export function fromOutcome(outcome: Outcome): Value {
  return outcome === "unknown" ? UNKNOWN : known(outcome === "true");
}

/** The outcome of `!`. */
export function invert(outcome: Outcome): Outcome {
  return outcome === "unknown" ? outcome : toOutcome(outcome === "false");
}

/** What `&&` (deciding on false) or `||` (deciding on true) makes of two values. */
export function combine(left: Value, right: Value, deciding: boolean): Value {
  const first = truthOf(left);
  if (first !== "unknown") return first === toOutcome(deciding) ? left : right;
  // Either operand may be the result, but both count as the same.
  return truthOf(right) === toOutcome(deciding) ? { kind: "truth", isTrue: deciding } : UNKNOWN;
}

/** The part of a value that a name or a number points to. */
export function getPart(value: Value, index: Value): Value {
  if (index.kind !== "known") return UNKNOWN;
  switch (value.kind) {
    case "object":
      return value.entries.get(String(index.value).toLowerCase()) ?? known(null);
    case "context":
      return value.get(String(index.value));
    case "array":
      return typeof index.value === "number"
        ? value.items[Math.floor(index.value)] ?? known(null)
        : UNKNOWN;
    default:
      return value.kind === "known" && value.value === null ? value : UNKNOWN;
  }
}

/** Whether two values are equal to `==`. */
export function compare(left: Value, right: Value): Outcome {
  if (left.kind === "symbol" && right.kind === "symbol") {
    return toOutcome(left.name === right.name);
  }
  return compareStart(left, right) ?? compareStart(right, left) ??
    testAll(left, right, (a, b) => equals(a, b));
}

/** A text of which the start is known differs from every text that starts otherwise. */
function compareStart(value: Value, other: Value): Outcome | null {
  if (value.kind !== "prefix" && value.kind !== "foreign") return null;
  const texts = listPossible(other)?.map(({ value }) => value);
  if (texts === undefined || !texts.every((text) => typeof text === "string")) return "unknown";
  if (value.kind === "foreign") return "false";
  return texts.some((text) => hasPrefix(text, value.prefix)) ? "unknown" : "false";
}

/** Whether two values stand in an order. */
export function compareOrder(operator: "<" | "<=" | ">" | ">=", left: Value, right: Value): Value {
  return fromOutcome(testAll(left, right, (a, b) => {
    const isLess = operator.startsWith("<") ? lessThan(a, b) : greaterThan(a, b);
    return isLess || (operator.endsWith("=") && equals(a, b));
  }));
}

type Data = data.NumberData | data.StringData | data.BooleanData | data.Null;

/** Holds every value that one can have against every one that the other can have. */
export function testAll(left: Value, right: Value, test: (a: Data, b: Data) => boolean): Outcome {
  const [these, those] = [listPossible(left), listPossible(right)];
  if (these === null || those === null) return "unknown";
  return agree(
    these.flatMap((a) => those.map((b) => test(toPrimitive(a.value), toPrimitive(b.value)))),
  );
}

/** The values that a value can be; null where they cannot be listed. */
export function listPossible(value: Value): readonly { readonly value: Primitive }[] | null {
  if (value.kind === "known") return [value];
  if (value.kind === "one_of") return value.values.map((text) => ({ value: text }));
  return value.kind === "symbol" && value.text !== null ? [{ value: value.text }] : null;
}

/** Whether a text starts with another, whatever their cases. */
export function hasPrefix(text: string, prefix: string): boolean {
  return text.toLowerCase().startsWith(prefix.toLowerCase());
}

function toPrimitive(value: Primitive): Data {
  switch (typeof value) {
    case "string":
      return new data.StringData(value);
    case "number":
      return new data.NumberData(value);
    case "boolean":
      return new data.BooleanData(value);
    default:
      return new data.Null();
  }
}

/** A value as the library has it; null where not all of it is known, or it is an object. */
export function toData(value: Value): Data | data.Array | null {
  if (value.kind === "known") return toPrimitive(value.value);
  if (value.kind === "symbol") return value.text === null ? null : toPrimitive(value.text);
  if (value.kind !== "array") return null;
  const items = value.items.map(toData).filter((item) => item !== null);
  return items.length === value.items.length ? new data.Array(...items) : null;
}
