/** A value that an expression can have. */
export type PlainValue = string | number | boolean | null | readonly PlainValue[];

/** What is known of a value before the workflow runs. */
export type Value =
  | { readonly kind: "known"; readonly value: PlainValue }
  | {
    /** One of several. */
    readonly kind: "one_of";
    readonly values: readonly PlainValue[];
  }
  | {
    /** A text of which only the start is known. */
    readonly kind: "prefix";
    readonly prefix: string;
  }
  | {
    /** Something that differs from whatever has another name; its text may be known. */
    readonly kind: "symbol";
    readonly name: string;
    readonly text: string | null;
  }
  | { readonly kind: "unknown" };

/** What a condition comes to. */
export type Outcome = "true" | "false" | "unknown";

/** Nothing is known. */
export const UNKNOWN: Value = { kind: "unknown" };

/** Makes a value that is known. */
export function known(value: PlainValue): Value {
  return { kind: "known", value };
}

/** The value of an outcome. */
export function fromOutcome(outcome: Outcome): Value {
  return outcome === "unknown" ? UNKNOWN : known(outcome === "true");
}

/** Whether a value counts as true. */
export function truthOf(value: Value): Outcome {
  switch (value.kind) {
    case "known":
      return isTruthy(value.value) ? "true" : "false";
    case "one_of":
      return agree(value.values.map((one) => isTruthy(one)));
    case "prefix":
      return value.prefix === "" ? "unknown" : "true";
    case "symbol":
      return "true";
    case "unknown":
      return "unknown";
  }
}

function isTruthy(value: PlainValue): boolean {
  return !(value === null || value === false || value === 0 || value === "" ||
    Number.isNaN(value));
}

/** What all answers come to: one outcome where they agree. */
export function agree(answers: readonly boolean[]): Outcome {
  if (answers.length > 0 && answers.every((answer) => answer)) return "true";
  return answers.length > 0 && !answers.includes(true) ? "false" : "unknown";
}

/** The outcome of `!`. */
export function invert(outcome: Outcome): Outcome {
  if (outcome === "unknown") return outcome;
  return outcome === "true" ? "false" : "true";
}

/** Whether two values are equal to `==`. */
export function compare(left: Value, right: Value): Outcome {
  if (left.kind === "symbol" && right.kind === "symbol") {
    return left.name === right.name ? "true" : "false";
  }
  if (left.kind === "unknown" || right.kind === "unknown") return "unknown";
  if (left.kind === "prefix") return comparePrefix(left.prefix, right);
  if (right.kind === "prefix") return comparePrefix(right.prefix, left);
  const [these, those] = [listValues(left), listValues(right)];
  if (these === null || those === null) return "unknown";
  return agree(these.flatMap((a) => those.map((b) => isEqual(a, b))));
}

function comparePrefix(prefix: string, other: Value): Outcome {
  const values = listValues(other);
  if (values === null) return "unknown";
  const canMatch = values.some((value) => typeof value !== "string" || hasPrefix(value, prefix));
  return canMatch ? "unknown" : "false";
}

/** The values that it can be, or null where that is not known. */
export function listValues(value: Value): readonly PlainValue[] | null {
  if (value.kind === "known") return [value.value];
  if (value.kind === "one_of") return value.values;
  return value.kind === "symbol" && value.text !== null ? [value.text] : null;
}

/** Whether a text starts with another; GitHub tells no cases apart. */
export function hasPrefix(text: string, prefix: string): boolean {
  return text.toLowerCase().startsWith(prefix.toLowerCase());
}

function isEqual(a: PlainValue, b: PlainValue): boolean {
  if (typeof a === "string" && typeof b === "string") return a.toLowerCase() === b.toLowerCase();
  if (typeof a === typeof b && a !== null && b !== null) return a === b;
  return toNumber(a) === toNumber(b);
}

/** The number that GitHub takes a value for. */
export function toNumber(value: PlainValue): number {
  if (typeof value === "object" && value !== null) return NaN;
  return Number(typeof value === "string" ? value.trim() : value);
}
