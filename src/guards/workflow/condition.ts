import type { YamlNode } from "../yaml_node.ts";
import { callsFunction, evaluateExpression, type Lookup } from "./evaluate_expression.ts";
import { type Expression, parseExpression } from "./expression_parser.ts";
import { type Outcome, truthOf } from "./expression_value.ts";

const WRAPPED = /^\$\{\{([\s\S]*)\}\}$/;

/** A condition as it is written: a constant, an expression, or what is not read. */
export type Condition =
  | { readonly kind: "constant"; readonly isTrue: boolean }
  | { readonly kind: "expression"; readonly expression: Expression }
  | { readonly kind: "unreadable" };

/**
 * Reads the value of `if` or `continue-on-error`.
 *
 * @param node The value, or null where there is none
 * @param fallback What stands where there is none
 */
export function readCondition(node: YamlNode | null, fallback: boolean): Condition {
  if (node === null) return { kind: "constant", isTrue: fallback };
  if (node.kind !== "scalar") return { kind: "unreadable" };
  if (node.value === null) return { kind: "constant", isTrue: fallback };
  if (typeof node.value !== "string") return { kind: "constant", isTrue: Boolean(node.value) };
  const text = node.value.trim();
  if (text === "") return { kind: "constant", isTrue: fallback };
  const inner = WRAPPED.exec(text)?.[1] ?? text;
  // Text around an expression makes a text of the whole, which is always true to GitHub and never
  // what was meant.
  if (inner.includes("${{")) return { kind: "unreadable" };
  const result = parseExpression(inner);
  return result.ok ? { kind: "expression", expression: result.expression } : { kind: "unreadable" };
}

/**
 * Tells what a condition comes to in a run in which nothing has failed.
 *
 * @param condition The condition
 * @param lookup Gives the values of contexts
 */
export function evaluateCondition(condition: Condition, lookup: Lookup): Outcome {
  switch (condition.kind) {
    case "constant":
      return condition.isTrue ? "true" : "false";
    case "expression":
      return truthOf(evaluateExpression(condition.expression, lookup));
    case "unreadable":
      return "unknown";
  }
}

/** Whether a job with this condition runs although one that it needs was skipped. */
export function survivesSkippedNeeds(condition: Condition): boolean {
  return condition.kind === "expression" &&
    callsFunction(condition.expression, ["always", "failure", "cancelled"]);
}
