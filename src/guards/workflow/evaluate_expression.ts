import { evaluateCall } from "./expression_functions.ts";
import type { BinaryOperator, Expression } from "./expression_parser.ts";
import {
  compare,
  fromOutcome,
  invert,
  known,
  toNumber,
  truthOf,
  UNKNOWN,
  type Value,
} from "./expression_value.ts";

/** Gives the value of a reference by its path in lower case. */
export type Lookup = (path: readonly string[]) => Value;

/**
 * Evaluates an expression as GitHub documents it, as far as its values are known, in a run in which
 * nothing has failed and nothing was cancelled.
 *
 * @param expression The expression
 * @param lookup Gives the values of contexts
 */
export function evaluateExpression(expression: Expression, lookup: Lookup): Value {
  switch (expression.kind) {
    case "literal":
      return known(expression.value);
    case "reference":
      return lookup(expression.path);
    case "call":
      return evaluateCall(
        expression.name,
        expression.arguments.map((argument) => evaluateExpression(argument, lookup)),
      );
    case "not":
      return fromOutcome(invert(truthOf(evaluateExpression(expression.operand, lookup))));
    case "binary":
      return evaluateBinary(
        expression.operator,
        evaluateExpression(expression.left, lookup),
        evaluateExpression(expression.right, lookup),
      );
  }
}

function evaluateBinary(operator: BinaryOperator, left: Value, right: Value): Value {
  switch (operator) {
    case "&&":
      return combine(left, right, "false");
    case "||":
      return combine(left, right, "true");
    case "==":
      return fromOutcome(compare(left, right));
    case "!=":
      return fromOutcome(invert(compare(left, right)));
    default:
      return evaluateOrder(operator, left, right);
  }
}

/** `&&` and `||` give one of their operands; the deciding truth of either decides. */
function combine(left: Value, right: Value, deciding: "true" | "false"): Value {
  const first = truthOf(left);
  if (first === deciding) return left;
  if (first !== "unknown") return right;
  return truthOf(right) === deciding ? right : UNKNOWN;
}

function evaluateOrder(operator: BinaryOperator, left: Value, right: Value): Value {
  if (left.kind !== "known" || right.kind !== "known") return UNKNOWN;
  const [a, b] = [toNumber(left.value), toNumber(right.value)];
  if (typeof left.value === "string" && typeof right.value === "string") return UNKNOWN;
  switch (operator) {
    case "<":
      return known(a < b);
    case "<=":
      return known(a <= b);
    case ">":
      return known(a > b);
    default:
      return known(a >= b);
  }
}

/**
 * Whether an expression asks for the state of the run by one of these functions.
 *
 * @param expression The expression
 * @param names In lower case, such as `always`
 */
export function callsFunction(expression: Expression, names: readonly string[]): boolean {
  switch (expression.kind) {
    case "literal":
    case "reference":
      return false;
    case "call":
      return names.includes(expression.name) ||
        expression.arguments.some((argument) => callsFunction(argument, names));
    case "not":
      return callsFunction(expression.operand, names);
    case "binary":
      return callsFunction(expression.left, names) || callsFunction(expression.right, names);
  }
}
