/**
 * `${{ … }}`: GitHub's own parser reads it, and one evaluator, a visitor on its tree, tells what it
 * comes to as far as that is known before the run. It serves `if`, `with`, `env`, matrices, and the
 * inputs of reusable workflows and composite actions.
 *
 * @module
 */

import { type Expr, type ExprVisitor, Star } from "@actions/expressions/ast";
import { Kind } from "@actions/expressions/data";
import { wellKnownFunctions } from "@actions/expressions/funcs";
import { Lexer, type Token, TokenType } from "@actions/expressions/lexer";
import { Parser } from "@actions/expressions/parser";
import { showText } from "../../base/quote.ts";
import {
  combine,
  compare,
  compareOrder,
  fromOutcome,
  getPart,
  hasPrefix,
  invert,
  known,
  listPossible,
  makeObject,
  type Origin,
  type Outcome,
  testAll,
  textOf,
  toData,
  truthOf,
  UNKNOWN,
  type Value,
} from "./value.ts";
import type { YamlNode, YamlScalar } from "./yaml.ts";

/** What an expression can refer to. */
export interface Scope {
  /** The file in which it stands. */
  readonly path: string;
  /** By name in lower case, such as `matrix`; of a context that is not here nothing is known. */
  readonly contexts: ReadonlyMap<string, Value>;
}

/** A scope with one context more, or another in its place. */
export function withContext(scope: Scope, name: string, value: Value): Scope {
  return { ...scope, contexts: new Map([...scope.contexts, [name, value]]) };
}

/** An expression that was read. */
interface Expression {
  readonly tree: Expr;
  readonly tokens: readonly Token[];
}

/** The contexts of GitHub's workflow language. */
const CONTEXTS = [
  "env",
  "github",
  "inputs",
  "job",
  "jobs",
  "matrix",
  "needs",
  "runner",
  "secrets",
  "steps",
]
  .concat(["strategy", "vars"]);
const STATUS_FUNCTIONS = ["always", "cancelled", "failure", "success"];
const FUNCTIONS = [
  ...STATUS_FUNCTIONS.map((name) => ({ name, minArgs: 0, maxArgs: 0 })),
  { name: "hashFiles", minArgs: 1, maxArgs: 255 },
];

/** Longest expression: a chain of comparisons nests the tree as deep as it is long. */
const MAX_EXPRESSION_LENGTH = 4096;
/** Longest text that expressions are put into; a matrix multiplies what it costs. */
const MAX_TEMPLATE_LENGTH = 1024;

/**
 * Reads an expression, without the `${{ }}` around it.
 *
 * @param text The expression
 * @returns Null where GitHub would refuse it, or it is too long
 */
export function parseExpression(text: string): Expression | null {
  if (text.length > MAX_EXPRESSION_LENGTH) return null;
  try {
    const { tokens } = new Lexer(text).lex();
    const functions = FUNCTIONS.map((it) => ({ ...it, description: "" }));
    const tree: Expr | undefined = new Parser(tokens, CONTEXTS, functions).parse();
    return tree === undefined ? null : { tree, tokens };
  } catch {
    // The library throws plain errors, and those of JavaScript on some broken texts.
    return null;
  }
}

/** Whether a piece of a text, as it is written, is nothing but one reference, such as `github.sha`. */
export function isReference(piece: string, name: string): boolean {
  const [only, ...more] = splitTemplate(piece);
  const tokens = only?.expression?.tokens ?? [];
  return more.length === 0 && tokens.map(({ lexeme }) => lexeme.toLowerCase()).join("") === name;
}

/** What an expression comes to. */
function evaluateExpression({ tree }: Expression, { contexts }: Scope): Value {
  const evaluate = (expr: Expr): Value => expr.accept(visitor);
  const visitor: ExprVisitor<Value> = {
    // The library leaves all doubled quotation marks of a text but the first as they are.
    visitLiteral: ({ token, literal }) =>
      token.type === TokenType.STRING
        ? known(token.lexeme.slice(1, -1).replaceAll("''", "'"))
        : known("value" in literal && !Array.isArray(literal.value) ? literal.value : null),
    visitUnary: ({ expr }) => fromOutcome(invert(truthOf(evaluate(expr)))),
    visitBinary: ({ left, operator, right }) =>
      evaluateBinary(operator.lexeme, evaluate(left), evaluate(right)),
    visitLogical: ({ operator, args }) =>
      args.map(evaluate).reduce((left, right) => combine(left, right, operator.lexeme === "||")),
    visitGrouping: ({ group }) => evaluate(group),
    visitContextAccess: ({ name }) => contexts.get(name.lexeme.toLowerCase()) ?? UNKNOWN,
    visitIndexAccess: ({ expr, index }) =>
      index instanceof Star ? UNKNOWN : getPart(evaluate(expr), evaluate(index)),
    visitFunctionCall: ({ functionName, args }) =>
      callFunction(functionName.lexeme.toLowerCase(), args.map(evaluate)),
  };
  return evaluate(tree);
}

function evaluateBinary(operator: string, left: Value, right: Value): Value {
  switch (operator) {
    case "==":
      return fromOutcome(compare(left, right));
    case "!=":
      return fromOutcome(invert(compare(left, right)));
    case "<":
    case "<=":
    case ">":
    case ">=":
      return compareOrder(operator, left, right);
    default:
      return UNKNOWN;
  }
}

/** What a function gives, by its name in lower case, where nothing failed and nothing was cancelled. */
function callFunction(name: string, given: readonly Value[]): Value {
  switch (name) {
    case "always":
    case "success":
      return known(true);
    case "failure":
    case "cancelled":
      return known(false);
    case "fromjson":
      return parseJson(given[0] ?? UNKNOWN);
    case "case":
      return chooseCase(given);
    case "startswith":
      return fromOutcome(startsWith(given[0] ?? UNKNOWN, given[1] ?? UNKNOWN));
    default:
      return callKnown(name, given);
  }
}

/** `case(condition, value, …, otherwise)`. */
function chooseCase(given: readonly Value[]): Value {
  for (let i = 0; i + 1 < given.length; i += 2) {
    const outcome = truthOf(given[i] ?? UNKNOWN);
    if (outcome === "unknown") return UNKNOWN;
    if (outcome === "true") return given[i + 1] ?? UNKNOWN;
  }
  return given.at(-1) ?? UNKNOWN;
}

function startsWith(whole: Value, start: Value): Outcome {
  const text = textOf(start);
  if (text === "") return "true";
  if (whole.kind === "foreign") return text === null ? "unknown" : "false";
  if (whole.kind === "prefix" && text !== null) {
    if (hasPrefix(whole.prefix, text)) return "true";
    return hasPrefix(text, whole.prefix) ? "unknown" : "false";
  }
  return testAll(whole, start, (a, b) => hasPrefix(a.coerceString(), b.coerceString()));
}

/** A function of the library's, where every argument is known. */
function callKnown(name: string, given: readonly Value[]): Value {
  const [first, ...others] = given;
  if (first?.kind === "one_of") {
    return agreeValues(first.values.map((text) => callKnown(name, [known(text), ...others])));
  }
  const values = given.map(toData).filter((value) => value !== null);
  const definition = wellKnownFunctions[name];
  if (definition === undefined || values.length < given.length) {
    return name === "contains" ? containsUnknown(given) : UNKNOWN;
  }
  try {
    return fromData(definition.call(...values));
  } catch {
    // Such as a wrong format: GitHub ends the run there.
    return UNKNOWN;
  }
}

/** The value that all of several are, where they are the same. */
function agreeValues(values: readonly Value[]): Value {
  const [first = UNKNOWN] = values;
  const isOne = values.every((it) =>
    it.kind === "known" && first.kind === "known" && it.value === first.value
  );
  return isOne ? first : UNKNOWN;
}

/** A list contains a value of which little is known where it is equal to one item whatever it is. */
function containsUnknown([whole, part]: readonly Value[]): Value {
  if (whole?.kind !== "array" || part === undefined) return UNKNOWN;
  const outcomes = whole.items.map((item) => compare(item, part));
  if (outcomes.includes("true")) return known(true);
  if (!outcomes.includes("unknown")) return known(false);
  const possible = listPossible(part);
  const isEach = possible?.every(({ value }) =>
    whole.items.some((item) => compare(item, known(value)) === "true")
  );
  return isEach === true ? known(true) : UNKNOWN;
}

function parseJson(value: Value): Value {
  const text = textOf(value);
  if (text === null) return UNKNOWN;
  try {
    return fromJson(JSON.parse(text));
  } catch {
    return UNKNOWN;
  }
}

function fromJson(value: unknown): Value {
  if (Array.isArray(value)) return { kind: "array", items: value.map(fromJson) };
  if (typeof value === "object" && value !== null) {
    return makeObject(Object.entries(value).map(([name, part]) => [name, fromJson(part)]));
  }
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? known(value)
    : known(null);
}

function fromData(
  result: ReturnType<NonNullable<(typeof wellKnownFunctions)[string]>["call"]>,
): Value {
  switch (result.kind) {
    case Kind.String:
    case Kind.Boolean:
    case Kind.Number:
      return known(result.value);
    default:
      return UNKNOWN;
  }
}

/** A piece of a scalar: a text, or an expression; null where GitHub would refuse that. */
interface Piece {
  readonly text: string;
  readonly expression?: Expression | null;
}

/** A matrix reads the same scalars again and again. */
const splitScalars = new WeakMap<YamlScalar, readonly Piece[]>();

function splitScalar(scalar: YamlScalar): readonly Piece[] {
  const remembered = splitScalars.get(scalar);
  if (remembered !== undefined) return remembered;
  const pieces = splitTemplate(typeof scalar.value === "string" ? scalar.value : scalar.source);
  splitScalars.set(scalar, pieces);
  return pieces;
}

function splitTemplate(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  while (end < text.length) {
    const open = text.indexOf("${{", end);
    const start = open < 0 ? text.length : open;
    if (start > end) pieces.push({ text: text.slice(end, start) });
    if (open < 0) break;
    const close = findExpressionEnd(text, open + 3);
    end = close ?? text.length;
    const expression = close === null ? null : parseExpression(text.slice(open + 3, close - 2));
    pieces.push({ text: text.slice(open, end), expression });
  }
  return pieces;
}

/** The place behind `}}`, which does not count inside quotation marks; null where there is none. */
function findExpressionEnd(text: string, start: number): number | null {
  let isQuoted = false;
  for (let i = start; i < text.length; i++) {
    if (text[i] === "'") isQuoted = !isQuoted;
    if (!isQuoted && text.startsWith("}}", i)) return i + 2;
  }
  return null;
}

/** Whether a scalar has an expression in it. */
function hasExpression({ value }: YamlScalar): boolean {
  return typeof value === "string" && value.includes("${{");
}

/**
 * What a scalar comes to: its own value, or that of its expression; a text where it has more parts.
 *
 * @param scalar The scalar
 * @param scope What its expressions can refer to
 */
export function evaluateScalar(scalar: YamlScalar, scope: Scope): Value {
  const origin: Origin = { path: scope.path, scalar };
  if (!hasExpression(scalar)) return { kind: "known", value: scalar.value, origin };
  if (scalar.source.length > MAX_TEMPLATE_LENGTH) {
    return { kind: "unknown", cause: { reason: "its expressions are too long", origin } };
  }
  const pieces = splitScalar(scalar);
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return evaluatePiece(only, scope, origin);
  const { text, cause } = joinPieces(evaluatePieces(scalar, scope), origin);
  return text === null
    ? { kind: "unknown", cause: { reason: cause?.reason ?? "", origin } }
    : { kind: "known", value: text, origin };
}

/** What a piece comes to, with the place where that is written. */
function evaluatePiece(piece: Piece, scope: Scope, origin: Origin): Value {
  if (piece.expression === undefined) return known(piece.text);
  const value = piece.expression === null ? UNKNOWN : evaluateExpression(piece.expression, scope);
  if (value.kind === "known") return { ...value, origin: value.origin ?? origin };
  if (value.kind !== "unknown" || value.cause !== undefined) return value;
  return { kind: "unknown", cause: { reason: tellUnknown(piece.text), origin } };
}

function tellUnknown(written: string): string {
  return `${showText(written)} is known only at run time`;
}

/** A piece of a text, as it is when the workflow runs. */
interface TextPiece {
  /** The text, or the expression as it is written. */
  readonly text: string;
  readonly isKnown: boolean;
}

/** The text that a scalar has when the workflow runs. */
export interface ResolvedText {
  /** Null where a part of it is known only to the run. */
  readonly text: string | null;
  readonly pieces: readonly TextPiece[];
  /** Why the text is not known, such as `"${{ inputs.x }}" is known only at run time`, or null. */
  readonly reason: string | null;
  /** Where the whole text is written: in a matrix, in `env`, or where it is used. */
  readonly origin: Origin;
}

/** A piece with what it came to. */
interface EvaluatedPiece {
  readonly piece: TextPiece;
  readonly value: Value;
}

function evaluatePieces(scalar: YamlScalar, scope: Scope): EvaluatedPiece[] {
  const origin: Origin = { path: scope.path, scalar };
  return splitScalar(scalar).map((piece) => {
    const value = evaluatePiece(piece, scope, origin);
    const text = textOf(value);
    return { piece: { text: text ?? piece.text, isKnown: text !== null }, value };
  });
}

function joinPieces(
  pieces: readonly EvaluatedPiece[],
  origin: Origin,
): { text: string | null; cause: { reason: string; origin: Origin } | null } {
  const unknown = pieces.find(({ piece }) => !piece.isKnown);
  if (unknown === undefined) {
    return { text: pieces.map(({ piece }) => piece.text).join(""), cause: null };
  }
  const cause = unknown.value.kind === "unknown" ? unknown.value.cause : undefined;
  return { text: null, cause: cause ?? { reason: tellUnknown(unknown.piece.text), origin } };
}

/**
 * Puts in what `${{ … }}` stands for.
 *
 * @param scalar The value
 * @param scope What its expressions can refer to
 */
export function resolveText(scalar: YamlScalar, scope: Scope): ResolvedText {
  const origin: Origin = { path: scope.path, scalar };
  const value = evaluateScalar(scalar, scope);
  if (!hasExpression(scalar) || scalar.source.length > MAX_TEMPLATE_LENGTH) {
    const text = textOf(value);
    const reason = value.kind === "unknown" ? value.cause?.reason ?? null : null;
    const pieces = [{ text: text ?? scalar.source, isKnown: text !== null }];
    return { text, pieces, reason, origin };
  }
  const evaluated = evaluatePieces(scalar, scope);
  const { text, cause } = joinPieces(evaluated, origin);
  const pieces = evaluated.map(({ piece }) => piece);
  const [only] = evaluated;
  if (evaluated.length > 1 || only === undefined) {
    return { text, pieces, reason: cause?.reason ?? null, origin };
  }
  const written = only.value.kind === "known" ? only.value.origin : cause?.origin;
  return { text, pieces, reason: cause?.reason ?? null, origin: written ?? origin };
}

/** What a node comes to with all that is in it. */
export function evaluateNode(node: YamlNode, scope: Scope): Value {
  switch (node.kind) {
    case "scalar":
      return evaluateScalar(node, scope);
    case "seq":
      return { kind: "array", items: node.items.map((item) => evaluateNode(item, scope)) };
    case "map":
      return makeObject(node.entries.map(({ key, value }) => [key, evaluateNode(value, scope)]));
  }
}

/** What `if` or `continue-on-error` comes to in a run in which nothing has failed. */
export interface Condition {
  readonly outcome: Outcome;
  /** Whether it holds for a job although one that it needs was skipped. */
  readonly survivesSkips: boolean;
}

/**
 * Reads the value of `if` or `continue-on-error`.
 *
 * @param node The value, or null where there is none
 * @param scope What it can refer to
 * @param fallback What stands where there is none
 */
export function readCondition(node: YamlNode | null, scope: Scope, fallback: boolean): Condition {
  const decide = (outcome: Outcome, expression?: Expression): Condition => ({
    outcome,
    survivesSkips: expression !== undefined &&
      hasWord(expression, ["always", "failure", "cancelled"]),
  });
  if (node === null) return decide(fallback ? "true" : "false");
  if (node.kind !== "scalar") return decide("unknown");
  if (node.value === null) return decide(fallback ? "true" : "false");
  if (typeof node.value !== "string") return decide(truthOf(known(node.value)));
  if (node.value.trim() === "") return decide(fallback ? "true" : "false");
  if (node.value.includes("${{")) return decideTemplate(splitScalar(node), scope, decide);
  const expression = parseExpression(node.value);
  if (expression === null) return decide("unknown");
  return decide(truthOf(evaluateExpression(expression, scope)), expression);
}

/**
 * Text beside an expression makes a text of the whole, which GitHub takes for true. Where that is
 * the line break at the end of a block, it is what happens; words beside it are never what was meant,
 * and decide nothing.
 */
function decideTemplate(
  pieces: readonly Piece[],
  scope: Scope,
  decide: (outcome: Outcome, expression?: Expression) => Condition,
): Condition {
  const [only] = pieces;
  const expression = only?.expression ?? undefined;
  if (pieces.length === 1 && expression !== undefined) {
    return decide(truthOf(evaluateExpression(expression, scope)), expression);
  }
  const expressions = pieces.filter((piece) => piece.expression !== undefined);
  const isSpace = pieces.every((piece) => piece.expression || piece.text.trim() === "");
  return decide(isSpace && expressions.length === 1 ? "true" : "unknown");
}

function hasWord({ tokens }: Expression, words: readonly string[]): boolean {
  return tokens.some(({ lexeme }) => words.includes(lexeme.toLowerCase()));
}
