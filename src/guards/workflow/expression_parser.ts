import { showText } from "../../base/quote.ts";

/** An expression of GitHub's workflow language, as `if:` holds it. */
export type Expression =
  | { readonly kind: "literal"; readonly value: string | number | boolean | null }
  | {
    /** A value of a context, such as `github.event_name`. */
    readonly kind: "reference";
    /** In lower case; what is computed stands as `*`. */
    readonly path: readonly string[];
  }
  | {
    readonly kind: "call";
    /** In lower case. */
    readonly name: string;
    readonly arguments: readonly Expression[];
  }
  | { readonly kind: "not"; readonly operand: Expression }
  | {
    readonly kind: "binary";
    readonly operator: BinaryOperator;
    readonly left: Expression;
    readonly right: Expression;
  };

/** An operator with two operands. */
export type BinaryOperator = "&&" | "||" | "==" | "!=" | "<" | "<=" | ">" | ">=";

/** An expression that was read, or why it was not. */
type ExpressionResult =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly reason: string };

/** Longest expression that is read. */
const MAX_LENGTH = 4096;
/** Deepest nesting. */
const MAX_DEPTH = 50;

const TOKEN =
  /\s*(?:('(?:[^']|'')*')|(-?(?:0x[0-9a-f]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?))|([a-z_][\w-]*)|(&&|\|\||[=!<>]=|[<>!()[\].,*]))/iy;

/** How tightly each operator binds, after GitHub's documentation. */
const PRECEDENCE: Readonly<Record<BinaryOperator, number>> = {
  "||": 1,
  "&&": 2,
  "==": 3,
  "!=": 3,
  "<": 4,
  "<=": 4,
  ">": 4,
  ">=": 4,
};

/** A token with its place. */
interface Token {
  readonly text: string;
  readonly kind: "text" | "number" | "name" | "sign";
}

/** Why an expression is not read. */
class Refusal extends Error {}

/** The tokens and how far they are read. */
interface Reader {
  readonly tokens: readonly Token[];
  next: number;
  depth: number;
}

/**
 * Parses an expression of GitHub Actions, without `${{` and `}}`.
 *
 * @param text The expression
 * @returns The expression, or why it is not read
 */
export function parseExpression(text: string): ExpressionResult {
  try {
    const reader = { tokens: tokenize(text), next: 0, depth: 0 };
    const expression = readBinary(reader, 1);
    if (reader.next < reader.tokens.length) throw new Refusal("it goes on after its end");
    return { ok: true, expression };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { ok: false, reason: error.message };
  }
}

function tokenize(text: string): Token[] {
  if (text.length > MAX_LENGTH) throw new Refusal(`it is longer than ${MAX_LENGTH} characters`);
  const tokens: Token[] = [];
  const source = text.trimEnd();
  const pattern = new RegExp(TOKEN);
  while (pattern.lastIndex < source.length) {
    const start = pattern.lastIndex;
    const match = pattern.exec(source);
    if (match === null) throw new Refusal(`it cannot be read at ${showText(source.slice(start))}`);
    tokens.push(toToken(match));
  }
  return tokens;
}

function toToken([, text, number, name, sign = ""]: RegExpExecArray): Token {
  if (text !== undefined) {
    return { kind: "text", text: text.slice(1, -1).replaceAll("''", "'") };
  }
  if (number !== undefined) return { kind: "number", text: number };
  return name === undefined ? { kind: "sign", text: sign } : { kind: "name", text: name };
}

function peek(reader: Reader): string | null {
  const token = reader.tokens[reader.next];
  return token?.kind === "sign" ? token.text : null;
}

function accept(reader: Reader, sign: string): boolean {
  if (peek(reader) !== sign) return false;
  reader.next++;
  return true;
}

function expect(reader: Reader, sign: string): void {
  if (!accept(reader, sign)) throw new Refusal(`it lacks a ${showText(sign)}`);
}

function isOperator(text: string | null): text is BinaryOperator {
  return text !== null && Object.hasOwn(PRECEDENCE, text);
}

function readBinary(reader: Reader, weakest: number): Expression {
  if (++reader.depth > MAX_DEPTH) throw new Refusal(`it is nested deeper than ${MAX_DEPTH}`);
  let left = readUnary(reader);
  for (
    let operator = peek(reader);
    isOperator(operator) && PRECEDENCE[operator] >= weakest;
    operator = peek(reader)
  ) {
    reader.next++;
    const right = readBinary(reader, PRECEDENCE[operator] + 1);
    left = { kind: "binary", operator, left, right };
  }
  reader.depth--;
  return left;
}

function readUnary(reader: Reader): Expression {
  let negations = 0;
  while (accept(reader, "!")) negations++;
  const operand = readPrimary(reader);
  if (negations === 0) return operand;
  const negated: Expression = { kind: "not", operand };
  return negations % 2 === 1 ? negated : { kind: "not", operand: negated };
}

function readPrimary(reader: Reader): Expression {
  if (accept(reader, "(")) {
    const inner = readBinary(reader, 1);
    expect(reader, ")");
    return inner;
  }
  const token = reader.tokens[reader.next++];
  switch (token?.kind) {
    case "text":
      return { kind: "literal", value: token.text };
    case "number":
      return { kind: "literal", value: Number(token.text) };
    case "name":
      return readNamed(reader, token.text);
    default:
      throw new Refusal("it lacks a value");
  }
}

function readNamed(reader: Reader, text: string): Expression {
  const name = text.toLowerCase();
  if (accept(reader, "(")) return readCall(reader, name);
  switch (name) {
    case "true":
    case "false":
      return { kind: "literal", value: name === "true" };
    case "null":
      return { kind: "literal", value: null };
    case "nan":
    case "infinity":
      throw new Refusal("it holds a number without a value");
    default:
      return readReference(reader, text);
  }
}

function readCall(reader: Reader, name: string): Expression {
  const given: Expression[] = [];
  if (!accept(reader, ")")) {
    do given.push(readBinary(reader, 1)); while (accept(reader, ","));
    expect(reader, ")");
  }
  return { kind: "call", name, arguments: given };
}

function readReference(reader: Reader, first: string): Expression {
  const path = [first];
  for (;;) {
    if (accept(reader, ".")) {
      const token = reader.tokens[reader.next++];
      if (token?.kind !== "name" && token?.text !== "*") throw new Refusal("it lacks a name");
      path.push(token.text);
    } else if (accept(reader, "[")) {
      const index = readBinary(reader, 1);
      path.push(index.kind === "literal" ? String(index.value) : "*");
      expect(reader, "]");
    } else {
      return { kind: "reference", path: path.map((part) => part.toLowerCase()) };
    }
  }
}
