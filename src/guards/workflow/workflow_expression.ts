import { showText } from "../../base/quote.ts";
import { UNDECIDED } from "../runtime/dockerfile.ts";
import { textOfScalar, type YamlNode, type YamlScalar } from "../yaml_node.ts";

/** What `matrix` holds in one run of a job; undecided where only the run knows. */
export type Combination =
  | {
    readonly kind: "known";
    /** By name in lower case: GitHub does not tell cases apart here. */
    readonly values: ReadonlyMap<string, YamlNode>;
  }
  | { readonly kind: "undecided" };

/** What an expression can refer to. */
export interface Scope {
  readonly matrix: Combination;
  /** The `env` of the step, the job and the workflow; the first that has a name decides. */
  readonly env: readonly YamlNode[];
  /** The inputs by name in lower case, where the caller is known. */
  readonly inputs?: ReadonlyMap<string, ResolvedText>;
}

/** The text that a value has when the workflow runs. */
export interface ResolvedText {
  /** The text, with {@linkcode UNDECIDED} for each part that only the run knows. */
  readonly text: string;
  /** Why the text is not known, such as `only the run knows "${{ inputs.x }}"`, or null. */
  readonly undecided: string | null;
  /** Where the whole text is written: in the matrix, in `env`, or where it is used. */
  readonly origin: YamlScalar;
}

const REFERENCE = /^(matrix|env|inputs)((?:\.[\w-]+|\['[^']*'\])+)$/i;
const REFERENCE_PART = /\.([\w-]+)|\['([^']*)'\]/g;
const TEXT_LITERAL = /^'((?:[^']|'')*)'$/;

/** Longest text that expressions are put into; a matrix multiplies what it costs. */
const MAX_TEMPLATE_LENGTH = 1024;

/** Whether a scalar has an expression in it. */
export function hasExpression(scalar: YamlScalar): boolean {
  return scalar.source.includes("${{");
}

/**
 * Puts in what `${{ … }}` stands for, as far as the workflow file itself says it: `matrix.x`,
 * `env.X` and text literals. Everything else is known only to the run.
 *
 * @param scalar The value
 * @param scope What its expressions can refer to
 */
export function resolveText(scalar: YamlScalar, scope: Scope): ResolvedText {
  if (!hasExpression(scalar)) {
    return { text: textOfScalar(scalar), undecided: null, origin: scalar };
  }
  if (scalar.source.length > MAX_TEMPLATE_LENGTH) {
    return { text: UNDECIDED, undecided: "its expressions are too long", origin: scalar };
  }
  const parts = splitTemplate(scalar.source).map((part) =>
    part.expression === null
      ? { text: part.text, undecided: null, origin: scalar }
      : resolveExpression(part.expression, part.text, scalar, scope)
  );
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return {
    text: parts.map((part) => part.text).join(""),
    undecided: parts.find((part) => part.undecided !== null)?.undecided ?? null,
    origin: scalar,
  };
}

/** A piece of a template: as written, and its expression where it is one. */
interface TemplatePart {
  readonly text: string;
  readonly expression: string | null;
}

function splitTemplate(template: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  const text = template.trim();
  let end = 0;
  while (end < text.length) {
    const open = text.indexOf("${{", end);
    const start = open < 0 ? text.length : open;
    if (start > end) parts.push({ text: text.slice(end, start), expression: null });
    if (open < 0) break;
    const close = findExpressionEnd(text, open + 3);
    // Without an end it is no expression that GitHub would take, and means nothing here either.
    const expression = close === null ? "" : text.slice(open + 3, close - 2).trim();
    end = close ?? text.length;
    parts.push({ text: text.slice(open, end), expression });
  }
  return parts;
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

function resolveExpression(
  expression: string,
  written: string,
  place: YamlScalar,
  scope: Scope,
): ResolvedText {
  const undecided = {
    text: UNDECIDED,
    undecided: `only the run knows ${showText(written)}`,
    origin: place,
  };
  const literal = TEXT_LITERAL.exec(expression)?.[1];
  if (literal !== undefined) {
    return { text: literal.replaceAll("''", "'"), undecided: null, origin: place };
  }
  const [, context = "", chain = ""] = REFERENCE.exec(expression) ?? [];
  const names = [...chain.matchAll(REFERENCE_PART)].map((match) => match[1] ?? match[2] ?? "");
  switch (context.toLowerCase()) {
    case "matrix":
      return resolveMatrix(names, place, scope) ?? undecided;
    case "env":
      return resolveEnv(names, scope) ?? undecided;
    case "inputs":
      return resolveInput(names, place, scope) ?? undecided;
    default:
      return undecided;
  }
}

function resolveMatrix(
  names: readonly string[],
  place: YamlScalar,
  { matrix }: Scope,
): ResolvedText | null {
  if (matrix.kind === "undecided") return null;
  const [first = "", ...rest] = names;
  let node = matrix.values.get(first.toLowerCase()) ?? null;
  for (const name of rest) node = getIgnoringCase(node, name);
  if (node === null) return { text: "", undecided: null, origin: place };
  // A matrix is filled before it exists: its own expressions cannot refer to it, nor to `env`.
  const outside: Scope = { matrix: { kind: "undecided" }, env: [] };
  return node.kind === "scalar" ? resolveText(node, outside) : null;
}

function getIgnoringCase(node: YamlNode | null, name: string): YamlNode | null {
  if (node?.kind === "scalar" && hasExpression(node)) return node;
  if (node?.kind !== "map") return null;
  const key = name.toLowerCase();
  return node.entries.find((entry) => entry.key.toLowerCase() === key)?.value ?? null;
}

function resolveInput(
  [name, ...rest]: readonly string[],
  place: YamlScalar,
  { inputs }: Scope,
): ResolvedText | null {
  if (inputs === undefined || name === undefined || rest.length > 0) return null;
  return inputs.get(name.toLowerCase()) ?? { text: "", undecided: null, origin: place };
}

/** Outside the file, a step can set a variable too; where the file sets it, the file counts. */
function resolveEnv(names: readonly string[], scope: Scope): ResolvedText | null {
  const { env } = scope;
  const [name] = names;
  if (name === undefined || names.length > 1) return null;
  for (const [index, layer] of env.entries()) {
    if (layer.kind !== "map") return null;
    const value = layer.entries.find((entry) => entry.key === name)?.value;
    if (value === undefined) continue;
    if (value.kind !== "scalar") return null;
    return resolveText(value, { ...scope, env: env.slice(index + 1) });
  }
  return null;
}
